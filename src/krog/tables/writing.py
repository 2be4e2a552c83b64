"""Lists written as CSV and JSON while they are read: nothing grows with their length."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from krog.base import times
from krog.tables.cells import delimiter, text_of
from krog.tables.columns import Table, heads

Rows = Iterable[Mapping[str, Any]]

#: Characters of one piece that is sent.
_PIECE = 32_000


class _Lines:
    """What csv.writer writes to: the lines so far."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.size = 0

    def write(self, text: str) -> None:
        self.lines.append(text)
        self.size += len(text)

    def take(self) -> str:
        text = "".join(self.lines)
        self.lines, self.size = [], 0
        return text


def csv_pieces(table: Table, rows: Rows, language: str, zone: str) -> Iterator[str]:
    """The CSV in the language's form (`;` and decimal comma in Slovenian and Italian), with a byte order mark."""
    lines = _Lines()
    writer = csv.writer(lines, delimiter=delimiter(language), lineterminator="\r\n")
    lines.write("\ufeff")
    writer.writerow(heads(table.columns))
    for row in rows:
        writer.writerow([text_of(column, row.get(column.name), language, zone) for column in table.columns])
        if lines.size > _PIECE:
            yield lines.take()
    yield lines.take()


def json_pieces(table: Table, rows: Rows, language: str, zone: str) -> Iterator[str]:
    """The records by machine names, beside them what the table is; times in UTC as ISO 8601."""
    about = {"name": table.name, "title": table.title, "language": language, "facts": dict(table.facts)}
    columns = [
        {"name": c.name, "title": c.title, "type": c.type, "unit": c.unit, "meaning": c.meaning}
        for c in table.columns
        if not c.hidden
    ]
    yield json.dumps({**about, "columns": columns}, ensure_ascii=False)[:-1] + ', "items": ['
    piece: list[str] = []
    size, first = 0, True
    shown = [column for column in table.columns if not column.hidden]
    for row in rows:
        text = json.dumps({c.name: _plain(c.type, row.get(c.name)) for c in shown}, ensure_ascii=False, default=str)
        piece.append(("\n" if first else ",\n") + text)
        first, size = False, size + len(text)
        if size > _PIECE:
            yield "".join(piece)
            piece, size = [], 0
    yield "".join(piece) + "\n]}\n"


def _plain(type: str, value: Any) -> Any:
    return times.iso(value) if type == "time" and isinstance(value, int) else None if value == "" else value
