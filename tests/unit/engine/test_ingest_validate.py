"""The rules by which a message becomes an observation, or is refused in words that an operator understands."""

from __future__ import annotations

import math
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from krog.base import times
from krog.base.grant import ANONYMOUS, Reader
from krog.engine.ingest.message import REASONS, Message
from krog.engine.ingest.validate import Limits, Refusal, check
from krog.lake.shapes import Row
from krog.streams.shapes import IngestStream

NOW = times.parse("2026-11-21T08:00:00Z")
LIMITS = Limits(NOW, 400 * times.DAY, 300 * times.SECOND, False)
DEMO = Limits(NOW, 400 * times.DAY, 300 * times.SECOND, True)
FLOW = IngestStream(5, "mlaka-inflow", "mlaka-water", "m3/h", 0.0, 200.0, 300, True, "komunala-kranj")
DOOR = IngestStream(6, "mlaka-door", "mlaka-water", "1", None, None, 300, False, "komunala-kranj")
KEY = Reader(kind="key", id=3, name="logger", roles=frozenset({"sensor"}), organisation="komunala-kranj")


def _check(
    stream: IngestStream | None = FLOW, by: Reader = KEY, limits: Limits = LIMITS, **about: Any
) -> Row | Refusal:
    return check(Message(stream="mlaka-inflow", **({"value": 12.5} | about)), stream, by, limits)


def test_a_good_message_becomes_a_row_in_utc_microseconds() -> None:
    assert _check(time="2026-11-21T08:30:00+01:00", unit="m3/h", origin="measured", quality=2) == Row(
        5, times.parse("2026-11-21T07:30:00Z"), 12.5, None, None, 2, 0, None
    )
    assert _check() == Row(5, NOW, 12.5)
    assert _check(value=7, time=NOW - 1) == Row(5, NOW - 1, 7.0)


@pytest.mark.parametrize(
    ("about", "reason", "words"),
    [
        ({"stream": None}, "unknown", 'no datastream "mlaka-inflow"'),
        ({"by": ANONYMOUS}, "forbidden", "may not write to mlaka-inflow"),
        ({"by": Reader(kind="key", id=4, name="other", roles=frozenset({"sensor"}), organisation="mok")}, "forbidden",
         "other may not write"),
        ({"by": Reader(kind="link", roles=frozenset({"operator"}))}, "forbidden", "may not write"),
        ({"origin": "replayed"}, "origin-refused", "only a demonstration"),
        ({"origin": "simulated"}, "origin-refused", "only a demonstration"),
        ({"origin": "dreamt"}, "malformed", "none of measured, replayed"),
        ({"origin": 7}, "malformed", "The origin 7"),
        ({"unit": "l/s"}, "unit", 'in "l/s"; mlaka-inflow takes m3/h'),
        ({"time": "yesterday"}, "malformed", "not ISO 8601"),
        ({"time": "2026-11-21T08:00:00"}, "malformed", "with an offset"),
        ({"time": 1.5}, "malformed", "neither text nor whole microseconds"),
        ({"time": True}, "malformed", "neither text nor"),
        ({"time": 10**30}, "malformed", "no moment of the calendar"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "malformed", "no moment"),
        ({"time": "2025-01-01T00:00:00Z"}, "late", "more than 400 days ago"),
        ({"time": 1_795_000_000}, "late", "1970-01-01"),
        ({"time": "2026-11-21T09:00:00Z"}, "future", "3600 s ahead; is the sender's clock right?"),
        ({"value": "12"}, "malformed", 'The value "12" is not a number'),
        ({"value": None}, "malformed", "None is not a number"),
        ({"value": True}, "malformed", "True is not a number"),
        ({"value": math.nan}, "malformed", "not a finite number"),
        ({"value": -math.inf}, "malformed", "not a finite number"),
        ({"value": 10**400}, "malformed", "not a finite number"),
        ({"value": 200.5}, "out-of-range", "200.5 m3/h lies outside the range from 0 to 200"),
        ({"value": -0.1}, "out-of-range", "outside the range"),
        ({"quality": "good"}, "malformed", "The quality"),
        ({"quality": -1}, "malformed", "The quality"),
        ({"supersedes": 2**70}, "malformed", "The supersedes"),
    ],
)  # fmt: skip
def test_each_fault_has_its_reason(about: dict[str, Any], reason: str, words: str) -> None:
    found = _check(**about)
    assert isinstance(found, Refusal)
    assert found.reason == reason
    assert words in found.detail


def test_the_first_and_the_last_allowed_are_taken() -> None:
    for about in ({"value": 0}, {"value": 200}, {"time": NOW + 300 * times.SECOND}, {"time": NOW - 400 * times.DAY}):
        assert isinstance(_check(**about), Row)
    assert isinstance(_check(time=NOW + 300 * times.SECOND + 1), Refusal)
    assert isinstance(_check(time=NOW - 400 * times.DAY - 1), Refusal)


def test_a_demonstration_takes_replayed_and_simulated_and_marks_them() -> None:
    found = [_check(origin=word, limits=DEMO) for word in ("measured", "replayed", "simulated")]
    assert [row.origin for row in found if isinstance(row, Row)] == [0, 1, 2]


def test_operators_krog_and_keys_of_the_organisation_may_write() -> None:
    operator = Reader(kind="account", id=1, name="Ana", roles=frozenset({"operator"}), organisation="mok")
    nobody = Reader(kind="key", id=9, name="k", roles=frozenset({"sensor"}), organisation="")
    ownerless = IngestStream(7, "x", "d", "m", None, None, 60, True, "")
    assert isinstance(_check(by=operator), Row)
    assert isinstance(_check(by=Reader(kind="system", name="Krog")), Row)
    assert isinstance(_check(ownerless, by=nobody), Refusal)


def test_results_that_are_no_numbers_are_kept_as_json_equal_for_equal() -> None:
    one = _check(DOOR, value={"b": 1, "a": ["ž", None]})
    two = _check(DOOR, value={"a": ["ž", None], "b": 1})
    assert one == two == Row(6, NOW, None, '{"a":["ž",null],"b":1}')
    for hostile in (None, {"a": math.nan}, {"a": object()}, "x" * 5000, {"a": "\ud800"}, _deep(100_000)):
        found = _check(DOOR, value=hostile)
        assert isinstance(found, Refusal)
        assert found.reason == "malformed"


def _deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5,
)  # fmt: skip


@pytest.mark.timeout(3600)
@effort(max_examples=200_000 if os.environ.get("KROG_PROVE") == "1" else 200, deadline=None)
@given(
    stream=anything,
    value=anything,
    time=anything,
    unit=anything,
    origin=anything,
    quality=anything,
    old=anything,
    numeric=st.booleans(),
)
def test_nothing_that_is_sent_breaks_the_rules(
    stream: Any, value: Any, time: Any, unit: Any, origin: Any, quality: Any, old: Any, numeric: bool
) -> None:
    message = Message(stream=stream, value=value, time=time, unit=unit, origin=origin, quality=quality, supersedes=old)
    found = check(message, FLOW if numeric else DOOR, KEY, DEMO)
    if isinstance(found, Refusal):
        assert found.reason in REASONS
        assert found.detail.isprintable()
        assert len(found.detail) < 500
        found.detail.encode()
    else:
        assert (found.value is None) != (found.text is None)
        assert found.value is None or 0 <= found.value <= 200


@given(st.text(), st.integers(0, 200))
def test_an_unknown_stream_is_named_printably(key: str, value: int) -> None:
    found = check(Message(stream=key + "\n\ud800", value=value), None, KEY, DEMO)
    assert isinstance(found, Refusal)
    assert found.detail.isprintable()
    found.detail.encode()
