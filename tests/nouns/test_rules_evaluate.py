"""Rules over real readings: evaluated window by window, alerts raised and cleared, one case for each."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from krog.base import times
from krog.base.declaration import Change
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import ANONYMOUS
from krog.cases import models as case_models
from krog.cases import reads as cases
from krog.cases import verbs as case_verbs
from krog.catalogue import door
from krog.engine import act, evaluate
from krog.journal import reads as journal
from krog.people.permissions import SYSTEM
from krog.rules import models, reads, verbs
from krog.rules.providers import check
from tests import sensing
from tests.nouns.cases_world import LEAK, World, found, world

__all__ = ["world"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_values", "english")]

ZONE = "Europe/Ljubljana"
#: Recent nights: what is found in old ones calls nobody.
FIRST = times.local_date(times.now(), ZONE) - timedelta(days=5)


def grant(by: Any = SYSTEM, kind: str = "rules") -> Any:
    return door.open(by, "desk", kind=kind)


def standing() -> Any:
    return reads.rule(grant(), "night-flow").standing


def alerts(**about: Any) -> Any:
    return reads.alerts(grant(), **about).items


# The verbs, on outcomes given


def test_two_high_nights_raise_and_the_alert_carries_its_readings_and_origin(world: World) -> None:
    found(world, 1.0, 5.0, 6.5)
    [alert] = alerts()
    assert (alert.state, alert.value, alert.peak, alert.threshold) == ("open", 6.5, 6.5, 4.0)
    assert alert.origin.word == "simulated"
    assert [(part.stream, part.count) for part in alert.readings] == [("inflow", 8)]
    assert alert.since - alert.start == 2 * times.HOUR


def test_missing_readings_neither_raise_nor_clear_and_are_seen(world: World) -> None:
    found(world, 5.0, None, None)
    assert standing().state == "unknown"
    assert alerts() == ()
    found(world, 5.0, first=3)
    assert len(alerts(open_only=True)) == 1
    found(world, None, None, None, first=4)
    assert standing().state == "unknown"
    assert len(alerts(open_only=True)) == 1
    found(world, 1.0, 1.0, first=7)
    assert alerts(open_only=True) == ()


def test_taking_in_the_same_windows_twice_changes_nothing(world: World) -> None:
    found(world, 5.0, 5.0, 7.0)
    before = list(models.Alert.objects.values())
    found(world, 5.0, 5.0, 7.0)
    assert list(models.Alert.objects.values()) == before
    assert models.Evaluation.objects.count() == 3


def test_the_worst_value_is_kept_until_it_is_over(world: World) -> None:
    found(world, 5.0, 5.0, 9.0, 3.0, 2.0, 1.5)
    [alert] = alerts()
    assert (alert.state, alert.peak, alert.last_value) == ("cleared", 9.0, 1.5)
    assert alert.cleared == alert.last_time


def test_only_krog_evaluates_and_only_the_office_acknowledges_and_switches(world: World, reader: Any) -> None:
    found(world, 5.0, 5.0)
    [alert] = alerts()
    with pytest.raises(Forbidden):
        verbs.evaluated(world.operator, rule="night-flow", outcomes=[], data="")
    for nobody in (ANONYMOUS, world.stranger, reader("citizen", id=9)):
        with pytest.raises(Forbidden):
            verbs.acknowledge(nobody, alert=alert.key)
        with pytest.raises(Forbidden):
            verbs.set_mode(nobody, key="night-flow", mode="off", reason="x")
    with pytest.raises(Invalid):
        verbs.set_mode(world.operator, key="night-flow", mode="off", reason=" ")
    assert verbs.acknowledge(world.operator, alert=alert.key).state == "acknowledged"
    assert verbs.acknowledge(world.other, alert=alert.key).acknowledged_by == "Olga Operater"
    assert reads.alert(grant(world.operator), alert.key).acknowledged_by == "Olga Operater"
    outside = door.open(ANONYMOUS, "portal", kind="rules")
    told = (reads.alert(outside, alert.key), reads.alert_and_rule(outside, alert.key), reads.alerts(outside))
    assert "Olga" not in repr(told)
    verbs.set_mode(world.operator, key="night-flow", mode="off", reason="Menjava vodomera")
    assert alerts(open_only=True) == ()
    with pytest.raises(Conflict):
        verbs.acknowledge(world.operator, alert=alert.key)
    with pytest.raises(NotFound):
        verbs.acknowledge(world.operator, alert="nothing")


def test_the_public_sees_neither_who_switches_a_rule_nor_what_its_rows_leave_out(world: World, dataset: Any) -> None:
    found(world, 1.0, 2.0)
    verbs.set_mode(world.operator, key="night-flow", mode="watch", reason="Menjava vodomera")
    outside = door.open(ANONYMOUS, "portal", kind="rules")
    assert len(reads.history(grant(world.operator), "night-flow")) == 2
    assert reads.history(outside, "night-flow") == []
    assert len(reads.evaluations(outside, "night-flow")) == 2
    dataset("rules", noun="rules", access="public", public_rows={"field": "mode", "op": "=", "value": "act"})
    assert reads.evaluations(door.open(ANONYMOUS, "portal", kind="rules"), "night-flow") == []
    assert len(reads.evaluations(grant(), "night-flow")) == 2


@pytest.mark.django_db(transaction=True)
def test_an_alert_that_clears_while_its_case_is_linked_keeps_the_case(world: World, monkeypatch: Any) -> None:
    found(world, 5.0, 5.0)
    [alert] = alerts()

    def link() -> None:
        try:
            verbs.link_case(SYSTEM, alert=alert.key, case="k-1")
        finally:
            connection.close()

    linking, step = threading.Thread(target=link), verbs.step

    def slow(*given: Any) -> Any:
        if linking.ident is None:
            linking.start()
            linking.join(0.5)
        return step(*given)

    monkeypatch.setattr(verbs, "step", slow)
    found(world, 1.0, 1.0, first=2)
    linking.join()
    assert [(each.state, each.case) for each in alerts()] == [("cleared", "k-1")]


def test_a_city_that_takes_a_rule_out_ends_its_alert(world: World) -> None:
    found(world, 5.0, 5.0)
    verbs.declare(SYSTEM, changes=[Change("night-flow", None)])
    assert reads.rules(grant()) == []
    assert alerts(open_only=True) == ()


# One case for each alert


def test_an_alert_opens_one_case_and_tells_the_office(world: World) -> None:
    found(world, 5.0, 6.5)
    act.act()
    act.act()
    [case] = cases.cases(grant(kind="cases")).items
    [alert] = alerts()
    assert alert.case == case.key
    assert (case.severity, case.office) == ("urgent", "vodovod")
    assert len(case.protocol_title) == 2
    [mail] = journal.mails()
    assert mail.to == "olga@example.org"
    for said in ("6.5", "m³/h", "simulated", "1. Check the meter", "/cases/link/"):
        assert said in mail.text


def test_what_late_readings_bring_to_light_from_long_ago_calls_nobody(world: World) -> None:
    found(world, 5.0, 6.5, first=-20)
    act.act()
    assert alerts()[0].state == "open"
    assert cases.cases(grant(kind="cases")).items == ()
    found(world, 6.0, first=0)
    act.act()
    assert len(cases.cases(grant(kind="cases")).items) == 1


def test_a_crash_between_case_and_alert_does_not_open_a_second_case(world: World) -> None:
    found(world, 5.0, 6.5)
    act.act()
    models.Alert.objects.update(case="")
    act.act()
    assert case_models.Case.objects.count() == 1
    assert alerts()[0].case
    assert len(journal.mails()) == 1


def test_the_case_says_when_the_value_is_normal_again_and_stays_open(world: World) -> None:
    found(world, 5.0, 6.5)
    act.act()
    key = alerts()[0].case
    case_verbs.take(world.operator, key=key)
    assert alerts()[0].state == "acknowledged"
    found(world, 1.0, 1.0, first=2)
    act.act()
    act.act()
    case = cases.case(grant(kind="cases"), key)
    assert case.status == "taken"
    assert len(case.messages) == 1
    found(world, 5.0, 5.0, first=4)
    act.act()
    assert case_models.Case.objects.count() == 2


def test_what_was_over_before_it_was_noticed_opens_no_case(world: World) -> None:
    found(world, 5.0, 6.5, 1.0, 1.0)
    act.act()
    assert len(alerts()) == 1
    assert case_models.Case.objects.count() == 0


def test_a_rule_that_only_watches_opens_no_case(world: World) -> None:
    verbs.set_mode(world.operator, key="night-flow", mode="watch", reason="Preizkus")
    found(world, 5.0, 6.5)
    act.act()
    assert len(alerts(open_only=True)) == 1
    assert case_models.Case.objects.count() == 0


# Over the lake


def night(number: int) -> int:
    """02:00 of the night `number` in UTC microseconds."""
    return times.start_of_day(FIRST + timedelta(days=number), ZONE) + 2 * times.HOUR


def flow(number: int, inflow: float, meter: float | None = 1.0, count: int = 8) -> None:
    """Readings of both meters in a night, every 15 minutes."""
    end = night(number) + (count - 1) * 15 * times.MINUTE
    sensing.observe("inflow", [inflow] * count, every_s=900, end=end)
    if meter is not None:
        sensing.observe("meter-1", [meter] * count, every_s=900, end=end)


@pytest.fixture()
def water(world: World) -> World:
    sensing.dataset("mlaka-water", noun="streams")
    sensing.declare(**{"inflow": sensing.stream(interval_s=900), "meter-1": sensing.stream(interval_s=900)})
    return world


def after(number: int) -> int:
    """A while after the night."""
    return night(number) + 5 * times.HOUR


def test_nights_are_evaluated_in_order_after_a_backfill(water: World) -> None:
    for number, inflow in enumerate([2.0, 6.0, 7.0, 8.0, 2.0]):
        flow(number, inflow)
    evaluate.evaluate(after(4))
    values = [each.value for each in reads.evaluations(grant(), "night-flow")]
    assert values == [1.0, 5.0, 6.0, 7.0, 1.0]
    [alert] = alerts()
    assert (alert.since, alert.state, alert.peak) == (night(2) + 2 * times.HOUR, "open", 7.0)
    assert alert.readings[0].count == 8
    assert case_models.Case.objects.count() == 1
    evaluate.evaluate(after(4) + times.HOUR)
    assert len(reads.evaluations(grant(), "night-flow")) == 5


def test_a_night_without_a_meter_is_unknown_until_its_readings_come(water: World) -> None:
    flow(0, 2.0)
    flow(1, 6.0)
    flow(2, 9.0, meter=None)
    evaluate.evaluate(after(2))
    assert standing().state == "unknown"
    assert alerts() == ()
    sensing.observe("meter-1", [1.0] * 8, every_s=900, end=night(2) + 7 * 15 * times.MINUTE)
    evaluate.evaluate(after(2) + times.HOUR)
    [alert] = alerts()
    assert alert.value == 8.0


def test_a_night_is_not_judged_before_its_readings_are_there(water: World) -> None:
    flow(0, 2.0)
    evaluate.evaluate(after(0))
    flow(1, 6.0, count=7)
    evaluate.evaluate(night(1) + 2 * times.HOUR + times.MINUTE)
    assert len(reads.evaluations(grant(), "night-flow")) == 1
    flow(1, 6.0, count=8)
    evaluate.evaluate(night(1) + 2 * times.HOUR + 2 * times.MINUTE)
    assert [each.value for each in reads.evaluations(grant(), "night-flow")] == [1.0, 5.0]


def test_a_rule_on_a_stream_that_is_gone_is_an_error_that_does_not_stop_the_others(water: World) -> None:
    rule = {
        "title": LEAK,
        "dataset": "rules",
        "office": "vodovod",
        "raise_above": 1.0,
        "mode": "watch",
        "window": {"kind": "daily", "from": "02:00", "to": "04:00"},
        "signal": {"terms": [{"stream": "gone"}]},
    }
    verbs.declare(SYSTEM, changes=[Change("broken", rule)])
    flow(0, 2.0)
    with pytest.raises(NotFound, match="gone"):
        evaluate.evaluate(after(0))
    assert standing().value == 1.0


def test_a_sliding_rule_catches_up_minute_by_minute(water: World) -> None:
    verbs.declare(
        SYSTEM,
        changes=[
            Change(
                "flow",
                {
                    "title": LEAK,
                    "dataset": "rules",
                    "office": "vodovod",
                    "raise_above": 4.0,
                    "hold": 2,
                    "mode": "watch",
                    "window": {"kind": "sliding", "minutes": 30, "every_s": 900},
                    "signal": {"terms": [{"stream": "inflow"}]},
                },
            )
        ],
    )
    start = night(0)
    sensing.observe("inflow", [1.0] * 6 + [9.0] * 6, every_s=900, end=start + 11 * 15 * times.MINUTE)
    verbs.set_mode(SYSTEM, key="night-flow", mode="off", reason="x")
    evaluate.evaluate(start + 3 * times.HOUR)
    known = [each.value for each in reads.evaluations(grant(), "flow") if each.value is not None]
    assert known == [1.0, 1.0, 1.0, 1.0, 1.0, 5.0, 9.0, 9.0, 9.0, 9.0, 9.0]
    [alert] = alerts(rule="flow")
    assert alert.since == start + 8 * 15 * times.MINUTE


# Declared in files


GOOD: dict[str, Any] = {
    "title": LEAK,
    "dataset": "rules",
    "office": "vodovod",
    "case_type": "leak",
    "protocol": "puscanje",
    "severity": "urgent",
    "unit": "m3/h",
    "signal": {"terms": [{"stream": "a", "weight": 1, "agg": "mean"}]},
    "window": {"kind": "daily", "from": "02:00", "to": "04:00"},
    "raise_above": 4.0,
    "clear_below": 2.0,
    "samples": [{"title": "leak", "fires": True, "readings": {"a": [5.0]}}],
}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"signal": {}}, "terms"),
        ({"signal": {"terms": [{"stream": "a", "agg": "median"}]}}, "median"),
        ({"signal": {"terms": [{"stream": "a", "weight": "2"}]}}, "number"),
        ({"window": {}}, "window.kind"),
        ({"raise_above": None}, "raise_above"),
        ({"clear_below": 9.0}, "clear_below"),
        ({"mode": "on"}, "mode"),
        ({"unit": "gallons"}, "unit"),
        ({"protocol": ""}, "protocol"),
        ({"case_type": ""}, "case_type"),
        ({"min_coverage": 0}, "min_coverage"),
        ({"severity": "huge"}, "severity"),
        ({"samples": [{"title": "s", "fires": True, "readings": {"a": [1.0]}}]}, "stays silent"),
        ({"samples": [{"title": "s", "fires": False, "readings": {"a": [9.0]}}]}, "fires"),
        ({"samples": [{"title": "s", "fires": False, "readings": {"b": [9.0]}}]}, "not a stream"),
    ],
)
def test_a_mistake_in_a_declared_rule_is_told(changed: dict[str, Any], told: str) -> None:
    assert check(GOOD) == []
    assert any(told in sentence for sentence in check({**GOOD, **changed}))
