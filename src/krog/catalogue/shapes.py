"""Frozen values of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from krog.base.text import Text


@dataclass(frozen=True)
class Dataset:
    """A dataset with its metadata; `fields` is the data dictionary {name: {type, unit, title, access}}, `doubts` say
    what its source contradicts or leaves open."""

    key: str
    noun: str
    title: Text
    description: Text
    organisation: str
    office: str
    steward: str
    licence: str
    access: str
    roles: tuple[str, ...]
    personal: bool
    frequency: str
    source: str
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    public_rows: Mapping[str, Any] = field(default_factory=dict)
    doubts: tuple[Text, ...] = ()


@dataclass(frozen=True)
class Use:
    """How often a service was started and finished on a day by one channel and in one language."""

    day: date
    service: str
    channel: str
    language: str
    started: int
    finished: int

    @property
    def abandoned(self) -> int:
        """Started and not finished; on the last two days some may still be under way."""
        return max(0, self.started - self.finished)
