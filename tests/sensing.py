"""A few measuring points for tests: declared through the verbs, with values in the hot store of the test's folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from krog.base import times
from krog.base.declaration import Change
from krog.base.origin import Origin
from krog.base.settings import settings
from krog.catalogue import door
from krog.catalogue import verbs as catalogue
from krog.lake.hot.schema import connect
from krog.lake.shapes import Row
from krog.lake.store import open_hot
from krog.people.permissions import SYSTEM
from krog.streams import reads, verbs

FLOW = {"title": {"sl": "Pretok", "en": "Flow"}, "definition": "Volume of water per time", "unit": "m3/h"}
METER = {
    "title": {"sl": "Vodomer", "en": "Water meter"},
    "model": "DN 100",
    "accuracy": "± 2 %",
    "accuracy_value": 2.0,
    "accuracy_unit": "%",
}


def thing(**about: Any) -> dict[str, Any]:
    """The fields of a thing at the demo place."""
    return {
        "title": {"sl": "Jašek Mlaka", "en": "Mlaka shaft"},
        "description": {},
        "lon": 14.3475,
        "lat": 46.2741,
        "territory": "mlaka-pri-kranju",
        "operator": "komunala-kranj",
        "owner": "mok",
        "demo_place": True,
        "true_place": {"sl": "Italija, 2004", "en": "Italy, 2004"},
        "source": "UCI Air Quality",
        **about,
    }


def stream(**about: Any) -> dict[str, Any]:
    """The fields of a datastream of that thing."""
    return {
        "title": {"sl": "Dotok v cono Mlaka", "en": "Inflow to zone Mlaka"},
        "thing": "shaft",
        "sensor": "meter",
        "observed_property": "flow",
        "unit": "m3/h",
        "dataset": "mlaka-water",
        "minimum": 0.0,
        "maximum": 200.0,
        "interval_s": 300,
        "role": "inflow",
        "public": True,
        **about,
    }


def declare(**streams: dict[str, Any]) -> None:
    """Declares one property, one sensor, one thing and these datastreams (`_` in a name is `-` in the key)."""
    verbs.declare(SYSTEM, kind="observed_property", changes=[Change("flow", FLOW)])
    verbs.declare(SYSTEM, kind="sensor", changes=[Change("meter", METER)])
    verbs.declare(SYSTEM, kind="thing", changes=[Change("shaft", thing())])
    verbs.declare(
        SYSTEM, kind="datastream", changes=[Change(name.replace("_", "-"), about) for name, about in streams.items()]
    )


def dataset(key: str, *, noun: str, access: str = "public", **fields: Any) -> None:
    """Declares a dataset."""
    about = {"title": {"sl": key, "en": key}, "noun": noun, "access": access, **fields}
    catalogue.declare_datasets(SYSTEM, changes=[Change(key, about)])
    door.forget()


@contextmanager
def hot() -> Iterator[Any]:
    """The writing end of the hot store, closed again."""
    store = open_hot()
    try:
        yield store
    finally:
        store.close()


def observe(
    key: str,
    values: Sequence[float | None],
    *,
    every_s: int = 300,
    end: int | None = None,
    origin: Origin = Origin.SIMULATED,
) -> list[int]:
    """Stores these values, the last at `end` (now), one every `every_s` seconds (None: a gap); returns their times."""
    number = reads.ingest_index()[key].id
    last = times.now() if end is None else end
    moments = [last - (len(values) - 1 - index) * every_s * times.SECOND for index in range(len(values))]
    rows = [
        Row(number, moment, float(value), origin=int(origin))
        for moment, value in zip(moments, values, strict=True)
        if value is not None
    ]
    with hot() as store:
        store.submit(rows).result(timeout=30)
    return [row.time for row in rows]


def clear() -> None:
    """Empties the hot store: tests share its file, and databases begin their numbers anew."""
    connection = connect(settings().path("hot"))
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    for table in tables:
        if not table.startswith("sqlite_"):
            connection.execute(f"DELETE FROM {table}")
    connection.close()
