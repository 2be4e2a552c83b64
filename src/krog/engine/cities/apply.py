"""Brings the database to the state of a city's files: computed first, then written in bulk, kind by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from krog.base.declaration import Change, Declaration, Fields
from krog.base.errors import Conflict, KrogError, Problem
from krog.base.grant import Reader
from krog.engine.cities import city
from krog.engine.cities.compare import Diff, ItemChange, Take, compare, state
from krog.engine.cities.findings import shown
from krog.engine.cities.kinds import Kinds, collect
from krog.journal import reads as journal_reads
from krog.journal import verbs as journal

REASON = "krog apply"


@dataclass(frozen=True)
class Applied:
    """What was done: the difference, and how many things of each kind were added, changed and retired."""

    diff: Diff
    counts: Counter[tuple[str, str]]
    written: bool

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def apply(
    folder: Path,
    by: Reader,
    *,
    take: Take | None = None,
    dry_run: bool = False,
    kinds: Kinds | None = None,
    agree: Callable[[Diff], bool] = lambda diff: True,
    progress: Callable[[str, int], None] = lambda kind, count: None,
) -> Applied:
    """Applies the files of a folder. `agree` is shown the difference and may say no; `progress` hears each kind.

    Raises Invalid with the mistakes of the files, Conflict where files and desk both changed and `take` is not given.
    """
    kinds = kinds or collect()
    diff = compare(folder, kinds, take)
    _same_city(diff)
    counts = Counter((change.kind, str(change.action)) for change in diff.to_write)
    if diff.conflicts and not dry_run:
        raise conflict(diff)
    nothing = not diff.to_write and not any(diff.bases.values())
    if dry_run or (not diff.empty and not agree(diff)):
        return Applied(diff, counts, False)
    city.remember(folder)
    if nothing:
        return Applied(diff, counts, False)
    _write(diff, kinds, by, progress)
    city.forget()
    return Applied(diff, counts, True)


def _write(diff: Diff, kinds: Kinds, by: Reader, progress: Callable[[str, int], None]) -> None:
    """Adds and changes in the order of the kinds, then retires in the reverse order, so that nothing refers to nothing.

    Each kind is one transaction together with its base; when one fails, those before it are applied and known as such.
    """
    changes: dict[str, list[ItemChange]] = {one.kind: [] for one in kinds}
    retired: dict[str, list[ItemChange]] = {one.kind: [] for one in kinds}
    for change in diff.to_write:
        (retired if change.action == "retire" else changes)[change.kind].append(change)
    for declaration in kinds:
        kind = declaration.kind
        later = {change.key for change in retired[kind]}
        base = {key: fields for key, fields in diff.bases[kind].items() if key not in later}
        if changes[kind] or base:
            _one(declaration, by, changes[kind], base)
            progress(kind, len(changes[kind]))
    for declaration in reversed(kinds.declarations):
        kind = declaration.kind
        if retired[kind]:
            _one(declaration, by, retired[kind], {change.key: None for change in retired[kind]})
            progress(kind, len(retired[kind]))


def _one(
    declaration: Declaration, by: Reader, changes: Sequence[ItemChange], base: Mapping[str, Fields | None]
) -> None:
    """Writes changes of one kind with their base; what the desk did since they were computed is not written over."""
    try:
        with transaction.atomic():
            if changes:
                now = state(declaration)
                if moved := [change.key for change in changes if now.get(change.key) != change.desk]:
                    raise Conflict(
                        f"{declaration.kind} {', '.join(moved[:5])} changed in the desk meanwhile.",
                        todo="Apply once more.",
                    )
                declaration.write(by, [Change(change.key, change.result, REASON) for change in changes])
            journal.applied(declaration.kind, base)
    except KrogError as error:
        error.where = f"{declaration.file} {declaration.kind} {error.where}".strip()
        raise


def _same_city(diff: Diff) -> None:
    """One Krog is one city: the files of another city are refused."""
    here = set(journal_reads.applied("city"))
    there = {item.key for item in diff.reading.of("city")}
    if here and there and not here & there:
        raise Conflict(
            f"This Krog belongs to the city {', '.join(here)}, the files to {', '.join(there)}.",
            "city.toml key",
            todo="Run another Krog for another city: set KROG_VAR and KROG_DATABASE.",
        )


def conflict(diff: Diff) -> Conflict:
    """The error that names every field which both sides changed."""
    problems = []
    for change in diff.conflicts:
        name = f"{change.kind} {change.key}"
        both = [one for one in change.fields if one.conflict]
        problems += [
            Problem(
                f"the files say {shown(one.file)}, the desk {shown(one.desk)}; it was {shown(one.base)}",
                f"{name}, {one.name}",
            )
            for one in both
        ] or [Problem(change.note, name)]
    return Conflict(
        "The files and the desk have both changed the same; nothing was written.",
        todo="Bring them together, or say which side counts: --take files or --take desk.",
        problems=tuple(problems),
    )
