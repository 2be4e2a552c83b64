"""What can come back as a table, each with how it reads and writes: registers, indicator series, plan drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from krog.base.grant import Reader
from krog.catalogue import door
from krog.registers import bulk
from krog.registers import reads as registers
from krog.registers import tables as register_tables
from krog.registers.shapes import Register
from krog.tables.columns import Column
from krog.tables.comparing import Change
from krog.uploads import plans, series
from krog.uploads.shapes import Kind


def _register(by: Reader, target: str) -> Register:
    return registers.register(door.open(by, "desk", kind="registers"), target)


def _columns(by: Reader, target: str, language: str) -> Sequence[Column]:
    return register_tables.columns(_register(by, target), language, marked=True)


def _current(by: Reader, target: str) -> Mapping[str, Mapping[str, Any]]:
    grant = door.open(by, "desk", kind="registers")
    about = registers.register(grant, target)
    found: dict[str, Mapping[str, Any]] = {}
    offset, size = 0, 5000
    while True:
        items = registers.records(grant, target, limit=size, offset=offset, sort="key").items
        found.update({record.key: register_tables.values_of(record, about.geometry) for record in items})
        offset += size
        if len(items) < size:
            return found


def _mark(by: Reader, target: str) -> str:
    return str(registers.counter(door.open(by, "desk", kind="registers"), target))


def _accept(by: Reader, target: str, changes: Sequence[Change], reason: str) -> list[dict[str, Any]]:
    return bulk.accept_rows(by, register=target, changes=changes, reason=reason)


def _undo(by: Reader, target: str, done: Sequence[Mapping[str, Any]], reason: str) -> int:
    return bulk.undo_rows(by, register=target, done=done, reason=reason)


def _require(by: Reader, target: str) -> None:
    bulk.require_edit(by, register=target)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("register", _require, _columns, _current, _mark, _accept, _undo),
        series.KIND,
        plans.KIND,
    )
}
