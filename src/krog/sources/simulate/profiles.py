"""Measured profiles as functions of local time: mean and deviation, straight lines between cells."""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from krog.base.errors import NotFound

FOLDER = Path(__file__).parent / "profiles"

HOUR_S, WEEK_S = 3600, 7 * 24 * 3600


@dataclass(frozen=True)
class Profile:
    """`cells` are (mean, deviation) of equal parts of the week, or of the day for each month."""

    name: str
    by_month: bool
    cells: tuple[tuple[float, float], ...]

    @property
    def minimum(self) -> float:
        return min(mean for mean, _ in self.cells)

    def at(self, local: datetime) -> tuple[float, float]:
        """Mean and deviation at a local time."""
        if self.by_month:
            count, first = 24, (local.month - 1) * 24
            place = local.hour + local.minute / 60 + local.second / 3600
        else:
            count, first = len(self.cells), 0
            seconds = ((local.weekday() * 24 + local.hour) * 60 + local.minute) * 60 + local.second
            place = (seconds + local.microsecond / 1e6) * count / WEEK_S
        low = int(place) % count
        share = place - int(place)
        one, two = self.cells[first + low], self.cells[first + (low + 1) % count]
        return one[0] + (two[0] - one[0]) * share, one[1] + (two[1] - one[1]) * share


@cache
def profile(name: str) -> Profile:
    """The profile of a file; NotFound names those that there are. Cells without measurements take their neighbour's."""
    file = FOLDER / f"{name}.csv"
    if not file.is_file() or "mean" not in file.read_text("utf-8").partition("\n")[0]:
        known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.csv") if each.stem != "arso_stations"))
        raise NotFound(f"There is no profile {name!r}.", "profile", known)
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    by_month = "month" in rows[0]
    found: dict[int, tuple[float, float]] = {}
    for row in rows:
        index = (
            (int(row["month"]) - 1) * 24 + int(row["hour"])
            if by_month
            else int(row.get("half_hour_of_week") or row["hour_of_week"])
        )
        found[index] = (float(row["mean"]), float(row["sd"]))
    size = 12 * 24 if by_month else (336 if "half_hour_of_week" in rows[0] else 168)
    cells = []
    for index in range(size):
        near = index
        while near not in found:
            near = (near - 1) % size
        cells.append(found[near])
    return Profile(name, by_month, tuple(cells))


def noise(seed: int, name: str, seconds: float, every_s: int) -> float:
    """A normally distributed number of mean 0 and about deviation 1 that moves slowly: drawn anew every `every_s`
    seconds from the seed, the name and the time, with straight lines between. The same for ever."""
    place = seconds / every_s
    slot = math.floor(place)
    share = place - slot
    return _normal(seed, name, slot) * (1 - share) + _normal(seed, name, slot + 1) * share


@cache
def _salt(seed: int, name: str) -> bytes:
    return f"{seed}|{name}|".encode()


def _normal(seed: int, name: str, slot: int) -> float:
    drawn = hashlib.blake2b(_salt(seed, name) + b"%d" % slot, digest_size=16).digest()
    one = (int.from_bytes(drawn[:8], "big") + 1) / (2**64 + 1)
    two = int.from_bytes(drawn[8:], "big") / 2**64
    return math.sqrt(-2 * math.log(one)) * math.cos(2 * math.pi * two)
