"""The Open API of rules: what Krog watches, and its alerts."""

from __future__ import annotations

from typing import Any

from ninja import Router

from krog.base import times
from krog.base.errors import Invalid
from krog.base.grant import Grant
from krog.catalogue import door
from krog.rules import reads
from krog.rules.shapes import Alert, Rule
from krog.web.request import Request

router = Router(tags=["rules"])


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "api", kind="rules")


def _time(moment: int | None) -> str | None:
    return None if moment is None else times.iso(moment)


def _rule(rule: Rule) -> dict[str, Any]:
    limits = rule.limits
    return {
        "key": rule.key, "title": dict(rule.title), "description": dict(rule.description), "office": rule.office,
        "unit": rule.unit, "mode": rule.mode, "window": dict(rule.window), "min_coverage": rule.min_coverage,
        "terms": [{"stream": term.stream, "weight": term.weight, "agg": term.agg} for term in rule.terms],
        "limits": {"raise_above": limits.raise_above, "raise_below": limits.raise_below, "hold": limits.hold,
                   "clear_below": limits.clear_below, "clear_above": limits.clear_above,
                   "hold_clear": limits.hold_clear or limits.hold},
        "state": rule.standing.state, "value": rule.standing.value, "coverage": rule.standing.coverage,
        "evaluated": _time(rule.standing.seen_to),
    }  # fmt: skip


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "key": alert.key, "rule": alert.rule, "title": dict(alert.title), "state": alert.state, "unit": alert.unit,
        "since": _time(alert.since), "cleared": _time(alert.cleared), "value": alert.value, "peak": alert.peak,
        "last_value": alert.last_value, "last_time": _time(alert.last_time), "threshold": alert.threshold,
        "origin": alert.origin.word,
        "readings": [
            {"stream": part.stream, "weight": part.weight, "agg": part.agg, "value": part.value, "count": part.count,
             "expected": part.expected, "first": _time(part.first), "last": _time(part.last), "origin": part.origin}
            for part in alert.readings
        ],
    }  # fmt: skip


@router.get("/", summary="The rules and where they stand")
def rule_list(request: Request) -> list[dict[str, Any]]:
    return [_rule(rule) for rule in reads.rules(_grant(request))]


@router.get("/alerts", summary="Alerts, newest first")
def alert_list(
    request: Request, open: bool = False, rule: str | None = None, limit: int = 50, offset: int = 0
) -> dict[str, Any]:
    if not (1 <= limit <= 500 and 0 <= offset <= 10**9):
        raise Invalid("This is not a page.", "limit, offset", "limit 1 to 500, offset from 0")
    page = reads.alerts(_grant(request), open_only=open, rule=rule, limit=limit, offset=offset)
    return {"total": page.total, "items": [_alert(alert) for alert in page.items]}


@router.get("/alerts/{key}", summary="One alert with the readings behind it")
def alert(request: Request, key: str) -> dict[str, Any]:
    return _alert(reads.alert(_grant(request), key))


@router.get("/{key}", summary="One rule")
def rule(request: Request, key: str) -> dict[str, Any]:
    return _rule(reads.rule(_grant(request), key))
