"""A small city of invented kinds, kept in a dictionary: what the loop is tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.engine.cities.kinds import Kinds


class TownFile(msgspec.Struct):
    key: str
    name: str = ""
    languages: list[str] = []


class PlaceFile(msgspec.Struct):
    key: str
    title: dict[str, str] = {}
    parent: str = ""
    outline: dict[str, Any] | None = None


class MeterFile(msgspec.Struct):
    key: str
    title: dict[str, str] = {}
    place: str = ""
    places: list[str] = []
    unit: str = ""
    interval_s: int = 60
    accuracy: float | None = None
    state: Literal["on", "off"] = "on"
    fields: dict[str, dict[str, Any]] = {}
    steps: list[dict[str, Any]] = []


class RowFile(msgspec.Struct):
    key: str
    title: dict[str, str] = {}
    meter: str = ""
    order: int = 0
    share: float = 0.0
    horizon: list[str] = []
    open: bool = False
    note: str = "none"


class LinkFile(msgspec.Struct):
    key: str
    source: str = ""
    target: str = ""
    type: str = ""


class RecordFile(msgspec.Struct):
    key: str
    register: str = ""
    values: dict[str, Any] = {}
    geometry: dict[str, Any] | None = None
    valid_from: str = ""


class NoteFile(msgspec.Struct):
    key: str
    title: dict[str, str] = {}
    text: dict[str, str] = {}


class Store:
    """The state of all invented kinds, and what was asked of them."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, dict[str, Any]]] = {}
        self.asked: list[tuple[str, str, bool]] = []

    def declaration(self, kind: str, file: str, shape: type[msgspec.Struct], **more: Any) -> Declaration:
        things = self.things.setdefault(kind, {})

        def read() -> Mapping[str, Fields]:
            return {key: dict(fields) for key, fields in things.items()}

        def write(by: Reader, changes: Sequence[Change]) -> None:
            for change in changes:
                self.asked.append((kind, change.key, change.fields is None))
                if change.fields is None:
                    things.pop(change.key, None)
                else:
                    things[change.key] = dict(change.fields)

        return Declaration(kind, file, shape, read, write, **more)


def too_slow(fields: Fields) -> Sequence[str]:
    return ["interval_s is longer than a day."] if fields["interval_s"] > 86400 else []


def kinds(store: Store | None = None) -> Kinds:
    store = store or Store()
    return Kinds(
        (
            store.declaration("city", "city.toml", TownFile),
            store.declaration("page", "pages/<page>.md", NoteFile),
            store.declaration("place", "places.toml", PlaceFile, refs={"parent": "place"}),
            store.declaration(
                "meter", "meters.toml", MeterFile, refs={"place": "place", "places": "place"}, check=too_slow
            ),
            store.declaration("row", "plan/rows.csv", RowFile, refs={"meter": "meter"}),
            store.declaration(
                "link",
                "plan/links.csv",
                LinkFile,
                refs={"source": "row", "target": "row"},
                key="{source}--{type}--{target}",
            ),
            store.declaration("record", "registers/<register>.geojson", RecordFile),
        )
    )


CITY = 'key = "town"\nname = "Town"\nlanguages = ["sl", "en"]\n'


def folder(path: Path, **files: str | bytes) -> Path:
    """A city's folder; `plan__rows_csv="…"` is the file `plan/rows.csv`."""
    for name, content in {"city_toml": CITY, **files}.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        target = path / f"{stem.replace('_', '.')}.{suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
