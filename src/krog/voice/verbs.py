"""The only place that changes calls and proposals. The journal never holds an author's name or address."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.declaration import Change
from krog.base.errors import Conflict, Invalid, NotFound, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.catalogue import door
from krog.journal.verbs import erase as erase_journal
from krog.journal.verbs import erase_mails, record
from krog.people.permissions import STAFF, require
from krog.plans import reads as plans
from krog.plans.fields import plain
from krog.voice import mails, models
from krog.voice.reads import phase, today

#: Letters of a reference that people do not confuse when they read it out.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
#: Ways on which a proposal comes in; those on which it is entered for another person.
CHANNELS, FOR_ANOTHER = ("web", "phone", "desk", "paper", "api"), ("phone", "desk", "paper")
TITLE_MAX, TEXT_MAX, PLACE_MAX, AUTHOR_MAX, ANSWER_MAX = 150, 5000, 200, 100, 5000


def propose(
    by: Reader,
    *,
    call: str,
    title: str,
    text: str,
    place: str = "",
    node: str = "",
    author: str = "",
    email: str = "",
    language: str = "sl",
    form: str = "",
    channel: str = "web",
) -> str:
    """Hands in a proposal to an open call; returns its key. Anybody may.

    With an e-mail address it waits until a signed link has confirmed it. `form` is a random mark of the form it was
    written in: the same form sent twice is one proposal. `channel` is phone, desk or paper where somebody who works for
    the city enters it for another person.
    """
    if channel not in CHANNELS:
        raise Invalid(f"The channel {channel!r} is not known.", "channel", ", ".join(CHANNELS))
    if channel in FOR_ANOTHER:
        require(by, *STAFF, what="enter a proposal for another person")
    title, text, place, author, email = (plain(value) for value in (title, text, place, author, email))
    title, place, author = (" ".join(value.split()) for value in (title, place, author))
    row = models.Call.objects.filter(key=call, retired=False).first()
    if row is None or row.dataset not in door.open(by, "portal", kind="voice"):
        raise NotFound(_("There is no call “%(call)s”.") % {"call": call}, "call")
    if form and (old := models.Proposal.objects.filter(form=form[:64]).first()) is not None:
        return old.key
    when = phase(row.opens, row.closes, today())
    if when != "open":
        day = ((row.opens if when == "coming" else row.closes) or today()).isoformat()
        what = _("This call opens on %(day)s.") if when == "coming" else _("This call closed on %(day)s.")
        raise Conflict(what % {"day": day}, "call", todo=_("See which calls are open."))
    _check(by, row, title, text, place, node, author, email)
    try:
        with transaction.atomic():
            saved = models.Proposal.objects.create(
                key="p-" + "".join(secrets.choice(_LETTERS) for _ in range(8)),
                call=row,
                title=title,
                text=text,
                place=place,
                node=node,
                author=author,
                email=email,
                language=language,
                created=times.now(),
                state="unconfirmed" if email else "received",
                form=form[:64] or None,
                channel=channel,
                entered_by=by.name if channel in FOR_ANOTHER else "",
            )
            record(
                by,
                "voice.propose",
                Ref("proposal", saved.key),
                after={
                    "call": call,
                    "title": title,
                    "text": text,
                    "place": place,
                    "node": node,
                    "state": saved.state,
                    "channel": channel,
                },
            )
            if email:
                mails.ask_to_confirm(saved)
    except IntegrityError:
        if form and (old := models.Proposal.objects.filter(form=form[:64]).first()) is not None:
            return old.key
        raise
    return saved.key


def _check(
    by: Reader, call: models.Call, title: str, text: str, place: str, node: str, author: str, email: str
) -> None:
    wrong = []
    for name, value, longest, needed in (
        ("title", title, TITLE_MAX, True),
        ("text", text, TEXT_MAX, True),
        ("place", place, PLACE_MAX, False),
        ("author", author, AUTHOR_MAX, False),
    ):
        if needed and not value:
            wrong.append(Problem(_("It is empty."), name, _("1 to %(count)s characters") % {"count": longest}))
        elif len(value) > longest:
            wrong.append(
                Problem(
                    _("The text has %(count)s characters.") % {"count": len(value)},
                    name,
                    _("at most %(count)s characters") % {"count": longest},
                )
            )
    if email:
        try:
            validate_email(email)
        except ValidationError:
            wrong.append(
                Problem(
                    _("This is not an e-mail address."), "email", "name@example.org", _("Correct it or leave it out.")
                )
            )
    if node:
        named = plans.nodes_named(door.open(by, "portal", kind="plans"), [node])
        if node not in named or (call.plan and named[node].plan != call.plan):
            wrong.append(
                Problem(
                    _("The plan has no node “%(node)s”.") % {"node": node}, "node", todo=_("Choose one from the list.")
                )
            )
    if wrong:
        raise invalid(wrong, _("The proposal cannot be taken like this."))


def confirm(by: Reader, *, token: str) -> str:
    """Confirms that the address is the author's; the proposal is now received. Doing it again changes nothing."""
    key = mails.key_of(token)
    with transaction.atomic():
        row = models.Proposal.objects.select_for_update().filter(key=key).first()
        if row is None:
            raise NotFound(_("There is no such proposal any more."), "proposal")
        if row.state == "unconfirmed":
            row.state, row.confirmed = "received", times.now()
            row.save(update_fields=["state", "confirmed"])
            record(
                by, "voice.confirm", Ref("proposal", key), before={"state": "unconfirmed"}, after={"state": "received"}
            )
    return key


def answer(by: Reader, *, key: str, accept: bool, text: str, withhold: bool = False) -> None:
    """Accepts a proposal for consideration or declines it, with an answer that everybody reads; the author is told.
    `withhold` keeps the words of a declined proposal from the public (insults, data about other people)."""
    require(by, "official", "planner", what="answer a proposal")
    text = plain(text)
    if len(text) > ANSWER_MAX or (not text and not accept):
        raise Invalid(
            (_("Say why the proposal is declined.") if not text else _("The answer is too long.")),
            "text",
            _("at most %(count)s characters") % {"count": ANSWER_MAX},
        )
    if withhold and accept:
        raise Invalid(_("Only a declined proposal can be withheld."), "withhold")
    with transaction.atomic():
        row = models.Proposal.objects.select_for_update().filter(key=key).first()
        if row is None or row.state == "unconfirmed":
            raise NotFound(_("There is no proposal “%(key)s”.") % {"key": key}, "proposal")
        if row.state != "received":
            raise Conflict(
                _("The proposal was answered already, by %(answered_by)s.")
                % {"answered_by": row.answered_by or _("somebody else")},
                "proposal",
                todo=_("Open its page."),
            )
        row.state, row.answer, row.withheld = "accepted" if accept else "declined", text, withhold
        row.answered, row.answered_by = times.now(), by.name
        row.save(update_fields=["state", "answer", "withheld", "answered", "answered_by"])
        record(
            by,
            "voice.answer",
            Ref("proposal", key),
            before={"state": "received"},
            after={"state": row.state, "answer": text, "withheld": withhold},
        )
        if row.email:
            mails.tell_answer(row)


def tell_adopted(by: Reader, *, plan: str, version: str) -> int:
    """Mails the authors of the proposals that an adopted version took up, each once; returns how many."""
    require(by, "planner", what="tell the authors")
    grant = door.open(by, "desk", kind="plans")
    found = plans.version(grant, plan, version)
    if found.number is None or found.adopted_on is None:
        raise Conflict(_("The version “%(label)s” is not adopted.") % {"label": found.label}, "version")
    refs = plans.refs_of_version(grant, plan, version, "proposal")
    told = 0
    with transaction.atomic():
        rows = models.Proposal.objects.select_for_update().filter(key__in=refs).exclude(email="").select_related("call")
        for row in rows.exclude(state="unconfirmed"):
            if (mark := f"{plan}/{version}") in row.told:
                continue
            row.told = [*row.told, mark]
            row.save(update_fields=["told"])
            mails.tell_adopted(row, found.label, found.adopting_body, found.adopted_on.strftime("%-d. %-m. %Y"))
            record(by, "voice.tell-adopted", Ref("proposal", row.key), after={"version": mark})
            told += 1
    return told


def erase_author(by: Reader, *, key: str, reason: str) -> None:
    """Erases who wrote a proposal (name, address and the mails to it) when the person asks for it; what was proposed
    stays."""
    require(by, "digital_officer", what="erase personal data")
    with transaction.atomic():
        row = models.Proposal.objects.select_for_update().filter(key=key).first()
        if row is None:
            raise NotFound(_("There is no proposal “%(key)s”.") % {"key": key}, "proposal")
        erase_mails(by, ref=Ref("proposal", key), address=row.email, reason=reason)
        row.author = row.email = ""
        row.save(update_fields=["author", "email"])
        record(by, "voice.erase-author", Ref("proposal", key), reason=reason)


def forget_unconfirmed(by: Reader, *, days: int = 30) -> int:
    """Deletes proposals whose address nobody has confirmed for so many days, with what the journal holds of their
    words; returns how many. Nobody has read them."""
    require(by, "digital_officer", what="erase personal data")
    before = times.now() - days * times.DAY
    with transaction.atomic():
        rows = list(models.Proposal.objects.select_for_update().filter(state="unconfirmed", created__lt=before)[:200])
        for row in rows:
            erase_journal(by, ref=Ref("proposal", row.key), reason=f"not confirmed in {days} days")
            erase_mails(by, ref=Ref("proposal", row.key), address=row.email, reason=f"not confirmed in {days} days")
            row.delete()
    return len(rows)


def declare_calls(by: Reader, *, changes: Sequence[Change]) -> None:
    """Makes, changes and retires calls as the city's files say."""
    require(by, "administrator", what="apply a city's files")
    names = ("title", "text", "plan", "opens", "closes", "dataset")
    with transaction.atomic():
        for change in changes:
            row = models.Call.objects.filter(key=change.key).first()
            before: dict[str, Any] | None = {name: getattr(row, name) for name in names} if row else None
            if change.fields is None:
                models.Call.objects.filter(key=change.key).update(retired=True)
                record(by, "voice.retire", Ref("call", change.key), before=before, reason=change.reason)
                continue
            row = row or models.Call(key=change.key)
            for name in names:
                if name in change.fields:
                    value = change.fields[name]
                    setattr(
                        row,
                        name,
                        (date.fromisoformat(value) if value else None) if name in ("opens", "closes") else value,
                    )
            row.retired = False
            row.save()
            record(
                by,
                "voice.declare",
                Ref("call", change.key),
                before=before,
                after={name: getattr(row, name) for name in names},
                reason=change.reason,
            )
