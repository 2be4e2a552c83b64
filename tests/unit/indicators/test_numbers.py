"""Numbers as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.base.errors import Invalid
from krog.indicators import numbers
from krog.web.components import formats


@pytest.mark.parametrize(("text", "language", "value"), [
    ("1234,5", "sl", 1234.5), ("1.234,5", "sl", 1234.5), ("1.234", "sl", 1234), ("1.23", "sl", 1.23),
    ("12.345.678", "sl", 12345678), ("1 234,5", "sl", 1234.5), ("1234.5", "sl", 1234.5), ("−3,5", "sl", -3.5),
    ("1,234.5", "sl", 1234.5), ("1,234", "en", 1234), ("1,234", "sl", 1.234), ("1.234", "en", 1.234),
    ("1\u00a0234,5 ", "sl", 1234.5), ("+7", "sl", 7), ("0", "en", 0),
])  # fmt: skip
def test_both_marks_are_understood(text, language, value):
    assert numbers.parse(text, language) == value


@pytest.mark.parametrize("text", ["", "abc", "1,2,3", "1e5", "NaN", "inf", "--1", "12 MWh", "1" * 40, "٣", "0x10", "-"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(Invalid):
        numbers.parse(text, "sl")


@given(st.integers(-(10**12), 10**12), st.sampled_from(["sl", "en", "it"]))
def test_what_pages_write_is_read_back(value, language):
    assert numbers.parse(formats.number(value, language, 0), language) == value
    assert numbers.parse(formats.number(value / 100, language, 2), language) == value / 100


@pytest.mark.parametrize(("value", "before", "reason"), [
    (105, [100], ""), (151, [100], "jump"), (49, [100], "jump"), (100_000, [100], "thousandfold"),
    (0.1, [100], "thousandfold"), (-100, [100], "sign"), (0, [100], "jump"), (5, [], ""), (5, [0], ""),
])  # fmt: skip
def test_unlikely(value, before, reason):
    assert numbers.unlikely(value, before) == reason
