"""What feeds which datastream in a demo: a city's `replay.toml`, read and checked."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import msgspec

from krog.base import times
from krog.base.errors import Invalid, NotFound
from krog.base.origin import Origin
from krog.sources.replay import recordings
from krog.sources.replay.shifting import Shifted
from krog.sources.simulate import profile as profiles
from krog.sources.simulate.water import Leak, Zone

Reading = tuple[int, str, float, Origin]

STATIONS = Path(profiles.__file__).parent / "arso_stations.csv"


class FeedFile(msgspec.Struct, forbid_unknown_fields=True):
    """One datastream: from a recording, or from a profile where the recording is not at hand."""

    datastream: str
    file: str
    column: str
    interval_s: int
    zone: str = "Europe/Ljubljana"
    profile: str = ""
    scale: float = 1.0
    offset: float = 0.0
    station: str = ""
    decimals: int = 2


class LeakFile(msgspec.Struct, forbid_unknown_fields=True):
    """A leak from the evening `since_days` ago, `until_days` ago or until the case of its type is closed."""

    since_days: int
    m3h: float
    until_days: int | None = None
    until_case: str = ""


class WaterFile(msgspec.Struct, forbid_unknown_fields=True):
    inflow: str
    deliveries: list[str]
    mean_m3h: float
    night_share: float
    background: float
    interval_s: int
    leaks: list[LeakFile] = []


class ReplayFile(msgspec.Struct, forbid_unknown_fields=True):
    days: int
    every_s: float
    feed: list[FeedFile] = []
    water: list[WaterFile] = []


def load(city: Path) -> ReplayFile:
    """The city's `replay.toml`, or an error naming what is wrong in it."""
    file = city / "replay.toml"
    if not file.is_file():
        raise NotFound(f"{city.name} has no replay.toml, so nothing says what feeds it.", str(city.name))
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), ReplayFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Invalid(f"replay.toml cannot be read: {error}", "replay.toml") from None


@dataclass(frozen=True)
class Feed:
    """One source of readings: all between two moments, and those of one moment."""

    origin: Origin
    interval: int
    between: Callable[[int, int], Iterator[Reading]]
    at: Callable[[int], list[Reading]]


def feeds(declared: ReplayFile, folder: Path | None, *, now: int, zone: str) -> list[Feed]:
    """The feeds of a demo that begins `now`: recordings below `folder`, or simulated where there is none."""
    return [
        *(_recorded(each, folder, now) if folder else _simulated(each, zone) for each in declared.feed),
        *(_water(each, now, zone) for each in declared.water),
    ]


def _recorded(feed: FeedFile, folder: Path, now: int) -> Feed:
    shifted = Shifted(recordings.read(folder, feed.file, feed.column, zone=feed.zone), now)
    interval = feed.interval_s * times.SECOND

    def between(start: int, end: int) -> Iterator[Reading]:
        if not shifted.period:  # A single reading stands for its whole time.
            for moment in range(-(-start // interval) * interval, end, interval):
                yield moment, feed.datastream, shifted.at(moment), Origin.REPLAYED
            return
        for moment, value in shifted.between(start, end):
            yield moment, feed.datastream, value, Origin.REPLAYED

    return Feed(
        Origin.REPLAYED,
        interval,
        between,
        lambda moment: [(moment, feed.datastream, shifted.at(moment), Origin.REPLAYED)],
    )


def _simulated(feed: FeedFile, zone: str) -> Feed:
    if feed.station:
        value, interval = _station(feed.station), feed.interval_s * times.SECOND
        one = Origin.REPLAYED  # A recorded reading that the project carries, not a model.
        return Feed(
            one,
            interval,
            lambda start, end: (
                (moment, feed.datastream, value, one)
                for moment in range(-(-start // interval) * interval, end, interval)
            ),
            lambda moment: [(moment, feed.datastream, value, one)],
        )
    shape = profiles.profile(feed.profile)

    def at(moment: int) -> list[Reading]:
        found = feed.offset + feed.scale * shape.value(moment, zone, seed=7, name=feed.datastream)
        return [(moment, feed.datastream, round(max(0.0, found), feed.decimals), Origin.SIMULATED)]

    return _stepped(feed.interval_s, at)


def _station(column: str) -> float:
    """`<code>/<column>` of the recorded readings of the national stations."""
    code, _, name = column.partition("/")
    with STATIONS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["code"] == code and row.get(name):
                return float(row[name])
    raise NotFound(f"The stations have no reading {column}.", "station")


def _water(water: WaterFile, now: int, zone: str) -> Feed:
    model = Zone(water.inflow, tuple(water.deliveries), water.mean_m3h, water.night_share, water.background, zone)
    leaks = [(_leak(leak, now, zone), leak.until_case) for leak in water.leaks]

    def at(moment: int) -> list[Reading]:
        flowing = [Leak(leak.start, repaired(case, leak.start) if case else leak.end, leak.m3h) for leak, case in leaks]
        return [(moment, name, flow, Origin.SIMULATED) for name, flow in model.flows(moment, flowing).items()]

    return _stepped(water.interval_s, at)


def _stepped(interval_s: int, at: Callable[[int], list[Reading]]) -> Feed:
    interval = interval_s * times.SECOND

    def between(start: int, end: int) -> Iterator[Reading]:
        for moment in range(-(-start // interval) * interval, end, interval):
            yield from at(moment)

    return Feed(Origin.SIMULATED, interval, between, at)


def _leak(leak: LeakFile, now: int, zone: str) -> Leak:
    """Leaks begin and end at 23.40 local time, when nobody looks."""
    today = times.local_date(now, zone)

    def evening(days: int) -> int:
        return times.start_of_day(today - timedelta(days=days), zone) + 23 * times.HOUR + 40 * times.MINUTE

    return Leak(evening(leak.since_days), None if leak.until_days is None else evening(leak.until_days), leak.m3h)


#: Tells when the newest case of a type that was opened after a moment was closed: the demo's crew has repaired the
#: pipe. Set by the command that runs the demo; without it nothing is repaired.
_repaired: Callable[[str, int], int | None] | None = None


def repair_by(ask: Callable[[str, int], int | None]) -> None:
    """Lets closed cases repair leaks."""
    global _repaired
    _repaired = ask


def repaired(case_type: str, since: int) -> int | None:
    return _repaired(case_type, since) if _repaired else None
