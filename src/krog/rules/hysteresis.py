"""When a rule raises and clears: two limits with a gap between them, and a hold before each change. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum


class Event(StrEnum):
    """What one evaluation brought about."""

    RAISE = "raise"
    CLEAR = "clear"


@dataclass(frozen=True)
class Limits:
    """Raises when a value is above `raise_above` or below `raise_below`; clears when it is below `clear_below` and
    above `clear_above` (each where its raising limit is given; by default that limit itself).

    `hold` evaluations in a row are needed to raise, `hold_clear` (0: as many) to clear.
    """

    raise_above: float | None = None
    raise_below: float | None = None
    clear_below: float | None = None
    clear_above: float | None = None
    hold: int = 1
    hold_clear: int = 0

    def problems(self) -> list[str]:
        """What is wrong with these limits, as sentences."""
        found = []
        if self.raise_above is None and self.raise_below is None:
            found.append("give raise_above or raise_below")
        if self.clear_below is not None and (self.raise_above is None or self.clear_below > self.raise_above):
            found.append("clear_below belongs to raise_above and may not lie above it")
        if self.clear_above is not None and (self.raise_below is None or self.clear_above < self.raise_below):
            found.append("clear_above belongs to raise_below and may not lie below it")
        if self.raise_above is not None and self.raise_below is not None and self._floor() >= self._ceiling():
            found.append("between the limits above and below no value would clear")
        if self.hold < 1 or self.hold_clear < 0:
            found.append("hold is 1 or more, hold_clear 0 or more")
        return found

    def _ceiling(self) -> float:
        limit = self.clear_below if self.clear_below is not None else self.raise_above
        return math.inf if limit is None else limit

    def _floor(self) -> float:
        limit = self.clear_above if self.clear_above is not None else self.raise_below
        return -math.inf if limit is None else limit

    def excess(self, value: float) -> float:
        """How far a value lies beyond the nearest raising limit; positive is beyond."""
        above = value - self.raise_above if self.raise_above is not None else -math.inf
        below = self.raise_below - value if self.raise_below is not None else -math.inf
        return max(above, below)

    def is_beyond(self, value: float) -> bool:
        return self.excess(value) > 0

    def is_calm(self, value: float) -> bool:
        return self._floor() < value < self._ceiling()

    def crossed(self, value: float) -> float:
        """The raising limit that a value is measured against: the one it lies beyond, or is nearest to."""
        if self.raise_above is None:
            assert self.raise_below is not None
            return self.raise_below
        if self.raise_below is None or value - self.raise_above >= self.raise_below - value:
            return self.raise_above
        return self.raise_below


@dataclass(frozen=True)
class Machine:
    """The state between evaluations: `run` counts evaluations in a row that speak for a change,
    `peak` is the worst value of the run or of the alert, `unknown` says that the last one had too few readings."""

    raised: bool = False
    run: int = 0
    peak: float | None = None
    unknown: bool = False


def step(limits: Limits, machine: Machine, value: float | None) -> tuple[Machine, Event | None]:
    """The state after one more evaluation. Without a value nothing is raised, cleared or counted: it is unknown."""
    if value is None or not math.isfinite(value):
        return replace(machine, unknown=True), None
    if machine.raised:
        run = machine.run + 1 if limits.is_calm(value) else 0
        if run >= (limits.hold_clear or limits.hold):
            return Machine(), Event.CLEAR
        return Machine(True, run, _worse(limits, machine.peak, value)), None
    if not limits.is_beyond(value):
        return Machine(), None
    run, peak = machine.run + 1, _worse(limits, machine.peak if machine.run else None, value)
    if run >= limits.hold:
        return Machine(True, 0, peak), Event.RAISE
    return Machine(False, run, peak), None


def _worse(limits: Limits, one: float | None, other: float) -> float:
    return other if one is None or limits.excess(other) > limits.excess(one) else one
