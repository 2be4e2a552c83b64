"""A file's grid understood as rows of known columns, or every mistake by sheet, cell, value and what is expected."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from krog.tables.cells import Unread, folded, read, unguarded
from krog.tables.columns import MARK, Column, heads
from krog.tables.opening import Opened, Sheet, opened

#: Rows above the head in which titles may stand, and most mistakes that one reading names.
HEAD_WITHIN = 40
MOST_MISTAKES = 200


@dataclass(frozen=True)
class Mistake:
    """What is wrong where: `code` for words, `sheet` and `cell` ("B7"), the `value` there, the `column` it should fit
    (None where it is about the whole), and what is `expected` where that is a list of words.

    Codes: no-head, unknown-column, twice-column, missing-column, required, merged, uncounted, twice-key, too-many,
    and those of `cells.Unread`.
    """

    code: str
    sheet: str = ""
    cell: str = ""
    value: str = ""
    column: Column | None = None
    expected: str = ""


@dataclass(frozen=True)
class Row:
    """A row as it was read: its line in the sheet (from 1), values by column names, and the mark it came with."""

    line: int
    values: Mapping[str, Any]
    mark: str = ""


@dataclass
class Read:
    """What a file says: rows of the columns in `present`; `mistakes` keep it from being taken; `notes` are
    (code, about) of what was understood in a particular way: not-read, missing, merged, hidden-rows, hidden-columns,
    comments, encoding, sheet."""

    rows: list[Row] = field(default_factory=list)
    present: tuple[str, ...] = ()
    mistakes: list[Mistake] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    sheet: str = ""


def known_heads(columns: Sequence[Column]) -> dict[str, Column]:
    """The columns by every head that they are known by, folded."""
    found: dict[str, Column] = {}
    for column, head in zip(columns, heads(columns), strict=True):
        found.setdefault(folded(head), column)
    for column in columns:
        for name in (column.title, column.name, *column.also):
            found.setdefault(folded(name), column)
    return found


def understood(
    data: bytes, columns: Sequence[Column], language: str, zone: str, *, key: str = "key", needed: Sequence[str] = ()
) -> Read:
    """Reads a file whose rows are `columns`; `key` is the column that names a row, `needed` those that must be there.
    Raises `opening.Refused` where the file is not read at all."""
    known = known_heads(columns)
    file = opened(data, frozenset(known), language)
    # A file separated by semicolons has decimal commas, one separated by commas decimal points.
    if file.form == "csv":
        language = {";": "sl", ",": "en"}.get(file.delimiter, language)
    found = Read()
    sheet, at = _table(file, known)
    if sheet is None:
        found.mistakes.append(Mistake("no-head", expected=", ".join(c.head for c in columns if not c.hidden)))
        return found
    found.sheet = sheet.name
    if len(file.sheets) > 1:
        found.notes.append(("sheet", sheet.name))
    if file.encoding and not file.encoding.startswith("utf"):
        found.notes.append(("encoding", file.encoding))
    for code, count in (
        ("hidden-rows", sheet.hidden_rows),
        # The mark that Krog hides itself is no news.
        ("hidden-columns", sheet.hidden_columns - sum(column.hidden for column in columns)),
        ("comments", sheet.notes),
    ):
        if count > 0:
            found.notes.append((code, str(count)))
    places = _places(found, sheet, at, known, columns, needed)
    if not found.mistakes:
        _merged(found, sheet, at, places)
        _read(found, sheet, at, places, language, zone, key, file.form == "csv")
    if len(found.mistakes) > MOST_MISTAKES:
        more = len(found.mistakes) - MOST_MISTAKES
        found.mistakes = [*found.mistakes[:MOST_MISTAKES], Mistake("too-many", value=str(more))]
    return found


def _table(file: Opened, known: Mapping[str, Column]) -> tuple[Sheet | None, int]:
    """The sheet and the row in it that is the head: the one that names most known columns, at least two."""
    best: tuple[int, Sheet | None, int] = (1 if len(set(known.values())) > 1 else 0, None, 0)
    for sheet in file.sheets:
        for at, row in enumerate(sheet.rows[:HEAD_WITHIN]):
            names = {c.name for cell in row if isinstance(cell, str) and (c := known.get(folded(cell)))}
            if len(names) > best[0]:
                best = (len(names), sheet, at)
    return best[1], best[2]


def _places(
    found: Read, sheet: Sheet, at: int, known: Mapping[str, Column], columns: Sequence[Column], needed: Sequence[str]
) -> dict[int, Column]:
    """Where each column stands; renamed and doubled heads are mistakes."""
    places: dict[int, Column] = {}
    strange: list[tuple[int, str]] = []
    for index, cell in enumerate(sheet.rows[at]):
        if cell is None or not str(cell).strip():
            continue
        column = known.get(folded(str(cell)))
        if column is None:
            strange.append((index, str(cell)))
        elif column in places.values():
            found.mistakes.append(Mistake("twice-column", sheet.name, sheet.where(at, index), str(cell), column))
        else:
            places[index] = column
    present = {column.name for column in places.values()}
    missing = [c for c in columns if c.name not in present and not c.hidden and not c.fixed]
    for index, text in strange:
        if missing:
            near = difflib.get_close_matches(folded(text), [folded(c.head) for c in missing], 1, 0.5)
            first = [c.head for c in missing if near and folded(c.head) == near[0]]
            expected = ", ".join(dict.fromkeys([*first, *(c.head for c in missing)]))
            found.mistakes.append(
                Mistake("unknown-column", sheet.name, sheet.where(at, index), text[:80], expected=expected)
            )
        else:
            found.notes.append(("not-read", f"{sheet.where(at, index)} “{text[:60]}”"))
    for column in missing:
        if column.name in needed:
            found.mistakes.append(Mistake("missing-column", sheet.name, "", "", column, column.head))
        elif not strange:
            found.notes.append(("missing", column.head))
    found.present = tuple(c.name for c in columns if c.name in present and not c.hidden and not c.fixed)
    return places


def _merged(found: Read, sheet: Sheet, at: int, places: Mapping[int, Column]) -> None:
    """Cells merged downwards stand for each of their rows; merged across columns they cannot be told apart."""
    for top, left, bottom, right in sheet.merged:
        if bottom <= at:
            continue
        if right > left and any(left <= index <= right for index in places) and sheet.rows[top][left] is not None:
            filled = sum(left <= index <= right for index in places)
            if filled > 1:
                where = f"{sheet.where(top, left)}:{sheet.where(bottom, right)}"
                found.mistakes.append(Mistake("merged", sheet.name, where, str(sheet.rows[top][left])[:80]))
                continue
        if bottom > top:
            for row in range(max(top, at + 1) + 1, bottom + 1):
                sheet.rows[row][left] = sheet.rows[top][left]
            found.notes.append(("merged", f"{sheet.where(top, left)}:{sheet.where(bottom, right)}"))


def _read(
    found: Read, sheet: Sheet, at: int, places: Mapping[int, Column], language: str, zone: str, key: str, guarded: bool
) -> None:
    seen: dict[Any, int] = {}
    for number in range(at + 1, len(sheet.rows)):
        cells = sheet.rows[number]
        if not any(
            (cells[i] is not None and str(cells[i]).strip()) or (number, i) in sheet.uncounted
            for i, column in places.items() if i < len(cells) and not column.hidden
        ):  # fmt: skip
            continue
        values: dict[str, Any] = {}
        mark = ""
        for index, column in places.items():
            cell = cells[index] if index < len(cells) else None
            if column.name == MARK:
                mark = str(cell or "").strip()
                continue
            if column.fixed:
                continue
            if (number, index) in sheet.uncounted:
                found.mistakes.append(Mistake("uncounted", sheet.name, sheet.where(number, index), "", column))
                continue
            if guarded and isinstance(cell, str):
                cell = unguarded(cell)
            try:
                value = read(column, cell, language, zone, percent=(number, index) in sheet.percent)
            except Unread as error:
                where = sheet.where(number, index)
                found.mistakes.append(Mistake(error.code, sheet.name, where, str(cell)[:80], column))
                continue
            if value is None and column.required:
                found.mistakes.append(Mistake("required", sheet.name, sheet.where(number, index), "", column))
            values[column.name] = value
        name = values.get(key)
        if name is not None:
            if name in seen:
                where = next(sheet.where(number, i) for i, c in places.items() if c.name == key)
                found.mistakes.append(Mistake("twice-key", sheet.name, where, str(name)[:80], expected=str(seen[name])))
            seen[name] = number + 1
        found.rows.append(Row(number + 1, values, mark))
