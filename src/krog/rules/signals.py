"""What a rule looks at: a weighted sum of streams' aggregates over a window, with how complete it is. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from krog.base import times
from krog.base.origin import Origin, weakest

#: How the readings of one stream in a window become one number.
AGGREGATES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
    "last": lambda values: values[-1],
}


@dataclass(frozen=True)
class Term:
    """One stream's part: `weight` × `agg` of its readings."""

    stream: str
    weight: float = 1.0
    agg: str = "mean"


@dataclass(frozen=True, order=True)
class Reading:
    """One reading of a stream; `time` in UTC microseconds."""

    time: int
    value: float
    origin: Origin


@dataclass(frozen=True)
class Part:
    """What one stream gave: `count` readings of `expected`, from `first` to `last`; `value` None without any."""

    stream: str
    weight: float
    agg: str
    value: float | None
    count: int
    expected: int
    first: int | None
    last: int | None
    origin: str

    @property
    def coverage(self) -> float:
        return min(1.0, self.count / self.expected)


@dataclass(frozen=True)
class Outcome:
    """The signal of one window; `value` is None where a stream gave fewer readings than asked for."""

    start: int
    end: int
    value: float | None
    coverage: float
    origin: Origin
    parts: tuple[Part, ...]


def measure(
    terms: Sequence[Term],
    readings: Mapping[str, Sequence[Reading]],
    intervals: Mapping[str, int],
    start: int,
    end: int,
    min_coverage: float,
) -> Outcome:
    """The signal over readings with start <= time < end.

    `intervals` are the streams' seconds between readings (0: irregular, one reading is enough).
    """
    parts = tuple(_part(t, readings.get(t.stream, ()), intervals.get(t.stream, 0), start, end) for t in terms)
    coverage = min((part.coverage for part in parts), default=0.0)
    known = [part for part in parts if part.value is not None]
    complete = len(known) == len(parts) > 0 and coverage >= min_coverage
    value = math.fsum(part.weight * part.value for part in known if part.value is not None) if complete else None
    origins = {reading.origin for term in terms for reading in readings.get(term.stream, ())}
    return Outcome(start, end, value, coverage, weakest(list(origins)), parts)


def _part(term: Term, found: Sequence[Reading], interval_s: int, start: int, end: int) -> Part:
    inside = sorted(r for r in found if start <= r.time < end and math.isfinite(r.value))
    # Two readings of one moment are one: a stream that repeats itself is not thereby more complete.
    moments = {reading.time for reading in inside}
    expected = max(1, (end - start) // (interval_s * times.SECOND)) if interval_s > 0 else 1
    origin = weakest([reading.origin for reading in inside]) if inside else None
    if origin is Origin.COMPUTED and all(reading.origin is Origin.MEASURED for reading in inside):
        origin = Origin.MEASURED
    return Part(
        stream=term.stream,
        weight=term.weight,
        agg=term.agg,
        value=AGGREGATES[term.agg]([reading.value for reading in inside]) if inside else None,
        count=len(moments),
        expected=expected,
        first=inside[0].time if inside else None,
        last=inside[-1].time if inside else None,
        origin=origin.word if origin is not None else "",
    )
