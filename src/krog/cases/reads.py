"""Reads of cases: what the desk works with, and what reporters and the public see."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case as DbCase
from django.db.models import Count, F, Q, QuerySet, When
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import Access, Grant, Reader
from krog.base.ids import Ref
from krog.base.text import Text
from krog.cases import models, shapes
from krog.cases.references import split
from krog.catalogue import door
from krog.journal import reads as journal
from krog.journal.shapes import Entry
from krog.people.permissions import is_staff

_COLUMNS = {name: name for name in ("key", "status", "public", "severity", "office", "channel")} | {"type": "type__key"}


# Types and protocols


def type_of(row: models.CaseType) -> shapes.CaseType:
    return shapes.CaseType(
        row.key,
        row.title,
        row.description,
        row.dataset,
        row.office,
        row.deadline_hours,
        row.public,
        row.citizen,
        row.icon,
        row.organisation,
        row.holder,
        row.escalate_hours,
    )


def case_types(grant: Grant, *, citizen_only: bool = False) -> list[shapes.CaseType]:
    """The kinds of cases in use (those that citizens may report), by key. What may be reported is no secret."""
    rows = models.CaseType.objects.filter(retired=False).order_by("key")
    return [type_of(row) for row in (rows.filter(citizen=True) if citizen_only else rows)]


def entered(grant: Grant, limit: int = 8) -> list[shapes.Entered]:
    """The cases that the reader entered for others by phone, at the counter or from paper, newest first."""
    by = grant.reader
    if not is_staff(by) or by.kind != "account":
        return []
    rows = models.Case.objects.filter(opener=by.name, channel__in=shapes.FOR_ANOTHER).select_related("type")
    return [
        shapes.Entered(row.key, row.key.upper(), row.type.title, row.place, row.channel, row.opened, row.status)
        for row in rows.order_by("-opened")[:limit]
    ]


def case_type(grant: Grant, key: str) -> shapes.CaseType:
    """One kind of case, or NotFound."""
    row = models.CaseType.objects.filter(key=key, retired=False).first()
    if row is None:
        raise NotFound(_("There is no kind of report “%(key)s”.") % {"key": key[:100]}, "type")
    return type_of(row)


def protocols(grant: Grant) -> list[shapes.Protocol]:
    """The named protocols in use, by key."""
    rows = models.Protocol.objects.filter(retired=False).order_by("key")
    return [shapes.Protocol(row.key, row.title, tuple(row.steps)) for row in rows]


# For those who work for the city


def summary_fields(row: models.Case) -> dict[str, Any]:
    open_ = row.status in shapes.OPEN
    return {
        "key": row.key,
        "reference": row.key.upper(),
        "type": row.type.key,
        "type_title": row.type.title,
        "title": row.title,
        "place": row.place,
        "lon": row.lon,
        "lat": row.lat,
        "office": row.office,
        "assignee": row.assignee,
        "assignee_name": row.assignee_name,
        "status": row.status,
        "severity": row.severity,
        "protocol_title": row.protocol.title if row.protocol else {},
        "opened": row.opened,
        "deadline": row.deadline,
        "closed": row.closed,
        "waiting_for": row.waiting_for,
        "snoozed_until": row.snoozed_until,
        "public": row.public,
        "overdue": open_ and row.deadline < times.now(),
    }


def _staff_rows(grant: Grant) -> QuerySet[models.Case]:
    """Cases that a person of the city may work with. Others get nothing here, whatever the dataset's access is."""
    if not is_staff(grant.reader):
        return models.Case.objects.none()
    return models.Case.objects.filter(door.where(grant, _COLUMNS)).select_related("type", "protocol")


def _total(rows: QuerySet[models.Case], shown: int, limit: int, offset: int) -> int:
    """How many there are; a page that is not full says it without asking the database again."""
    return offset + shown if shown < limit and (shown or not offset) else rows.count()


def end_of_today() -> int:
    """The end of the local day in UTC microseconds."""
    zone = settings.TIME_ZONE
    return times.start_of_day(times.local_date(times.now(), zone) + timedelta(days=1), zone)


def _tab(tab: str, me: Collection[str], offices: Iterable[str]) -> Q:
    now, here = times.now(), Q(office__in=list(offices))
    active = Q(status__in=("new", "taken")) & (Q(snoozed_until=None) | Q(snoozed_until__lte=now))
    mine = Q(assignee__in=me) if me else Q(pk__in=[])
    return {
        "mine": mine & active,
        "unassigned": here & Q(assignee="") & active,
        "waiting": (here | mine) & (Q(status="waiting") | Q(status__in=("new", "taken"), snoozed_until__gt=now)),
        "today": (here | mine) & Q(status__in=shapes.OPEN, deadline__lt=end_of_today()),
        "taken": here & ~Q(assignee="") & active,
        "open": (here | mine) & Q(status__in=shapes.OPEN),
        "closed": (here | mine) & ~Q(status__in=shapes.OPEN),
    }[tab]


def work(
    grant: Grant,
    tab: str,
    *,
    me: Collection[str],
    offices: Iterable[str],
    only_offices: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> shapes.Page:
    """The cases of a tab, urgent and soonest first: mine, unassigned, waiting, today (TABS), taken, open, closed.
    `me`: the account, and those it stands in for.

    `only_offices` leaves out what is mine in other offices: for the page of a centre.
    """
    offices = list(offices)
    rows = _staff_rows(grant).filter(_tab(tab, me, offices))
    if only_offices:
        rows = rows.filter(office__in=offices)
    order = "-closed" if tab == "closed" else "deadline"
    calm = DbCase(When(severity="urgent", then=0), When(severity="important", then=1), default=2)
    urgent_first = rows.annotate(calm=calm).order_by("calm", order) if tab != "closed" else rows.order_by(order)
    items = tuple(shapes.Summary(**summary_fields(row)) for row in urgent_first[offset : offset + limit])
    return shapes.Page(items, _total(rows, len(items), limit, offset))


def work_counts(
    grant: Grant, *, me: Collection[str], offices: Iterable[str], only_offices: bool = False
) -> dict[str, int]:
    """How many cases each tab holds, and `overdue` and `urgent` among the open ones."""
    offices = list(offices)
    counted = {tab: Count("pk", filter=_tab(tab, me, offices)) for tab in shapes.TABS}
    open_ = _tab("open", me, offices)
    rows = _staff_rows(grant)
    if only_offices:
        rows = rows.filter(office__in=offices)
    return rows.aggregate(
        **counted,
        overdue=Count("pk", filter=open_ & Q(deadline__lt=times.now())),
        urgent=Count("pk", filter=open_ & Q(severity="urgent")),
    )


def overdue(grant: Grant, *, limit: int = 100) -> list[str]:
    """The keys of open cases whose deadline is over and whose holder was not reminded yet, longest overdue first."""
    now = times.now()
    rows = _staff_rows(grant).filter(status__in=shapes.OPEN, deadline__lt=now, reminded=None)
    rows = rows.filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))
    return list(rows.order_by("deadline").values_list("key", flat=True)[:limit])


def long_overdue(grant: Grant, *, limit: int = 100) -> list[str]:
    """The keys of open cases of which the head of the office is to be told: so long after the deadline as the kind of
    case says, after its holder was reminded."""
    rows = _staff_rows(grant).filter(status__in=shapes.OPEN, escalated=None, type__escalate_hours__gt=0)
    rows = rows.filter(reminded__isnull=False, deadline__lt=times.now() - F("type__escalate_hours") * times.HOUR)
    return list(rows.order_by("deadline").values_list("key", flat=True)[:limit])


def office_counts(grant: Grant) -> dict[str, tuple[int, int]]:
    """For each office: how many open cases, and how many of them are urgent or overdue."""
    rows = (
        _staff_rows(grant)
        .filter(status__in=shapes.OPEN)
        .values("office")
        .annotate(open=Count("pk"), hot=Count("pk", filter=Q(severity="urgent") | Q(deadline__lt=times.now())))
    )
    return {row["office"]: (row["open"], row["hot"]) for row in rows}


def cases(
    grant: Grant,
    *,
    type: str | None = None,
    statuses: Iterable[str] | None = None,
    cause: Ref | None = None,
    limit: int = 50,
    offset: int = 0,
) -> shapes.Page:
    """Cases for those who work for the city, newest first."""
    rows = _staff_rows(grant).order_by("-opened", "-id")
    if type is not None:
        rows = rows.filter(type__key=type)
    if statuses is not None:
        rows = rows.filter(status__in=list(statuses))
    if cause is not None:
        rows = rows.filter(cause_noun=cause.noun, cause_key=cause.key)
    items = tuple(shapes.Summary(**summary_fields(row)) for row in rows[offset : offset + limit])
    return shapes.Page(items, _total(rows, len(items), limit, offset))


def case(grant: Grant, key: str) -> shapes.Case:
    """One case in full for those who work for the city, or NotFound."""
    row = _staff_rows(grant).filter(key=key.lower()).select_related("reporter").first()
    if row is None:
        raise NotFound(_("There is no case “%(key)s”.") % {"key": key[:100]}, "case")
    return case_of(row, grant.reader, grant.datasets.get(row.dataset))


def may_know_reporter(reader: Reader, office: str, access: Access | None) -> bool:
    """Who reported is for the office that handles the case, clerks who take reports, and administrators."""
    if access is not None and not access.shows("reporter"):
        return False
    return (
        reader.kind == "system"
        or "administrator" in reader.roles
        or (is_staff(reader) and (office in reader.offices or "clerk" in reader.roles))
    )


def case_of(row: models.Case, reader: Reader, access: Access | None) -> shapes.Case:
    """The full frozen value of a row."""
    reporter = getattr(row, "reporter", None)
    known = may_know_reporter(reader, row.office, access)
    ticks = {tick.step: tick for tick in row.ticks.all()}
    steps = tuple(
        _step(number, text, ticks.get(number)) for number, text in enumerate(row.protocol.steps if row.protocol else ())
    )
    return shapes.Case(
        **summary_fields(row),
        description=row.description,
        dataset=row.dataset,
        code=row.code,
        updated=row.updated,
        taken=row.taken,
        closed_by=row.closed_by,
        outcome=row.outcome,
        opened_by=row.opened_by,
        opener=row.opener,
        cause=Ref(row.cause_noun, row.cause_key) if row.cause_noun else None,
        channel=row.channel,
        language=row.language,
        words_public=row.words_public,
        public_note=row.public_note,
        steps=steps,
        messages=tuple(message_of(m) for m in row.messages.order_by("time", "id")),
        photos=photos_of(row),
        reporter=shapes.NewReporter(reporter.name, reporter.email, reporter.phone) if reporter and known else None,
        has_reporter=reporter is not None,
    )


def _step(number: int, text: Text, tick: models.Tick | None) -> shapes.Step:
    return shapes.Step(number, text, tick.who, tick.time) if tick else shapes.Step(number, text)


def message_of(row: models.Message) -> shapes.Message:
    return shapes.Message(
        row.pk, row.direction, row.channel, row.time, row.author, row.text, row.public, row.trusted, row.attachments
    )


def photos_of(row: models.Case) -> tuple[shapes.Photo, ...]:
    return tuple(shapes.Photo(p.pk, p.width, p.height, p.public) for p in row.photos.order_by("id"))


def case_and_history(grant: Grant, key: str, limit: int = 100) -> tuple[shapes.Case, list[Entry]]:
    """One case in full with what changed about it, newest first; or NotFound."""
    found = case(grant, key)
    return found, journal.history(Ref("case", found.key), limit)


def history(grant: Grant, key: str, limit: int = 100) -> list[Entry]:
    """What changed about a case that the reader may see."""
    if not _staff_rows(grant).filter(key=key.lower()).exists():
        raise NotFound(_("There is no case “%(key)s”.") % {"key": key[:100]}, "case")
    return journal.history(Ref("case", key.lower()), limit)


# For reporters and the public


#: Decimals of a degree that everybody sees of a place: about a hundred metres, which house it is stays unsaid.
PLACE_DECIMALS = 3


def _rounded(degrees: float | None) -> float | None:
    return None if degrees is None else round(degrees, PLACE_DECIMALS)


def _events(row: models.Case, own: bool, outcome: str, waiting_for: str) -> tuple[shapes.Event, ...]:
    found = [shapes.Event("opened", row.opened)]
    if row.taken is not None:
        found.append(shapes.Event("taken", row.taken))
    for message in row.messages.filter(direction="out") if own else row.messages.filter(direction="out", public=True):
        found.append(shapes.Event("message", message.time, message.text))
    if own:
        found += [
            shapes.Event("own", m.time, m.text)
            for m in row.messages.filter(direction="in", channel="mail")
            if m.trusted and m.author == ""
        ]
    if row.status == "waiting":
        found.append(shapes.Event("waiting", row.updated, waiting_for))
    if row.closed is not None:
        found.append(shapes.Event(row.status, row.closed, outcome))
    return tuple(sorted(found, key=lambda event: event.time))


def _status(row: models.Case, own: bool, access: Access | None) -> shapes.Status:
    def shows(name: str) -> bool:
        return own or access is None or access.shows(name)

    where = shows("place")
    outcome = row.outcome if shows("outcome") else ""
    photos = tuple(photo for photo in photos_of(row) if photo.public) if shows("photos") else ()
    return shapes.Status(
        reference=row.key.upper(),
        own=own,
        type=row.type.key,
        type_title=row.type.title,
        title=row.title,
        description=row.description if own or (row.words_public and shows("description")) else "",
        place=row.place if where else "",
        lon=(row.lon if own else _rounded(row.lon)) if where else None,
        lat=(row.lat if own else _rounded(row.lat)) if where else None,
        office=row.office,
        status=row.status,
        severity=row.severity,
        opened=row.opened,
        deadline=row.deadline,
        closed=row.closed,
        overdue=row.status in shapes.OPEN and row.deadline < times.now(),
        outcome=outcome,
        public_note=row.public_note,
        events=_events(row, own, outcome, row.waiting_for if shows("waiting_for") else ""),
        photos=photos,
        cause=Ref(row.cause_noun, row.cause_key) if row.cause_noun == "alert" else None,
    )


def _public_rows(grant: Grant) -> QuerySet[models.Case]:
    return models.Case.objects.filter(door.where(grant, _COLUMNS), public=True).select_related("type")


def status(grant: Grant, address: str) -> shapes.Status:
    """How a case stands, by its public reference or its secret status address (that its reporter was given).

    The secret address is the permission to see that one case; a wrong one is NotFound, like a case that is not public.
    """
    found = split(address)
    if found is not None:
        key, code = found
        if code:
            row = models.Case.objects.filter(key=key, code=code).select_related("type").first()
        else:
            row = _public_rows(grant).filter(key=key).first()
        if row is not None:
            return _status(row, bool(code), grant.datasets.get(row.dataset))
    raise NotFound(
        "There is no case at this address.",
        "case",
        todo="Look at the address in your confirmation once more; it is longer than the reference.",
    )


def public_cases(
    grant: Grant,
    *,
    open_only: bool = False,
    type: str | None = None,
    places: Collection[str] | None = None,
    limit: int = 20,
    offset: int = 0,
) -> shapes.StatusPage:
    """Public cases, newest first: what was reported where and how it stands. `places` are names that the place ends
    with; where the place is not shown, nothing is found by it."""
    rows = _public_rows(grant).order_by("-opened", "-id")
    if open_only:
        rows = rows.filter(status__in=shapes.OPEN)
    if type is not None:
        rows = rows.filter(type__key=type.replace("\x00", ""))
    if places is not None:
        named = Q(pk__in=[])
        for name in sorted(places):
            named |= Q(place=name) | Q(place__endswith=f", {name}")
        rows = rows.filter(named, dataset__in=[key for key, access in grant.datasets.items() if access.shows("place")])
    page = rows[offset : offset + limit]
    items = tuple(_listed(row, grant.datasets.get(row.dataset)) for row in page)
    return shapes.StatusPage(items, _total(rows, len(items), limit, offset))


def _listed(row: models.Case, access: Access | None) -> shapes.Status:
    """As `_status`, without what would ask the database for each row."""
    where = access is None or access.shows("place")
    return shapes.Status(
        reference=row.key.upper(),
        own=False,
        type=row.type.key,
        type_title=row.type.title,
        title=row.title,
        description="",
        place=row.place if where else "",
        lon=_rounded(row.lon) if where else None,
        lat=_rounded(row.lat) if where else None,
        office=row.office,
        status=row.status,
        severity=row.severity,
        opened=row.opened,
        deadline=row.deadline,
        closed=row.closed,
        outcome="",
        overdue=row.status in shapes.OPEN and row.deadline < times.now(),
        public_note=row.public_note,
        events=(),
        photos=(),
        cause=None,
    )


def closed_after(grant: Grant, case_type: str, since: int) -> int | None:
    """When the newest case of a type opened at or after `since` was closed; None while it is open, or none was."""
    rows = _staff_rows(grant).filter(type__key=case_type, opened__gte=since).order_by("-opened", "-id")
    newest = rows.first()
    return newest.closed if newest else None


def photo_file(grant: Grant, key: str, photo: int) -> str:
    """The path (below KROG_FILES) of a photo that the reader may see: public ones of public cases, all for the desk."""
    rows = models.Photo.objects.filter(pk=photo, case__key=key)
    found = (
        rows.filter(case__in=_staff_rows(grant))
        if is_staff(grant.reader)
        else rows.filter(public=True, case__in=_public_rows(grant))
    )
    row = found.select_related("case").first()
    access = grant.datasets.get(row.case.dataset) if row else None
    if row is None or access is None or not access.shows("photos"):
        raise NotFound(_("There is no such photo."), "photo")
    return row.file


def own_photo_file(grant: Grant, address: str, photo: int) -> str:
    """The same by the reporter's secret address (which is the permission), once the photo is public."""
    found = split(address)
    if found and found[1]:
        row = models.Photo.objects.filter(pk=photo, public=True, case__key=found[0], case__code=found[1]).first()
        if row is not None:
            return row.file
    raise NotFound(_("There is no such photo."), "photo")


def closed_between(grant: Grant, start: int, end: int) -> tuple[int, int]:
    """How many cases were closed from `start` to before `end` (UTC microseconds), and how many of these in time."""
    rows = _staff_rows(grant).filter(closed__gte=start, closed__lt=end)
    found = rows.aggregate(answered=Count("pk"), kept=Count("pk", filter=Q(closed__lte=F("deadline"))))
    return int(found["answered"]), int(found["kept"])
