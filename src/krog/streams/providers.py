"""What streams provide to others: the kinds of `streams.toml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.streams import verbs


class ObservedPropertyFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    definition: str = ""
    unit: str = ""


class ThingFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    description: dict[str, str] = {}
    lon: float | None = None
    lat: float | None = None
    territory: str = ""
    operator: str = ""
    owner: str = ""
    demo_place: bool = False
    true_place: dict[str, str] = {}
    source: str = ""


class SensorFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    model: str = ""
    accuracy: str = ""
    accuracy_value: float | None = None
    accuracy_unit: str = ""


class DatastreamFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    thing: str = ""
    sensor: str = ""
    observed_property: str = ""
    unit: str = ""
    dataset: str = ""
    minimum: float | None = None
    maximum: float | None = None
    interval_s: int = 0
    numeric: bool = True
    role: str = ""
    public: bool = True


def _read(kind: str) -> Mapping[str, Fields]:
    fields = verbs.declared_fields(kind)
    rows = verbs.KINDS[kind]._default_manager.filter(retired=False).values("key", *fields.values())
    # A datastream without a sensor has null in the database and no key in the file.
    return {
        row["key"]: {name: row[column] or "" if name in verbs.LINKS else row[column] for name, column in fields.items()}
        for row in rows
    }


def _write(kind: str) -> Callable[[Reader, Sequence[Change]], None]:
    def write(by: Reader, changes: Sequence[Change]) -> None:
        verbs.declare(by, kind=kind, changes=changes)

    return write


def _declaration(kind: str, shape: type[msgspec.Struct], refs: Mapping[str, str]) -> Declaration:
    check = partial(verbs.check, kind)
    return Declaration(kind, "streams.toml", shape, partial(_read, kind), _write(kind), refs, check)


DECLARATIONS: tuple[Declaration, ...] = (
    _declaration("observed_property", ObservedPropertyFile, {}),
    _declaration("thing", ThingFile, {"territory": "territory", "operator": "organisation", "owner": "organisation"}),
    _declaration("sensor", SensorFile, {}),
    _declaration(
        "datastream",
        DatastreamFile,
        {"thing": "thing", "sensor": "sensor", "observed_property": "observed_property", "dataset": "dataset"},
    ),
)
