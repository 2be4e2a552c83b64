"""Reads CSV tables: rows with their lines, and tables whose columns are declared elsewhere, as those of registers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import inspect

from krog.base.declaration import Declaration, Fields
from krog.engine.cities import cells
from krog.engine.cities.findings import Finding, finding, nearest, shown
from krog.engine.cities.items import Item, Reading
from krog.engine.cities.kinds import geometry_field, slot_names, slots
from krog.engine.cities.values import fields_of

#: Columns that make a point, in degrees of WGS84.
PLACE = ("lon", "lat")


def table_rows(
    name: str, text: str, allowed: Sequence[str], known: Callable[[str], bool], findings: list[Finding]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table with the line that each begins in, as cells by column; what is wrong goes to `findings`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, list[str]]] = []
    line = 0
    try:
        for cell_row in reader:
            if any(cell_row):
                rows.append((line + 1, cell_row))
            line = reader.line_num
    except csv.Error as error:
        findings.append(finding(f"This is not CSV: {error}.", name, line + 1))
    if not rows:
        findings.append(finding("The table has no header.", name, 1, allowed=", ".join(allowed)))
        return
    header = [column.strip() for column in rows[0][1]]
    if len(header) == 1 and ";" in header[0]:
        findings.append(finding("The columns are divided by semicolons.", name, 1, allowed="commas"))
        return
    for column in header:
        if not known(column):
            todo = nearest(column, allowed)
            what = f"There is no column {column!r}."
            findings.append(finding(what, name, rows[0][0], allowed=", ".join(allowed), todo=todo))
        if header.count(column) > 1:
            findings.append(finding(f"The column {column!r} stands twice.", name, rows[0][0]))
    for start, row in rows[1:]:
        if len(row) > len(header):
            what = f"The row has {len(row)} cells, the header {len(header)}."
            findings.append(finding(what, name, start, todo="Put quotation marks around a text with a comma."))
        else:
            yield start, dict(zip(header, row, strict=False))


def read_table(
    name: str, text: str, declaration: Declaration, things: Mapping[str, Mapping[Any, Fields]], found: Reading
) -> None:
    """Reads the `table` of a kind: the columns that `columns` tells become `values`, `lon` and `lat` a point."""
    inside = slots(declaration.table, name) or {}
    types = declaration.columns(inside, things) if declaration.columns else None
    values = {column: inspect.type_info(kind) for column, kind in (types or {}).items()}
    own = {
        column: field.type
        for column, field in fields_of(declaration.shape).items()
        if column not in (*inside, "values", geometry_field(declaration))
    }
    allowed = ["key", *own, *PLACE, *values]

    def known(column: str) -> bool:
        return types is None or column in allowed

    for start, row in table_rows(name, text, allowed, known, found.findings):
        fields: dict[str, Any] = {**inside, "values": {}}
        place = {}
        for column, cell in row.items():
            if column == "key" or not cell.strip() or not known(column):
                continue
            if column in PLACE:
                place[column] = cell
            elif column in own:
                fields[column] = cells.decode(cell, own[column])
            else:
                fields["values"][column] = cells.decode(cell, values.get(column, inspect.StrType()))
        if place:
            fields[geometry_field(declaration)] = _point(name, start, place, found.findings)
        found.items.append(Item(declaration.kind, row.get("key", "").strip() or None, fields, name, start))


def _point(name: str, line: int, place: Mapping[str, str], findings: list[Finding]) -> dict[str, Any] | None:
    numbers = []
    for column in PLACE:
        try:
            numbers.append(float(place[column]))
        except KeyError:
            findings.append(finding(f"{column} is missing; lon and lat come together.", name, line, column))
        except ValueError:
            findings.append(finding(f"{shown(place[column])} is not a number.", name, line, column, allowed="degrees"))
    return {"type": "Point", "coordinates": numbers} if len(numbers) == 2 else None


def may_be_table(declaration: Declaration, things: Iterable[Fields]) -> bool:
    """Whether a table can hold all these things: none has a geometry that is more than a point."""
    geometry = geometry_field(declaration)
    return all((each.get(geometry) or {"type": "Point"})["type"] == "Point" for each in things)


def write_table(declaration: Declaration, columns: Mapping[str, Any], things: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of these things: a column stands in it when any thing has something there."""
    types = fields_of(declaration.shape)
    geometry = geometry_field(declaration)
    own = [one for one in types if one not in (*slot_names(declaration.table), "values", geometry)]
    kinds = {column: inspect.type_info(kind) for column, kind in columns.items()}
    used: dict[str, None] = {}
    rows = []
    for key, fields in things.items():
        row = {"key": key}
        for column, value in (fields.get("values") or {}).items():
            row[column] = cells.encode(value, kinds.get(column, inspect.AnyType()))
        for column in own:
            if fields.get(column):
                row[column] = cells.encode(fields[column], types[column].type)
        if point := fields.get(geometry):
            row |= dict(zip(PLACE, map(repr, point["coordinates"]), strict=True))
        used.update(dict.fromkeys(row))
        rows.append(row)
    header = [one for one in ("key", *columns, *own, *PLACE) if one in used]
    return cells.table([*header, *(one for one in used if one not in header)], rows)
