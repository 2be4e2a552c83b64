"""What a file would change: row by row and cell by cell against what stands now, and what moved on since it was
downloaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from krog.tables.columns import Column, mark_of
from krog.tables.reading import Read, Row

KINDS = ("added", "changed", "conflict", "removed")


@dataclass(frozen=True)
class Cell:
    """One cell that differs: column name, what stands now, what the file says."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Change:
    """One row that differs. `kind`: added, changed, conflict (changed in the file, and by somebody else since the file
    was downloaded), removed (not in the file). `line` is the file's, 0 where it has none; `number` names the change."""

    number: int
    kind: str
    key: str
    line: int
    cells: tuple[Cell, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def offered(self) -> bool:
        """Whether it is chosen to begin with: what somebody else changed, and what is missing, is asked about."""
        return self.kind in ("added", "changed")


@dataclass(frozen=True)
class Difference:
    """All rows that differ, how many are the same, and how many somebody else changed and the file did not."""

    changes: tuple[Change, ...]
    same: int
    kept: int

    def of(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]


def compared(
    found: Read, current: Mapping[str, Mapping[str, Any]], columns: Sequence[Column], *, key: str = "key"
) -> Difference:
    """The difference between a file's rows and `current` (rows by key). Columns that the file lacks are left alone."""
    names = [name for name in found.present if name != key]
    complete = set(found.present) >= {c.name for c in columns if not c.hidden and not c.fixed}
    changes: list[Change] = []
    same = kept = 0
    seen: set[str] = set()
    for row in found.rows:
        name = row.values.get(key)
        now = current.get(str(name)) if name is not None else None
        if now is None:
            values = {n: v for n, v in row.values.items() if v is not None and v != ""}
            cells = tuple(Cell(n, None, v) for n, v in values.items() if n != key)
            changes.append(Change(len(changes), "added", str(name or ""), row.line, cells, values))
            continue
        seen.add(str(name))
        cells = tuple(Cell(n, now.get(n), row.values.get(n)) for n in names if not alike(now.get(n), row.values.get(n)))
        if not cells:
            same += 1
        elif bool(row.mark) and row.mark != mark_of(columns, now):
            if complete and _untouched(row, columns):
                kept += 1
            else:
                changes.append(Change(len(changes), "conflict", str(name), row.line, cells, row.values))
        else:
            changes.append(Change(len(changes), "changed", str(name), row.line, cells, row.values))
    for name, now in current.items():
        if name not in seen:
            cells = tuple(Cell(n, now.get(n), None) for n in names if now.get(n) is not None)
            changes.append(Change(len(changes), "removed", name, 0, cells))
    return Difference(tuple(changes), same, kept)


def _untouched(row: Row, columns: Sequence[Column]) -> bool:
    """Whether the file's row is still what was downloaded."""
    return row.mark == mark_of(columns, row.values)


def alike(one: Any, other: Any) -> bool:
    """Whether two cells say the same: nothing and an empty text do, and so do line ends of any kind."""
    one, other = (None if value == "" else value for value in (one, other))
    if isinstance(one, str) and isinstance(other, str):
        return _lines(one) == _lines(other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
