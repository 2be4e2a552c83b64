"""The linear trend: its worked example, and what it refuses to say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.methods import linear_trend

EXAMPLE = [(1.0, 2.0), (2.0, 4.0), (3.0, 5.0), (4.0, 4.0), (5.0, 5.0)]


def test_the_worked_example():
    trend = linear_trend.fit(EXAMPLE)
    assert trend is not None
    assert (trend.slope, trend.intercept) == (pytest.approx(0.6), pytest.approx(2.2))
    assert trend.deviation == pytest.approx(math.sqrt(0.8))
    low, high = trend.band(6)
    assert trend.at(6) == pytest.approx(5.8)
    assert (low, high) == (pytest.approx(5.8 - 2.123, abs=1e-3), pytest.approx(5.8 + 2.123, abs=1e-3))


def test_two_points_give_a_line_without_a_band_and_one_gives_nothing():
    trend = linear_trend.fit([(2014, 22144), (2023, 25353)])
    assert trend.slope == pytest.approx(356.56, abs=0.01)
    assert trend.band(2030) is None
    assert trend.direction is None
    assert linear_trend.fit([(2014, 22144)]) is None
    assert linear_trend.fit([(2014, 1), (2014, 2), (2014, 3)]) is None


def test_a_direction_is_named_only_where_it_differs_from_chance():
    assert linear_trend.fit([(x, 2 * x) for x in range(6)]).direction == 1
    assert linear_trend.fit([(x, -2 * x + (x % 2) * 0.1) for x in range(6)]).direction == -1
    assert linear_trend.fit([(0, 1), (1, 5), (2, 0), (3, 4), (4, 2), (5, 3)]).direction == 0
    assert linear_trend.fit([(0, 1), (1, 2), (2, 3)]).direction is None, "three points are too few"


@given(
    st.floats(-100, 100), st.floats(-1e4, 1e4),
    st.lists(st.integers(1990, 2050), min_size=3, max_size=20, unique=True),
)  # fmt: skip
def test_points_on_a_line_give_that_line(slope, intercept, years):
    trend = linear_trend.fit([(year, slope * year + intercept) for year in years])
    assert trend.at(2060) == pytest.approx(slope * 2060 + intercept, rel=1e-6, abs=1e-3)
