"""Frozen values of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from krog.base.text import Text

#: What a territory may be, from the largest.
LEVELS = (
    "state",
    "region",
    "municipality",
    "settlement",
    "local_community",
    "school_district",
    "programme_area",
    "quarter",
    "zone",
)

#: The hierarchy that a territory's `parent` makes.
ADMINISTRATIVE = "administrative"


@dataclass(frozen=True)
class Organisation:
    """A municipality, company, institution or body of the state."""

    key: str
    title: Text
    kind: str
    url: str
    parent: str


@dataclass(frozen=True)
class Office:
    """A part of an organisation that handles things."""

    key: str
    title: Text
    organisation: str
    email: str
    phone: str
    centre: str
    head: str = ""
    deputy: str = ""


@dataclass(frozen=True)
class Person:
    """An account as officials see it."""

    key: str
    id: int
    name: str
    email: str
    language: str
    organisation: str
    roles: frozenset[str]
    offices: frozenset[str]
    demo: bool = False
    digest: bool = True


@dataclass(frozen=True)
class Absence:
    """That a person is away from `since` to `until` (ISO days, both included); `substitute` stands in ("" for none
    named)."""

    id: int
    account: str
    name: str
    substitute: str
    substitute_name: str
    since: str
    until: str


@dataclass(frozen=True)
class Territory:
    """A territory; `lon` and `lat` in WGS84 degrees, `outline` a GeoJSON geometry or None."""

    key: str
    title: Text
    level: str
    parent: str
    lon: float | None
    lat: float | None
    source: str = ""
    outline: Mapping[str, Any] | None = field(default=None, compare=False)
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True)
class Hierarchy:
    """A way of dividing the land; the administrative one has the key ADMINISTRATIVE and no title of its own."""

    key: str
    title: Text


@dataclass(frozen=True)
class Place:
    """Where a territory stands in one hierarchy on a day: what it lies within, nearest first, and its parts by key."""

    hierarchy: Hierarchy
    above: tuple[Territory, ...]
    parts: tuple[Territory, ...]


@dataclass(frozen=True)
class NewKey:
    """A new API key; the secret is shown once and never again."""

    id: str
    secret: str

    @property
    def bearer(self) -> str:
        """The form that goes behind `Authorization: Bearer`."""
        return f"{self.id}.{self.secret}"


@dataclass(frozen=True)
class KeyInfo:
    """An API key as listed: never its secret."""

    id: str
    title: str
    organisation: str
    roles: frozenset[str]
    created: int
    created_by: str
    revoked: int | None


@dataclass(frozen=True)
class AccountInfo:
    """An account as its administrator sees it: how it may sign in, when it last did, never a secret."""

    key: str
    id: int
    name: str
    email: str
    language: str
    organisation: str
    roles: tuple[str, ...]
    offices: tuple[str, ...]
    demo: bool
    active: bool
    closed: int | None
    last_sign_in: int | None
    password: bool
    second_factor: bool
    organisation_sign_in: bool
