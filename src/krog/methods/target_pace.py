"""Progress to a target: what share of the way is made, and how the pace so far compares with the pace that is needed.

Source: Eurostat, "Sustainable development in the European Union: monitoring report on progress towards the SDGs in
an EU context" (2020 edition), annex on the assessment of indicators with a quantitative target: the ratio of actual
to required growth is significant progress from 95 %, moderate from 60 %, insufficient from 0, a movement away below
0. Eurostat compares compound rates; here the pace is linear, because values of a city may be 0 or negative.

Worked example: jobs in a town, 22 144 in 2014, 25 353 in 2023, target 26 000 for 2030. Progress is
(25 353 - 22 144) / (26 000 - 22 144) = 83.2 %. Expected in 2023 on a straight path: 22 144 + 3 856 × 9 / 16 = 24 313.
Pace 3 209 / 9 = 356.6 a year, needed 3 856 / 16 = 241 a year, ratio 1.48: on track.
"""

from __future__ import annotations

from dataclasses import dataclass

NAME = "linear pace against the required pace"
ON_TRACK, AT_RISK = 0.95, 0.60


@dataclass(frozen=True)
class Pace:
    """`progress` share of the way from baseline to target; `expected` the value on the straight path now;
    `ratio` actual by required pace (None at the baseline's own time)."""

    progress: float
    expected: float
    ratio: float | None


def pace(*, baseline: tuple[float, float], target: tuple[float, float], observed: tuple[float, float]) -> Pace | None:
    """The pace from (year, value) of baseline, target and observation; None where target and baseline are the same."""
    (year0, value0), (year1, value1), (year, value) = baseline, target, observed
    if value1 == value0 or year1 <= year0:
        return None
    progress = (value - value0) / (value1 - value0)
    elapsed = min((year - year0) / (year1 - year0), 1.0)
    return Pace(progress, value0 + (value1 - value0) * elapsed, progress / elapsed if elapsed > 0 else None)


def path(baseline: tuple[float, float], target: tuple[float, float], years: list[float]) -> list[tuple[float, float]]:
    """Points (year, value) of the straight path from baseline to target."""
    (year0, value0), (year1, value1) = baseline, target
    if year1 == year0:
        return []
    return [(year, value0 + (value1 - value0) * (year - year0) / (year1 - year0)) for year in years]
