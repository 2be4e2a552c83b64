"""Local time by integers equals the calendar's, on the days when the clock is changed too."""

from __future__ import annotations

from bisect import bisect_right

from hypothesis import example, given
from hypothesis import strategies as st

from krog.base import times
from krog.lake.local_time import offsets

START, END = times.parse("2019-12-30T00:00:00Z"), times.parse("2027-02-01T00:00:00Z")
ZONES = ("Europe/Ljubljana", "UTC", "Australia/Lord_Howe", "America/St_Johns")
TABLES = {zone: offsets(zone, START, END) for zone in ZONES}


@given(st.sampled_from(ZONES), st.integers(START, END))
@example("Europe/Ljubljana", times.parse("2026-10-25T00:59:59.999999Z"))
@example("Europe/Ljubljana", times.parse("2026-10-25T01:00:00Z"))
@example("Europe/Ljubljana", times.parse("2026-03-29T00:59:59.999999Z"))
@example("Europe/Ljubljana", times.parse("2026-03-29T01:00:00Z"))
def test_offset_is_that_of_the_calendar(zone: str, moment: int) -> None:
    table = TABLES[zone]
    _, offset = table[bisect_right(table, (moment, 2**62)) - 1]
    local = times.to_datetime(moment, zone).replace(tzinfo=None)
    assert times.to_datetime(moment + offset).replace(tzinfo=None) == local


def test_a_zone_has_two_changes_a_year_and_a_short_span_none() -> None:
    assert len(TABLES["Europe/Ljubljana"]) == 1 + 2 * 7
    assert offsets("Europe/Ljubljana", START, START) == [(START, times.HOUR)]
