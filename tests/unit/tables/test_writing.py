"""Lists written as files: typed, safe to open, the same in memory however long."""

from __future__ import annotations

import csv
import io
import tracemalloc
from datetime import datetime

import pytest
from openpyxl import load_workbook

from krog.tables import workbook, writing
from krog.tables.columns import Column, Table, heads, mark_of

ZONE = "Europe/Ljubljana"
COLUMNS = (
    Column("key", "Ključ"), Column("size", "Premer", "number", "mm"), Column("n", "Število", "integer"),
    Column("day", "Dan", "date"), Column("at", "Čas", "time"), Column("ok", "V redu", "boolean"),
    Column("kind", "Vrsta", "choice", choices={"a": "Ena", "b": "Dve"}), Column("note", "Opomba", hidden=True),
)  # fmt: skip
ROW = {"key": "=SUM(A1)", "size": 12.5, "n": 3, "day": "2026-05-12", "at": 1_764_345_600_000_000, "ok": True,
       "kind": "b", "note": "-1+1"}  # fmt: skip
TABLE = Table("x", "Stvari/[1]", COLUMNS, [("Vir", "test")])


def _book(rows, table=TABLE, language="sl"):
    return load_workbook(io.BytesIO(b"".join(workbook.pieces(table, rows, language, ZONE))))


def test_cells_of_a_workbook_are_typed_and_texts_are_never_formulas():
    book = _book([ROW])
    head, row = book.worksheets[0].iter_rows()
    assert [cell.value for cell in head] == [
        "Ključ",
        "Premer (mm)",
        "Število",
        "Dan",
        "Čas",
        "V redu",
        "Vrsta",
        "Opomba",
    ]
    assert [cell.data_type for cell in row] == ["s", "n", "n", "d", "d", "b", "s", "s"]
    assert row[0].value == "=SUM(A1)"
    assert row[3].value == datetime(2026, 5, 12)
    assert row[4].value == datetime(2025, 11, 28, 17, 0)
    assert row[6].value == "Dve"
    assert book.worksheets[0].column_dimensions["H"].hidden
    explained = [[cell.value for cell in line] for line in book.worksheets[1].iter_rows()]
    assert explained[1][:2] == ["Vir", "test"]
    assert any(line[1] == "kind" and "b (Dve)" in line[4] for line in explained)


def test_a_csv_is_what_slovenian_spreadsheets_expect():
    text = "".join(writing.csv_pieces(TABLE, [ROW], "sl", ZONE))
    assert text.startswith("\ufeffKljuč;Premer (mm)")
    row = next(iter(csv.DictReader(io.StringIO(text[1:]), delimiter=";")))
    assert row["Ključ"] == "'=SUM(A1)"
    assert row["Premer (mm)"] == "12,5"
    assert row["Opomba"] == "'-1+1"
    assert row["Čas"] == "2025-11-28 17:00:00+01:00"
    english = "".join(writing.csv_pieces(TABLE, [ROW], "en", ZONE))
    assert '"12.5"' in english or ",12.5," in english


def test_a_long_list_goes_on_in_a_further_sheet(monkeypatch):
    monkeypatch.setattr(workbook, "ROWS_OF_SHEET", 10)
    book = _book({"key": f"r{n}"} for n in range(25))
    assert [sheet.max_row for sheet in book.worksheets[:3]] == [11, 11, 6]
    assert len(book.worksheets) == 4


def test_the_memory_of_a_workbook_does_not_grow_with_its_rows():
    def peak(rows: int) -> int:
        tracemalloc.start()
        for _piece in workbook.pieces(TABLE, (ROW for _n in range(rows)), "sl", ZONE):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(20_000) < peak(2_000) * 1.5 + 100_000


@pytest.mark.parametrize("text", ["a\x00b\x1fc", "x" * 40_000, "_x0041_", "<&>\"'", "a\r\nb", "a\ud800"])
def test_no_text_breaks_a_workbook(text):
    cell = _book([{"key": text}]).worksheets[0]["A2"].value
    assert cell
    assert len(cell) <= workbook.LONGEST_TEXT


def test_heads_that_are_the_same_say_which_is_which():
    assert heads([Column("a", "Ime"), Column("b", "ime"), Column("c", "Dan")]) == ["Ime [a]", "ime [b]", "Dan"]


def test_a_mark_is_that_of_the_content_alone():
    columns = [Column("key", "Key"), Column("n", "N", "number"), Column("mark", "Mark", hidden=True)]
    assert mark_of(columns, {"key": "a", "n": 1}) == mark_of(columns, {"key": "a", "n": 1.0, "mark": "x", "gone": None})
    assert mark_of(columns, {"key": "a", "n": 1}) != mark_of(columns, {"key": "a", "n": 2})
