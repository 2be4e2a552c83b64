"""What stands in a city's files: items that know their places, and all of them with what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from krog.engine.cities.findings import Finding


@dataclass
class Item:
    """One thing as a file declares it: its raw `fields` without the key, and where they stand.

    `check` puts its canonical form into `whole`, and into `misfit` what does not fit the shape.
    """

    kind: str
    key: Any
    fields: dict[str, Any]
    file: str
    start: int = 0
    place: Callable[[tuple[str | int, ...]], int] | None = None
    others: dict[str, tuple[str, int]] = field(default_factory=dict)
    whole: dict[str, Any] = field(default_factory=dict)
    misfit: str = ""

    def where(self, path: Sequence[str | int] = ()) -> tuple[str, int]:
        """File and line of a field, or of what is nearest around it."""
        if path and path[0] in self.others:
            return self.others[str(path[0])]
        found = tuple(path)
        while found and self.place is not None:
            if line := self.place(found):
                return self.file, line
            found = found[:-1]
        return self.file, self.start


@dataclass
class Reading:
    """What stands in a folder: items in the order of the kinds, and what is wrong so far."""

    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Item]:
        return [item for item in self.items if item.kind == kind]
