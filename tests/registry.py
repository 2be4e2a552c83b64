"""A register for tests: delivery points of the demo water zone, with every type of field."""

from __future__ import annotations

from typing import Any

from krog.base.declaration import Change
from krog.people.permissions import SYSTEM
from krog.registers import verbs
from tests.sensing import dataset

FIELDS: dict[str, dict[str, Any]] = {
    "name": {"type": "text", "title": {"sl": "Ime", "en": "Name"}, "required": True},
    "kind": {
        "type": "choice",
        "title": {"sl": "Vrsta", "en": "Kind"},
        "choices": {"home": {"sl": "dom", "en": "home"}, "school": {"sl": "šola", "en": "school"}},
    },
    "capacity": {"type": "number", "unit": "m3/h", "title": {"sl": "Zmogljivost", "en": "Capacity"}},
    "people": {"type": "integer", "title": {"sl": "Osebe", "en": "People"}},
    "since": {"type": "date", "title": {"sl": "Od", "en": "Since"}},
    "open": {"type": "boolean", "title": {"sl": "Odprto", "en": "Open"}},
    "web": {"type": "url", "title": {"sl": "Stran", "en": "Page"}},
    "datastream": {"type": "text", "title": {"sl": "Tok", "en": "Stream"}},
}
POINT = {"type": "Point", "coordinates": [14.3475, 46.2741]}


def values(**more: Any) -> dict[str, Any]:
    """Values that obey."""
    return {
        "name": "Dom krajanov",
        "kind": "home",
        "capacity": 2.5,
        "people": 12,
        "since": "2019-05-01",
        "open": True,
        "web": "https://example.org/dom",
        **more,
    }


def declare(key: str = "points", *, data: str = "mlaka-points", **about: Any) -> None:
    """Declares a register."""
    fields = {
        "title": {"sl": "Odjemna mesta", "en": "Delivery points"},
        "dataset": data,
        "geometry": "point",
        "fields": FIELDS,
        "title_field": "name",
        **about,
    }
    verbs.declare_registers(SYSTEM, changes=[Change(key, fields)])


def town(*, access: str = "public", **about: Any) -> None:
    """The register with its dataset, kept by the office `vodovod`."""
    dataset("mlaka-points", noun="registers", access=access, office="vodovod", **about)
    declare()


def record(key: str, *, register: str = "points", geometry: Any = POINT, **more: Any) -> Change:
    """A declared record."""
    return Change(
        key,
        {
            "register": register,
            "values": values(**more),
            "geometry": geometry,
            "valid_from": "2020-01-01",
            "valid_to": "",
        },
    )
