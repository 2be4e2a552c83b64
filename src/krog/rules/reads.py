"""Reads of rules and alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.ids import Ref
from krog.base.origin import Origin
from krog.catalogue import door
from krog.journal import reads as journal
from krog.journal.shapes import Entry
from krog.people.permissions import is_staff
from krog.rules import models, shapes
from krog.rules.hysteresis import Limits
from krog.rules.signals import Part, Term


def terms_of(signal: Mapping[str, Any]) -> tuple[Term, ...]:
    """The terms of a signal as declared."""
    return tuple(Term(t["stream"], float(t.get("weight", 1)), t.get("agg", "mean")) for t in signal.get("terms", ()))


def rule_of(row: models.Rule) -> shapes.Rule:
    """The frozen value of a row (with its state, best fetched along)."""
    return shapes.Rule(
        id=row.pk,
        key=row.key,
        title=row.title,
        description=row.description,
        dataset=row.dataset,
        office=row.office,
        protocol=row.protocol,
        case_type=row.case_type,
        severity=row.severity,
        unit=row.unit,
        terms=terms_of(row.signal),
        window=row.window,
        limits=Limits(row.raise_above, row.raise_below, row.clear_below, row.clear_above, row.hold, row.hold_clear),
        min_coverage=row.min_coverage,
        mode=row.mode,
        samples=tuple(row.samples),
        standing=_standing(row),
        organisation=row.organisation,
        holder=row.holder,
    )


def _standing(row: models.Rule) -> shapes.Standing:
    try:
        at = row.state
    except models.State.DoesNotExist:
        return shapes.Standing("never", None, 0.0, None, None, 0)
    word = "never" if at.seen_to is None else "unknown" if at.unknown else "raised" if at.raised else "clear"
    return shapes.Standing(word, at.value, at.coverage, at.known_to, at.seen_to, at.run)


def alert_of(row: models.Alert) -> shapes.Alert:
    """The frozen value of a row (with its rule, best fetched along)."""
    return shapes.Alert(
        key=row.key,
        rule=row.rule.key,
        title=row.rule.title,
        dataset=row.dataset,
        office=row.rule.office,
        unit=row.rule.unit,
        state=row.state,
        since=row.since,
        start=row.start,
        raised_at=row.raised_at,
        cleared=row.cleared,
        value=row.value,
        last_value=row.last_value,
        last_time=row.last_time,
        peak=row.peak,
        threshold=row.threshold,
        origin=Origin(row.origin),
        readings=tuple(Part(**part) for part in row.readings),
        case=row.case,
        acknowledged_by=row.acknowledged_by,
    )


def _alert(grant: Grant, row: models.Alert) -> shapes.Alert:
    """The alert as this grant shows it: only staff learn who has seen it."""
    found = alert_of(row)
    return found if is_staff(grant.reader) else replace(found, acknowledged_by="")


def _seen(grant: Grant, path: str = "") -> Q:
    """The rules that a grant lets through, or (by `path`) what belongs to one."""
    columns = {name: f"{path}{name}" for name in ("key", "mode", "office", "severity")}
    return door.where(grant, columns, dataset=f"{path}dataset")


def rules(
    grant: Grant, *, offices: Iterable[str] | None = None, modes: Iterable[str] | None = None
) -> list[shapes.Rule]:
    """The rules in use (of some offices, in some modes), by key."""
    rows = models.Rule.objects.filter(_seen(grant), retired=False).select_related("state").order_by("key")
    if offices is not None:
        rows = rows.filter(office__in=list(offices))
    if modes is not None:
        rows = rows.filter(mode__in=list(modes))
    return [rule_of(row) for row in rows]


def rule(grant: Grant, key: str) -> shapes.Rule:
    """One rule, or NotFound."""
    rows = models.Rule.objects.filter(_seen(grant), key=key.replace("\x00", ""))
    row = rows.select_related("state").first()
    if row is None:
        raise NotFound(_("There is no rule “%(key)s”.") % {"key": key[:100]}, "rule")
    return rule_of(row)


def alerts(
    grant: Grant,
    *,
    open_only: bool = False,
    rule: str | None = None,
    offices: Iterable[str] | None = None,
    limit: int = 50,
    offset: int = 0,
) -> shapes.AlertPage:
    """Alerts, newest first."""
    rows = models.Alert.objects.filter(_alerts_seen(grant)).select_related("rule").order_by("-since", "-id")
    if open_only:
        rows = rows.exclude(state="cleared")
    if rule is not None:
        rows = rows.filter(rule__key=rule.replace("\x00", ""))
    if offices is not None:
        rows = rows.filter(rule__office__in=list(offices))
    items = tuple(_alert(grant, row) for row in rows[offset : offset + limit])
    known = len(items) < limit and (items or not offset)
    return shapes.AlertPage(items, offset + len(items) if known else rows.count())


def _alerts_seen(grant: Grant) -> Q:
    return door.where(
        grant,
        {
            "key": "rule__key",
            "mode": "rule__mode",
            "office": "rule__office",
            "severity": "rule__severity",
            "state": "state",
        },
    )


def alert(grant: Grant, key: str) -> shapes.Alert:
    """One alert, or NotFound."""
    rows = models.Alert.objects.filter(_alerts_seen(grant), key=key.replace("\x00", ""))
    row = rows.select_related("rule").first()
    if row is None:
        raise NotFound(_("There is no alert “%(key)s”.") % {"key": key[:100]}, "alert")
    return _alert(grant, row)


def alert_and_rule(grant: Grant, key: str) -> tuple[shapes.Alert, shapes.Rule]:
    """One alert with its rule, or NotFound."""
    rows = models.Alert.objects.filter(_alerts_seen(grant), key=key.replace("\x00", ""))
    row = rows.select_related("rule__state").first()
    if row is None:
        raise NotFound(_("There is no alert “%(key)s”.") % {"key": key[:100]}, "alert")
    return _alert(grant, row), rule_of(row.rule)


def evaluations(grant: Grant, rule: str, *, since: int = 0, limit: int = 400) -> list[shapes.Evaluation]:
    """What a rule found, oldest first: the newest `limit` windows that ended after `since`."""
    rows = models.Evaluation.objects.filter(_seen(grant, "rule__"), rule__key=rule, end__gt=since)
    rows = rows.order_by("-end")
    found = [shapes.Evaluation(r.start, r.end, r.value, r.coverage, Origin(r.origin)) for r in rows[:limit]]
    return found[::-1]


def position(grant: Grant, rule: str) -> shapes.Position:
    """Where the evaluation of a rule stands, for the engine."""
    row = models.State.objects.filter(rule__key=rule, rule__dataset__in=grant.keys).first()
    return shapes.Position(row.known_to, row.seen_to, row.data) if row else shapes.Position(None, None, "")


def alerts_to_act_on(grant: Grant) -> list[shapes.Alert]:
    """Alerts that still run and have no case yet though their rule asks for one, oldest first."""
    rows = models.Alert.objects.filter(dataset__in=grant.keys, case="", rule__mode="act").exclude(state="cleared")
    return [alert_of(row) for row in rows.select_related("rule").order_by("since")[:200]]


def alerts_to_tell_cleared(grant: Grant) -> list[shapes.Alert]:
    """Alerts that are over, have a case, and whose case does not say so yet."""
    rows = models.Alert.objects.filter(dataset__in=grant.keys, state="cleared", told_cleared=False).exclude(case="")
    return [alert_of(row) for row in rows.select_related("rule").order_by("since")[:200]]


def history(grant: Grant, key: str, limit: int = 50) -> list[Entry]:
    """What changed about a rule: for staff; nobody else learns who works here."""
    rule(grant, key)
    return journal.history(Ref("rule", key), limit) if is_staff(grant.reader) else []
