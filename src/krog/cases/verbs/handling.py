"""How a case is handled: taken, assigned, put off, waited for, closed, declined, reopened, published, ticked."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.cases import mails, models
from krog.cases.verbs.rows import HANDLERS, account_of, locked, only_its_office, save, say, still_open, words
from krog.catalogue import door
from krog.journal import verbs as journal
from krog.people import absences
from krog.people import reads as people
from krog.people.permissions import SYSTEM
from krog.rules import verbs as rules

#: A case may be put off this long at most.
MAX_SNOOZE = 60 * times.DAY


def take(by: Reader, *, key: str) -> None:
    """The reader takes the case. Whoever comes second is told who has it; taking one's own again changes nothing."""
    person = account_of(by)
    if person is None:
        raise Forbidden(_("Only a person can take a case."), todo=_("Sign in."))
    with transaction.atomic():
        row = locked(key)
        only_its_office(by, row, "take this case")
        still_open(row, "take it")
        if row.assignee == person.key:
            return
        if row.assignee and not absences.stands_in(person.key, row.assignee):
            raise Conflict(
                _("%(name)s has taken %(case)s.") % {"name": row.assignee_name, "case": row.key.upper()},
                "assignee",
                extra={"who": row.assignee_name},
                todo=_("Talk to them, or have the case assigned to you."),
            )
        save(by, row, "take", _taken(row, person.key, person.name))
        _acknowledge(row)
        mails.to_reporter(row, "taken")


def _taken(row: models.Case, account: str, name: str) -> dict[str, Any]:
    status = "taken" if row.status == "new" else row.status
    return {
        "assignee": account,
        "assignee_name": name,
        "status": status,
        "taken": row.taken or times.now(),
        "snoozed_until": None,
    }


def _acknowledge(row: models.Case) -> None:
    if row.cause_noun == "alert":
        # The alert may be over already; the case goes on by itself.
        with suppress(Conflict, NotFound):
            rules.acknowledge(SYSTEM, alert=row.cause_key)


def assign(by: Reader, *, key: str, account: str = "", office: str = "", reason: str = "") -> None:
    """Gives the case to a person of its office, or hands it over to another office (which is told by mail)."""
    if bool(account) == bool(office):
        raise Invalid(_("Name a person or an office."), "account")
    grant = door.open(SYSTEM, "mail", kind="people")
    with transaction.atomic():
        row = locked(key)
        only_its_office(by, row, "assign this case")
        still_open(row, "assign it")
        if office:
            to = people.office(grant, office)
            if to.key == row.office:
                raise Conflict(_("The case is with this office already."), "office")
            save(
                by,
                row,
                "hand-over",
                {"office": to.key, "assignee": "", "assignee_name": "", "status": "new", "snoozed_until": None},
                reason=reason,
            )
            mails.to_office(row)
            return
        person = people.person(grant, account)
        if row.office not in person.offices or not person.roles & set(HANDLERS):
            raise Invalid(
                _("%(name)s does not handle cases of this office.") % {"name": person.name},
                "account",
                todo=_("Choose a person of the office, or hand the case over to another office."),
            )
        if person.key == row.assignee:
            return
        save(by, row, "assign", _taken(row, person.key, person.name), reason=reason)
        _acknowledge(row)
        mails.to_assignee(row, person, by.name)


def wait(by: Reader, *, key: str, waiting_for: str) -> None:
    """The case waits for somebody else; for whom or what is said."""
    waiting_for = words(waiting_for, _("Say for whom or what the case waits."), "waiting_for")[:300]
    with transaction.atomic():
        row = locked(key)
        only_its_office(by, row, "change this case")
        still_open(row, "let it wait")
        save(by, row, "wait", {"status": "waiting", "waiting_for": waiting_for, "snoozed_until": None})
        mails.to_reporter(row, "waiting")


def snooze(by: Reader, *, key: str, until: int) -> None:
    """Puts the case off until a time; its deadline stays what it is. A time that is past brings it back at once."""
    if until > times.now() + MAX_SNOOZE:
        raise Invalid(_("A case may be put off 60 days at most."), "until")
    with transaction.atomic():
        row = locked(key)
        only_its_office(by, row, "put off this case")
        still_open(row, "put it off")
        later = until if until > times.now() else None
        status = ("taken" if row.assignee else "new") if row.status == "waiting" else row.status
        save(by, row, "snooze", {"snoozed_until": later, "status": status})


def close(by: Reader, *, key: str, outcome: str) -> None:
    """Closes the case with what was done; the reporter and, if the case is public, everybody reads it."""
    outcome = words(outcome, _("Say what was done: the person who reported reads it."), "outcome")
    _end(by, key, "done", outcome, "close")


def decline(by: Reader, *, key: str, reason: str) -> None:
    """Closes the case without doing what it asks, with the reason."""
    reason = words(reason, _("Say why: the person who reported reads it."), "reason")
    _end(by, key, "declined", reason, "decline")


def _end(by: Reader, key: str, status: str, outcome: str, verb: str) -> None:
    person = account_of(by)
    with transaction.atomic():
        row = locked(key)
        only_its_office(by, row, f"{verb} this case")
        still_open(row, f"{verb} it again")
        taken = _taken(row, person.key, person.name) if person and not row.assignee else {}
        ended = {
            **taken,
            "status": status,
            "outcome": outcome,
            "closed": times.now(),
            "closed_by": by.name,
            "snoozed_until": None,
            "waiting_for": "",
        }
        save(by, row, verb, ended)
        mails.to_reporter(row, status)


def reopen(by: Reader, *, key: str, reason: str) -> None:
    """Opens a closed case again; its deadline begins anew."""
    reason = words(reason, _("Say why the case is opened again."), "reason")
    with transaction.atomic():
        row = locked(key)
        only_its_office(by, row, "reopen this case")
        if row.closed is None:
            raise Conflict(_("%(case)s is open.") % {"case": row.key.upper()}, "status")
        save(
            by,
            row,
            "reopen",
            {
                "status": "taken" if row.assignee else "new",
                "closed": None,
                "closed_by": "",
                "outcome": "",
                "deadline": times.now() + row.type.deadline_hours * times.HOUR,
                "reminded": None,
                "escalated": None,
            },
            reason=reason,
        )
        say(row, reason, direction="internal", channel="desk", author=by.name)
        mails.to_reporter(row, "reopened")


def publish(
    by: Reader,
    *,
    key: str,
    public: bool,
    words_public: bool = False,
    photos: frozenset[int] = frozenset(),
    note: str = "",
) -> None:
    """What the public sees: the case at all, the reporter's words, which photos, and a note. The office looks first
    whether there is anything personal in words and photos."""
    with transaction.atomic():
        row = locked(key)
        only_its_office(by, row, "publish this case")
        wrong = photos - set(row.photos.values_list("id", flat=True))
        if wrong:
            raise NotFound(_("There is no such photo."), "photos")
        save(by, row, "publish", {"public": public, "words_public": words_public, "public_note": note.strip()[:2000]})
        row.photos.update(public=False)
        row.photos.filter(pk__in=photos).update(public=True)
        journal.record(by, "cases.publish-photos", Ref("case", row.key), after={"photos": sorted(photos)})


def tick(by: Reader, *, key: str, step: int, done: bool = True) -> None:
    """Ticks a step of the protocol as done, or takes the tick back. A second time changes nothing."""
    with transaction.atomic():
        row = locked(key)
        only_its_office(by, row, "tick steps of this case")
        still_open(row, "tick its steps")
        steps = row.protocol.steps if row.protocol else []
        if not 0 <= step < len(steps):
            raise NotFound(_("The protocol has no such step."), "step", f"0 – {len(steps) - 1}" if steps else _("none"))
        had = models.Tick.objects.filter(case=row, step=step).exists()
        if had == done:
            return
        if done:
            models.Tick.objects.create(case=row, step=step, who=by.name, time=times.now())
        else:
            models.Tick.objects.filter(case=row, step=step).delete()
        journal.record(
            by,
            "cases.tick",
            Ref("case", row.key),
            before={"step": step, "done": had},
            after={"step": step, "done": done},
        )
