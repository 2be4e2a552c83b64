"""Who reads, and what they were granted: frozen values that every read takes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ANONYMOUS_ROLE = "anonymous"


@dataclass(frozen=True)
class Reader:
    """Who asks. `kind`: anonymous, account, key, link (a signed link in a mail) or system (Krog itself).

    `id` is the account's or key's number (0 for anonymous and system); `organisation` and `offices` are keys, `leads`
    those offices that the reader is the head of.
    """

    kind: str = "anonymous"
    id: int = 0
    name: str = ""
    roles: frozenset[str] = frozenset({ANONYMOUS_ROLE})
    organisation: str = ""
    offices: frozenset[str] = frozenset()
    language: str = ""
    leads: frozenset[str] = frozenset()

    @property
    def is_anonymous(self) -> bool:
        return self.kind == "anonymous"


ANONYMOUS = Reader()


@dataclass(frozen=True)
class Rule:
    """One row condition of a grant: `field` `op` `value`, with op one of = != in."""

    field: str
    op: str
    value: Any


@dataclass(frozen=True)
class Access:
    """What may be read of one dataset: `fields` (None = all), `rows` (all conditions must hold),
    `masked` fields (shown as withheld), `minimum_group` (smallest group an aggregate may show)."""

    dataset: str
    public: bool = True
    fields: frozenset[str] | None = None
    masked: frozenset[str] = frozenset()
    rows: tuple[Rule, ...] = ()
    minimum_group: int = 1

    def shows(self, name: str) -> bool:
        return (self.fields is None or name in self.fields) and name not in self.masked


@dataclass(frozen=True)
class Grant:
    """What `catalogue.door.open` gives: the reader, the purpose, and the access to each dataset by its key."""

    reader: Reader
    purpose: str
    datasets: Mapping[str, Access] = field(default_factory=dict)

    def __contains__(self, dataset: str) -> bool:
        return dataset in self.datasets

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self.datasets)
