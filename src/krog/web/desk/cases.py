"""Cases in the desk: one case with everything that was said and done, its actions, opening one; mail out and in."""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.views.decorators.http import require_POST

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, KrogError, NotFound
from krog.base.grant import Grant, Reader
from krog.base.settings import settings
from krog.cases import reads, shapes, verbs
from krog.catalogue import door
from krog.engine import mailbox
from krog.journal import reads as journal
from krog.journal import verbs as journal_verbs
from krog.people import reads as people
from krog.people.permissions import require
from krog.rules import reads as rules
from krog.web.components.paging import offset_of, pager
from krog.web.components.verb_words import words_of
from krog.web.desk.work import everybody, me, row
from krog.web.portal import case_words as words
from krog.web.portal.cases import photo_response
from krog.web.portal.rules import alert_context
from krog.web.request import Request

PAGE = 50
#: How long a case may be put off from a row, in hours.
SNOOZES = {"3": later("for three hours"), "24": later("until tomorrow"), "168": later("for a week")}


def _grant(request: Request, kind: str = "cases") -> Grant:
    return door.open(request.reader, "desk", kind=kind)


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    first = {"title": _("My work"), "href": reverse("desk-work")}
    return [first, *({"title": title, "href": href} for title, href in more)]


class SayForm(forms.Form):
    """One text, for answering, noting, closing, declining, waiting and reopening."""

    text = forms.CharField(
        label=later("Your text"), max_length=20000, required=False, widget=forms.Textarea({"rows": 3})
    )


def detail(request: Request, key: str) -> HttpResponse:
    """One case in full."""
    return _page(request, key, SayForm())


def _page(request: Request, key: str, form: SayForm, status: int = 200) -> HttpResponse:
    reader: Reader = request.reader
    case, entries = reads.case_and_history(_grant(request), key)
    staff = everybody(request)
    names = words.offices()
    shown = row(case, reader, me(reader, staff), staff, names)
    timeline: list[dict[str, Any]] = [{"time": m.time, "message": m} for m in case.messages]
    timeline += [
        {"time": entry.time, "entry": entry, "words": words_of(entry.verb)}
        for entry in entries
        if entry.verb not in ("cases.note", "cases.reply", "cases.receive", "cases.publish-photos")
    ]
    return render(
        request,
        "desk/cases/detail.html",
        {
            **shown,
            "form": form,
            "crumbs": _crumbs((case.reference, "")),
            "alert": _alert(request, case),
            "status": words.STATUSES[case.status],
            "channel": words.CHANNELS.get(case.channel, case.channel),
            "opened_by": words.OPENERS.get(case.opened_by, case.opened_by),
            "snoozes": SNOOZES,
            "timeline": sorted(timeline, key=lambda each: each["time"]),
            "offices": [(office, title) for office, title in names.items() if office != case.office],
            "map": words.case_map(_("Where"), [(case, "")]),
            "own_address": f"{case.key}-{case.code}",
            "next": reverse("desk-cases-detail", args=[case.key]),
        },
        status=status,
    )


def _alert(request: Request, case: shapes.Case) -> dict[str, Any] | None:
    """The alert behind a case with its readings and chart, or None."""
    if case.cause is None or case.cause.noun != "alert":
        return None
    grant = _grant(request, "rules")
    try:
        alert, rule = rules.alert_and_rule(grant, case.cause.key)
        return alert_context(request.reader, alert, rule, grant, "desk")
    except NotFound:
        return None


def _text(request: Request) -> str:
    return str(request.POST.get("text", ""))


def _publish(request: Request, by: Reader, key: str) -> None:
    named = request.POST.getlist("photos")
    chosen = frozenset(int(each) for each in named if each.isascii() and each.isdigit() and len(each) < 19)
    verbs.publish(
        by,
        key=key,
        public="public" in request.POST,
        words_public="words_public" in request.POST,
        photos=chosen,
        note=str(request.POST.get("note", "")),
    )


def _snooze(request: Request, by: Reader, key: str) -> None:
    hours = request.POST.get("hours", "")
    if hours not in (*SNOOZES, "0"):
        raise Invalid(_("Choose for how long."), "hours")
    verbs.snooze(by, key=key, until=times.now() + int(hours) * times.HOUR if hours != "0" else 0)


def _tick(request: Request, by: Reader, key: str) -> None:
    step = request.POST.get("step", "")
    if not (step.isascii() and step.isdigit() and len(step) < 4):
        raise NotFound("The protocol has no such step.", "step")
    verbs.tick(by, key=key, step=int(step), done=request.POST.get("done", "1") == "1")


#: What the buttons of a case do, by their value.
ACTS: Mapping[str, Callable[[Request, Reader, str], object]] = {
    "take": lambda r, by, key: verbs.take(by, key=key),
    "assign": lambda r, by, key: verbs.assign(by, key=key, account=r.POST.get("account", "")),
    "hand-over": lambda r, by, key: verbs.assign(by, key=key, office=r.POST.get("office", ""), reason=_text(r)),
    "reply": lambda r, by, key: verbs.reply(by, key=key, text=_text(r)),
    "reply-public": lambda r, by, key: verbs.reply(by, key=key, text=_text(r), public=True),
    "note": lambda r, by, key: verbs.reply(by, key=key, text=_text(r), internal=True),
    "wait": lambda r, by, key: verbs.wait(by, key=key, waiting_for=_text(r)),
    "snooze": _snooze,
    "close": lambda r, by, key: verbs.close(by, key=key, outcome=_text(r)),
    "decline": lambda r, by, key: verbs.decline(by, key=key, reason=_text(r)),
    "reopen": lambda r, by, key: verbs.reopen(by, key=key, reason=_text(r)),
    "publish": _publish,
    "tick": _tick,
}
DONE = {
    "take": later("You have taken the case."),
    "assign": later("The case is assigned."),
    "hand-over": later("The case is with the other office now."),
    "reply": later("Your answer is on its way."),
    "reply-public": later("Your answer is on its way and public."),
    "note": later("Noted."),
    "wait": later("The case waits."),
    "snooze": later("The case is put off."),
    "close": later("The case is closed."),
    "decline": later("The case is closed without action."),
    "reopen": later("The case is open again."),
    "publish": later("What the public sees is changed."),
}


@require_POST
def act(request: Request, key: str) -> HttpResponse:
    """Does what a button of a case says, and goes back to where it was pressed; what was written is never lost."""
    wanted = request.POST.get("act", "")
    if wanted not in ACTS:
        raise Invalid("There is no such action.", "act", ", ".join(ACTS))
    try:
        ACTS[wanted](request, request.reader, key)
    except (Invalid, Conflict, Forbidden) as error:
        form = SayForm(request.POST)
        form.is_valid()
        form.add_error(None, f"{error.what} {error.todo}".strip())
        return _page(request, key, form, status=error.status)
    if wanted in DONE:
        messages.success(request, f"{key.upper()}: {DONE[wanted]}")
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(back if safe else reverse("desk-cases-detail", args=[key]))


def photo(request: Request, key: str, number: int) -> HttpResponse:
    """A photo of a case."""
    return photo_response(reads.photo_file(_grant(request), key, number))


class OpenForm(forms.Form):
    """A case that somebody of the city opens: by phone, at the desk, or on his own account."""

    type = forms.ChoiceField(label=later("What is it about?"))
    channel = forms.ChoiceField(
        label=later("How did it come?"),
        choices=[("desk", later("at the desk")), ("phone", later("by phone")), ("mail", later("by mail"))],
    )
    description = forms.CharField(label=later("What is wrong?"), widget=forms.Textarea({"rows": 4}), max_length=5000)
    place = forms.CharField(label=later("Where?"), max_length=300)
    severity = forms.ChoiceField(
        label=later("How urgent?"),
        help_text=later("Urgent needs a protocol."),
        choices=[(key, word) for key, word in words.SEVERITIES.items()],
    )
    protocol = forms.ChoiceField(label=later("Protocol"), required=False)
    name = forms.CharField(label=later("Name of the person who reports"), max_length=200, required=False)
    email = forms.EmailField(label=later("E-mail address of that person"), required=False)
    phone = forms.CharField(label=later("Phone of that person"), max_length=50, required=False)


def new(request: Request) -> HttpResponse:
    """Opens a case for somebody who called or came."""
    by: Reader = request.reader
    require(by, "clerk", "official", "operator", "planner", "digital_officer", what="open a case")
    form = OpenForm(request.POST or None)
    kinds, protocols = form.fields["type"], form.fields["protocol"]
    assert isinstance(kinds, forms.ChoiceField)
    assert isinstance(protocols, forms.ChoiceField)
    kinds.choices = [(kind.key, words.said(kind.title)) for kind in reads.case_types(_grant(request))]
    protocols.choices = [("", "–"), *((one.key, words.said(one.title)) for one in reads.protocols(_grant(request)))]
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        reporter = shapes.NewReporter(given.pop("name"), given.pop("email"), given.pop("phone"))
        try:
            opened = verbs.open(by, **given, reporter=reporter, language=words.language())
        except KrogError as error:
            form.add_error(None, " ".join([error.what, *(problem.what for problem in error.problems)]))
        else:
            messages.success(request, _("%(reference)s is open.") % {"reference": opened.reference})
            return HttpResponseRedirect(reverse("desk-cases-detail", args=[opened.key]))
    return render(
        request,
        "desk/cases/new.html",
        {"form": form, "crumbs": _crumbs((_("Open a case"), ""))},
        status=422 if form.errors else 200,
    )


# Mail


def mail(request: Request) -> HttpResponse:
    """The outbox: what waits, what could not be sent and why."""
    by: Reader = request.reader
    require(by, "clerk", "official", "operator", "planner", "digital_officer", what="see the outbox")
    if request.method == "POST":
        number = request.POST.get("mail", "")
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            raise NotFound("There is no such mail.", "mail")
        journal_verbs.mail_again(by, mail=int(number))
        messages.success(request, _("The mail will be sent again."))
        return HttpResponseRedirect(request.get_full_path())
    state = request.GET.get("state", "")
    state = state if state in ("queued", "sent", "failed") else ""
    offset, counts = offset_of(request), journal.mail_counts()
    total = counts.get(state, 0) if state else sum(counts.values())
    found = journal.mails(state or None, limit=PAGE, offset=offset)
    grant = _grant(request, "people")
    known = {person.email.lower() for person in people.people(grant)} | {o.email.lower() for o in people.offices(grant)}
    return render(
        request,
        "desk/cases/mail.html",
        {
            # Who reported is for the office that handles a case; here the address of a citizen says nothing to anybody.
            "mails": [
                {
                    "mail": each,
                    "to": each.to if each.to.lower() in known else _("a person who reported"),
                    "href": reverse("desk-cases-detail", args=[each.key]) if each.noun == "case" else "",
                }
                for each in found
            ],
            "tabs": [
                ("", _("All"), sum(counts.values())),
                ("queued", _("Waiting"), counts.get("queued", 0)),
                ("sent", _("Sent"), counts.get("sent", 0)),
                ("failed", _("Not sent"), counts.get("failed", 0)),
            ],
            "state": state,
            "page": pager(request, shown=len(found), total=total, limit=PAGE, offset=offset),
        },
    )


class AnswerForm(forms.Form):
    """An answer to a mail of the demo's mailbox."""

    text = forms.CharField(label=later("Your answer"), max_length=20000, widget=forms.Textarea({"rows": 5}))


def _demo_only() -> None:
    if not settings().demo or settings().mail != "embedded":
        raise NotFound("There is a mailbox only in a demonstration that keeps its mails.", "mailbox")


def letters(request: Request) -> HttpResponse:
    """The mailbox of a demo: what people would have been sent."""
    _demo_only()
    return render(request, "desk/cases/mailbox.html", {"letters": mailbox.letters()})


def letter(request: Request, name: str) -> HttpResponse:
    """One mail of the demo's mailbox; answering it goes over real SMTP to the listener."""
    _demo_only()
    found = mailbox.letter(name)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and found.reply_to:
        try:
            _send_answer(found, form.cleaned_data["text"])
        except (OSError, smtplib.SMTPException) as error:
            form.add_error(None, _("The mail could not be handed over: %(error)s") % {"error": error})
        else:
            messages.success(request, _("Your answer was sent to %(to)s.") % {"to": found.reply_to})
            return HttpResponseRedirect(request.path)
    return render(
        request,
        "desk/cases/letter.html",
        {
            "letter": found,
            "form": form,
            "listening": bool(settings().mail_port),
            "crumbs": [
                {"title": _("Demo mailbox"), "href": reverse("desk-mailbox")},
                {"title": found.subject, "href": ""},
            ],
        },
        status=422 if form.errors else 200,
    )


def _send_answer(found: mailbox.Letter, text: str) -> None:
    answer = EmailMessage()
    answer["From"], answer["To"] = found.to, found.reply_to
    answer["Subject"] = f"Re: {found.subject}"
    answer["In-Reply-To"] = found.message_id
    answer["Message-ID"] = make_msgid(domain="example.org")
    quoted = "\n".join(f"> {line}" for line in found.text.splitlines())
    answer.set_content(f"{text}\n\n{quoted}\n")
    with smtplib.SMTP(str(settings().mail_host), int(settings().mail_port), timeout=10) as server:
        server.send_message(answer)


urlpatterns = [
    path("cases/new", new, name="desk-cases-new"),
    path("cases/<slug:key>/", detail, name="desk-cases-detail"),
    path("cases/<slug:key>/act", act, name="desk-cases-act"),
    path("cases/<slug:key>/photos/<int:number>", photo, name="desk-cases-photo"),
    path("mail/", mail, name="desk-mail"),
    path("mailbox/", letters, name="desk-mailbox"),
    path("mailbox/<str:name>", letter, name="desk-mailbox-letter"),
]
