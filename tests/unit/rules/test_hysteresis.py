"""The hysteresis machine: no flapping, nothing without a hold, nothing from missing readings."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.rules.hysteresis import Event, Limits, Machine, step

values = st.one_of(st.none(), st.floats(-50, 50), st.just(math.nan))


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Limits as a city may declare them: above, below or both."""
    kind = draw(st.sampled_from(["above", "below", "both"]))
    high, gap, low = draw(st.floats(5, 20)), draw(st.floats(0, 4)), draw(st.floats(-20, -5))
    found = Limits(
        raise_above=high if kind != "below" else None,
        raise_below=low if kind != "above" else None,
        clear_below=high - gap if kind != "below" else None,
        clear_above=low + gap if kind != "above" else None,
        hold=draw(st.integers(1, 4)),
        hold_clear=draw(st.integers(0, 4)),
    )
    assert found.problems() == []
    return found


def run(limit: Limits, series: list[float | None]) -> list[tuple[int, Event]]:
    machine, events = Machine(), []
    for at, value in enumerate(series):
        machine, event = step(limit, machine, value)
        if event:
            events.append((at, event))
    return events


def test_night_flow_raises_after_two_nights_and_clears_below_the_lower_limit() -> None:
    limit = Limits(raise_above=4.0, clear_below=2.5, hold=2)
    events = run(limit, [1.0, 5.0, 1.0, 5.0, 6.0, 3.0, 2.0, 3.0, 2.0, 1.0, 1.0])
    assert events == [(4, Event.RAISE), (9, Event.CLEAR)]


@given(limits(), st.lists(values, max_size=60))
def test_events_alternate_and_begin_with_a_raise(limit: Limits, series: list[float | None]) -> None:
    kinds = [event for _, event in run(limit, series)]
    assert kinds == [Event.RAISE, Event.CLEAR] * (len(kinds) // 2) + [Event.RAISE] * (len(kinds) % 2)


@given(limits(), st.lists(values, max_size=60))
def test_every_change_has_its_hold_of_known_values_behind_it(limit: Limits, series: list[float | None]) -> None:
    for at, event in run(limit, series):
        known = [v for v in series[: at + 1] if v is not None and math.isfinite(v)]
        if event is Event.RAISE:
            assert len(known) >= limit.hold
            assert all(limit.is_beyond(v) for v in known[-limit.hold :])
        else:
            held = limit.hold_clear or limit.hold
            assert all(limit.is_calm(v) for v in known[-held:])


@given(limits(), st.lists(values, max_size=60))
def test_missing_values_change_nothing(limit: Limits, series: list[float | None]) -> None:
    known = [v for v in series if v is not None and math.isfinite(v)]
    assert [e for _, e in run(limit, series)] == [e for _, e in run(limit, known)]


@given(limits(), st.booleans(), st.lists(st.one_of(st.none(), st.just(math.nan), st.just(math.inf)), min_size=1))
def test_a_silent_stream_neither_raises_nor_clears_but_is_unknown(
    limit: Limits, raised: bool, series: list[float | None]
) -> None:
    machine = Machine(raised=raised, peak=30.0 if raised else None)
    for value in series:
        machine, event = step(limit, machine, value)
        assert event is None
        assert machine.unknown
    assert machine.raised is raised


@given(st.floats(5, 20), st.floats(0.5, 4), st.integers(1, 3), st.lists(st.floats(0, 1), max_size=60), st.booleans())
def test_between_the_limits_nothing_flaps(
    high: float, gap: float, hold: int, places: list[float], raised: bool
) -> None:
    """Whatever it does between the clearing and the raising limit, a rule stays as it is."""
    limit = Limits(raise_above=high, clear_below=high - gap, hold=hold)
    machine = Machine(raised=raised, peak=high + 1 if raised else None)
    for place in places:
        machine, event = step(limit, machine, high - gap + place * gap)
        assert event is None
    assert machine.raised is raised


@given(limits(), st.lists(st.floats(-50, 50), max_size=60))
def test_the_peak_is_the_worst_value_since_the_run_began(limit: Limits, series: list[float]) -> None:
    machine, since = Machine(), 0
    for at, value in enumerate(series):
        before = machine
        machine, _event = step(limit, machine, value)
        if not before.raised and before.run == 0:
            since = at
        if machine.raised:
            assert machine.peak is not None
            assert limit.excess(machine.peak) == max(limit.excess(v) for v in series[since : at + 1])


@pytest.mark.parametrize(
    ("limit", "what"),
    [
        (Limits(), "give raise_above or raise_below"),
        (Limits(raise_above=2, clear_below=3), "clear_below"),
        (Limits(raise_below=2, clear_above=1), "clear_above"),
        (Limits(raise_above=2, clear_above=1), "clear_above"),
        (Limits(raise_above=2, raise_below=3), "no value would clear"),
        (Limits(raise_above=2, raise_below=1, clear_below=1), "no value would clear"),
        (Limits(raise_above=2, hold=0), "hold"),
    ],
)
def test_limits_that_cannot_work_are_named(limit: Limits, what: str) -> None:
    assert any(what in sentence for sentence in limit.problems())
