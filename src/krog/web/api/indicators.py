"""The Open API of indicators: definitions with targets, values with their provenance, history of every row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from ninja import Query, Router

from krog.base import times
from krog.base.grant import Grant
from krog.catalogue import door
from krog.indicators import reads
from krog.indicators.shapes import Evaluation, Indicator, Standing, Value
from krog.web.request import Request

router = Router(tags=["indicators"])

Document = dict[str, Any]
Limit = Annotated[int, Query(ge=1, le=5000)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]
Before = Annotated[str, Query(max_length=10)]


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "api", kind="indicators")


@router.get("/", summary="All indicators, each with its newest value and where it stands to its next target")
def listing(request: Request) -> Document:
    standings = reads.standings(_grant(request)).values()
    return {"items": [_standing(each) for each in standings], "total": len(standings)}


@router.get("/{key}", summary="One indicator with its targets, evaluations and newest value")
def detail(request: Request, key: str) -> Document:
    grant = _grant(request)
    about = reads.indicator(grant, key)
    values = reads.values(grant, key)
    found = reads.evaluations(grant, about, values)
    standing = reads.standing(grant, about, values, found)
    return {
        **_indicator(about),
        "formula": about.formula, "formula_id": about.formula_id or None,
        "baseline": {"period": about.baseline.period, "value": about.baseline.value, "note": about.baseline.note}
        if about.baseline else None,
        "targets": [{**_target(each), "evaluation": _evaluation(each)} for each in found],
        "latest": _value(standing.latest) if standing.latest else None,
        "gap": _value(standing.gap) if standing.gap else None,
        "values": f"/api/v1/indicators/{key}/values",
    }  # fmt: skip


@router.get("/{key}/values", summary="The current value of each period, oldest first; with history every row")
def values(
    request: Request, key: str, history: bool = False, limit: Limit = 1000, offset: Offset = 0, before: Before = ""
) -> Document:
    grant = _grant(request)
    if history:
        rows = reads.history(grant, key, limit=limit, offset=offset)
        return {"items": [_value(each) for each in rows.items], "total": rows.total}
    return {"items": [_value(each) for each in reads.values(grant, key, limit=limit, before=before or None)]}


@router.get("/{key}/values/{id}", summary="One value with everything needed to compute it again")
def value(request: Request, key: str, id: int) -> Document:
    grant = _grant(request)
    one = reads.value(grant, key, id)
    document = _value(one)
    if one.provenance:
        document["provenance"] |= {
            "formula": one.provenance.formula,
            "datastreams": {term: sorted(chosen) for term, chosen in reads.selections(grant, one).items()},
            "checks": [
                {"asked": times.iso(c.asked), "done": times.iso(c.done) if c.done else None, "same": c.same,
                 "detail": c.detail, "engine": c.engine}
                for c in reads.checks(grant, key, id)
            ],
        }  # fmt: skip
    return document


def _indicator(about: Indicator) -> Document:
    return {
        "key": about.key, "code": about.code, "title": about.title, "definition": about.definition, "unit": about.unit,
        "decimals": about.decimals, "direction": about.direction, "period": about.period, "kind": about.kind,
        "dataset": about.dataset, "office": about.office, "source": about.source, "raw": about.raw,
        "parse_status": about.parse_status, "parse_note": about.parse_note, "same_as": about.same_as or None,
        "self": f"/api/v1/indicators/{about.key}",
    }  # fmt: skip


def _target(found: Evaluation) -> Document:
    target = found.target
    return {"key": target.key, "date": target.date, "type": target.type, "op": target.op or None,
            "value": target.value, "value_to": target.value_to, "unit": target.unit or None, "raw": target.raw,
            "parse_status": target.parse_status, "note": target.note}  # fmt: skip


def _evaluation(found: Evaluation) -> Document:
    return {
        "verdict": found.verdict.value, "reasons": list(found.reasons), "observed": found.observed,
        "period": found.period or None, "goal": found.goal, "expected": found.expected, "progress": found.progress,
        "pace": found.ratio, "forecast": found.forecast, "band": found.band, "methods": list(found.methods),
    }  # fmt: skip


def _standing(found: Standing) -> Document:
    chosen = found.evaluation
    return {
        **_indicator(found.indicator),
        "latest": _value(found.latest) if found.latest else None,
        "gap": _value(found.gap) if found.gap else None,
        "target": {**_target(chosen), "evaluation": _evaluation(chosen)} if chosen else None,
    }


def _value(one: Value) -> Document:
    document: Document = {
        "id": one.id, "indicator": one.indicator, "period": one.period, "start": times.iso(one.start),
        "end": times.iso(one.end), "value": one.value, "status": one.status.value, "origin": one.origin.word,
        "source": one.source or None, "note": one.note or None, "recorded": times.iso(one.recorded),
        "reasons": [_plain(reason) for reason in one.reasons], "superseded_by": one.superseded_by,
        "self": f"/api/v1/indicators/{one.indicator}/values/{one.id}",
    }  # fmt: skip
    if made := one.provenance:
        document["provenance"] = {
            "formula_id": made.formula_id, "inputs": [_plain(each) for each in made.inputs], "readings": made.rows,
            "inputs_hash": made.inputs_hash, "engine": made.engine, "run": made.run,
        }  # fmt: skip
    return document


def _plain(each: Mapping[str, Any]) -> Document:
    return dict(each)
