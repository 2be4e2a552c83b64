"""Writes of rules: declarations, what evaluations found (with alerts raised and cleared), acknowledging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.db import transaction

from krog.base import times
from krog.base.declaration import Change
from krog.base.errors import Conflict, Invalid, NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.journal import declaring
from krog.journal import verbs as journal
from krog.people.permissions import require
from krog.rules import models, shapes
from krog.rules.hysteresis import Event, Machine, step
from krog.rules.reads import alert_of, rule_of
from krog.rules.signals import Outcome

_STAFF = ("official", "operator", "planner", "digital_officer")


@dataclass(frozen=True)
class Evaluated:
    """What taking in some outcomes brought about."""

    raised: tuple[shapes.Alert, ...]
    cleared: tuple[shapes.Alert, ...]


def evaluated(by: Reader, *, rule: str, outcomes: Sequence[Outcome], data: str) -> Evaluated:
    """Takes in what was found in windows, in order: moves the state, keeps the values, raises and clears alerts.

    `data` is the mark of the readings that this was found from. A window at or before the last one with a value is
    passed over, so doing it twice changes nothing.
    """
    require(by, what="evaluate rules")
    raised, cleared = [], []
    with transaction.atomic():
        row = models.Rule.objects.select_for_update().filter(key=rule).first()
        if row is None:
            raise NotFound(f"There is no rule {rule!r}.", "rule")
        limits = rule_of(row).limits
        at, _ = models.State.objects.get_or_create(rule=row)
        machine = Machine(at.raised, at.run, at.peak, at.unknown)
        running = models.Alert.objects.select_for_update().filter(rule=row).exclude(state="cleared")
        alert = running.order_by("-since").first()
        kept = []
        for outcome in outcomes:
            if at.known_to is not None and outcome.end <= at.known_to:
                continue
            machine, event = step(limits, machine, outcome.value)
            kept.append(
                models.Evaluation(
                    rule=row,
                    start=outcome.start,
                    end=outcome.end,
                    value=outcome.value,
                    coverage=outcome.coverage,
                    origin=int(outcome.origin),
                )
            )
            at.seen_to, at.coverage, at.value = outcome.end, outcome.coverage, outcome.value
            if outcome.value is None:
                continue
            at.known_to = outcome.end
            if event is Event.RAISE:
                alert = _raise(by, row, outcome, machine, limits.crossed(outcome.value))
                raised.append(alert)
            elif alert is not None:
                alert.last_value, alert.last_time = outcome.value, outcome.end
                if event is Event.CLEAR:
                    _clear(by, alert, outcome)
                    cleared.append(alert)
                    alert = None
                else:
                    alert.peak = alert.peak if machine.peak is None else machine.peak
                    alert.save(update_fields=["last_value", "last_time", "peak"])
        models.Evaluation.objects.bulk_create(
            kept,
            update_conflicts=True,
            unique_fields=["rule", "end"],
            update_fields=["start", "value", "coverage", "origin"],
            batch_size=500,
        )
        at.raised, at.run, at.peak, at.unknown = machine.raised, machine.run, machine.peak, machine.unknown
        at.data = data
        at.save()
    return Evaluated(tuple(alert_of(a) for a in raised), tuple(alert_of(a) for a in cleared))


def _raise(by: Reader, row: models.Rule, outcome: Outcome, machine: Machine, threshold: float) -> models.Alert:
    assert outcome.value is not None
    stamp = times.to_datetime(outcome.end).strftime("%Y%m%dt%H%M%S")
    alert = models.Alert.objects.create(
        key=f"{row.key}.{stamp}",
        rule=row,
        dataset=row.dataset,
        since=outcome.end,
        start=outcome.start,
        raised_at=times.now(),
        value=outcome.value,
        last_value=outcome.value,
        last_time=outcome.end,
        peak=outcome.value if machine.peak is None else machine.peak,
        threshold=threshold,
        origin=int(outcome.origin),
        readings=[asdict(part) for part in outcome.parts],
    )
    journal.record(by, "rules.raise", Ref("alert", alert.key), after={"value": alert.value, "threshold": threshold})
    return alert


def _clear(by: Reader, alert: models.Alert, outcome: Outcome) -> None:
    before = alert.state
    alert.state, alert.cleared = "cleared", outcome.end
    alert.save(update_fields=["state", "cleared", "last_value", "last_time"])
    journal.record(
        by,
        "rules.clear",
        Ref("alert", alert.key),
        before={"state": before},
        after={"state": "cleared", "value": outcome.value},
    )


def forget_evaluations(by: Reader, *, rule: str, before: int) -> int:
    """Drops what a rule found in windows that ended before a time; alerts stay, and the readings are in the lake."""
    require(by, what="drop old evaluations")
    return models.Evaluation.objects.filter(rule__key=rule, end__lt=before).delete()[0]


def link_case(by: Reader, *, alert: str, case: str) -> None:
    """Keeps which case handles an alert."""
    require(by, what="link an alert to its case")
    with transaction.atomic():
        models.Alert.objects.filter(key=alert, case="").update(case=case)
        journal.record(by, "rules.link-case", Ref("alert", alert), after={"case": case})


def told_cleared(by: Reader, *, alert: str) -> None:
    """The alert's case now says that the alert is over."""
    require(by, what="mark an alert as told")
    models.Alert.objects.filter(key=alert).update(told_cleared=True)


def acknowledge(by: Reader, *, alert: str) -> shapes.Alert:
    """Somebody of the rule's office has seen the alert. A second time changes nothing."""
    with transaction.atomic():
        row = models.Alert.objects.select_for_update(of=("self",)).select_related("rule").filter(key=alert).first()
        if row is None:
            raise NotFound(f"There is no alert {alert!r}.", "alert")
        require(by, *_STAFF, office=row.rule.office or None, what="acknowledge this alert")
        if row.state == "cleared":
            raise Conflict("This alert is over.", "alert", todo="Its values stay on the page of the rule.")
        if row.state == "open":
            row.state, row.acknowledged_by = "acknowledged", by.name
            row.save(update_fields=["state", "acknowledged_by"])
            journal.record(
                by, "rules.acknowledge", Ref("alert", alert), before={"state": "open"}, after={"state": "acknowledged"}
            )
        return alert_of(row)


def set_mode(by: Reader, *, key: str, mode: str, reason: str) -> None:
    """Switches a rule: act, watch or off; with a reason, because a rule that is off says nothing."""
    if mode not in shapes.MODES:
        raise Invalid(f"The mode {mode!r} is not known.", "mode", ", ".join(shapes.MODES))
    with transaction.atomic():
        row = models.Rule.objects.select_for_update().filter(key=key, retired=False).first()
        if row is None:
            raise NotFound(f"There is no rule {key!r}.", "rule")
        require(by, *_STAFF, office=row.office or None, what="switch this rule")
        if not reason.strip():
            raise Invalid("Say why the rule is switched.", "reason")
        before, row.mode = row.mode, mode
        row.save(update_fields=["mode"])
        if mode == "off":
            _lay_down(by, row, reason.strip())
        journal.record(
            by, "rules.set-mode", Ref("rule", key), before={"mode": before}, after={"mode": mode}, reason=reason.strip()
        )


def _lay_down(by: Reader, row: models.Rule, reason: str) -> None:
    """Ends the alert of a rule that looks no more: nothing would ever clear it."""
    for alert in models.Alert.objects.select_for_update().filter(rule=row).exclude(state="cleared"):
        journal.record(
            by,
            "rules.clear",
            Ref("alert", alert.key),
            before={"state": alert.state},
            after={"state": "cleared"},
            reason=reason,
        )
        alert.state, alert.cleared, alert.told_cleared = "cleared", times.now(), True
        alert.save(update_fields=["state", "cleared", "told_cleared"])
    models.State.objects.filter(rule=row).update(raised=False, run=0, peak=None, unknown=True)


def declare(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires rules as the city's files declare them. A rule whose meaning changed begins anew."""
    require(by, "administrator", what="declare rules")
    with transaction.atomic():
        for each in declaring.declare(by, models.Rule, changes, verb="rules.declare", noun="rule"):
            new, before = each.change.fields, each.before
            if new is None or new.get("mode") == "off":
                _lay_down(by, each.row, each.change.reason)
            elif before is not None and any(before.get(n) != new.get(n) for n in ("signal", "window") if n in new):
                models.State.objects.filter(rule=each.row).update(run=0, unknown=True, data="")
