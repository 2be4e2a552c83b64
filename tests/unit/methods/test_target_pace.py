"""Pace to a target: the worked example, and places where no pace can be said."""

from __future__ import annotations

import pytest

from krog.methods import target_pace


def test_the_worked_example():
    found = target_pace.pace(baseline=(2014, 22144), target=(2030, 26000), observed=(2023, 25353))
    assert found.progress == pytest.approx(0.832, abs=1e-3)
    assert found.expected == pytest.approx(24313)
    assert found.ratio == pytest.approx(1.48, abs=0.01)


def test_a_fall_counts_like_a_rise_and_the_wrong_way_is_negative():
    assert target_pace.pace(baseline=(2014, 100), target=(2024, 50), observed=(2019, 75)).ratio == pytest.approx(1)
    assert target_pace.pace(baseline=(2014, 100), target=(2024, 50), observed=(2019, 110)).ratio < 0


def test_no_pace_without_a_way_or_time():
    assert target_pace.pace(baseline=(2014, 5), target=(2030, 5), observed=(2023, 5)) is None
    assert target_pace.pace(baseline=(2030, 5), target=(2030, 6), observed=(2023, 5)) is None
    assert target_pace.pace(baseline=(2014, 5), target=(2030, 6), observed=(2014, 5)).ratio is None


def test_the_path_is_straight():
    assert target_pace.path((2014, 0), (2024, 100), [2014, 2019, 2024]) == [(2014, 0), (2019, 50), (2024, 100)]
