"""Files of tables opened with care: limits before parsing, what they really are, and their sheets as grids."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from krog.tables.cells import folded
from krog.tables.workbook import letter

#: Bytes of a file, bytes that it may unpack to, and cells that its sheets may span.
MOST_BYTES = 30_000_000
MOST_UNPACKED = 250_000_000
MOST_CELLS = 6_000_000
MOST_PARTS = 2_000
#: Workbooks with more bytes of sheets than this are read by the faster reader, where nothing needs the finer one.
_FINE_BYTES = 12_000_000
_CHUNK = 1 << 20

_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_OVERLAP = 64
_DELIMITERS = (";", "\t", ",")


class Refused(ValueError):
    """A file that is not read at all; `code` says why, `about` what was found.

    Codes: too-large, empty, old-format, encrypted, damaged, unpacks-too-large, entities, dimensions, not-a-table.
    """

    def __init__(self, code: str, about: str = ""):
        super().__init__(f"{code} {about}".strip())
        self.code, self.about = code, about


@dataclass
class Sheet:
    """A sheet as a grid of cells (text, number, day, time, yes/no, None), and what else it holds.

    `merged` are (first row, first column, last row, last column), all from 0; `percent` the cells that show a number
    as a percentage; `uncounted` the formulas whose result the file does not hold; `notes` how many cells have one.
    """

    name: str
    rows: list[list[Any]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    percent: set[tuple[int, int]] = field(default_factory=set)
    uncounted: set[tuple[int, int]] = field(default_factory=set)
    hidden_rows: int = 0
    hidden_columns: int = 0
    notes: int = 0

    def where(self, row: int, column: int) -> str:
        """The address of a cell, as spreadsheets write it: (0, 0) → A1."""
        return f"{letter(column)}{row + 1}"


@dataclass(frozen=True)
class Opened:
    """The sheets of a file; `form` is xlsx or csv, `encoding` and `delimiter` are those of a CSV."""

    form: str
    sheets: tuple[Sheet, ...]
    encoding: str = ""
    delimiter: str = ""


def opened(data: bytes, known: frozenset[str], language: str = "") -> Opened:
    """The file's sheets, whatever its name says it is. `known` are folded heads, by which a CSV's delimiter is chosen;
    `language` decides between the code pages of old Windows (Italian: 1252, else 1250). Raises Refused."""
    if len(data) > MOST_BYTES:
        raise Refused("too-large", str(len(data)))
    if not data.strip(b"\x00\r\n\t ;,"):
        raise Refused("empty")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        # The container of the old format, and of workbooks with a password.
        raise Refused("encrypted" if b"E\x00n\x00c\x00r\x00y\x00p\x00t" in data else "old-format", "xls")
    if data.startswith(b"PK"):
        return Opened("xlsx", tuple(_workbook(data)))
    text, encoding = _text(data, language)
    delimiter, rows = _rows(text, known)
    return Opened("csv", (Sheet("", rows),), encoding, delimiter)


# --- CSV -------------------------------------------------------------------------------------------------------------


def _text(data: bytes, language: str) -> tuple[str, str]:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding
            except UnicodeDecodeError:
                raise Refused("damaged", encoding) from None
    if data[:2000].count(0) > len(data[:2000]) // 4:
        encoding = "utf-16-le" if data[1:2] == b"\x00" else "utf-16-be"
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            raise Refused("not-a-table") from None
    if (
        b"\x00" in data
        or data.lstrip()[:1] == b"<"
        or data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8", b"MZ", b"{\\rtf"))
    ):
        raise Refused("not-a-table")
    for encoding in ("utf-8", "windows-1252" if language[:2] == "it" else "windows-1250"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise Refused("not-a-table")


def _rows(text: str, known: frozenset[str]) -> tuple[str, list[list[Any]]]:
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4], list(_parsed(rest, first.strip()[4]))
    lines = text[:20_000]
    best = max(_DELIMITERS, key=lambda d: (_score(lines, d, known), -_DELIMITERS.index(d)))
    return best, list(_parsed(text, best))


def _score(text: str, delimiter: str, known: frozenset[str]) -> tuple[int, int]:
    rows = list(_parsed(text, delimiter, most=40))
    return max((sum(folded(str(c)) in known for c in row) for row in rows), default=0), max(map(len, rows), default=0)


def _parsed(text: str, delimiter: str, most: int = 0) -> Iterator[list[Any]]:
    csv.field_size_limit(1_000_000)
    cells = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            cells += len(row)
            if cells > MOST_CELLS:
                raise Refused("dimensions", str(cells))
            yield row
            if number == most:
                return
    except csv.Error:
        raise Refused("damaged", "csv") from None


# --- XLSX ------------------------------------------------------------------------------------------------------------


@dataclass
class _Looked:
    """What a first look at a workbook's parts found."""

    bytes: int = 0
    formulas: bool = False
    percent: bool = False


def _looked(book: zipfile.ZipFile) -> _Looked:
    """Unpacks every part once, counting, before any parser sees it. Sizes that the file claims are not believed."""
    found = _Looked()
    parts = book.infolist()
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("encrypted")
    if "content.xml" in names or "mimetype" in names:
        raise Refused("old-format", "ods")
    if "xl/workbook.bin" in names:
        raise Refused("old-format", "xlsb")
    if "xl/workbook.xml" not in names:
        raise Refused("not-a-table")
    if len(parts) > MOST_PARTS:
        raise Refused("unpacks-too-large", str(len(parts)))
    total = 0
    for part in parts:
        sheet = part.filename.startswith("xl/worksheets/")
        xml = part.filename.endswith((".xml", ".rels"))
        rows = columns = 0
        with book.open(part) as source:
            before = b""
            while chunk := source.read(_CHUNK):
                total += len(chunk)
                if total > MOST_UNPACKED:
                    raise Refused("unpacks-too-large", str(total))
                if not xml:
                    continue
                whole = before + chunk
                if b"<!DOCTYPE" in whole or b"<!ENTITY" in whole or chunk.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise Refused("entities", part.filename)
                if sheet:
                    found.bytes += len(chunk)
                    found.formulas = found.formulas or b"<f>" in whole or b"<f " in whole or b"<f/" in whole
                    for letters, number in _CELL.findall(whole):
                        rows = max(rows, int(number))
                        columns = max(columns, _number(letters))
                elif part.filename == "xl/styles.xml":
                    found.percent = found.percent or b"%" in whole or bool(re.search(rb'numFmtId="(9|10)"', whole))
                before = whole[-_OVERLAP:]
        if rows * columns > MOST_CELLS:
            raise Refused("dimensions", f"{rows} × {columns}")
    return found


def _number(letters: bytes) -> int:
    found = 0
    for sign in letters:
        found = found * 26 + sign - 64
    return found


def _workbook(data: bytes) -> list[Sheet]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            looked = _looked(book)
        fine = looked.bytes <= _FINE_BYTES or looked.formulas or looked.percent
        reader: Callable[[bytes, bool], list[Sheet]] = _finely if fine else _fast
        return reader(data, looked.formulas)
    except Refused:
        raise
    except Exception as error:
        # Whatever a parser trips over in a hostile or broken file is one thing to its sender: it cannot be read.
        raise Refused("damaged", type(error).__name__) from None


def _finely(data: bytes, formulas: bool) -> list[Sheet]:
    """By openpyxl, which knows merged cells, notes, hidden rows and the looks of numbers."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), data_only=True, keep_links=False)
    written = load_workbook(io.BytesIO(data), data_only=False, keep_links=False) if formulas else None
    found = []
    for sheet in book.worksheets:
        grid: list[list[Any]] = []
        one = Sheet(sheet.title, grid)
        for row, cells in enumerate(sheet.iter_rows()):
            line = []
            for column, cell in enumerate(cells):
                value = cell.value
                line.append(value)
                if value is not None and isinstance(value, int | float) and "%" in (cell.number_format or ""):
                    one.percent.add((row, column))
                if getattr(cell, "comment", None) is not None:
                    one.notes += 1
            grid.append(line)
        one.merged = [(r.min_row - 1, r.min_col - 1, r.max_row - 1, r.max_col - 1) for r in sheet.merged_cells.ranges]
        one.hidden_rows = sum(bool(d.hidden) for d in sheet.row_dimensions.values())
        one.hidden_columns = sum(bool(d.hidden) for d in sheet.column_dimensions.values())
        if written is not None:
            for row, cells in enumerate(written[sheet.title].iter_rows()):
                for column, cell in enumerate(cells):
                    if cell.data_type == "f" and grid[row][column] is None:
                        one.uncounted.add((row, column))
        found.append(one)
    return found


def _fast(data: bytes, formulas: bool) -> list[Sheet]:
    """By calamine, for long plain lists."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    return [
        Sheet(name, [[None if cell == "" else cell for cell in row] for row in
                     book.get_sheet_by_name(name).to_python(skip_empty_area=False)])
        for name in book.sheet_names
    ]  # fmt: skip
