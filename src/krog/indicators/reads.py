"""Reads of indicators: definitions with targets, current values, where they stand, requests, provenance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import models as db
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.ids import Ref
from krog.base.origin import Origin
from krog.catalogue import door
from krog.indicators import evaluation, models, shapes
from krog.indicators.shapes import RequestState, Status
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
    rows = models.Indicator.objects.filter(_mine(grant), retired=False).order_by("order", "key")
    if office is not None:
        rows = rows.filter(office=office)
    if kind is not None:
        rows = rows.filter(kind=kind)
    page = list(rows[offset : offset + limit])
    targets = _targets(page)
    total = rows.count() if offset or len(page) == limit else len(page)
    return shapes.Listed([_indicator(grant, row, targets[row.pk]) for row in page], total)


def indicator(grant: Grant, key: str) -> shapes.Indicator:
    """One indicator with its targets, or NotFound."""
    row = _row(grant, key)
    return _indicator(grant, row, _targets([row])[row.pk])


def values(grant: Grant, key: str, *, limit: int = MOST, before: str | None = None) -> list[shapes.Value]:
    """The current value of each period, oldest first: the last `limit` of them (that come `before` a period)."""
    rows = _current(grant).filter(indicator__key=key)
    if before:
        rows = rows.filter(period__lt=before)
    found = list(rows.order_by("-period")[: min(limit, MOST)])
    if not found:
        _row(grant, key)
    return [_value(row, key) for row in reversed(found)]


def history(grant: Grant, key: str, *, period: str | None = None, limit: int = 100, offset: int = 0) -> shapes.Listed:
    """Every row ever added, newest first, each with the row that superseded it."""
    mine = _mine(grant, "indicator__")
    wanted = models.Value.objects.filter(_visible(grant), mine, indicator__key=key, indicator__retired=False)
    if period:
        wanted = wanted.filter(period=period)
    rows = _with_successor(wanted).select_related("formula", "run").order_by("-id")
    page = [_value(row, key) for row in rows[offset : offset + limit]]
    if not page and not offset:
        _row(grant, key)
    return shapes.Listed(page, wanted.count() if offset or len(page) == limit else len(page))


def value(grant: Grant, key: str, id: int) -> shapes.Value:
    """One row with its provenance, or NotFound."""
    rows = _with_successor(models.Value.objects.filter(_visible(grant), indicator=_row(grant, key), pk=id))
    row = rows.select_related("formula", "run").first()
    if row is None:
        about = {"key": key, "id": id}
        raise NotFound(_("The indicator “%(key)s” has no value with the number %(id)s.") % about, "value")
    return _value(row, key)


def checks(grant: Grant, key: str, id: int, limit: int = 5) -> list[shapes.Check]:
    """The last recomputations of a value, newest first."""
    mine = _mine(grant, "value__indicator__")
    rows = models.Check.objects.filter(mine, value_id=id, value__indicator__key=key).order_by("-id")[:limit]
    return [shapes.Check(r.pk, r.asked, r.asked_by, r.done, r.same, r.detail, r.engine) for r in rows]


def standings(grant: Grant, keys: Iterable[str] | None = None) -> dict[str, shapes.Standing]:
    """Each indicator with its newest value and where it stands to its next target; keys nobody may see are left out."""
    wanted = models.Indicator.objects.filter(_mine(grant), retired=False).order_by("order", "key")
    if keys is not None:
        wanted = wanted.filter(key__in=set(keys))
    rows = list(wanted)
    targets, found = _targets(rows), defaultdict(list)
    recent = times.now() - RECENT_DAYS * times.DAY
    current = _current(grant).filter(indicator__in=rows).filter(~Q(indicator__period="day") | Q(start__gte=recent))
    for each in current.order_by("period"):
        found[each.indicator_id].append(each)
    return {
        row.key: standing(_indicator(grant, row, targets[row.pk]), [_value(v, row.key) for v in found[row.pk]])
        for row in rows
    }


def standing(about: shapes.Indicator, known: Sequence[shapes.Value]) -> shapes.Standing:
    """Where an indicator stands, from its current values, oldest first."""
    evaluations = [evaluation.evaluate(about, target, known) for target in about.targets]
    year = times.to_datetime(times.now()).year
    latest = next((each for each in reversed(known) if each.value is not None), None)
    gap = known[-1] if known and known[-1].value is None else None
    return shapes.Standing(about, latest, evaluation.pick(evaluations, year), tuple(known), gap)


def requests(
    grant: Grant, *, states: Sequence[str] = (), offices: Iterable[str] | None = None, limit: int = 100, offset: int = 0
) -> shapes.Listed:
    """Values asked from people, the earliest due first; for people of the city."""
    if not is_staff(grant.reader):
        return shapes.Listed([], 0)
    rows = models.Request.objects.filter(_mine(grant, "indicator__"), indicator__retired=False)
    if states:
        rows = rows.filter(state__in=states)
    if offices is not None:
        rows = rows.filter(indicator__office__in=set(offices))
    page = rows.select_related("indicator").order_by("due", "key")[offset : offset + limit]
    return shapes.Listed([_request(row) for row in page], rows.count())


def request(grant: Grant, key: str) -> shapes.Request:
    """One request, or NotFound; for people of the city (a signed link makes its reader one)."""
    row = models.Request.objects.select_related("indicator").filter(_mine(grant, "indicator__"), key=key).first()
    if row is None or not is_staff(grant.reader):
        raise NotFound(_("There is no request “%(key)s” for a value.") % {"key": key[:100]}, "request")
    return _request(row)


def waiting(grant: Grant, offices: Iterable[str] | None = None) -> dict[str, int]:
    """How many requests of these offices (None: of all) are `open`, and how many of them are `late`; one query."""
    rows = models.Request.objects.filter(_mine(grant, "indicator__"), indicator__retired=False)
    if offices is not None:
        rows = rows.filter(indicator__office__in=set(offices))
    rows = rows.exclude(state=RequestState.CONFIRMED)
    return rows.aggregate(open=Count("pk"), late=Count("pk", filter=Q(due__lt=times.now())))


def asked_periods(grant: Grant) -> set[str]:
    """The keys of all requests there are: what the schedule need not ask again."""
    rows = models.Request.objects.filter(_mine(grant, "indicator__"))
    return set(rows.values_list("key", flat=True))


def progress(grant: Grant) -> Mapping[str, tuple[str, int, int]]:
    """How far computing is, by indicator: (formula_id, lake version, mark)."""
    rows = models.Progress.objects.filter(_mine(grant, "indicator__"))
    return {r[0]: (r[1], r[2], r[3]) for r in rows.values_list("indicator__key", "formula_id", "lake_version", "mark")}


def latest_inputs(grant: Grant, key: str, periods: Iterable[str]) -> dict[str, tuple[str, str, str, int]]:
    """Of the newest computed row of each period: (formula_id, inputs_hash, status, recorded)."""
    rows = models.Value.objects.filter(
        _mine(grant, "indicator__"), indicator__key=key, period__in=set(periods), run__isnull=False
    )
    found = rows.order_by("id").values_list("period", "formula_id", "inputs_hash", "status", "recorded")
    return {period: (str(formula), hash_, status, at) for period, formula, hash_, status, at in found}


def to_check(grant: Grant, limit: int = 5) -> list[tuple[shapes.Value, int | None]]:
    """What to compute again: first what somebody asked for (with the check's id), then new values that never were."""
    asked = models.Check.objects.filter(_mine(grant, "value__indicator__"), done=None)
    asked = asked.select_related("value__indicator", "value__formula", "value__run")
    found: list[tuple[shapes.Value, int | None]] = [
        (_value(check.value, check.value.indicator.key), check.pk) for check in asked.order_by("id")[:limit]
    ]
    never = models.Value.objects.filter(_mine(grant, "indicator__"), run__isnull=False, checks=None)
    for row in never.select_related("indicator", "formula", "run").order_by("-id")[: limit - len(found)]:
        found.append((_value(row, row.indicator.key), None))
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
    rows = _current(grant).filter(run__isnull=False)
    return set(rows.values_list("run__lake_version", flat=True).distinct())


def journal_of(grant: Grant, key: str, limit: int = 20) -> list[Entry]:
    """Who changed the indicator; for people of the city."""
    _row(grant, key)
    return journal.history(Ref("indicator", key), limit) if is_staff(grant.reader) else []


#: Columns that row rules of a dataset may name.
_COLUMNS = ("key", "code", "office", "kind", "direction", "period")


def _mine(grant: Grant, path: str = "") -> Q:
    """What the grant lets through, for indicators or (by `path`) for what belongs to one."""
    return door.where(grant, {name: f"{path}{name}" for name in _COLUMNS}, dataset=f"{path}dataset")


def _row(grant: Grant, key: str) -> models.Indicator:
    row = models.Indicator.objects.filter(_mine(grant), key=key, retired=False).first()
    if row is None:
        raise NotFound(_("There is no indicator “%(key)s”.") % {"key": key[:100]}, "indicator")
    return row


def _targets(rows: Sequence[models.Indicator]) -> Mapping[int, list[shapes.Target]]:
    found: dict[int, list[shapes.Target]] = defaultdict(list)
    keys = {row.pk: row.key for row in rows}
    for t in models.Target.objects.filter(indicator__in=rows, retired=False).order_by("date", "key"):
        found[t.indicator_id].append(
            shapes.Target(
                t.key,
                keys[t.indicator_id],
                t.date,
                t.type,
                t.op,
                t.value,
                t.value_to,
                t.unit,
                t.raw,
                t.parse_status,
                t.note,
                plan=t.plan,
                baseline=_baseline(t.baseline),
                tolerance=t.tolerance,
                comparator=t.comparator,
                clarification=t.clarification,
            )
        )
    return found


def _baseline(base: Mapping[str, Any]) -> shapes.Baseline | None:
    if not base:
        return None
    return shapes.Baseline(str(base["period"]), base.get("value"), str(base.get("note", "")), str(base.get("raw", "")))


#: What a grant may withhold of an indicator, with what stands there instead.
_WITHHELD: Mapping[str, Any] = {
    "definition": {},
    "office": "",
    "formula": None,
    "formula_id": "",
    "baseline": None,
    "targets": (),
    "source": "",
    "raw": "",
    "parse_note": "",
    "due": "",
}


def _indicator(grant: Grant, row: models.Indicator, targets: Sequence[shapes.Target]) -> shapes.Indicator:
    staff = is_staff(grant.reader)
    found = shapes.Indicator(
        key=row.key,
        code=row.code,
        title=row.title,
        definition=row.definition,
        unit=row.unit,
        decimals=row.decimals,
        direction=row.direction,
        period=row.period,
        kind=row.kind,
        aggregation=row.aggregation,
        dataset=row.dataset,
        office=row.office,
        owner=row.owner if staff else "",
        confirmer=row.confirmer if staff else "",
        formula=row.formula,
        formula_id=row.formula_id,
        baseline=_baseline(row.baseline),
        raw=row.raw,
        parse_status=row.parse_status,
        parse_note=row.parse_note,
        same_as=row.same_as,
        due=row.due,
        source=row.source,
        targets=tuple(targets),
        unit_note=row.unit_note,
        aliases=tuple(row.aliases),
        area=row.area,
        series_of=row.series_of,
        theme=row.theme,
        level=row.level,
        frameworks=tuple(row.frameworks),
    )
    access = grant.datasets[row.dataset]
    hidden = {name: empty for name, empty in _WITHHELD.items() if not access.shows(name)}
    return replace(found, **hidden) if hidden else found


def _visible(grant: Grant) -> Q:
    """People of the city see entered values before they are confirmed, and rejected ones; nobody else does."""
    if is_staff(grant.reader):
        return Q()
    return ~Q(status=Status.REJECTED) & ~Q(status=Status.PROVISIONAL, run=None)


def _current(grant: Grant) -> db.QuerySet[models.Value]:
    """The row of each period that counts: the newest that is settled, or computed from what there is so far."""
    counts = ~Q(status=Status.REJECTED) & ~Q(status=Status.PROVISIONAL, run=None)
    later = models.Value.objects.filter(
        counts, indicator=OuterRef("indicator"), period=OuterRef("period"), id__gt=OuterRef("id")
    )
    removed = models.Value.objects.filter(
        status=Status.REJECTED,
        confirmed_by="",
        run=None,
        id__gt=OuterRef("id"),
        indicator=OuterRef("indicator"),
        period=OuterRef("period"),
    )
    rows = models.Value.objects.filter(counts, _mine(grant, "indicator__"), indicator__retired=False)
    return rows.filter(~Exists(later), ~Exists(removed)).select_related("formula", "run")


def _with_successor(rows: db.QuerySet[models.Value]) -> db.QuerySet[models.Value]:
    later = models.Value.objects.filter(
        indicator=OuterRef("indicator"), period=OuterRef("period"), id__gt=OuterRef("id")
    ).order_by("id")
    return rows.annotate(superseded_by=db.Subquery(later.values("id")[:1]))


def _value(row: models.Value, key: str) -> shapes.Value:
    made: shapes.Provenance | None = None
    if row.run is not None and row.formula is not None:
        made = shapes.Provenance(
            row.formula_id or "",
            row.formula.document,
            row.inputs,
            row.rows,
            row.inputs_hash,
            f"{row.run.program}, {row.run.engine}",
            row.run_id or 0,
        )
    extra: Any = getattr(row, "superseded_by", None)
    return shapes.Value(
        id=row.pk,
        indicator=key,
        period=row.period,
        start=row.start,
        end=row.end,
        value=row.value,
        status=Status(row.status),
        origin=Origin(row.origin),
        source=row.source,
        note=row.note,
        recorded=row.recorded,
        entered_by=row.entered_by,
        confirmed_by=row.confirmed_by,
        reasons=row.reasons,
        superseded_by=extra,
        provenance=made,
        on=row.on,
    )


def _request(row: models.Request) -> shapes.Request:
    return shapes.Request(
        key=row.key,
        indicator=row.indicator.key,
        period=row.period,
        owner=row.indicator.owner,
        confirmer=row.indicator.confirmer,
        due=row.due,
        state=RequestState(row.state),
        asked=row.asked,
        reminded=row.reminded,
        value=row.value_id,
        reason=row.reason,
        asked_of=row.asked_of,
    )
