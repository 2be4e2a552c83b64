"""What `check` finds in a city's files: mistakes and warnings, each with file, line and key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from krog.base.errors import Problem

#: Comparing with every key of a large register would take longer than reading it.
NAMES_COMPARED = 500


@dataclass(frozen=True)
class Finding(Problem):
    """A problem in a file of the city. A `warning` does not keep the files from being applied."""

    file: str = ""
    line: int = 0
    warning: bool = False

    def __str__(self) -> str:
        return ("Warning: " if self.warning else "") + super().__str__()


def finding(
    what: str, file: str, line: int = 0, path: str = "", *, allowed: str = "", todo: str = "", warning: bool = False
) -> Finding:
    """A finding whose `where` reads `streams.toml:12 datastream zone-inflow, unit`."""
    place = f"{file}:{line}" if line else file
    return Finding(what, f"{place} {path}".strip(), allowed, todo, file, line, warning)


def nearest(word: str, names: Iterable[str]) -> str:
    """`Did you mean …?` for the name most like `word`; empty when none is like it."""
    alike = [name for name in names if name[:1] == word[:1]][:NAMES_COMPARED]
    match = get_close_matches(word[:100], alike, n=1, cutoff=0.6)
    return f"Did you mean {match[0]!r}?" if match else ""


def mistakes(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that keep the files from being applied."""
    return [found for found in findings if not found.warning]


def shown(value: object) -> str:
    """A value as a message shows it: cut, on one line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]
