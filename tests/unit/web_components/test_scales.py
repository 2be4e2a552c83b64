"""Ticks are round, enclose the data and stay on local midnights and whole years."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from krog.base import times
from krog.web.components import scales

ZONE = "Europe/Ljubljana"


def test_ticks_are_round_numbers_around_the_data() -> None:
    assert scales.value_ticks(22144, 27350) == [22000, 24000, 26000, 28000]
    assert scales.value_ticks(0.12, 0.47) == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert scales.tick_decimals([0.1, 0.2, 0.3]) == 1
    assert scales.tick_decimals([0.0, 2.5, 5.0]) == 1
    assert scales.tick_decimals([20000.0, 22000.0]) == 0


def test_an_axis_of_bars_begins_at_zero() -> None:
    assert scales.value_ticks(12, 41, zero=True)[0] == 0
    assert scales.value_ticks(-41, -12, zero=True)[-1] == 0


def test_a_single_value_still_has_an_axis() -> None:
    ticks = scales.value_ticks(1.8, 1.8)
    assert ticks[0] < 1.8 < ticks[-1]
    assert scales.value_ticks(0, 0, zero=True)[0] == 0
    assert scales.value_ticks(0, 0)[-1] > 0


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(2, 9))
def test_ticks_always_enclose_the_data_and_stay_few(low: float, span: float, count: int) -> None:
    ticks = scales.value_ticks(low, low + span, count)
    slack = (ticks[-1] - ticks[0]) * 1e-6 + 1e-6
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= count + 3


def test_years_are_whole_and_steps_of_use() -> None:
    assert scales.year_ticks(2014, 2035, 5) == [2015, 2020, 2025, 2030, 2035]
    assert scales.year_ticks(2020, 2023, 8) == [2020, 2021, 2022, 2023]


def test_a_day_is_cut_at_local_hours() -> None:
    low = times.parse("2026-05-12T00:00:00", ZONE)
    ticks = scales.time_ticks(low, low + times.DAY, "sl", ZONE, 5)
    assert [tick.text for tick in ticks] == ["12.\u00a05.", "6.00", "12.00", "18.00", "13.\u00a05."]


def test_midnights_stay_midnights_when_the_clock_changes() -> None:
    low = times.parse("2026-10-23T00:00:00", ZONE)
    ticks = scales.time_ticks(low, times.parse("2026-10-28T00:00:00", ZONE), "sl", ZONE, 6)
    assert [times.to_datetime(tick.time, ZONE).hour for tick in ticks] == [0] * 6
    assert ticks[2].time - ticks[1].time == 24 * times.HOUR
    assert ticks[3].time - ticks[2].time == 25 * times.HOUR


def test_months_and_years_are_named() -> None:
    low, high = times.parse("2025-11-15T00:00:00", ZONE), times.parse("2026-04-20T00:00:00", ZONE)
    months = [t.text.replace("\u00a0", " ") for t in scales.time_ticks(low, high, "sl", ZONE, 6)]
    assert months == ["12. 2025", "1. 2026", "2. 2026", "3. 2026", "4. 2026"]
    years = scales.time_ticks(times.parse("2014-02-01T00:00:00", ZONE), high, "sl", ZONE, 8)
    assert [t.text for t in years] == ["2016", "2018", "2020", "2022", "2024", "2026"]


@given(st.integers(0, 2_000_000_000), st.integers(1, 20 * 365 * 86400), st.integers(3, 9))
def test_time_ticks_stay_inside_and_few(start: int, span: int, count: int) -> None:
    low, high = start * times.SECOND, (start + span) * times.SECOND
    ticks = scales.time_ticks(low, high, "en", ZONE, count)
    assert all(low <= tick.time <= high for tick in ticks)
    assert len(ticks) <= count + 2
