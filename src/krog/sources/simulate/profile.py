"""A measured profile: what is usual at an hour of the week, a half hour of the week, or an hour of a month."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from krog.base import times
from krog.base.errors import NotFound
from krog.sources.simulate.chance import deviate

FOLDER = Path(__file__).parent / "profiles"


@dataclass(frozen=True)
class Profile:
    """`by` is one of hour_of_week, half_hour_of_week, month_hour; `values` gives (mean, sd) for each."""

    name: str
    by: str
    values: dict[tuple[int, ...], tuple[float, float]]

    def usual(self, moment: int, zone: str) -> tuple[float, float]:
        """Mean and standard deviation at a local moment; the nearest hour that was measured where one is missing."""
        local = times.to_datetime(moment, zone)
        hour = local.weekday() * 24 + local.hour
        key: tuple[int, ...]
        if self.by == "month_hour":
            key = (local.month, local.hour)
        elif self.by == "half_hour_of_week":
            key = (hour * 2 + local.minute // 30,)
        else:
            key = (hour,)
        found = self.values.get(key)
        if found is None:
            found = self.values[
                min(self.values, key=lambda other: sum(abs(a - b) for a, b in zip(other, key, strict=True)))
            ]
        return found

    def value(self, moment: int, zone: str, *, seed: int, name: str) -> float:
        """A value of a sensor called `name`: the mean and half a standard deviation of chance, never below zero."""
        mean, sd = self.usual(moment, zone)
        return max(0.0, mean + 0.5 * sd * deviate(seed, name, moment))


@cache
def profile(name: str) -> Profile:
    """The profile in `profiles/<name>.csv`; NotFound names those that there are."""
    known = sorted(file.stem for file in FOLDER.glob("*.csv"))
    if name not in known:
        raise NotFound(f"There is no profile {name!r}.", "profile", ", ".join(known))
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if "month" in rows[0]:
        return Profile(
            name,
            "month_hour",
            {(int(r["month"]), int(r["hour"])): (float(r["mean"]), float(r["sd"] or 0)) for r in rows},
        )
    by = next(iter(rows[0]))
    return Profile(name, by, {(int(r[by]),): (float(r["mean"]), float(r["sd"] or 0)) for r in rows})
