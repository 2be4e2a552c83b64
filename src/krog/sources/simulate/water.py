"""A water zone: what its delivery meters take, what is lost, and what therefore flows in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from krog.sources.simulate.profiles import noise, profile

#: The shape of a week's demand (see profiles/README.md), and how fast a meter's own deviation moves.
SHAPE, MOVES_S = "electricity_demand_relative", 900


@dataclass(frozen=True)
class Leak:
    """Water that is lost from `begin` on, in m³/h; `end` tells until when (UTC seconds; None: still)."""

    flow: float
    begin: float
    end: Callable[[], float | None] = lambda: None

    def at(self, seconds: float) -> float:
        end = self.end()
        return self.flow if seconds >= self.begin and (end is None or seconds < end) else 0.0


@dataclass(frozen=True)
class Zone:
    """`deliveries` are the mean m³/h of each delivery meter by its key; `night` the lowest demand of the week over its
    mean; `background` the share that is lost always."""

    inflow: str
    deliveries: Mapping[str, float]
    night: float
    background: float
    leaks: Sequence[Leak]
    seed: int

    def delivery(self, key: str, local: datetime, seconds: float) -> float:
        """What flows through one delivery meter, in m³/h."""
        shape = profile(SHAPE)
        mean, deviation = shape.at(local)
        stretch = (1 - self.night) / (1 - shape.minimum)
        relative = 1 + (mean - 1) * stretch
        own = deviation / mean * stretch * math.sqrt(len(self.deliveries))
        return max(0.0, self.deliveries[key] * relative * (1 + own * noise(self.seed, key, seconds, MOVES_S)))

    def flow_in(self, local: datetime, seconds: float) -> float:
        """What flows into the zone: what is delivered, with the background loss, and the leaks of the moment."""
        delivered = sum(round(self.delivery(key, local, seconds), 3) for key in self.deliveries)
        return delivered * (1 + self.background) + sum(leak.at(seconds) for leak in self.leaks)
