"""Absences: who is away, and who stands in: the one place that says whom a task or a mail reaches today.

A substitute who is away too is passed over: then the head of the person's office stands in, its deputy, or a colleague.
There are no chains, so there are no circles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.base.settings import settings
from krog.journal import verbs as journal
from krog.people import models, shapes
from krog.people.permissions import STAFF, is_staff, may, require

#: The longest absence: longer than this somebody else should answer for the tasks.
LONGEST_DAYS = 366
_STANDING, _STANDING_S = "krog.people.standing", 30


def today() -> str:
    """The local day as the tables keep it."""
    return times.local_date(times.now(), settings().timezone).isoformat()


@dataclass(frozen=True)
class Standing:
    """Who leads what and who stands in for whom today: `leads` the offices by account, `instead` for each substitute
    the absences (by the absent account), `offices` of those who are away."""

    leads: Mapping[str, frozenset[str]]
    instead: Mapping[str, Mapping[str, shapes.Absence]]
    offices: Mapping[str, frozenset[str]]

    def for_whom(self, account: str) -> Mapping[str, shapes.Absence]:
        """The absences in which this person stands in today, by the account that is away."""
        return self.instead.get(account, {})


def standing() -> Standing:
    """Who leads and who stands in today, as it was at most some seconds ago."""
    day = today()
    known: tuple[str, Standing] | None = cache.get(_STANDING)
    if known is not None and known[0] == day:
        return known[1]
    found = _standing(day)
    cache.set(_STANDING, (day, found), _STANDING_S)
    return found


def forget() -> None:
    """What is known about who leads and stands in is read anew."""
    cache.delete(_STANDING)
    transaction.on_commit(lambda: cache.delete(_STANDING))


def _held(day: str) -> Q:
    return Q(ended=None, since__lte=day, until__gte=day)


def _absence(row: models.Absence, names: Mapping[str, str]) -> shapes.Absence:
    return shapes.Absence(
        row.pk,
        row.account,
        names.get(row.account, row.account),
        row.substitute,
        names.get(row.substitute, row.substitute),
        row.since,
        row.until,
    )


def _standing(day: str) -> Standing:
    heads = models.Office.objects.filter(retired=False).exclude(head="", deputy="").order_by("key")
    chairs = {key: (head, deputy) for key, head, deputy in heads.values_list("key", "head", "deputy")}
    leads: dict[str, set[str]] = {}
    for office, pair in chairs.items():
        for account in filter(None, pair):
            leads.setdefault(account, set()).add(office)
    away = list(models.Absence.objects.filter(_held(day)).order_by("id"))
    instead: dict[str, dict[str, shapes.Absence]] = {}
    offices: dict[str, frozenset[str]] = {}
    if away:
        staff = {row.key: row for row in models.Account.objects.filter(is_active=True).order_by("id")}
        gone = {row.account for row in away}
        names = {key: row.name for key, row in staff.items()}
        for row in away:
            if row.account not in staff:
                continue
            offices[row.account] = frozenset(staff[row.account].offices)
            chosen = _stand_in(staff[row.account], row.substitute, staff, gone, chairs)
            if chosen:
                instead.setdefault(chosen, {})[row.account] = _absence(row, names)
    return Standing({key: frozenset(each) for key, each in leads.items()}, instead, offices)


def _stand_in(
    account: models.Account,
    substitute: str,
    staff: Mapping[str, models.Account],
    gone: set[str],
    chairs: Mapping[str, tuple[str, str]],
) -> str:
    """Who stands in: the substitute, else a head, a deputy, a colleague of the office who is there; "" for nobody."""
    mine = sorted(account.offices)
    colleagues = [
        row.key
        for row in sorted(staff.values(), key=lambda row: ("operator" not in row.roles, row.pk))
        if set(row.roles) & STAFF and set(row.offices) & set(mine)
    ]
    wanted = [
        substitute,
        *(chairs[office][0] for office in mine if office in chairs),
        *(chairs[office][1] for office in mine if office in chairs),
        *colleagues,
    ]
    return next((key for key in wanted if key in staff and key not in gone and key != account.key), "")


def instead_of(account: str) -> tuple[str, shapes.Absence] | None:
    """Who stands in for a person today, and the absence; None when the person is there or nobody can."""
    for substitute, absences in standing().instead.items():
        if account in absences:
            return substitute, absences[account]
    return None


def stands_in(account: str, absent: str) -> bool:
    """Whether the first stands in for the second today."""
    return absent in standing().for_whom(account)


def absences(grant: Grant, *, account: str | None = None, since: str | None = None) -> list[shapes.Absence]:
    """Absences that are not over (on the day `since`, today if none is given), the first first; for staff."""
    if not is_staff(grant.reader):
        return []
    rows = models.Absence.objects.filter(ended=None, until__gte=since or today()).order_by("since", "id")
    if account is not None:
        rows = rows.filter(account=account)
    names = dict(models.Account.objects.filter(is_active=True).values_list("key", "name"))
    return [_absence(row, names) for row in rows if row.account in names]


def _may_enter(by: Reader, row: models.Account) -> None:
    """The person, the head of one of the person's offices, and administrators."""
    own = by.kind == "account" and by.id == row.pk
    if not (own or may(by, "administrator") or by.leads & set(row.offices)):
        raise Forbidden(
            _("You may not enter when %(name)s is away.") % {"name": row.name},
            todo=_("The person, the head of the office or an administrator can."),
        )


def _account(key: str) -> models.Account:
    row = models.Account.objects.filter(key=key, is_active=True).first()
    if row is None:
        raise NotFound(_("There is no account “%(key)s”.") % {"key": key}, "account")
    return row


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(_("“%(day)s” is not a day.") % {"day": text[:30]}, field, "2026-05-12") from None


def enter_absence(by: Reader, *, account: str, since: str, until: str, substitute: str = "") -> int:
    """The person is away from one day to another, both included; tasks and mail reach the substitute meanwhile."""
    row = _account(account)
    _may_enter(by, row)
    first, last = _day(since, "since"), _day(until, "until")
    if last < first or last.isoformat() < today():
        raise Invalid(_("The last day is before the first, or already over."), "until")
    if (last - first).days > LONGEST_DAYS:
        raise Invalid(
            _("This is longer than a year."), "until", todo=_("Hand over to somebody else what the person answers for.")
        )
    with transaction.atomic():
        if substitute:
            other = _account(substitute)
            if other.pk == row.pk:
                raise Invalid(_("Somebody else has to stand in."), "substitute")
            if not set(other.roles) & STAFF:
                raise Invalid(_("%(name)s does not work for the city.") % {"name": other.name}, "substitute")
            _free(substitute, first, last, "substitute", _("%(name)s is away too: %(since)s – %(until)s."), other.name)
        _free(account, first, last, "since", _("This absence is entered already: %(since)s – %(until)s."), row.name)
        made = models.Absence.objects.create(
            account=account,
            substitute=substitute,
            since=first.isoformat(),
            until=last.isoformat(),
            entered=times.now(),
        )
        after = {"since": made.since, "until": made.until, "substitute": substitute}
        journal.record(by, "people.enter-absence", Ref("account", account), after={**after, "absence": made.pk})
        forget()
    return made.pk


def _free(account: str, first: date, last: date, field: str, words: str, name: str) -> None:
    other = models.Absence.objects.filter(
        account=account, ended=None, since__lte=last.isoformat(), until__gte=first.isoformat()
    ).first()
    if other is not None:
        raise Conflict(
            words % {"name": name, "since": other.since, "until": other.until},
            field,
            todo=_("Choose somebody else.") if field == "substitute" else "",
        )


def end_absence(by: Reader, *, absence: int) -> None:
    """The absence is called off: one to come does not take place, one that runs ends now."""
    with transaction.atomic():
        row = models.Absence.objects.select_for_update().filter(pk=absence, ended=None).first()
        if row is None:
            raise NotFound(_("There is no such absence."), "absence")
        _may_enter(by, _account(row.account))
        row.ended = times.now()
        row.save(update_fields=["ended"])
        before = {"since": row.since, "until": row.until, "substitute": row.substitute}
        journal.record(by, "people.end-absence", Ref("account", row.account), before=before)
        forget()


def present(persons: Iterable[shapes.Person]) -> list[shapes.Person]:
    """Those who are not away today, in their order."""
    away = standing().offices
    return [person for person in persons if person.key not in away]


def leave(by: Reader, *, account: str, instead: str = "") -> None:
    """Somebody leaves: absences end, offices that the person led and absences with the person as substitute go to
    `instead` (to nobody where that is empty, or the absent person). Administrators only."""
    require(by, "administrator", what="let somebody leave")
    with transaction.atomic():
        models.Absence.objects.filter(account=account, ended=None).update(ended=times.now())
        waiting = models.Absence.objects.filter(substitute=account, ended=None, until__gte=today())
        for row in waiting:
            row.substitute = instead if instead != row.account else ""
            row.save(update_fields=["substitute"])
            journal.record(
                by,
                "people.change-substitute",
                Ref("account", row.account),
                before={"substitute": account},
                after={"substitute": row.substitute},
            )
        for office in models.Office.objects.filter(Q(head=account) | Q(deputy=account)):
            before = {"head": office.head, "deputy": office.deputy}
            office.head = instead if office.head == account else office.head
            office.deputy = instead if office.deputy == account else office.deputy
            if office.deputy == office.head:
                office.deputy = ""
            office.save(update_fields=["head", "deputy"])
            after = {"head": office.head, "deputy": office.deputy}
            journal.record(by, "people.change-head", Ref("office", office.key), before=before, after=after)
        forget()
