"""Numbers, times and durations as each language writes them."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils.translation import override

from krog.base import times
from krog.web.components import formats

ZONE = "Europe/Ljubljana"
MOMENT = times.parse("2026-05-12T14:30:00", ZONE)


@pytest.mark.parametrize(
    ("value", "decimals", "sl", "en"),
    [
        (1234.5, 1, "1.234,5", "1,234.5"),
        (25353, None, "25.353", "25,353"),
        (1234567.891, 2, "1.234.567,89", "1,234,567.89"),
        (0.125, None, "0,125", "0.125"),
        (-3.5, None, "−3,5", "−3.5"),
        (2.675, 2, "2,68", "2.68"),
        (0, 1, "0,0", "0.0"),
        (float("nan"), None, "–", "–"),
        ("not a number", None, "not a number", "not a number"),
    ],
)
def test_numbers_are_written_as_locals_write_them(value: object, decimals: int | None, sl: str, en: str) -> None:
    assert formats.number(value, "sl", decimals) == sl
    assert formats.number(value, "en", decimals) == en


def test_only_decimals_that_matter_are_kept() -> None:
    assert [formats.number(v, "sl") for v in (0.12345, 123.456, 1234.56)] == ["0,123", "123,46", "1.234,6"]


def test_moments_stand_in_the_citys_zone() -> None:
    assert formats.moment(MOMENT, "sl", ZONE) == "12.\u00a05.\u00a02026 · 14.30"
    assert formats.moment(MOMENT, "en", ZONE) == "12\u00a0May\u00a02026 · 14:30"
    assert formats.moment(MOMENT, "it", ZONE) == "12/5/2026 · 14:30"


def test_days_and_months_on_an_axis_are_short() -> None:
    day = datetime(2026, 5, 1)
    assert [formats.short_day(day, lang) for lang in ("sl", "en", "it")] == ["1.\u00a05.", "1\u00a0May", "1/5"]
    assert [formats.month(day, lang) for lang in ("sl", "en", "it")] == ["5.\u00a02026", "May\u00a02026", "5/2026"]


@pytest.mark.parametrize(
    ("past", "en"),
    [
        (20 * times.SECOND, "just now"),
        (times.MINUTE, "1 minute ago"),
        (45 * times.MINUTE, "45 minutes ago"),
        (3 * times.HOUR, "3 hours ago"),
        (26 * times.HOUR, "yesterday at 14:30"),
        (10 * times.DAY, "12\u00a0May\u00a02026"),
        (-2 * times.HOUR, "12\u00a0May\u00a02026 · 14:30"),
    ],
)
def test_age_is_said_in_words_while_it_is_young(past: int, en: str) -> None:
    with override("en"):
        assert formats.ago(MOMENT, "en", ZONE, now=MOMENT + past) == en


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(45, "45 s"), (60, "1 min"), (24000, "6 h 40 min"), (7200, "2 h"), (183600, "2 d 3 h"), (86520, "1 d")],
)
def test_durations_name_their_two_largest_units(seconds: float, text: str) -> None:
    assert formats.duration(seconds).replace("\u00a0", " ") == text


def test_words_of_units_follow_the_language() -> None:
    assert formats.unit("{vehicle}/d", "sl") == "vozil/dan"
    assert formats.unit("{vehicle}/d", "en") == "vehicles/day"
    assert formats.unit("ug/m3", "en") == "µg/m³"
