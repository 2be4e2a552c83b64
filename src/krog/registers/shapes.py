"""Frozen values of registers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from krog.base.text import Text
from krog.registers.schema import Field


@dataclass(frozen=True)
class Register:
    """A register with the fields that its reader may see, in the order of display."""

    key: str
    title: Text
    description: Text
    dataset: str
    geometry: str
    fields: Sequence[Field]
    title_field: str
    counter: int = 0
    count: int | None = None
    role: str = ""

    @property
    def has_geometry(self) -> bool:
        return self.geometry != "none"

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True)
class Record:
    """A record with the values that its reader may see; `geometry` is GeoJSON in WGS84 or None;
    `valid_from`, `valid_to` and `changed` are UTC microseconds; `version` counts its changes."""

    key: str
    register: str
    title: str
    values: Mapping[str, Any]
    geometry: Mapping[str, Any] | None
    valid_from: int | None
    valid_to: int | None
    version: int
    changed: int
    retired: bool = False


@dataclass(frozen=True)
class Page:
    """Some records of many, and how many in all; `more` where so many were counted and there are still more."""

    items: Sequence[Record]
    total: int
    limit: int
    offset: int
    more: bool = False
