"""What each datastream of a demo is sent: its history between two moments, and its value right now."""

from __future__ import annotations

import csv
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from krog.base.errors import Invalid
from krog.sources.replay import recordings
from krog.sources.replay.recipe import LeakAt, Recipe, Recorded, Water
from krog.sources.simulate.profiles import FOLDER, noise, profile
from krog.sources.simulate.water import Leak, Zone

DAY_S, WEEK_S = 86_400, 7 * 86_400
#: Between two recorded readings further apart than this no value is made up.
GAP_S = 3 * 3600
#: How far simulated values leave the mean, in the profile's own deviations.
DEVIATION = 0.5

#: UTC seconds and value.
Reading = tuple[float, float]
#: When the newest case of a type that was opened after a moment was closed (UTC seconds), or None.
Mended = Callable[[str, float], float | None]


def local(seconds: float, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(seconds, zone)


def wall(seconds: float, zone: ZoneInfo) -> float:
    """Seconds of the local wall clock, as if it were UTC."""
    return local(seconds, zone).replace(tzinfo=UTC).timestamp()


def unwall(seconds: float, zone: ZoneInfo) -> float:
    """UTC seconds of a moment of the local wall clock."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=zone).timestamp()


class Feed(Protocol):
    """One datastream's input. `every_s` is how often a live value is due; 0 = at every round."""

    @property
    def datastream(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def every_s(self) -> int: ...
    @property
    def backfill_days(self) -> int: ...

    def history(self, start: float, end: float) -> Iterator[Reading]:
        """Readings with start < time <= end (UTC seconds), in order."""

    def now(self, seconds: float) -> float | None:
        """The value at a moment, None where there is none."""


@dataclass(frozen=True)
class RecordedFeed:
    """A recording that goes round: whole weeks of it, so that Mondays stay Mondays; one of a year keeps its season."""

    datastream: str
    readings: Sequence[recordings.Reading]
    zone: ZoneInfo
    decimals: int
    began: float
    origin: str = "replayed"
    every_s: int = 0
    backfill_days: int = 0
    times: list[float] = field(init=False)
    cycle: float = field(init=False)
    shift: float = field(init=False)

    def __post_init__(self) -> None:
        first, last = self.readings[0][0], self.readings[-1][0]
        whole = WEEK_S if last - first >= WEEK_S else DAY_S
        cycle = max(whole, (last - first) // whole * whole)
        object.__setattr__(self, "cycle", cycle)
        object.__setattr__(self, "shift", self._season(first, cycle))
        kept = [reading for reading in self.readings if reading[0] < first + cycle]
        object.__setattr__(self, "readings", kept)
        object.__setattr__(self, "times", [moment for moment, _ in kept])

    def _season(self, first: float, cycle: float) -> float:
        """By how many whole weeks a recording of a year is moved, so that a November's day shows a November's."""
        if cycle < 51 * WEEK_S:
            return 0.0
        today = datetime.fromtimestamp(wall(self.began, self.zone), UTC)
        for year in range(1970, today.year + 1):
            day = 28 if (today.month, today.day) == (2, 29) else today.day
            then = today.replace(year=year, day=day).timestamp()
            if first <= then < first + cycle:
                return round((today.timestamp() - then) / WEEK_S) * WEEK_S
        return 0.0

    def history(self, start: float, end: float) -> Iterator[Reading]:
        low, high = wall(start, self.zone), wall(end, self.zone)
        turn = (low - self.shift - self.times[0]) // self.cycle
        while True:
            moved = self.shift + turn * self.cycle
            if self.times[0] + moved > high:
                return
            for index in range(bisect_right(self.times, low - moved), bisect_right(self.times, high - moved)):
                yield unwall(self.times[index] + moved, self.zone), self.readings[index][1]
            turn += 1

    def now(self, seconds: float) -> float | None:
        place = self.times[0] + (wall(seconds, self.zone) - self.shift - self.times[0]) % self.cycle
        after = bisect_left(self.times, place)
        if after == 0 or after == len(self.times):
            moment, value = self.readings[min(after, len(self.times) - 1)]
            if place - moment > GAP_S:
                return None
        else:
            (one, low), (two, high) = self.readings[after - 1], self.readings[after]
            if two - one > GAP_S:
                return None
            value = low + (high - low) * (place - one) / (two - one)
        return round(value, self.decimals)


@dataclass(frozen=True)
class SteadyFeed:
    """A recording of one moment: the same value again and again, without invented variation."""

    datastream: str
    value: float
    every_s: int
    backfill_days: int
    origin: str = "replayed"

    def history(self, start: float, end: float) -> Iterator[Reading]:
        moment = (start // self.every_s + 1) * self.every_s
        while moment <= end:
            yield moment, self.value
            moment += self.every_s

    def now(self, seconds: float) -> float | None:
        return self.value


@dataclass(frozen=True)
class SimulatedFeed:
    """A value that a function of local time and UTC seconds gives."""

    datastream: str
    value: Callable[[datetime, float], float]
    interval_s: int
    zone: ZoneInfo
    decimals: int
    origin: str = "simulated"
    every_s: int = 0
    backfill_days: int = 0

    def history(self, start: float, end: float) -> Iterator[Reading]:
        moment = (start // self.interval_s + 1) * self.interval_s
        while moment <= end:
            yield moment, self.now(moment)
            moment += self.interval_s

    def now(self, seconds: float) -> float:
        return round(self.value(local(seconds, self.zone), seconds), self.decimals)


def feeds(
    recipe: Recipe, folder: Path | None, *, began: float, mended: Mended = lambda case_type, since: None
) -> list[Feed]:
    """All feeds of a recipe. `began` is when the demo first began: leaks and seasons count from it."""
    zone = ZoneInfo(recipe.zone)
    found: list[Feed] = []
    for water in recipe.water:
        found += _water(water, recipe.seed, zone, began, mended)
    found += [_recorded(each, recipe.seed, folder, zone, began) for each in recipe.recorded]
    return found


def _recorded(recorded: Recorded, seed: int, folder: Path | None, zone: ZoneInfo, began: float) -> Feed:
    readings = recordings.read(folder, recorded) if folder is not None and (folder / recorded.file).is_file() else []
    if recorded.every_s:
        value = readings[0][1] if readings else _station(recorded)
        return SteadyFeed(recorded.datastream, value, recorded.every_s, recorded.backfill_days)
    if readings:
        return RecordedFeed(
            recorded.datastream, readings, zone, recorded.decimals, began, backfill_days=recorded.backfill_days
        )
    if not recorded.profile:
        what = f"There is neither a recording nor a profile for {recorded.datastream}."
        raise Invalid(what, "replay.toml", todo="Name a profile, or give the folder with the recordings.")
    shape = profile(recorded.profile)

    def simulated(moment: datetime, seconds: float) -> float:
        mean, deviation = shape.at(moment)
        value = max(0.0, mean + DEVIATION * deviation * noise(seed, recorded.datastream, seconds, 3600))
        if recorded.capacity:
            value = recorded.capacity * (1 - min(1.0, value))
        return value if recorded.maximum is None else min(value, recorded.maximum)

    return SimulatedFeed(
        recorded.datastream, simulated, recorded.interval_s, zone, recorded.decimals,
        backfill_days=recorded.backfill_days,
    )  # fmt: skip


def _station(recorded: Recorded) -> float:
    with (FOLDER / "arso_stations.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["code"] == recorded.station and row.get(recorded.column):
                return float(row[recorded.column])
    raise Invalid(f"There is no value {recorded.column} of station {recorded.station}.", "profiles/arso_stations.csv")


def _water(water: Water, seed: int, zone: ZoneInfo, began: float, mended: Mended) -> list[SimulatedFeed]:
    midnight = wall(began, zone) // DAY_S * DAY_S

    def leak(given: LeakAt) -> Leak:
        begin, end = (
            None if days is None else unwall(midnight + days * DAY_S + given.begin_hour * 3600, zone)
            for days in (given.begin_days, given.end_days)
        )
        assert begin is not None
        ends = (lambda: mended(given.until_case, begin)) if given.until_case else (lambda: end)
        return Leak(given.flow, begin, ends)

    leaks = [leak(each) for each in water.leak]
    model = Zone(water.inflow, water.deliveries, water.night, water.background, leaks, seed)

    def delivered(key: str) -> Callable[[datetime, float], float]:
        return lambda moment, seconds: model.delivery(key, moment, seconds)

    into = SimulatedFeed(
        water.inflow, lambda moment, seconds: model.flow_in(moment, seconds), water.interval_s, zone, 3
    )
    return [into, *(SimulatedFeed(key, delivered(key), water.interval_s, zone, 3) for key in water.deliveries)]
