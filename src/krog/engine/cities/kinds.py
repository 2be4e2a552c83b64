"""All kinds of things that a city's files may declare, collected from the nouns in the order of applying."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath

from msgspec import inspect

from krog.base.declaration import Declaration
from krog.engine.cities.values import fields_of

#: The order in which the nouns' declarations are applied: a thing may refer to what stands before it.
NOUNS = ("people", "catalogue", "streams", "registers", "indicators", "plans", "rules", "cases", "voice")

#: Fields that hold a GeoJSON geometry: in TOML files they may stand in a .geojson file of the same name.
GEOMETRIES = ("geometry", "outline")

_SLOT = re.compile(r"[<{](\w+)[>}]")


@dataclass(frozen=True)
class Kinds:
    """The declarations in order, with what the loop asks of them."""

    declarations: tuple[Declaration, ...]
    by_kind: dict[str, Declaration] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_kind", {one.kind: one for one in self.declarations})
        if len(self.by_kind) != len(self.declarations):
            raise ValueError("Two declarations have the same kind.")

    def __iter__(self) -> Iterator[Declaration]:
        return iter(self.declarations)

    def __getitem__(self, kind: str) -> Declaration:
        return self.by_kind[kind]

    def of_file(self, name: str) -> list[Declaration]:
        """The kinds that may stand in the file of this relative path."""
        return [one for one in self.declarations if slots(one.file, name) is not None]

    def of_table(self, name: str) -> Declaration | None:
        """The kind whose `table` this relative path is."""
        return next((one for one in self.declarations if one.table and slots(one.table, name) is not None), None)

    def reads(self, name: str) -> bool:
        """Whether anything reads the file of this relative path."""
        return bool(self.of_file(name) or self.beside(name) or self.of_table(name))

    def beside(self, name: str) -> list[Declaration]:
        """The kinds whose geometries may stand in this .geojson file."""
        path = PurePosixPath(name)
        if path.suffix != ".geojson":
            return []
        return [
            one for one in self.declarations if one.file == path.with_suffix(".toml").as_posix() and geometry_field(one)
        ]

    def files(self) -> list[str]:
        """The names of the files that are read, as patterns such as `values/<indicator>.csv`."""
        return sorted({_SLOT.sub(r"<\1>", name) for one in self.declarations for name in (one.file, one.table) if name})


def geometry_field(declaration: Declaration) -> str:
    """The field that holds a geometry, or an empty text."""
    types = fields_of(declaration.shape)
    holds = [name for name in GEOMETRIES if name in types and not isinstance(types[name].type, inspect.StrType)]
    return holds[0] if holds else ""


@cache
def _pattern(file: str) -> re.Pattern[str]:
    parts = _SLOT.split(file)
    return re.compile(
        "".join(re.escape(part) if number % 2 == 0 else f"(?P<{part}>[^/]+?)" for number, part in enumerate(parts))
    )


def slots(file: str, name: str) -> dict[str, str] | None:
    """What a relative path says of the thing: `values/k3.1.csv` of `values/<indicator>.csv` gives its indicator."""
    match = _pattern(file).fullmatch(name)
    return match.groupdict() if match else None


def slot_names(file: str) -> list[str]:
    """The fields that a declaration's file name carries."""
    return _SLOT.findall(file)


def file_of(declaration: Declaration, key: str, fields: dict[str, object], *, table: bool = False) -> str:
    """The relative path that a thing is written to: its file, or its table."""
    name = declaration.table if table else declaration.file
    return _SLOT.sub(lambda match: str(key if match[1] == "key" else fields.get(match[1]) or key), name)


def collect(more: Iterable[Declaration] = ()) -> Kinds:
    """The kinds of all nouns."""
    from krog.engine.cities import city

    found = [*city.DECLARATIONS]
    for noun in NOUNS:
        found.extend(getattr(import_module(f"krog.{noun}.providers"), "DECLARATIONS", ()))
    return Kinds((*found, *more))
