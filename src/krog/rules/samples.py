"""Tries a rule on samples: given readings window by window, does it fire? Pure; rules keep samples of both kinds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from krog.rules.hysteresis import Event, Limits, Machine, step
from krog.rules.signals import Term


@dataclass(frozen=True)
class Tried:
    """What a rule made of a sample: the signal of each window (None: unknown), the windows it fired and cleared in."""

    title: str
    expected: bool
    values: tuple[float | None, ...]
    raised: tuple[int, ...]
    cleared: tuple[int, ...]

    @property
    def fired(self) -> bool:
        return bool(self.raised)

    @property
    def passed(self) -> bool:
        return self.fired == self.expected


def sample_problems(sample: Mapping[str, Any], terms: Sequence[Term]) -> list[str]:
    """What is wrong with a sample as declared, as sentences."""
    if not isinstance(sample.get("fires"), bool):
        return ["fires is true or false"]
    readings = sample.get("readings")
    if not isinstance(readings, Mapping) or not readings:
        return ["readings gives a list of values, window by window, for each stream"]
    streams = {term.stream for term in terms}
    found = [f"readings.{name} is not a stream of the signal" for name in readings if name not in streams]
    found += [f"readings for {t.stream} are missing" for t in terms if t.stream not in readings]
    lists = [values for values in readings.values() if isinstance(values, list)]
    if len(lists) != len(readings) or len({len(values) for values in lists}) != 1:
        found.append("readings are lists of the same length")
    elif any(not _is_reading(value) for values in lists for value in values):
        found.append('a reading is a number, or "missing"')
    return found


def _is_reading(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value == "missing"
    return math.isfinite(value)


def try_sample(terms: Sequence[Term], limits: Limits, sample: Mapping[str, Any]) -> Tried:
    """Runs the rule over a sample, from a clear state."""
    readings: Mapping[str, Sequence[Any]] = sample["readings"]
    count = len(next(iter(readings.values())))
    machine, values, raised, cleared = Machine(), [], [], []
    for at in range(count):
        here = [(term.weight, readings[term.stream][at]) for term in terms]
        value = None if any(v == "missing" for _, v in here) else math.fsum(w * float(v) for w, v in here)
        machine, event = step(limits, machine, value)
        values.append(value)
        if event is Event.RAISE:
            raised.append(at)
        elif event is Event.CLEAR:
            cleared.append(at)
    return Tried(str(sample.get("title", "")), bool(sample["fires"]), tuple(values), tuple(raised), tuple(cleared))
