"""Signals: weighted sums over windows, complete or unknown."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.base import times
from krog.base.origin import Origin
from krog.rules.samples import sample_problems, try_sample
from krog.rules.signals import Reading, Term, measure
from krog.rules.windows import Daily, Sliding, window, window_problems

HOUR = times.HOUR
ZONE = "Europe/Ljubljana"


def readings(*values: float, every_s: int = 900, origin: Origin = Origin.MEASURED) -> list[Reading]:
    return [Reading(at * every_s * times.SECOND, value, origin) for at, value in enumerate(values)]


def test_night_losses_are_inflow_minus_the_sum_of_the_meters() -> None:
    terms = [Term("inflow"), Term("a", -1), Term("b", -1)]
    given = {"inflow": readings(10, 10, 12, 12), "a": readings(2, 2, 2, 2), "b": readings(3, 3, 3, 3)}
    found = measure(terms, given, {"inflow": 900, "a": 900, "b": 900}, 0, HOUR, 1.0)
    assert found.value == pytest.approx(6)
    assert found.coverage == 1
    assert [part.count for part in found.parts] == [4, 4, 4]


def test_one_silent_meter_makes_the_signal_unknown_and_says_which() -> None:
    given = {"inflow": readings(10, 10, 12, 12), "a": readings(2)}
    found = measure([Term("inflow"), Term("a", -1)], given, {"inflow": 900, "a": 900}, 0, HOUR, 0.75)
    assert found.value is None
    assert found.coverage == 0.25
    assert [(part.stream, part.count, part.expected) for part in found.parts] == [("inflow", 4, 4), ("a", 1, 4)]


def test_repeating_a_reading_does_not_make_it_complete() -> None:
    same = [Reading(0, 5.0, Origin.MEASURED)] * 4
    assert measure([Term("a")], {"a": same}, {"a": 900}, 0, HOUR, 0.5).value is None


@pytest.mark.parametrize(("agg", "value"), [("mean", 4.0), ("min", 1.0), ("max", 9.0), ("last", 2.0)])
def test_aggregates(agg: str, value: float) -> None:
    assert measure([Term("a", 1, agg)], {"a": readings(1, 9, 4, 2)}, {"a": 900}, 0, HOUR, 1).value == value


def test_the_window_holds_its_start_and_not_its_end() -> None:
    given = {"a": [Reading(0, 1.0, Origin.MEASURED), Reading(HOUR, 100.0, Origin.MEASURED)]}
    assert measure([Term("a")], given, {}, 0, HOUR, 0.1).value == 1


def test_a_simulated_reading_marks_the_outcome() -> None:
    given = {"a": readings(1, origin=Origin.REPLAYED), "b": readings(1, origin=Origin.SIMULATED)}
    found = measure([Term("a"), Term("b")], given, {}, 0, HOUR, 0.1)
    assert found.origin is Origin.SIMULATED
    assert [part.origin for part in found.parts] == ["replayed", "simulated"]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(-3, 3))
def test_a_signal_of_one_stream_is_its_weighted_aggregate(values: list[float], weight: float) -> None:
    found = measure([Term("a", weight, "max")], {"a": readings(*values, every_s=60)}, {}, 0, HOUR, 0.1)
    assert found.value == pytest.approx(weight * max(values))


def test_nights_are_the_same_local_hours_across_the_change_of_clocks() -> None:
    nights = window({"kind": "daily", "from": "02:00", "to": "04:00"}, ZONE)
    after = times.start_of_day(date(2026, 3, 28), ZONE)
    found = list(nights.ends(after, after + 3 * times.DAY))
    local = [(times.to_datetime(a, ZONE), times.to_datetime(b, ZONE)) for a, b in found]
    assert [b.strftime("%d %H:%M") for _, b in local] == ["28 04:00", "29 04:00", "30 04:00"]
    assert [(b - a) // HOUR for a, b in found] == [2, 1, 2]


def test_a_window_over_midnight_belongs_to_one_night() -> None:
    nights = Daily(datetime(2026, 1, 1, 23).time(), datetime(2026, 1, 1, 1).time(), ZONE)
    begin = times.from_datetime(datetime(2026, 6, 1, 12, tzinfo=ZoneInfo(ZONE)))
    [(start, end)] = nights.ends(begin, begin + times.DAY)
    assert end - start == 2 * HOUR


@given(st.integers(0, 4000), st.integers(1, 50))
def test_windows_after_a_window_follow_without_gap_or_repetition(day: int, count: int) -> None:
    for kind in (window({"kind": "daily", "from": "02:00", "to": "04:00"}, ZONE), Sliding(60, 3600)):
        after = day * times.DAY
        whole = list(kind.ends(after, after + count * times.DAY))
        middle = whole[len(whole) // 2][1] if whole else after
        again = [*kind.ends(after, middle), *kind.ends(middle, after + count * times.DAY)]
        assert again == whole


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"kind": "weekly"},
        {"kind": "daily", "from": "2:00", "to": "04:00"},
        {"kind": "daily", "from": "02:00"},
        {"kind": "sliding", "minutes": 0},
        {"kind": "sliding", "minutes": 5, "from": "02:00"},
    ],
)
def test_a_wrong_window_is_told(wrong: dict[str, object]) -> None:
    assert window_problems(wrong)
    with pytest.raises(ValueError, match="window"):
        window(wrong, ZONE)


def test_samples_fire_or_stay_silent() -> None:
    from krog.rules.hysteresis import Limits

    terms, limit = [Term("in"), Term("out", -1)], Limits(raise_above=4, clear_below=2, hold=2)
    leak = {"title": "leak", "fires": True, "readings": {"in": [5, 9, 9, 4], "out": [3, 3, 3, 3]}}
    gap = {"title": "gap", "fires": False, "readings": {"in": [5, 9, "missing", 4], "out": [3, 3, 3, 3]}}
    assert try_sample(terms, limit, leak).raised == (2,)
    assert try_sample(terms, limit, leak).passed
    assert try_sample(terms, limit, gap).passed
    assert sample_problems({"fires": True, "readings": {"in": [1], "else": [2]}}, terms)
    assert sample_problems({"fires": True, "readings": {"in": [1], "out": [2, 3]}}, terms)
    assert sample_problems({"fires": True, "readings": {"in": ["x"], "out": [2]}}, terms)
    assert sample_problems({"readings": {"in": [1], "out": [2]}}, terms)
