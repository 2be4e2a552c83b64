"""Files as officials make them: understood, or refused with sheet, cell, value and what is expected."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.comments import Comment

from krog.base import times
from krog.tables import opening, workbook, writing
from krog.tables.cells import Unread, number_of
from krog.tables.columns import MARK, Column, Table, mark_of
from krog.tables.comparing import compared
from krog.tables.opening import Refused
from krog.tables.reading import understood

ZONE = "Europe/Ljubljana"
COLUMNS = (
    Column("key", "Ključ"),
    Column("name", "Ime", required=True, also=("Name",)),
    Column("size", "Premer", "number", "mm"),
    Column("share", "Delež", "number", "%"),
    Column("count", "Število", "integer"),
    Column("since", "Od", "date"),
    Column("seen", "Viden", "time"),
    Column("open", "Odprto", "boolean"),
    Column("kind", "Vrsta", "choice", choices={"a": "Šola", "b": "Dom"}),
)
HEAD = ["Ključ", "Ime", "Premer (mm)", "Delež (%)", "Število", "Od", "Viden", "Odprto", "Vrsta"]


def _saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _book(*rows, head=HEAD):
    book = Workbook()
    book.active.append(head)
    for row in rows:
        book.active.append(row)
    return book


def _read(data: bytes, language: str = "sl"):
    return understood(data, COLUMNS, language, ZONE, needed=("key",))


def _values(data: bytes, language: str = "sl") -> list[dict]:
    found = _read(data, language)
    assert found.mistakes == []
    return [{name: value for name, value in row.values.items() if value is not None} for row in found.rows]


def test_a_workbook_as_officials_make_it_is_understood():
    book = Workbook()
    book.active.title = "Navodila"
    book.active["A1"] = "Preberite prej"
    sheet = book.create_sheet("Podatki")
    sheet.append(["Seznam objektov 2026"])
    sheet.merge_cells("A1:I1")
    sheet.append([])
    sheet.append(["vrsta", "IME", "kljuc", "premer (mm)", "Delež (%)", "Od", "odprto"])
    sheet.append(["Šola", "Prva", "a", "1.234,5", 0.125, datetime(2026, 5, 12), "DA"])
    sheet["E4"].number_format = "0.0%"
    sheet["B4"].comment = Comment("preveri", "Ana")
    sheet.append([None, "Druga", "b", "12,5 mm", "12,5 %", "12. 5. 2026", "ne"])
    sheet.merge_cells("A4:A5")
    sheet.append([None, "Tretja", "c", 3, 7, 46154, False])
    sheet.append([None] * 7)
    sheet.row_dimensions[6].hidden = True
    found = _read(_saved(book))
    assert found.mistakes == []
    assert found.sheet == "Podatki"
    rows = [row.values for row in found.rows]
    assert [row["size"] for row in rows] == [1234.5, 12.5, 3]
    assert [row["share"] for row in rows] == [12.5, 12.5, 7]
    assert [row["since"] for row in rows] == ["2026-05-12"] * 2 + ["2026-05-12"]
    assert [row["kind"] for row in rows] == ["a", "a", None]
    assert [row["open"] for row in rows] == [True, False, False]
    assert {code for code, _about in found.notes} >= {"sheet", "merged", "hidden-rows", "comments", "missing"}


@pytest.mark.parametrize(
    ("cells", "code", "where"),
    [
        ({"C2": "veliko"}, "number", "C2"), ({"F2": "31. 2. 2026"}, "day", "F2"), ({"H2": "morda"}, "yes-no", "H2"),
        ({"I2": "Bolnica"}, "choice", "I2"), ({"E2": 1.5}, "whole", "E2"), ({"C2": "#REF!"}, "error", "C2"),
        ({"B2": None}, "required", "B2"), ({"C1": "Širina"}, "unknown-column", "C1"),
        ({"C2": "=A2*2"}, "uncounted", "C2"),
        ({"A1": "Šifra"}, "missing-column", ""), ({"D1": "Ime"}, "twice-column", "D1"), ({"C2": "5 %"}, "unit", "C2"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_named_by_its_cell(cells, code, where):
    book = _book(["a", "Prva", 1, 2, 3, date(2026, 5, 12), None, True, "Dom"])
    for cell, value in cells.items():
        book.active[cell] = value
    found = _read(_saved(book))
    wrong = next(mistake for mistake in found.mistakes if mistake.code == code)
    assert wrong.cell == where
    assert wrong.sheet == "Sheet"


def test_a_renamed_column_is_met_with_the_nearest_that_is_missing():
    book = _book(["a", "Prva", 3], head=["Ključ", "Ime objekta", "Število"])
    wrong = _read(_saved(book)).mistakes[0]
    assert (wrong.code, wrong.cell) == ("unknown-column", "B1")
    assert wrong.expected.startswith("Ime")


def test_a_key_that_stands_twice_is_named_with_both_rows():
    wrong = _read(_saved(_book(["a", "Prva"], ["b", "Druga"], ["a", "Tretja"]))).mistakes[0]
    assert (wrong.code, wrong.cell, wrong.expected) == ("twice-key", "A4", "2")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1250"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_csv_of_any_windows_is_read(encoding, delimiter):
    text = "\r\n".join([delimiter.join(HEAD[:3]), delimiter.join(["a", "Šiška, čez cesto", "1.234,5"]), ""])
    assert _values(text.encode(encoding)) == [{"key": "a", "name": "Šiška, čez cesto", "size": 1234.5}]


def test_a_csv_with_commas_has_decimal_points():
    assert _values('Ključ,Ime,Premer (mm)\na,"Prva, druga",1.234\n'.encode())[0]["size"] == 1.234


def _zip(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/workbook.xml", b"<workbook/>")
        for name, content in parts.items():
            book.writestr(name.replace("__", "/") + ".xml", content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"), (b"%PDF-1.7", "not-a-table"), (b"<html>", "not-a-table"), (b"\x89PNG\r\n", "not-a-table"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, "old-format"), (b"PK\x03\x04broken", "damaged"),
        (b"a" * (opening.MOST_BYTES + 1), "too-large"),
        (_zip(xl__worksheets__sheet1=b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'), "entities"),
        (_zip(xl__worksheets__sheet1=b'<c r="A1"/><c r="XFD1048576"/>'), "dimensions"),
        (_zip(xl__bomb=b"0" * 3_000_000), "unpacks-too-large"),
        (_zip(xl__worksheets__sheet1=b"<worksheet>"), "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_hostile_files_are_refused_before_they_are_parsed(data, code, monkeypatch):
    monkeypatch.setattr(opening, "MOST_UNPACKED", 2_000_000)
    with pytest.raises(Refused) as refused:
        _read(data)
    assert refused.value.code == code


def test_macros_and_names_of_files_change_nothing():
    data = _saved(_book(["a", "Prva"]))
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a") as book:
        book.writestr("xl/vbaProject.bin", b"\x00" * 100)
    assert _values(file.getvalue()) == [{"key": "a", "name": "Prva"}]


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("1.234", "sl", 1234), ("1,234", "sl", 1.234), ("1,234", "en", 1234), ("1.234", "en", 1.234),
        ("1.234.567,5", "sl", 1234567.5), ("−3", "sl", -3), ("1 234,5", "it", 1234.5), ("12.5", "sl", 12.5),
        ("0.123", "sl", 0.123),
    ],
)  # fmt: skip
def test_numbers_are_read_as_each_language_writes_them(text, language, value):
    assert number_of(text, language) == value


@pytest.mark.parametrize("text", ["1.23.4", "12,3,4", "", "abc", "1e999", "0x10", "1.2.3,4"])
def test_what_is_no_number_is_none(text):
    with pytest.raises(Unread):
        number_of(text, "sl")


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=30).filter(
    lambda text: (
        text == text.strip() and text.upper() not in ("#REF!",) and not any(ord(c) in (0xFFFE, 0xFFFF) for c in text)
    )
)
_ROWS = st.fixed_dictionaries({
    "key": st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), "name": _TEXTS,
    "size": st.floats(-1e12, 1e12) | st.none(), "share": st.floats(-1e6, 1e6) | st.integers(-(2**40), 2**40),
    "count": st.integers(-(2**50), 2**50), "since": st.dates(date(1800, 1, 1), date(2200, 1, 1)).map(date.isoformat),
    "seen": st.integers(-(10**15), 4 * 10**15), "open": st.booleans(), "kind": st.sampled_from(["a", "b"]),
})  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["sl", "it", "en"])
@settings(max_examples=40)
@given(row=_ROWS)
def test_what_is_written_is_what_is_read(form, language, row):
    columns = (*COLUMNS, Column(MARK, "Oznaka", hidden=True))
    table = Table("x", "Stvari", columns)
    full = {**row, MARK: mark_of(columns, row)}
    if form == "csv":
        data = "".join(writing.csv_pieces(table, [full], language, ZONE)).encode()
    else:
        data = b"".join(workbook.pieces(table, [full], language, ZONE))
    found = understood(data, columns, language, ZONE, needed=("key",))
    assert found.mistakes == []
    assert {k: v for k, v in found.rows[0].values.items() if v is not None} == {
        k: v for k, v in row.items() if v is not None
    }
    difference = compared(found, {row["key"]: row}, columns)
    assert difference.changes == ()
    assert found.rows[0].mark == mark_of(columns, found.rows[0].values)


def test_a_difference_tells_what_others_changed_from_what_the_file_changes():
    columns = (Column("key", "Key"), Column("n", "N", "integer"), Column(MARK, "Mark", hidden=True))
    was = {key: {"key": key, "n": 1} for key in ("same", "mine", "theirs", "both", "gone")}
    rows = [{**row, MARK: mark_of(columns, row)} for key, row in was.items() if key != "gone"]
    for row in rows:
        row["n"] = 2 if row["key"] in ("mine", "both") else 1
    data = b"".join(workbook.pieces(Table("x", "X", columns), [*rows, {"key": "new", "n": 5}], "en", ZONE))
    now = {**was, "theirs": {"key": "theirs", "n": 3}, "both": {"key": "both", "n": 3}}
    found = compared(understood(data, columns, "en", ZONE), now, columns)
    assert {(c.kind, c.key) for c in found.changes} == {
        ("changed", "mine"), ("conflict", "both"), ("added", "new"), ("removed", "gone")
    }  # fmt: skip
    assert (found.same, found.kept) == (1, 1)
    assert {c.key for c in found.changes if c.offered} == {"mine", "new"}
    assert times.now()
