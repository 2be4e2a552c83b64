"""Times, keys, texts, origins, errors: the words of floor 0."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.base import times
from krog.base.errors import Invalid, Problem, invalid
from krog.base.ids import is_key, slug
from krog.base.origin import Origin, weakest
from krog.base.text import say
from krog.base.units import UNITS, is_unit, symbol

moments = st.integers(min_value=0, max_value=4_102_444_800_000_000)


@given(moments)
def test_a_time_survives_being_written(moment):
    assert times.parse(times.iso(moment)) == moment


@pytest.mark.parametrize("text", ["2026-11-20", "yesterday", "", "2026-13-01T00:00Z", "2026-11-20T10:00:00"])
def test_a_time_without_zone_or_sense_is_refused(text):
    with pytest.raises(ValueError):
        times.parse(text)


def test_local_days_follow_the_clock_change():
    zone = "Europe/Ljubljana"
    length = times.start_of_day(date(2026, 3, 30), zone) - times.start_of_day(date(2026, 3, 29), zone)
    assert length == 23 * times.HOUR
    assert times.local_date(times.parse("2026-11-20T23:30:00Z"), zone) == date(2026, 11, 21)
    assert times.parse("2026-07-01T12:00", zone) == times.parse("2026-07-01T10:00Z")


@given(st.text(max_size=300))
def test_a_slug_is_a_key_or_nothing(text):
    made = slug(text)
    assert made == "" or is_key(made)


def test_slug_of_slovenian_words():
    assert slug("Mlaka pri Kranju – Šenčur, žlebe đ") == "mlaka-pri-kranju-sencur-zlebe-d"
    assert not any(is_key(bad) for bad in ("", "-a", "a-", "A", "a/b", "a b", "č", "../a", "a" * 101))


def test_a_missing_language_shows_the_original_and_says_so():
    text = {"sl": "voda", "en": ""}
    assert (say(text, "en").value, say(text, "en").lang, say(text, "en").asked) == ("voda", "sl", False)
    assert say(text, "sl").asked and say({}, "sl").value == "" and say(None, "it").lang == "it"


@given(st.lists(st.sampled_from(list(Origin))))
def test_what_is_computed_from_demo_input_is_demo(origins):
    found = weakest(origins)
    assert found.is_fact is not any(not origin.is_fact for origin in origins)


def test_an_error_says_what_where_what_is_allowed_and_what_to_do():
    error = invalid(
        [Problem("is not a number", "streams.toml:3 minimum", "a number", "Take the quotes off.")], "2 mistakes."
    )
    assert isinstance(error, Invalid) and error.status == 400
    assert (
        str(error) == "2 mistakes.\n  streams.toml:3 minimum: is not a number Allowed: a number. Take the quotes off."
    )


def test_units_have_one_symbol_each():
    assert is_unit("m3/h") and not is_unit("m³/h") and symbol("m3/h") == "m³/h" and symbol("furlong") == "furlong"
    assert all(code == unit.code for code, unit in UNITS.items())


def test_scales_of_units_agree_with_the_definitions_that_formulas_are_checked_with():
    from krog.indicators import quantities

    for code, one in UNITS.items():
        for other, two in UNITS.items():
            if one.quantity == two.quantity:
                assert one.scale / two.scale == quantities.scale(code) / quantities.scale(other), (code, other)
