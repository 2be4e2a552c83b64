"""Whether a message may become an observation: pure rules, one after the other, each with its reason in plain words."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from krog.base import times
from krog.base.grant import Reader
from krog.base.origin import ORIGINS, Origin
from krog.engine.ingest.message import Message
from krog.lake.shapes import Row

if TYPE_CHECKING:
    from krog.streams.shapes import IngestStream

#: Longest text of a result that is not a number.
TEXT_BYTES = 4096
#: Times outside these cannot be shown as dates.
EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings say, and the moment of arrival."""

    now: int
    late_us: int
    future_us: int
    demo: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message is not accepted."""

    reason: str
    detail: str


def check(message: Message, stream: IngestStream | None, by: Reader, limits: Limits) -> Row | Refusal:
    """The row to be stored, or the refusal."""
    if stream is None:
        return Refusal("unknown", f"There is no datastream {shown(message.stream)}; declare it, then replay this.")
    if not may_write(by, stream):
        owner = stream.organisation or "nobody"
        return Refusal("forbidden", f"{by.name or 'The sender'} may not write to {stream.key}; it belongs to {owner}.")
    origin = _origin(message.origin, limits)
    if isinstance(origin, Refusal):
        return origin
    if message.unit is not None and message.unit != stream.unit:
        return Refusal("unit", f"The value is in {shown(message.unit)}; {stream.key} takes {stream.unit}.")
    moment = _time(message.time, limits)
    if isinstance(moment, Refusal):
        return moment
    result = _number(message.value, stream) if stream.numeric else _text(message.value, stream)
    if isinstance(result, Refusal):
        return result
    for name, found in (("quality", message.quality), ("supersedes", message.supersedes)):
        if found is not None and (type(found) is not int or not 0 <= found < (2**31 if name == "quality" else 2**63)):
            return Refusal("malformed", f"The {name} {shown(found)} is not a whole number from 0 on.")
    value, text = result
    return Row(stream.id, moment, value, text, None, message.quality, origin, message.supersedes)


def may_write(by: Reader, stream: IngestStream) -> bool:
    """Krog itself, operators, and keys of the organisation that operates the stream."""
    if may_write_all(by):
        return True
    return by.kind == "key" and bool(stream.organisation) and by.organisation == stream.organisation


def may_write_all(by: Reader) -> bool:
    """Krog itself, and accounts and keys of operators."""
    if by.kind == "system":
        return True
    return by.kind in ("key", "account") and bool(by.roles & {"operator", "administrator", "system"})


def shown(value: Any) -> str:
    """Whatever was sent, short and printable."""
    try:
        text = repr(value) if not isinstance(value, str) else f'"{value}"'
    except Exception:
        text = f"a {type(value).__name__}"
    return clean(text if len(text) <= 80 else f"{text[:77]}…")


def clean(text: str) -> str:
    """Text that every store and page takes."""
    plain = text.encode("utf-8", "replace").decode()
    return plain if plain.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in plain)


def _origin(word: Any, limits: Limits) -> int | Refusal:
    if word is None:
        return 0
    origin = ORIGINS.get(word) if isinstance(word, str) else None
    if origin is None:
        return Refusal("malformed", f"The origin {shown(word)} is none of {', '.join(ORIGINS)}.")
    if origin in (Origin.REPLAYED, Origin.SIMULATED) and not limits.demo:
        return Refusal("origin-refused", f"A {origin.word} value is no fact; only a demonstration takes it.")
    return int(origin)


def _time(given: Any, limits: Limits) -> int | Refusal:
    if given is None:
        return limits.now
    if isinstance(given, str):
        try:
            moment = times.parse(given)
        except (ValueError, OverflowError):
            return Refusal(
                "malformed", f"The time {shown(given)} is not ISO 8601 with an offset, such as 2026-11-21T08:00:00Z."
            )
    elif type(given) is int:
        moment = given
    else:
        return Refusal("malformed", f"The time {shown(given)} is neither text nor whole microseconds.")
    if not EARLIEST <= moment <= LATEST:
        return Refusal("malformed", f"The time {shown(given)} is no moment of the calendar.")
    if moment < limits.now - limits.late_us:
        days = limits.late_us // times.DAY
        return Refusal("late", f"The time {times.iso(moment)} is more than {days} days ago.")
    if moment > limits.now + limits.future_us:
        ahead = (moment - limits.now) // times.SECOND
        return Refusal("future", f"The time {times.iso(moment)} lies {ahead} s ahead; is the sender's clock right?")
    return moment


def _number(given: Any, stream: IngestStream) -> tuple[float, None] | Refusal:
    if type(given) is not float and type(given) is not int:
        return Refusal("malformed", f"The value {shown(given)} is not a number.")
    try:
        value = float(given)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        return Refusal("malformed", f"The value {shown(given)} is not a finite number.")
    low, high = stream.minimum, stream.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        begin, end = "" if low is None else f" from {low:g}", "" if high is None else f" to {high:g}"
        return Refusal("out-of-range", f"The value {value:g} {stream.unit} lies outside the range{begin}{end}.")
    return value, None


def _text(given: Any, stream: IngestStream) -> tuple[None, str] | Refusal:
    if given is None:
        return Refusal("malformed", f"There is no value for {stream.key}.")
    try:
        text = json.dumps(given, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError, OverflowError):
        return Refusal("malformed", f"The value {shown(given)} cannot be written as JSON.")
    if size > TEXT_BYTES:
        return Refusal("malformed", f"The value has {size} bytes; at most {TEXT_BYTES} are taken.")
    return None, text
