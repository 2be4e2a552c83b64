"""Registers and tables of facts as formulas read them: in pinned versions, aggregated by one Ibis expression."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from krog.base.errors import Invalid, NotFound
from krog.base.grant import Grant
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.indicators import periods
from krog.indicators.combine import Cell, Input
from krog.indicators.terms import TIME_GRAINS, Condition, TableTerm
from krog.lake import dataset_table
from krog.people.permissions import SYSTEM
from krog.registers import reads as registers
from krog.registers.shapes import Register

log = logging.getLogger("krog.compute")

EXACT = "decimal(38, 9)"
_PAGE = 2000
#: The types of a register's fields as columns.
_COLUMNS = {"number": "float64", "integer": "int64", "boolean": "bool"}
_LENGTHS = {"local_date": 10, "local_month": 7, "local_year": 4}

#: The change counter of each register at which this process wrote it last.
_written: dict[str, int] = {}


@dataclass(frozen=True)
class Pinned:
    """A table in one version."""

    table: str
    version: int


def bring(table: str) -> int | None:
    """The newest version of a table; a register's changes since then are written to the lake first. None where there
    is no such table. Personal data and restricted fields never leave their register this way."""
    grant = door.open(SYSTEM, "compute", kind="registers")
    try:
        counter = registers.counter(grant, table)
    except NotFound:
        return dataset_table.version(table)
    if _written.get(table) != counter or dataset_table.version(table) is None:
        home = registers.register(grant, table)
        dataset_table.write_table(table, _rows(grant, home), columns=_columns(home))
        _written[table] = counter
    return dataset_table.version(table)


def _columns(home: Register) -> dict[str, str]:
    about = catalogue.dataset(door.open(SYSTEM, "compute", kind="registers"), home.dataset)
    if about.personal:
        raise Invalid(f"{home.key} holds personal data.", home.key, todo="Publish a table of counts instead.")
    open_ones = [f for f in home.fields if about.fields.get(f.name, {}).get("access", about.access) != "restricted"]
    columns = {field.name: _COLUMNS.get(field.type, "string") for field in open_ones}
    return {"key": "string", **columns, "valid_from": "int64", "valid_to": "int64"}


def _rows(grant: Grant, home: Register) -> list[dict[str, Any]]:
    columns = _columns(home)
    found: list[dict[str, Any]] = []
    offset, more = 0, True
    while more:
        page = registers.records(grant, home.key, limit=_PAGE, offset=offset).items
        for one in page:
            values = {name: _cell(one.values.get(name), kind) for name, kind in columns.items()}
            found.append({**values, "key": one.key, "valid_from": one.valid_from, "valid_to": one.valid_to})
        offset += len(page)
        more = len(page) > 0 and offset < 2_000_000
    return sorted(found, key=lambda row: str(row["key"]))


def _cell(value: Any, kind: str) -> Any:
    if value is None or value == "":
        return None
    return float(value) if kind == "float64" else value if kind in ("int64", "bool") else str(value)


class Table:
    """One version of a table, opened for the terms that read it."""

    def __init__(self, pinned: Pinned, con: Any):
        self.pinned, self._con = pinned, con
        files = dataset_table.files(pinned.table, pinned.version)
        if not files:
            raise NotFound(f"Version {pinned.version} of {pinned.table} is not kept.", pinned.table)
        self._table = con.read_parquet(files)

    def first(self, term: TableTerm) -> str | None:
        """The earliest day (or month, year) that a row of the term names."""
        self._check(term)
        rows = self._chosen(term)
        found: str | None = self._ask(rows.aggregate(first=rows[term.time].min()))[0]["first"]
        return found

    def inputs(self, term: TableTerm, wanted: Sequence[str], zone: str) -> dict[str, Input]:
        """What the term reads in each of the periods `wanted`."""
        self._check(term)
        if not term.time:
            return {period: self._state(term, period, zone) for period in wanted}
        kinds = {grain: kind for kind, grain in TIME_GRAINS.items()}
        length = _LENGTHS[term.time_grain]
        rows = self._chosen(term)
        label = rows[term.time].substr(0, length)
        first, after = (
            periods.first_day(wanted[0]).isoformat(),
            periods.first_day(periods.after(wanted[-1])).isoformat(),
        )
        rows = rows.filter(label >= first[:length], rows[term.time] < after)
        cells = self._cells(term, rows, rows[term.time].substr(0, length))
        found = {}
        for period in wanted:
            buckets = [b.label for b in periods.buckets(period, kinds[term.time_grain], None, zone)]
            inside = {place: cell for place, cell in cells.items() if place[1] in set(buckets)}
            found[period] = Input(cells=inside, units={"": term.unit}, buckets=buckets)
        return found

    def _state(self, term: TableTerm, period: str, zone: str) -> Input:
        """The rows as they stood at the end of a period."""
        end = periods.bounds(period, zone)[1]
        rows = self._chosen(term)
        if "valid_from" in self._table.columns:
            rows = rows.filter(rows.valid_from.isnull() | (rows.valid_from < end))
            rows = rows.filter(rows.valid_to.isnull() | (rows.valid_to >= end))
        return Input(cells=self._cells(term, rows, None), units={"": term.unit}, buckets=[""])

    def _cells(self, term: TableTerm, rows: Any, label: Any) -> dict[tuple[str, str], Cell]:
        import ibis

        group = rows[term.by].cast("string").fill_null("") if term.by else ibis.literal("")
        measure = (rows[term.field].cast(EXACT)) if term.agg != "count" else ibis.literal(1).cast(EXACT)
        origin = rows.origin if "origin" in self._table.columns else ibis.literal("")
        chosen = rows.select(
            group=group, bucket=label if label is not None else ibis.literal(""), measure=measure, origin=origin
        )
        chosen = chosen.filter(chosen.measure.notnull())
        asked = chosen.group_by(["group", "bucket"]).aggregate(
            n=chosen.count(),
            total=chosen.measure.sum(),
            least=chosen.measure.min(),
            most=chosen.measure.max(),
            replayed=(chosen.origin == "replayed").max(),
            simulated=(chosen.origin == "simulated").max(),
        )
        return {
            (str(row["group"]), str(row["bucket"])): Cell(
                n=int(row["n"]),
                total=Fraction(row["total"]),
                least=Fraction(row["least"]),
                most=Fraction(row["most"]),
                replayed=bool(row["replayed"]),
                simulated=bool(row["simulated"]),
            )
            for row in self._ask(asked)
        }

    def _chosen(self, term: TableTerm) -> Any:
        rows = self._table
        for each in term.where:
            rows = rows.filter(self._meets(rows, each))
        return rows

    def _meets(self, rows: Any, each: Condition) -> Any:
        column = rows[each.field]
        if each.op == "known":
            return column.notnull()
        values = [self._value(each, column, v) for v in (each.value if each.op == "in" else (each.value,))]
        if each.op == "in":
            return column.isin(values)
        return {
            "=": column == values[0],
            "!=": column != values[0],
            "<": column < values[0],
            "<=": column <= values[0],
            ">": column > values[0],
            ">=": column >= values[0],
        }[each.op]

    def _value(self, each: Condition, column: Any, value: Any) -> Any:
        """The value of a condition, if it can be compared with the column."""
        kind = column.type()
        good = (
            isinstance(value, bool)
            if kind.is_boolean()
            else isinstance(value, str)
            if kind.is_string()
            else isinstance(value, int | float) and not isinstance(value, bool)
        )
        if not good:
            raise Invalid(
                f"{each.field} of {self.pinned.table} cannot be compared with {value!r}.", each.field, str(kind)
            )
        return value

    def _check(self, term: TableTerm) -> None:
        """Every field that the term names is there and fits. Raises Invalid."""
        have = self._table.schema()
        lacking = [name for name in term.fields if name not in have]
        if lacking:
            raise Invalid(
                f"{self.pinned.table} has no field {', '.join(lacking)} for formulas.", lacking[0], ", ".join(have)
            )
        if term.field and not (have[term.field].is_numeric() or have[term.field].is_boolean()):
            raise Invalid(f"{term.field} of {self.pinned.table} is no number.", term.field, "a field of numbers")
        if term.time and not have[term.time].is_string():
            raise Invalid(f"{term.time} of {self.pinned.table} is no day.", term.time, "a field of days")

    def _ask(self, asked: Any) -> list[dict[str, Any]]:
        cursor = self._con.raw_sql(self._con.compile(asked))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def version_at(table: str, moment: int) -> int | None:
    """The version of a table that was the newest at a moment (UTC microseconds); None before its first."""
    return dataset_table.version_at(table, moment // 1000)
