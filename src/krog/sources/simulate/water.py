"""A simulated water zone: deliveries, the inflow that feeds them, a little background loss, and leaks.

The course of the day is that of measured electricity demand (`electricity_demand_relative`), stretched so that the
least of the night is `night_share` of the mean, which is usual for drinking water. It is a model, not a measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from krog.sources.simulate.chance import deviate
from krog.sources.simulate.profile import profile


@dataclass(frozen=True)
class Leak:
    """So many m³/h are lost from `start` (UTC microseconds) until `end` (None: still)."""

    start: int
    end: int | None
    m3h: float

    def at(self, moment: int) -> float:
        return self.m3h if self.start <= moment and (self.end is None or moment < self.end) else 0.0


@dataclass(frozen=True)
class Zone:
    """`mean_m3h` is the mean delivery of the whole zone, `background` the share that is always lost."""

    inflow: str
    deliveries: tuple[str, ...]
    mean_m3h: float
    night_share: float
    background: float
    zone: str
    seed: int = 7

    def delivery(self, name: str, moment: int) -> float:
        """Flow at one delivery point in m³/h; the points share the zone's demand unevenly but steadily."""
        shape = profile("electricity_demand_relative")
        least = min(mean for mean, _ in shape.values.values())
        relative, _ = shape.usual(moment, self.zone)
        demand = self.night_share + (1 - self.night_share) * (relative - least) / (1 - least)
        place = self.deliveries.index(name)
        share = (1 + 0.3 * ((place * 37 % 11) / 5 - 1)) / len(self.deliveries)
        return round(max(0.0, self.mean_m3h * demand * share * (1 + 0.06 * deviate(self.seed, name, moment))), 3)

    def flows(self, moment: int, leaks: Sequence[Leak]) -> dict[str, float]:
        """Every meter's flow in m³/h at a moment."""
        found = {name: self.delivery(name, moment) for name in self.deliveries}
        lost = self.background * self.mean_m3h + sum(leak.at(moment) for leak in leaks)
        noise = 0.08 * deviate(self.seed, self.inflow, moment)
        found[self.inflow] = round(sum(found.values()) + lost + noise, 3)
        return found
