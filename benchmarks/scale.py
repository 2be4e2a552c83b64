"""A city as large as the real thing, made up: 10^5 records of one register and 10^4 datastreams."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT

RECORDS = int(os.environ.get("RECORDS", "100000"))
STREAMS = int(os.environ.get("STREAMS", "10000"))

_FIRST = (
    *("Gorenjska", "Stara", "Nova", "Zlata", "Planinska", "Partizanska", "Koroška", "Jezerska", "Ljubljanska"),
    *("Prešernova", "Slovenska", "Kidričeva", "Tomšičeva", "Huje", "Savska", "Kokrška", "Šolska", "Cvetlična"),
)
_SECOND = ("cesta", "ulica", "pot", "drevored", "nabrežje", "trg", "steza", "naselje")
_KINDS = ("lamp", "valve", "hydrant", "bin", "bench", "tree", "sign", "manhole")
_WORDS = ("svetilka", "zasun", "hidrant", "zabojnik", "klop", "drevo", "prometni znak", "jašek")
#: Around Kranj: west, south, east, north.
BOX = (14.28, 46.20, 14.46, 46.30)


def records(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Key and fields of each record; the same in every run."""
    dice = random.Random(17)
    for number in range(count):
        kind = dice.randrange(len(_KINDS))
        street = f"{dice.choice(_FIRST)} {dice.choice(_SECOND)}"
        lon = round(dice.uniform(BOX[0], BOX[2]), 6)
        lat = round(dice.uniform(BOX[1], BOX[3]), 6)
        values = {
            "name": f"{_WORDS[kind]} {street} {number % 180 + 1}",
            "kind": _KINDS[kind],
            "installed": f"{dice.randrange(1960, 2026)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}",
            "height": round(dice.uniform(0.3, 12), 2),
            "code": f"K-{number:06d}",
            "good": dice.random() < 0.8,
        }
        yield (
            f"asset-{number:06d}",
            {
                "register": "assets",
                "values": {name: value for name, value in values.items() if name != "height" or dice.random() < 0.9},
                "geometry": {"type": "Point", "coordinates": [lon, lat]},
                "valid_from": "",
                "valid_to": "",
            },
        )


REGISTER = {
    "title": {"sl": "Oprema javnih površin", "en": "Street furniture"},
    "description": {},
    "dataset": "assets",
    "geometry": "point",
    "title_field": "name",
    "fields": {
        "name": {"type": "text", "required": True},
        "kind": {"type": "choice", "choices": list(_KINDS), "indexed": True},
        "installed": {"type": "date", "indexed": True},
        "height": {"type": "number", "unit": "m", "indexed": True},
        "code": {"type": "text"},
        "good": {"type": "boolean"},
    },
}


def home(var: Path, city: str = "kranj") -> None:
    """Makes the city ready in `var`, with nothing running. To be called before Django is set up."""
    env = {**os.environ, "KROG_VAR": str(var), "KROG_DEMO": "true"}
    subprocess.run(
        [sys.executable, "-m", "krog.cli.main", "apply", os.environ.get("CITY_FOLDER", f"cities/{city}"), "--yes"],
        cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def fill(record_count: int = RECORDS, stream_count: int = STREAMS) -> dict[str, float]:
    """Declares the register with its records, and the datastreams; seconds that each took."""
    from krog.base.declaration import Change
    from krog.catalogue import door
    from krog.catalogue import verbs as catalogue
    from krog.people.permissions import SYSTEM
    from krog.registers import verbs as registers

    for key, noun in (("assets", "registers"), ("scale-streams", "streams")):
        about = {"title": {"sl": key}, "noun": noun, "access": "public"}
        catalogue.declare_datasets(SYSTEM, changes=[Change(key, about)])
    door.forget()
    began = time.perf_counter()
    registers.declare_registers(SYSTEM, changes=[Change("assets", REGISTER)])
    registers.declare_records(SYSTEM, changes=[Change(key, fields) for key, fields in records(record_count)])
    declared = time.perf_counter() - began
    began = time.perf_counter()
    _streams(stream_count)
    return {"records_s": round(declared, 1), "streams_s": round(time.perf_counter() - began, 1)}


def _streams(count: int) -> None:
    """Two datastreams on each thing, of eight properties, in all settlements of the city."""
    from krog.base.declaration import Change
    from krog.people.permissions import SYSTEM
    from krog.streams import verbs

    dice = random.Random(18)
    properties = [f"scale-{name}" for name in ("no2", "pm10", "temp", "flow", "level", "noise", "cars", "free")]
    observed = [Change(key, {"title": {"sl": key[6:], "en": key[6:]}, "unit": "1"}) for key in properties]
    verbs.declare(SYSTEM, kind="observed_property", changes=observed)
    places = _places()
    things, streams = [], []
    for number in range((count + 1) // 2):
        lon, lat = round(dice.uniform(BOX[0], BOX[2]), 6), round(dice.uniform(BOX[1], BOX[3]), 6)
        street = f"{dice.choice(_FIRST)} {dice.choice(_SECOND)} {number % 90 + 1}"
        about = {"title": {"sl": street}, "lon": lon, "lat": lat, "territory": dice.choice(places)}
        things.append(Change(f"scale-thing-{number:05d}", about))
    for number in range(count):
        name = properties[dice.randrange(len(properties))]
        about = {
            "title": {"sl": f"{name[6:]} {number}"}, "thing": f"scale-thing-{number // 2:05d}",
            "observed_property": name, "unit": "1", "dataset": "scale-streams", "interval_s": 900,
        }  # fmt: skip
        streams.append(Change(f"scale-{number:05d}", about))
    verbs.declare(SYSTEM, kind="thing", changes=things)
    verbs.declare(SYSTEM, kind="datastream", changes=streams)


def _places() -> Sequence[str]:
    from krog.catalogue import door
    from krog.people import reads
    from krog.people.permissions import SYSTEM

    grant = door.open(SYSTEM, "desk", kind="people")
    return [one.key for one in reads.territories(grant) if one.level == "settlement"] or [""]
