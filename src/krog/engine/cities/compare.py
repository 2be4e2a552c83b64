"""Compares a city's files with the database, three-way: last applied, in the files, in the desk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from krog.base.declaration import Declaration, Fields
from krog.base.errors import invalid
from krog.engine.cities.check import examine
from krog.engine.cities.findings import Finding, mistakes
from krog.engine.cities.items import Reading
from krog.engine.cities.kinds import Kinds, collect
from krog.engine.cities.values import canonical, defaults
from krog.journal import reads as journal

Take = Literal["files", "desk"]
Action = Literal["add", "change", "retire", "keep", "conflict"]
State = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class FieldChange:
    """One field on its three sides; `result` is what applying makes of it (for a conflict: nothing yet)."""

    name: str
    base: Any
    file: Any
    desk: Any
    result: Any
    conflict: bool = False


@dataclass(frozen=True)
class ItemChange:
    """What applying does with one thing. `keep`: the desk has changed or retired it, and that stays."""

    kind: str
    key: str
    action: Action
    fields: tuple[FieldChange, ...] = ()
    result: Mapping[str, Any] | None = None
    note: str = ""
    desk: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Diff:
    """The difference between files and database: changes in the order of applying, new bases, warnings."""

    changes: tuple[ItemChange, ...]
    bases: Mapping[str, Mapping[str, Fields | None]]
    warnings: tuple[Finding, ...] = ()
    reading: Reading = field(default_factory=Reading, repr=False, compare=False)

    @property
    def conflicts(self) -> list[ItemChange]:
        return [change for change in self.changes if change.action == "conflict"]

    @property
    def to_write(self) -> list[ItemChange]:
        return [change for change in self.changes if change.action in ("add", "change", "retire")]

    @property
    def kept(self) -> list[ItemChange]:
        return [change for change in self.changes if change.action == "keep"]

    @property
    def empty(self) -> bool:
        """Whether applying would write nothing into any noun."""
        return not self.to_write and not self.conflicts


def compare(folder: Path, kinds: Kinds | None = None, take: Take | None = None) -> Diff:
    """The difference between a city's files and the database; raises Invalid with every mistake of the files."""
    kinds = kinds or collect()
    stored = {one.kind: one.read() for one in kinds}
    last = {one.kind: journal.applied(one.kind) for one in kinds}
    made_in_desk = {kind: set(things) - set(last[kind]) for kind, things in stored.items()}
    reading, findings = examine(folder, kinds, made_in_desk, last)
    if wrong := mistakes(findings):
        count = "1 mistake" if len(wrong) == 1 else f"{len(wrong)} mistakes"
        raise invalid(wrong, f"The files in {folder} have {count}; nothing was changed.")
    changes: list[ItemChange] = []
    new_bases: dict[str, Mapping[str, Fields | None]] = {}
    for declaration in kinds:
        kind = declaration.kind
        files = {item.key: item.whole for item in reading.of(kind)}
        base = _alike(declaration, last[kind], files)
        changes += compare_kind(declaration, base, files, _alike(declaration, stored[kind], files), take)
        new_bases[kind] = {
            **{key: None for key in base if key not in files},
            **{key: fields for key, fields in files.items() if base.get(key) != fields},
        }
    warnings = tuple(found for found in findings if found.warning)
    return Diff(tuple(changes), new_bases, warnings, reading)


def _alike(declaration: Declaration, things: Mapping[str, Fields], files: State) -> State:
    """Things in canonical form; most say what the files say, and that is canonical already."""
    return {
        key: files[key] if fields == files.get(key) else canonical(declaration, fields)
        for key, fields in things.items()
    }


def state(declaration: Declaration) -> dict[str, dict[str, Any]]:
    """What the database has of a kind, in canonical form."""
    return {key: canonical(declaration, fields) for key, fields in declaration.read().items()}


def compare_kind(
    declaration: Declaration, base: State, files: State, desk: State, take: Take | None = None
) -> list[ItemChange]:
    """The changes of one kind: those of the files with parents before their children, then what left the files."""
    changes = []
    for key in in_order(declaration, files):
        changes.append(_in_files(declaration, key, base.get(key), files[key], desk.get(key), take))
    for key in reversed(in_order(declaration, {key: base[key] for key in base if key not in files})):
        changes.append(_left_files(declaration, key, base[key], desk.get(key), take))
    return [replace(change, desk=desk.get(change.key)) for change in changes if change is not None]


def _in_files(
    declaration: Declaration,
    key: str,
    base: Mapping[str, Any] | None,
    file: Mapping[str, Any],
    desk: Mapping[str, Any] | None,
    take: Take | None,
) -> ItemChange | None:
    kind = declaration.kind
    if desk is None:
        if base is None:
            fields = tuple(_fields(defaults(declaration), file, defaults(declaration), None))
            return ItemChange(kind, key, "add", fields, file)
        if base == file or take == "desk":
            return ItemChange(kind, key, "keep", note="retired in the desk, still in the files")
        fields = tuple(_fields(base, file, base, None))
        if take == "files":
            return ItemChange(kind, key, "add", fields, file, "retired in the desk, taken from the files")
        return ItemChange(kind, key, "conflict", fields, note="changed in the files, retired in the desk")
    fields = tuple(_fields(defaults(declaration) if base is None else base, file, desk, take))
    result = {**desk, **{change.name: change.result for change in fields if not change.conflict}}
    if any(change.conflict for change in fields):
        return ItemChange(kind, key, "conflict", fields, result)
    if result != desk:
        return ItemChange(kind, key, "change", fields, result)
    return ItemChange(kind, key, "keep", fields, note="changed in the desk") if fields else None


def _left_files(
    declaration: Declaration, key: str, base: Mapping[str, Any], desk: Mapping[str, Any] | None, take: Take | None
) -> ItemChange | None:
    if desk is None:
        return None
    if desk == base or take == "files":
        return ItemChange(declaration.kind, key, "retire")
    fields = tuple(_fields(base, base, desk, None))
    if take == "desk":
        return ItemChange(declaration.kind, key, "keep", fields, note="taken out of the files, the desk's stays")
    return ItemChange(declaration.kind, key, "conflict", fields, note="taken out of the files, changed in the desk")


def _fields(
    base: Mapping[str, Any], file: Mapping[str, Any], desk: Mapping[str, Any], take: Take | None
) -> Iterator[FieldChange]:
    """Every field on which files and desk differ: the side that changed wins; `take` decides where both did."""
    for name, here in file.items():
        was, there = base.get(name), desk.get(name)
        if here == there:
            continue
        if there == was or (here != was and take == "files"):
            yield FieldChange(name, was, here, there, here)
        elif here == was or take == "desk":
            yield FieldChange(name, was, here, there, there)
        else:
            yield FieldChange(name, was, here, there, there, conflict=True)


def in_order(declaration: Declaration, things: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The keys in their order, but each after those of its own kind that it refers to."""
    own = [name for name, kind in declaration.refs.items() if kind == declaration.kind]
    done: dict[str, None] = {}
    for key in things:
        way = [key]
        while way:
            above = [
                target
                for name in own
                for target in _targets(things[way[-1]].get(name))
                if target in things and target not in done and target not in way
            ]
            if above:
                way.append(above[0])
            else:
                done.setdefault(way.pop())
    return list(done)


def _targets(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []
