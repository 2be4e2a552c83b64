"""Files, their mistakes and differences in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.base.settings import settings
from krog.tables.cells import text_of, unguarded
from krog.tables.columns import MARK, Column, mark_of
from krog.tables.opening import MOST_BYTES, Refused
from krog.tables.reading import Mistake
from krog.web.components.tables import TYPE_WORDS, language

#: Kind of a change → mark, words.
KINDS: Mapping[str, tuple[str, Any]] = {
    "conflict": ("bad", later("also changed by somebody else")),
    "changed": ("warn", later("changed")),
    "added": ("ok", later("new")),
    "removed": ("none", later("not in the file")),
}

_REFUSED: Mapping[str, Any] = {
    "too-large": later("The file is larger than %(most)s MB. Split it, or bring only the rows that change."),
    "empty": later("The file is empty."),
    "old-format": later("This is an older or another kind of file (%(about)s). Open it and save it as .xlsx or .csv."),
    "encrypted": later("The file is protected by a password. Save it without one."),
    "damaged": later("The file is damaged and cannot be read. Open it in your spreadsheet and save it anew as .xlsx."),
    "unpacks-too-large": later("The file unpacks to more than Krog takes. Bring only the sheet with the rows."),
    "entities": later("The file holds instructions that no table needs. Save it anew as .xlsx."),
    "dimensions": later(
        "A sheet spans too many cells (%(about)s). Delete empty rows and columns beyond the table, and save."
    ),
    "not-a-table": later("This is no table. Bring a file that ends in .xlsx or .csv."),
}
_MISTAKES: Mapping[str, Any] = {
    "no-head": later("No row was found that names the columns."),
    "unknown-column": later("This column is not known. Was it renamed?"),
    "twice-column": later("This column stands here twice."),
    "missing-column": later("This column is missing."),
    "required": later("A value is missing."),
    "merged": later("These cells are merged across columns, so that it is not known whose value it is. Split them."),
    "uncounted": later("The result of this formula is not in the file. Open it in your spreadsheet and save it."),
    "twice-key": later("The same key stands in row %(expected)s already."),
    "too-many": later("And %(value)s more mistakes."),
    "number": later("This is not a number."),
    "whole": later("This is not a whole number."),
    "unit": later("A percentage is not expected here."),
    "day": later("This is not a day."),
    "moment": later("This is not a time."),
    "yes-no": later("This is neither yes nor no."),
    "choice": later("This is not one of the choices."),
    "error": later("The formula in this cell failed."),
}
_NOTES: Mapping[str, Any] = {
    "not-read": later("The column in %(about)s is not known and was not read."),
    "missing": later("The column “%(about)s” is not in the file; its values stay as they are."),
    "merged": later("The merged cells %(about)s were read as the same value in each row."),
    "hidden-rows": later("Hidden rows were read too: %(about)s."),
    "hidden-columns": later("Hidden columns were read too: %(about)s."),
    "comments": later("Notes in cells were not read: %(about)s."),
    "encoding": later("The text was read as %(about)s; look whether č, š, ž and à, è are right."),
    "sheet": later("The sheet “%(about)s” was read; others were not."),
}
_EXAMPLES: Mapping[str, Any] = {
    "number": "1234,5", "integer": "12", "date": "12. 5. 2026 · 2026-05-12", "time": "12. 5. 2026 14:30",
}  # fmt: skip


def refused(error: Refused) -> str:
    """Why a file is not read, and what to do."""
    return str(_REFUSED[error.code]) % {"most": MOST_BYTES // 1_000_000, "about": error.about[:60]}


def mistake(found: Mistake) -> dict[str, str]:
    """A mistake in words: where, what stands there, what is wrong, what is expected."""
    expected = found.expected if found.code in ("unknown-column", "missing-column", "no-head") else ""
    if found.column is not None and found.code not in ("twice-key", "twice-column"):
        expected = expected or _expected(found.column)
    return {
        "where": " · ".join(part for part in (found.sheet, found.cell) if part),
        "column": found.column.head if found.column else "",
        "value": found.value,
        "what": str(_MISTAKES[found.code]) % {"value": found.value, "expected": found.expected},
        "expected": expected,
    }


def _expected(column: Column) -> str:
    if column.choices:
        return ", ".join(column.choices.values())
    if column.type == "boolean":
        return _("yes or no")
    return f"{TYPE_WORDS[column.type]}{f', {_EXAMPLES[column.type]}' if column.type in _EXAMPLES else ''}"


def note(code: str, about: str) -> str:
    """How something in a file was understood."""
    return str(_NOTES[code]) % {"about": about}


def type_words(column: Column) -> str:
    """What a column holds, with its choices."""
    return ", ".join(column.choices.values()) if column.choices else str(TYPE_WORDS[column.type])


def title(column: Column | None, name: str) -> str:
    """What a column is called."""
    return column.head if column else name


def shown(column: Column | None, value: Any) -> str:
    """A cell as people read it; – for nothing."""
    if value is None or value == "":
        return "–"
    if column is None:
        return str(value)
    return unguarded(text_of(column, value, language(), settings().timezone))


def marked(rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> Iterator[Mapping[str, Any]]:
    """Rows with their marks."""
    for row in rows:
        yield {**row, MARK: mark_of(columns, row)}
