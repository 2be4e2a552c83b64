"""Frozen values of uploads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from krog.base.grant import Reader
from krog.tables.columns import Column
from krog.tables.comparing import Change


@dataclass(frozen=True)
class Upload:
    """A file that was brought; `counts` says how many rows were added, changed, removed when it was accepted."""

    key: str
    kind: str
    target: str
    by: int
    by_name: str
    language: str
    file_name: str
    size: int
    state: str
    created: int
    expires: int
    done: int | None
    reason: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Kind:
    """What can come back as a table: each function takes who asks and the target (a register's key, an indicator's,
    plan/draft or plan/draft/branch).

    `require` raises Forbidden or NotFound; `columns` in a language; `current` the rows that stand, by key, and `mark`
    a text that moves with every change of them; `accept` makes chosen changes in the transaction of its caller and
    returns what `undo` needs. `key` is the column that names a row, `needed` must be in a file, and `removes` says
    whether rows that a file lacks can be taken out at all.
    """

    name: str
    require: Callable[[Reader, str], None]
    columns: Callable[[Reader, str, str], Sequence[Column]]
    current: Callable[[Reader, str], Mapping[str, Mapping[str, Any]]]
    mark: Callable[[Reader, str], str]
    accept: Callable[[Reader, str, Sequence[Change], str], list[dict[str, Any]]]
    undo: Callable[[Reader, str, Sequence[Mapping[str, Any]], str], int]
    key: str = "key"
    needed: tuple[str, ...] = ("key",)
    removes: bool = True
    tidy: Callable[[Reader, str, dict[str, Any]], dict[str, Any]] | None = None
