"""Lists written as XLSX while they are read: typed cells, a frozen head with filters, and a sheet that explains."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import date, datetime, timedelta
from html import escape
from typing import IO, Any

from krog.base import times
from krog.tables.cells import choice_text, text_of
from krog.tables.columns import Column, Table, heads
from krog.tables.writing import Rows

#: What a sheet of this format holds at most; longer lists go on in a further sheet.
ROWS_OF_SHEET = 1_048_575
LONGEST_TEXT = 32_767

_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
#: Looks of cells by name: index in styles.xml.
_LOOKS = {"plain": 0, "head": 1, "date": 2, "time": 3, "integer": 4}
_FIRST_OWN_LOOK = len(_LOOKS)
_NAME = re.compile(r"[\[\]:*?/\\'\x00-\x1f]")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
#: Spreadsheets read _x0041_ as a character; a text that says this itself has its first mark written so.
_CODE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ZERO = datetime(1899, 12, 30)
#: Before this day spreadsheets count days differently.
_FIRST = date(1900, 3, 1)
_LEVEL = 3
_PIECE_ROWS = 200


class _Sink:
    """The end of a pipe that zipfile writes to: pieces to send on."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.at = 0

    def write(self, data: bytes) -> int:
        self.pieces.append(bytes(data))
        self.at += len(data)
        return len(data)

    def tell(self) -> int:
        return self.at

    def flush(self) -> None:
        """Nothing waits here."""

    def take(self) -> bytes:
        data = b"".join(self.pieces)
        self.pieces = []
        return data


def pieces(table: Table, rows: Rows, language: str, zone: str) -> Iterator[bytes]:
    """The workbook as bytes, sent while rows are read: memory does not grow with their number.

    Numbers, days, times and yes/no are typed cells; a time that a cell cannot hold exactly is text with its offset.
    Texts are inline strings, so none of them is ever a formula or a link, whatever it begins with.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as book:  # type: ignore[call-overload]
        title = _NAME.sub(" ", table.title).strip()[:26] or "Krog"
        names: list[str] = []
        source = iter(rows)
        more = True
        while more:
            names.append(title if not names else f"{title} {len(names) + 1}")
            with book.open(f"xl/worksheets/sheet{len(names)}.xml", "w", force_zip64=True) as sheet:
                more = yield from _sheet(sheet, sink, table, source, language, zone)
        about = _NAME.sub(" ", table.word("about"))[:31]
        names.append(about if about not in names else f"{about[:29]} 2")
        with book.open(f"xl/worksheets/sheet{len(names)}.xml", "w") as sheet:
            sheet.write(_explained(table).encode())
        for name, content in _parts(table, names).items():
            book.writestr(name, _HEAD + content)
    yield sink.take()


def _sheet(
    sheet: IO[bytes], sink: _Sink, table: Table, source: Iterator[Mapping[str, Any]], language: str, zone: str
) -> Generator[bytes, None, bool]:
    """Writes rows until they end (returns False) or the sheet is full (True)."""
    columns = table.columns
    names = heads(columns)
    letters = [letter(at) for at in range(len(columns))]
    makers = [_maker(column, letters[at], at, columns, language, zone) for at, column in enumerate(columns)]
    pairs = [(column.name, maker) for column, maker in zip(columns, makers, strict=True)]
    sheet.write(_begin(columns, names).encode())
    line, full = 1, False
    waiting: list[str] = []
    for row in source:
        line += 1
        number = str(line)
        cells = "".join([
            make(value, number) for name, make in pairs if (value := row.get(name)) is not None and value != ""
        ])  # fmt: skip
        waiting.append(f'<row r="{number}">{cells}</row>')
        if len(waiting) >= _PIECE_ROWS:
            sheet.write("".join(waiting).encode())
            waiting = []
            if data := sink.take():
                yield data
        if line > ROWS_OF_SHEET:
            full = True
            break
    sheet.write("".join(waiting).encode())
    corner = f"A1:{letters[-1]}{max(line, 2)}" if letters else "A1"
    sheet.write(f'</sheetData><autoFilter ref="{corner}"/></worksheet>'.encode())
    return full


def _begin(columns: Any, names: list[str]) -> str:
    cols = "".join(
        f'<col min="{at + 1}" max="{at + 1}" width="{_width(column, names[at])}" customWidth="1"'
        + (' hidden="1"/>' if column.hidden else "/>")
        for at, column in enumerate(columns)
    )
    cells = "".join(_text_cell(letter(at), "1", name, _LOOKS["head"]) for at, name in enumerate(names))
    return (
        f'{_HEAD}<worksheet xmlns="{_SPREADSHEET}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" '
        'topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols>{cols}</cols><sheetData><row r="1">{cells}</row>'
    )


def letter(at: int) -> str:
    """The letters of a column: 0 → A, 26 → AA."""
    found = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        found = chr(65 + rest) + found
    return found


def written(text: str) -> str:
    """A text as XML holds it: no control characters, at most what a cell takes."""
    if len(text) > LONGEST_TEXT:
        text = text[: LONGEST_TEXT - 1] + "…"
    plain = escape(_UNWRITABLE.sub("", text), quote=False)
    if "\r" in plain:
        plain = plain.replace("\r", "&#13;")
    return _CODE.sub("_x005F_", plain) if "_x" in plain else plain


def _text_cell(column: str, line: str, text: str, look: int = 0) -> str:
    style = f' s="{look}"' if look else ""
    return f'<c r="{column}{line}"{style} t="inlineStr"><is><t xml:space="preserve">{written(text)}</t></is></c>'


def _maker(column: Column, where: str, at: int, columns: Any, language: str, zone: str) -> Callable[[Any, str], str]:
    """How the cells of a column are written: value and line → XML."""

    def text(value: Any, line: str) -> str:
        said = choice_text(column, str(value)) if column.choices else str(value)
        return f'<c r="{where}{line}" t="inlineStr"><is><t xml:space="preserve">{written(said)}</t></is></c>'

    def number(value: Any, line: str) -> str:
        whole = isinstance(value, int) and abs(value) > 999_999_999_999_999
        if isinstance(value, bool) or not isinstance(value, int | float) or whole:
            return text(text_of(column, value, language, zone), line)
        if value != value or value in (float("inf"), float("-inf")):
            return ""
        return f'<c r="{where}{line}"{look}><v>{value!r}</v></c>'

    def day(value: Any, line: str) -> str:
        try:
            found = date.fromisoformat(str(value))
        except ValueError:
            return text(value, line)
        if found < _FIRST:
            return text(found.isoformat(), line)
        return f'<c r="{where}{line}"{look}><v>{(found - _ZERO.date()).days}</v></c>'

    def moment(value: Any, line: str) -> str:
        local = times.to_datetime(int(value), zone)
        plain = local.replace(tzinfo=None)
        # The hour that the clock shows twice, and parts of a second, would not come back.
        if local.fold or local.microsecond or plain.date() < _FIRST:
            return text(text_of(column, value, language, zone), line)
        return f'<c r="{where}{line}"{look}><v>{(plain - _ZERO) / timedelta(days=1)!r}</v></c>'

    def flag(value: Any, line: str) -> str:
        return f'<c r="{where}{line}" t="b"><v>{int(value)}</v></c>' if isinstance(value, bool) else text(value, line)

    index = _look(column, at, columns)
    look = f' s="{index}"' if index else ""
    found: dict[str, Callable[[Any, str], str]] = {
        "number": number, "integer": number, "date": day, "time": moment, "boolean": flag
    }  # fmt: skip
    return found.get(column.type, text)


def _look(column: Column, at: int, columns: Any) -> int:
    if column.type in ("date", "time", "integer"):
        return _LOOKS[column.type]
    if column.type == "number" and column.decimals is not None:
        return _FIRST_OWN_LOOK + [c for c in columns if c.type == "number" and c.decimals is not None].index(column)
    return 0


def _width(column: Column, head: str) -> int:
    if column.width:
        return column.width
    least = {"date": 12, "time": 20, "number": 12, "integer": 10, "boolean": 8}.get(column.type, 16)
    return min(max(least, len(head) + 4), 40)


def _explained(table: Table) -> str:
    """The second sheet: where the data are from, and what each column means."""
    lines: list[tuple[int, list[str]]] = [(_LOOKS["head"], [table.title])]
    lines += [(0, [label, str(value)]) for label, value in table.facts]
    lines.append((0, []))
    lines.append((_LOOKS["head"], [table.word(key) for key in ("column", "name", "type", "unit", "meaning")]))
    for column, head in zip(table.columns, heads(table.columns), strict=True):
        meaning = column.meaning
        if column.choices:
            listed = ", ".join(f"{v} ({t})" if t and t != v else v for v, t in column.choices.items())
            meaning = f"{meaning} {listed}".strip()
        lines.append((0, [head, column.name, table.word(column.type), column.unit, meaning]))
    rows = "".join(
        f'<row r="{at}">'
        + "".join(_text_cell(letter(n), str(at), text, look) for n, text in enumerate(cells))
        + "</row>"
        for at, (look, cells) in enumerate(lines, 1)
    )
    widths = "".join(f'<col min="{n}" max="{n}" width="{w}" customWidth="1"/>' for n, w in
                     enumerate((28, 32, 16, 12, 80), 1))  # fmt: skip
    return f'{_HEAD}<worksheet xmlns="{_SPREADSHEET}"><cols>{widths}</cols><sheetData>{rows}</sheetData></worksheet>'


def _parts(table: Table, names: list[str]) -> dict[str, str]:
    """The small files around the sheets."""
    sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{sheet_type}.worksheet+xml"/>'
        for n in range(1, len(names) + 1)
    )
    listed = "".join(f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, 1))
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    after = len(names) + 1
    own = [c for c in table.columns if c.type == "number" and c.decimals is not None]
    formats = {164: "d. m. yyyy", 165: "d. m. yyyy hh:mm:ss"}
    formats |= {166 + at: "#,##0" + ("." + "0" * (c.decimals or 0) if c.decimals else "") for at, c in enumerate(own)}
    looks = ['<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>',
             '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" applyAlignment="1">'
             '<alignment vertical="top" wrapText="1"/></xf>']  # fmt: skip
    looks += [f'<xf numFmtId="{n}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
              for n in (164, 165, 3, *range(166, 166 + len(own)))]  # fmt: skip
    return {
        "xl/workbook.xml": f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}'
        f'<Relationship Id="rId{after}" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_SPREADSHEET}"><numFmts count="{len(formats)}">'
        + "".join(f'<numFmt numFmtId="{n}" formatCode="{code}"/>' for n, code in formats.items())
        + '</numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/>'
        "</fill></fills><borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(looks)}">{"".join(looks)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{sheet_type}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{sheet_type}.styles+xml"/>{overrides}</Types>',
    }  # fmt: skip
