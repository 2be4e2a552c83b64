"""`replay.toml` of a city: which recording or which simulation feeds which datastream."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec

from krog.base.errors import Invalid, NotFound


class Recorded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A datastream that is fed from a recording.

    `file` stands in the folder of recordings. CSV: `time` names the columns of date and time, `format` how they are
    written (strptime, or `iso`), `zone` the time zone to which times with an offset are brought, `where` which rows
    count, `value` the column, `missing` the number that means none. ARSO's XML: `station` and `value` (the element).
    A recording of one moment is sent every `every_s` seconds. `profile` simulates the datastream where the recording
    is missing (`capacity`: the profile is the taken share of it, and what is free is sent), `station` takes the value
    from profiles/arso_stations.csv (column `column`). `backfill_days` shortens the history.
    """

    datastream: str
    file: str
    value: str
    time: list[str] = []
    format: str = "iso"
    zone: str = ""
    where: dict[str, str] = {}
    missing: float | None = None
    station: str = ""
    column: str = ""
    every_s: int = 0
    profile: str = ""
    capacity: float = 0
    interval_s: int = 3600
    decimals: int = 1
    maximum: float | None = None
    backfill_days: int = 0


class LeakAt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A leak of `flow` m³/h from local `begin_hour` of the day `begin_days` from the day on which the demo began; until
    `end_days`, or until the newest case of the type `until_case` that was opened since is closed: then it is mended."""

    flow: float
    begin_days: int
    begin_hour: float = 1.5
    end_days: int | None = None
    until_case: str = ""


class Water(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A simulated water zone, see `sources.simulate.water`."""

    inflow: str
    deliveries: dict[str, float]
    night: float = 0.25
    background: float = 0.04
    interval_s: int = 900
    leak: list[LeakAt] = []


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file; `seed` makes every simulated value, the same on every machine."""

    seed: int
    zone: str = "Europe/Ljubljana"
    recorded: list[Recorded] = []
    water: list[Water] = []


def read(city: Path) -> Recipe:
    """The recipe of a city's folder; NotFound or Invalid with what is wrong."""
    file = city / "replay.toml"
    if not file.is_file():
        raise NotFound(f"The city {city.name} has no replay.toml.", str(file), todo="It says what feeds the demo.")
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), Recipe)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise Invalid(f"The file cannot be read: {error}", str(file)) from None
