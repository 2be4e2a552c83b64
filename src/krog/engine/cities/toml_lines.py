"""Finds the line of every key in a TOML text, because `tomllib` tells values without their places."""

from __future__ import annotations

import re
import tomllib
from typing import Any

Path = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_STRING = re.compile(r'"""(?:[^\\]|\\[\s\S])*?"{3,5}|\'\'\'[\s\S]*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_SCALAR = re.compile(r"[^,\]}#\n]+")


def lines(text: str) -> dict[Path, int]:
    """The line of each table, array item and key by its path, such as ("datastream", 2, "title", "sl").

    `text` must be valid TOML (`tomllib.loads` accepted it); what cannot be followed is left out.
    """
    walk = _Walk(text)
    try:
        walk.document()
    except (AttributeError, RecursionError, IndexError):
        return walk.found
    return walk.found


class _Walk:
    """One walk over a valid text: `at` is where it stands, `line` the number of that line."""

    def __init__(self, text: str):
        self.text = text
        self.at = 0
        self.line = 1
        self.found: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        self.skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip(_BLANK)

    def header(self) -> Path:
        many = self.text.startswith("[[", self.at)
        start = self.line
        self.at += 2 if many else 1
        path: Path = ()
        names = self.key()
        for name in names[:-1]:
            path = self.inside((*path, name))
            self.found.setdefault(path, start)
        path = (*path, names[-1])
        if many:
            self.found.setdefault(path, start)
            number = self.counts.get(path, -1) + 1
            self.counts[path] = number
            path = (*path, number)
        else:
            path = self.inside(path)
        self.found.setdefault(path, start)
        self.at += 2 if many else 1
        return path

    def inside(self, path: Path) -> Path:
        """The path of the newest item where `path` is an array of tables."""
        return (*path, self.counts[path]) if path in self.counts else path

    def pair(self, table: Path) -> None:
        start = self.line
        path = table
        for name in self.key():
            path = (*path, name)
            self.found.setdefault(path, start)
        self.at += 1  # the equals sign
        self.value(path)

    def key(self) -> list[str]:
        names = []
        while True:
            self.skip(_SPACE)
            quoted = _QUOTED.match(self.text, self.at)
            if quoted:
                names.append(_unquoted(quoted.group()))
                self.at = quoted.end()
            else:
                names.append(self.take(_BARE))
            self.skip(_SPACE)
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def value(self, path: Path) -> None:
        self.skip(_SPACE)
        first = self.text[self.at]
        if first in "\"'":
            self.take(_STRING)
        elif first == "[":
            self.array(path)
        elif first == "{":
            self.inline_table(path)
        else:
            self.take(_SCALAR)

    def array(self, path: Path) -> None:
        self.at += 1
        number = 0
        self.skip(_BLANK)
        while self.text[self.at] != "]":
            self.found.setdefault((*path, number), self.line)
            self.value((*path, number))
            number += 1
            self.skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
                self.skip(_BLANK)
        self.at += 1

    def inline_table(self, path: Path) -> None:
        self.at += 1
        self.skip(_BLANK)
        while self.text[self.at] != "}":
            self.pair(path)
            self.skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
                self.skip(_BLANK)
        self.at += 1

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise IndexError(self.at)
        word = match.group()
        self.line += word.count("\n")
        self.at = match.end()
        return word

    def skip(self, pattern: re.Pattern[str]) -> None:
        self.take(pattern)


def _unquoted(word: str) -> str:
    parsed: dict[str, Any] = tomllib.loads(f"k = {word}")
    return str(parsed["k"])
