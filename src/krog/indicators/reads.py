"""Reads of indicators: definitions with targets, current values, where they stand, requests, provenance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.ids import Ref
from krog.indicators import models, shapes
from krog.indicators import rows as rows_of
from krog.indicators import standings as standing_of
from krog.indicators.shapes import RequestState
from krog.journal import reads as journal
from krog.journal.shapes import Entry
from krog.people.permissions import is_staff

#: How far back lists look for values of days; charts of one indicator show all.
RECENT_DAYS = 60
MOST = 5000


def indicators(
    grant: Grant, *, office: str | None = None, kind: str | None = None, limit: int = 100, offset: int = 0
) -> shapes.Listed:
    """Indicators in the order of the plan, with their targets."""
    rows = models.Indicator.objects.filter(rows_of.mine(grant), retired=False).order_by("order", "key")
    if office is not None:
        rows = rows.filter(office=office)
    if kind is not None:
        rows = rows.filter(kind=kind)
    page = list(rows[offset : offset + limit])
    targets = rows_of.targets(page)
    total = rows.count() if offset or len(page) == limit else len(page)
    return shapes.Listed([rows_of.indicator(grant, row, targets[row.pk]) for row in page], total)


def indicator(grant: Grant, key: str) -> shapes.Indicator:
    """One indicator with its targets, or NotFound."""
    row = rows_of.row(grant, key)
    return rows_of.indicator(grant, row, rows_of.targets([row])[row.pk])


def values(grant: Grant, key: str, *, limit: int = MOST, before: str | None = None) -> list[shapes.Value]:
    """The current value of each period, oldest first: the last `limit` of them (that come `before` a period).

    Of an indicator that is the same as another and has no values of its own, those of the other.
    """
    found = _values(grant, key, limit, before)
    if not found and (other := rows_of.row(grant, key).same_as) and other != key:
        return _values(grant, other, limit, before)
    return found


def _values(grant: Grant, key: str, limit: int, before: str | None) -> list[shapes.Value]:
    rows = rows_of.current(grant).filter(indicator__key=key)
    if before:
        rows = rows.filter(period__lt=before)
    found = list(rows.order_by("-period")[: min(limit, MOST)])
    return [rows_of.value(row, key) for row in reversed(found)]


def history(grant: Grant, key: str, *, period: str | None = None, limit: int = 100, offset: int = 0) -> shapes.Listed:
    """Every row ever added, newest first, each with the row that superseded it."""
    mine = rows_of.mine(grant, "indicator__")
    wanted = models.Value.objects.filter(rows_of.visible(grant), mine, indicator__key=key, indicator__retired=False)
    if period:
        wanted = wanted.filter(period=period)
    rows = rows_of.with_successor(wanted).select_related("formula", "run").order_by("-id")
    page = [rows_of.value(row, key) for row in rows[offset : offset + limit]]
    if not page and not offset:
        rows_of.row(grant, key)
    return shapes.Listed(page, wanted.count() if offset or len(page) == limit else len(page))


def value(grant: Grant, key: str, id: int) -> shapes.Value:
    """One row with its provenance, or NotFound."""
    rows = rows_of.with_successor(
        models.Value.objects.filter(rows_of.visible(grant), indicator=rows_of.row(grant, key), pk=id)
    )
    row = rows.select_related("formula", "run").first()
    if row is None:
        about = {"key": key, "id": id}
        raise NotFound(_("The indicator “%(key)s” has no value with the number %(id)s.") % about, "value")
    return rows_of.value(row, key)


def checks(grant: Grant, key: str, id: int, limit: int = 5) -> list[shapes.Check]:
    """The last recomputations of a value, newest first."""
    mine = rows_of.mine(grant, "value__indicator__")
    rows = models.Check.objects.filter(mine, value_id=id, value__indicator__key=key).order_by("-id")[:limit]
    return [shapes.Check(r.pk, r.asked, r.asked_by, r.done, r.same, r.detail, r.engine) for r in rows]


def standings(grant: Grant, keys: Iterable[str] | None = None) -> dict[str, shapes.Standing]:
    """Each indicator with its newest value and where it stands to its next target; keys nobody may see are left out."""
    return standing_of.standings(grant, keys)


def evaluations(grant: Grant, about: shapes.Indicator, known: Sequence[shapes.Value]) -> list[shapes.Evaluation]:
    """Where an indicator stands to each of its targets today, from its current values."""
    others = {t.comparator for t in about.targets if t.comparator}
    return standing_of.evaluations(about, known, {key: values(grant, key) for key in others})


def standing(
    grant: Grant, about: shapes.Indicator, known: Sequence[shapes.Value], found: Sequence[shapes.Evaluation]
) -> shapes.Standing:
    """Where an indicator stands, from its current values, oldest first, and its evaluations."""
    return standing_of.standing(about, known, found)


def areas(grant: Grant, key: str) -> list[shapes.Standing]:
    """The series of other areas of an indicator, by area."""
    mine = rows_of.mine(grant)
    keys = models.Indicator.objects.filter(mine, series_of=key, retired=False).values_list("key", flat=True)
    return sorted(standings(grant, list(keys)).values(), key=lambda each: each.indicator.area)


def requests(
    grant: Grant, *, states: Sequence[str] = (), offices: Iterable[str] | None = None, limit: int = 100, offset: int = 0
) -> shapes.Listed:
    """Values asked from people, the earliest due first; for people of the city."""
    if not is_staff(grant.reader):
        return shapes.Listed([], 0)
    rows = models.Request.objects.filter(rows_of.mine(grant, "indicator__"), indicator__retired=False)
    if states:
        rows = rows.filter(state__in=states)
    if offices is not None:
        rows = rows.filter(indicator__office__in=set(offices))
    page = rows.select_related("indicator").order_by("due", "key")[offset : offset + limit]
    return shapes.Listed([rows_of.request(row) for row in page], rows.count())


def request(grant: Grant, key: str) -> shapes.Request:
    """One request, or NotFound; for people of the city (a signed link makes its reader one)."""
    row = models.Request.objects.select_related("indicator").filter(rows_of.mine(grant, "indicator__"), key=key).first()
    if row is None or not is_staff(grant.reader):
        raise NotFound(_("There is no request “%(key)s” for a value.") % {"key": key[:100]}, "request")
    return rows_of.request(row)


def waiting(grant: Grant, offices: Iterable[str] | None = None) -> dict[str, int]:
    """How many requests of these offices (None: of all) are `open`, and how many of them are `late`; one query."""
    rows = models.Request.objects.filter(rows_of.mine(grant, "indicator__"), indicator__retired=False)
    if offices is not None:
        rows = rows.filter(indicator__office__in=set(offices))
    rows = rows.exclude(state=RequestState.CONFIRMED)
    return rows.aggregate(open=Count("pk"), late=Count("pk", filter=Q(due__lt=times.now())))


def asked_periods(grant: Grant) -> set[str]:
    """The keys of all requests there are: what the schedule need not ask again."""
    rows = models.Request.objects.filter(rows_of.mine(grant, "indicator__"))
    return set(rows.values_list("key", flat=True))


def periods_known(grant: Grant, *, kind: str, newest: int = 4) -> set[tuple[str, str]]:
    """(indicator, period) of the current values of the last `newest` years, of indicators of a kind and of those that
    share their values."""
    own = models.Indicator.objects.filter(rows_of.mine(grant), kind=kind, retired=False)
    shared = own.exclude(same_as="").values("same_as")
    since = times.now() - newest * 366 * times.DAY
    rows = rows_of.current(grant).filter(start__gte=since).filter(Q(indicator__in=own) | Q(indicator__key__in=shared))
    return set(rows.values_list("indicator__key", "period"))


def progress(grant: Grant) -> Mapping[str, tuple[str, int, int, str]]:
    """How far computing is, by indicator: (formula_id, lake version, mark, state of its tables and indicators)."""
    rows = models.Progress.objects.filter(rows_of.mine(grant, "indicator__"))
    fields = ("indicator__key", "formula_id", "lake_version", "mark", "state")
    return {r[0]: (r[1], r[2], r[3], r[4]) for r in rows.values_list(*fields)}


def latest_inputs(grant: Grant, key: str, periods: Iterable[str]) -> dict[str, tuple[str, str, str, int]]:
    """Of the newest computed row of each period: (formula_id, inputs_hash, status, recorded)."""
    rows = models.Value.objects.filter(
        rows_of.mine(grant, "indicator__"), indicator__key=key, period__in=set(periods), run__isnull=False
    )
    found = rows.order_by("id").values_list("period", "formula_id", "inputs_hash", "status", "recorded")
    return {period: (str(formula), hash_, status, at) for period, formula, hash_, status, at in found}


def to_check(grant: Grant, limit: int = 5) -> list[tuple[shapes.Value, int | None]]:
    """What to compute again: first what somebody asked for (with the check's id), then new values that never were."""
    asked = models.Check.objects.filter(rows_of.mine(grant, "value__indicator__"), done=None)
    asked = asked.select_related("value__indicator", "value__formula", "value__run")
    found: list[tuple[shapes.Value, int | None]] = [
        (rows_of.value(check.value, check.value.indicator.key), check.pk) for check in asked.order_by("id")[:limit]
    ]
    never = models.Value.objects.filter(rows_of.mine(grant, "indicator__"), run__isnull=False, checks=None)
    for row in never.select_related("indicator", "formula", "run").order_by("-id")[: limit - len(found)]:
        found.append((rows_of.value(row, row.indicator.key), None))
    return found


def selections(grant: Grant, of: shapes.Value) -> dict[str, Mapping[str, Any]]:
    """Which datastreams each term of a computed value read: by term, {key: [number, unit, interval]}."""
    if of.provenance is None:
        return {}
    wanted = {str(each["term"]): str(each["selection"]) for each in of.provenance.inputs}
    found = dict(models.Selection.objects.filter(pk__in=set(wanted.values())).values_list("pk", "document"))
    return {term: found.get(id, {}) for term, id in wanted.items()}


def pinned_versions(grant: Grant) -> set[int]:
    """Versions of the lake that current values were computed from: what the lake keeps longer than 30 days."""
    rows = rows_of.current(grant).filter(run__isnull=False)
    return set(rows.values_list("run__lake_version", flat=True).distinct())


def journal_of(grant: Grant, key: str, limit: int = 20) -> list[Entry]:
    """Who changed the indicator; for people of the city."""
    rows_of.row(grant, key)
    return journal.history(Ref("indicator", key), limit) if is_staff(grant.reader) else []
