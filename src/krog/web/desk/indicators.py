"""Values in the desk: what waits to be entered or confirmed, what is late, and who answers for an indicator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from krog.base import times
from krog.base.errors import Invalid, KrogError, NotFound
from krog.base.grant import Grant, Reader
from krog.catalogue import door
from krog.indicators import numbers, reads, verbs
from krog.indicators.shapes import OPERATORS, RequestState
from krog.indicators.shapes import Request as Asked
from krog.people import reads as people
from krog.people.permissions import STAFF, is_staff, may, require
from krog.web import downloads, navigation
from krog.web.components.indicators import view, words
from krog.web.components.indicators.forms import confirm_page, enter_page
from krog.web.components.tables import offers
from krog.web.request import Request

#: Tab -> the states that it shows (none: indicators), its words.
TABS: dict[str, tuple[tuple[str, ...], Any]] = {
    "enter": ((RequestState.ASKED, RequestState.REJECTED), gettext_lazy("To enter")),
    "confirm": ((RequestState.ENTERED,), gettext_lazy("To confirm")),
    "late": ((RequestState.ASKED, RequestState.REJECTED, RequestState.ENTERED), gettext_lazy("Late")),
    "done": ((RequestState.CONFIRMED,), gettext_lazy("Confirmed")),
    "unclear": ((), gettext_lazy("Unclear targets")),
    "all": ((), gettext_lazy("All indicators")),
}
MOST = 200


def _grant(request: Request) -> Grant:
    reader: Reader = request.reader
    require(reader, *STAFF, what=_("see the values in the desk"))
    return door.open(reader, "desk", kind="indicators")


def offices_of(reader: Reader) -> frozenset[str] | None:
    """The offices whose values a reader minds; None: all."""
    return None if may(reader, "planner", "digital_officer") else reader.offices


def _requests(grant: Grant, tab: str) -> list[Asked]:
    found = reads.requests(grant, states=TABS[tab][0], offices=offices_of(grant.reader), limit=MOST).items
    return [one for one in found if tab != "late" or one.late(times.now())]


@offers(downloads.request_list)
@require_safe
def listing(request: Request) -> HttpResponse:
    """What waits, by tabs."""
    grant = _grant(request)
    tab = request.GET.get("tab", "enter")
    tab = tab if tab in TABS else "enter"
    standings = reads.standings(grant)
    now = times.now()
    open_ones = _requests(grant, "late") if tab != "late" else []
    rows = []
    for one in _requests(grant, tab) if tab not in ("all", "unclear") else []:
        mark, word = words.REQUESTS[one.state]
        rows.append({
            "request": one, "standing": standings.get(one.indicator), "period": words.period(one.period), "mark": mark,
            "word": word, "due": words.due(one, now), "late": one.late(now), "href": _act(one),
        })  # fmt: skip
    late = len(open_ones) if tab != "late" else len(rows)
    return render(request, "desk/indicators/list.html", {
        "tabs": [{"key": key, "title": title, "current": key == tab, "href": f"{request.path}?tab={key}",
                  "count": late if key == "late" else 0} for key, (_states, title) in TABS.items()],
        "unclear": _unclear(grant) if tab == "unclear" else [],
        "tab": tab, "rows": rows, "standings": [view.row(each) for each in standings.values()] if tab == "all" else [],
        "crumbs": [{"title": _("Values"), "href": ""}],
    })  # fmt: skip


def _unclear(grant: Grant) -> list[dict[str, Any]]:
    """The targets that their source states unclearly, each with what is printed and why it cannot be read."""
    return [
        {"indicator": each, "target": target, "word": words.PARSED.get(target.parse_status, ""),
         "printed": words.quoted(target.raw) if target.raw else "–"}
        for each in reads.indicators(grant, limit=10_000).items for target in each.targets if not target.readable
    ]  # fmt: skip


class ClarifyForm(forms.Form):
    """How an unclear target is to be read, and on what ground."""

    date = forms.CharField(label=gettext_lazy("Year"), max_length=4, required=False)
    type = forms.ChoiceField(label=gettext_lazy("Kind of target"), choices=tuple(words.TARGET_TYPES.items()))
    op = forms.ChoiceField(label=gettext_lazy("Comparison"), required=False,
                           choices=[("", "–"), *((op, op) for op in OPERATORS)])  # fmt: skip
    value = forms.CharField(label=gettext_lazy("Value"), max_length=60, required=False)
    value_to = forms.CharField(label=gettext_lazy("Upper end of a range"), max_length=60, required=False)
    clarification = forms.CharField(label=gettext_lazy("Who cleared it up, and where is it written?"), max_length=2000,
                                    widget=forms.Textarea)  # fmt: skip

    def _number(self, name: str) -> float | None:
        text = self.cleaned_data[name].strip()
        try:
            return numbers.parse(text, words.language()) if text else None
        except Invalid as error:
            raise forms.ValidationError(error.what) from error

    def clean_value(self) -> float | None:
        return self._number("value")

    def clean_value_to(self) -> float | None:
        return self._number("value_to")


@require_http_methods(["GET", "HEAD", "POST"])
def clarify(request: Request, key: str, target: str) -> HttpResponse:
    """The form by which a planner clears up a target."""
    grant = _grant(request)
    about = reads.indicator(grant, key)
    found = next((t for t in about.targets if t.key == target), None)
    if found is None:
        raise NotFound(_("There is no target “%(key)s”.") % {"key": target[:100]}, "target")
    start = {"date": found.date, "type": found.type, "op": found.op, "value": words.number(found.value, None)
             if found.value is not None else ""}  # fmt: skip
    form = ClarifyForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            verbs.clarify_target(grant.reader, key=target, **form.cleaned_data)
            messages.success(request, _("The target is cleared up; it is judged from now on."))
            return HttpResponseRedirect(_back("unclear"))
        except KrogError as error:
            said = [p.what for p in error.problems] or [f"{error.what} {error.todo}".strip()]
            form.add_error(None, said)
    return render(request, "desk/indicators/clarify.html", {
        "indicator": about, "target": found, "form": form, "title": words.said(about.title),
        "printed": words.quoted(found.raw) if found.raw else "–", "word": words.PARSED.get(found.parse_status, ""),
        "crumbs": [{"title": _("Values"), "href": _back("unclear")}, {"title": about.code or key, "href": ""}],
    }, status=400 if form.errors else 200)  # fmt: skip


@require_POST
def remind_all(request: Request) -> HttpResponse:
    """Sends the mails of all late values once more."""
    grant = _grant(request)
    sent = 0
    for one in _requests(grant, "late"):
        try:
            verbs.remind(grant.reader, request=one.key)
            sent += 1
        except KrogError as error:
            messages.warning(request, f"{one.key}: {error.what}")
    messages.success(request, ngettext("%(count)d mail is on its way.", "%(count)d mails are on their way.", sent)
                     % {"count": sent})  # fmt: skip
    return HttpResponseRedirect(_back("late"))


def _act(one: Asked) -> str:
    """Where a request leads: to the form that it waits for."""
    if one.state == RequestState.ENTERED:
        return reverse("desk-indicators-confirm", args=[one.key])
    return reverse("desk-indicators-enter", args=[one.key])


@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: Request, key: str) -> HttpResponse:
    """The form for a value."""
    grant = _grant(request)
    return enter_page(request, grant.reader, key, template="desk/indicators/enter.html", back=_back("enter"))


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: Request, key: str) -> HttpResponse:
    """The form of the second person."""
    grant = _grant(request)
    return confirm_page(request, grant.reader, key, template="desk/indicators/confirm.html", back=_back("confirm"))


def _back(tab: str) -> str:
    return f"{reverse('desk-indicators-list')}?tab={tab}"


@require_POST
def remind(request: Request, key: str) -> HttpResponse:
    """Sends the mail that a request waits for once more."""
    grant = _grant(request)
    reads.request(grant, key)
    verbs.remind(grant.reader, request=key)
    messages.success(request, _("The mail is on its way."))
    return HttpResponseRedirect(_back("late"))


class ResponsibleForm(forms.Form):
    """Who enters and who confirms, and why that changes."""

    owner = forms.ChoiceField(label=gettext_lazy("Who enters the value"))
    confirmer = forms.ChoiceField(label=gettext_lazy("Who confirms it"), help_text=gettext_lazy("A second person."))
    note = forms.CharField(label=gettext_lazy("Why does it change?"), max_length=500)

    def __init__(self, *given: Any, people: list[tuple[str, str]], **more: Any):
        super().__init__(*given, **more)
        for name in ("owner", "confirmer"):
            self.fields[name].choices = people  # type: ignore[attr-defined]


@offers(downloads.value_list)
@require_http_methods(["GET", "HEAD", "POST"])
def responsible(request: Request, key: str) -> HttpResponse:
    """Who answers for the values of an indicator, with its journal."""
    grant = _grant(request)
    about = reads.indicator(grant, key)
    known = [(each.key, each.name) for each in people.people(grant)]
    form = ResponsibleForm(request.POST or None, people=known,
                           initial={"owner": about.owner, "confirmer": about.confirmer})  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            verbs.change_responsible(grant.reader, key=key, **form.cleaned_data)
            messages.success(request, _("It has been changed."))
            return HttpResponseRedirect(reverse("desk-indicators-responsible", args=[key]))
        except KrogError as error:
            form.add_error(None, f"{error.what} {error.todo}".strip())
    return render(request, "desk/indicators/responsible.html", {
        "indicator": about, "form": form, "entries": reads.journal_of(grant, key), "title": words.said(about.title),
        "crumbs": [{"title": _("Values"), "href": _back("all")}, {"title": about.code or key, "href": ""}],
    }, status=400 if form.errors else 200)  # fmt: skip


def counter(reader: Reader) -> dict[str, tuple[int, bool]]:
    """How many values wait for the reader's offices, and whether one is late."""
    if not is_staff(reader):
        return {}
    waiting = reads.waiting(door.open(reader, "desk", kind="indicators"), offices_of(reader))
    return {"indicators": (waiting["open"], waiting["late"] > 0)}


navigation.COUNTERS.append(counter)

urlpatterns = [
    path("indicators/", listing, name="desk-indicators-list"),
    path("indicators/requests/<str:key>/enter", enter, name="desk-indicators-enter"),
    path("indicators/requests/<str:key>/confirm", confirm, name="desk-indicators-confirm"),
    path("indicators/requests/<str:key>/remind", remind, name="desk-indicators-remind"),
    path("indicators/remind", remind_all, name="desk-indicators-remind-all"),
    path("indicators/<str:key>/targets/<str:target>", clarify, name="desk-indicators-clarify"),
    path("indicators/<str:key>", responsible, name="desk-indicators-responsible"),
]
