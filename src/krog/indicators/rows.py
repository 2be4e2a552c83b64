"""Rows of indicators as frozen shapes: what a grant lets through, which row of a period counts, what is withheld."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import models as db
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.origin import Origin
from krog.catalogue import door
from krog.indicators import models, shapes
from krog.indicators.shapes import RequestState, Status
from krog.people.permissions import is_staff

#: Columns that row rules of a dataset may name.
_COLUMNS = ("key", "code", "office", "kind", "direction", "period")


def mine(grant: Grant, path: str = "") -> Q:
    """What the grant lets through, for indicators or (by `path`) for what belongs to one."""
    return door.where(grant, {name: f"{path}{name}" for name in _COLUMNS}, dataset=f"{path}dataset")


def row(grant: Grant, key: str) -> models.Indicator:
    row = models.Indicator.objects.filter(mine(grant), key=key, retired=False).first()
    if row is None:
        raise NotFound(_("There is no indicator “%(key)s”.") % {"key": key[:100]}, "indicator")
    return row


def targets(rows: Sequence[models.Indicator]) -> Mapping[int, list[shapes.Target]]:
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
                baseline=baseline(t.baseline),
                tolerance=t.tolerance,
                comparator=t.comparator,
                clarification=t.clarification,
            )
        )
    return found


def baseline(base: Mapping[str, Any]) -> shapes.Baseline | None:
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


def indicator(grant: Grant, row: models.Indicator, targets: Sequence[shapes.Target]) -> shapes.Indicator:
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
        baseline=baseline(row.baseline),
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
        organisation=row.organisation,
    )
    access = grant.datasets[row.dataset]
    hidden = {name: empty for name, empty in _WITHHELD.items() if not access.shows(name)}
    return replace(found, **hidden) if hidden else found


def visible(grant: Grant) -> Q:
    """People of the city see entered values before they are confirmed, and rejected ones; nobody else does."""
    if is_staff(grant.reader):
        return Q()
    return ~Q(status=Status.REJECTED) & ~Q(status=Status.PROVISIONAL, run=None)


def current(grant: Grant) -> db.QuerySet[models.Value]:
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
    rows = models.Value.objects.filter(counts, mine(grant, "indicator__"), indicator__retired=False)
    return rows.filter(~Exists(later), ~Exists(removed)).select_related("formula", "run")


def with_successor(rows: db.QuerySet[models.Value]) -> db.QuerySet[models.Value]:
    later = models.Value.objects.filter(
        indicator=OuterRef("indicator"), period=OuterRef("period"), id__gt=OuterRef("id")
    ).order_by("id")
    return rows.annotate(superseded_by=db.Subquery(later.values("id")[:1]))


def value(row: models.Value, key: str) -> shapes.Value:
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


def request(row: models.Request) -> shapes.Request:
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
        escalated=row.escalated,
    )
