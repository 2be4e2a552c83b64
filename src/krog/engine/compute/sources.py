"""What formulas read, in pinned versions: datastreams of the lake, tables, and values of other indicators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.origin import Origin
from krog.engine.compute import tables
from krog.engine.compute.aggregate import Readings
from krog.engine.compute.selection import Selection
from krog.engine.compute.tables import Pinned, Table
from krog.indicators import periods, quantities, reads
from krog.indicators.combine import Cell, Input
from krog.indicators.formula import Formula
from krog.indicators.shapes import Indicator, Status, Value
from krog.indicators.terms import AnyTerm, RefTerm, TableTerm, Term

#: Where the rows of an input are said to stand.
OBSERVATIONS, VALUES = "observations", "indicator-values"
#: Aggregated cells that stay with a value, so that a page can show what went into it.
CELLS = 100


@dataclass(frozen=True)
class Taken:
    """What one term read for one period: the input, what is kept of where it is from, and whether it may still grow."""

    input: Input
    kept: Mapping[str, Any]
    running: bool = False


@dataclass(frozen=True)
class Other:
    """Another indicator as a term reads it: its definition and its current values by period."""

    about: Indicator
    values: Mapping[str, Value]


@dataclass
class Sources:
    """The pinned versions of one round. `pins` are the kept inputs of an old value, by term: then exactly these are
    read again."""

    grant: Grant
    zone: str
    readings: Readings | None
    pins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _tables: dict[Pinned, Table] = field(default_factory=dict)
    _newest: dict[str, int | None] = field(default_factory=dict)
    _others: dict[str, Other | None] = field(default_factory=dict)
    _con: Any = None

    def close(self) -> None:
        """Frees what the engines hold."""
        if self.readings:
            self.readings.close()
        if self._con is not None:
            self._con.disconnect()

    def newest(self, table: str) -> int | None:
        """The newest version of a table, looked up once."""
        if table not in self._newest:
            self._newest[table] = tables.bring(table)
        return self._newest[table]

    def other(self, key: str) -> Other | None:
        """Another indicator with its current values, read once; None where there is none."""
        if key not in self._others:
            try:
                about = reads.indicator(self.grant, key)
                self._others[key] = Other(about, {v.period: v for v in reads.values(self.grant, key)})
            except NotFound:
                self._others[key] = None
        return self._others[key]

    def state(self, of: Formula) -> str:
        """One text that changes when a table or an indicator that the formula reads has changed."""
        versions = sorted({term.table for term in of.tables.values()})
        parts = [f"{table}@{self.newest(table)}" for table in versions]
        for key in sorted({term.indicator for term in of.refs.values()}):
            found = self.other(key)
            parts.append(f"{key}#{max((v.id for v in found.values.values()), default=0) if found else '-'}")
        return " ".join(parts)

    def take(
        self, name: str, term: AnyTerm, chosen: Selection | None, wanted: Sequence[str], now: int
    ) -> dict[str, Taken]:
        """What a term reads in each of the periods `wanted` (sorted, of one kind)."""
        if isinstance(term, TableTerm):
            return self._rows(name, term, wanted, now)
        if isinstance(term, RefTerm):
            return {period: self._ref(name, term, period) for period in wanted}
        assert chosen is not None
        return self._streams(name, term, chosen, wanted)

    def periods(self, of: Formula, kind: str, oldest: str, this: str) -> list[str]:
        """The periods that the terms of tables and indicators can speak of, from `oldest` to `this`."""
        if any(not term.time for term in of.tables.values()):
            return [periods.before(this), this]
        found: set[str] = set()
        for term in of.tables.values():
            first = self._first(term)
            if first and periods.is_day(first[:10]):
                found |= set(periods.between(max(oldest, periods.of_day(periods.first_day(first[:10]), kind)), this))
        for ref in of.refs.values():
            other = self.other(ref.indicator)
            if ref.at or other is None or other.about.period != kind:
                continue
            for period in other.values:
                found.add(_step(period, ref.lag))
        return sorted(period for period in found if period <= this)

    def _first(self, term: TableTerm) -> str | None:
        table = self._table(term.table, self.newest(term.table))
        return table.first(term) if table else None

    def _table(self, name: str, version: int | None) -> Table | None:
        if version is None:
            return None
        pinned = Pinned(name, version)
        if pinned not in self._tables:
            if self._con is None:
                from krog.lake import ibis_table

                self._con = ibis_table.connect()
            self._tables[pinned] = Table(pinned, self._con)
        return self._tables[pinned]

    def _streams(self, name: str, term: Term, chosen: Selection, wanted: Sequence[str]) -> dict[str, Taken]:
        assert self.readings is not None
        version = self.readings.snapshot.version
        return {
            period: Taken(
                each,
                {
                    "term": name,
                    "dataset": term.dataset,
                    "table": OBSERVATIONS,
                    "version": version,
                    "selection": chosen.id,
                    "rows": sum(cell.n for cell in each.cells.values()),
                },
            )
            for period, each in self.readings.inputs(term, chosen, wanted).items()
        }

    def _rows(self, name: str, term: TableTerm, wanted: Sequence[str], now: int) -> dict[str, Taken]:
        versions = {period: self._version(name, term, period, now) for period in wanted}
        found: dict[str, Taken] = {}
        for version in dict.fromkeys(versions.values()):
            mine = [period for period in wanted if versions[period] == version]
            table = self._table(term.table, version)
            if table is None:
                reason = ({"code": "no-version", "term": name, "table": term.table},)
                given = {period: Input({}, {"": term.unit}, [""], reasons=reason) for period in mine}
            else:
                given = table.inputs(term, mine, self.zone)
            for period, each in given.items():
                found[period] = Taken(each, self._kept(name, term, version, each))
        return found

    def _version(self, name: str, term: TableTerm, period: str, now: int) -> int | None:
        """The version that a period reads: of rows with a day the newest; of a state that at the period's end."""
        if name in self.pins:
            pinned = self.pins[name].get("version")
            return None if pinned is None else int(pinned)
        newest, end = self.newest(term.table), periods.bounds(period, self.zone)[1]
        return newest if term.time or now < end else tables.version_at(term.table, end)

    def _kept(self, name: str, term: TableTerm, version: int | None, each: Input) -> Mapping[str, Any]:
        cells = [[group, bucket, cell.n, str(cell.total)] for (group, bucket), cell in sorted(each.cells.items())]
        return {
            "term": name,
            "dataset": term.table,
            "table": term.table,
            "version": version,
            "selection": "",
            "rows": sum(cell.n for cell in each.cells.values()),
            "cells": cells[:CELLS],
        }

    def _ref(self, name: str, term: RefTerm, period: str) -> Taken:
        value, reason, unit, dataset = self._value(name, term, period)
        kept = {
            "term": name,
            "dataset": dataset,
            "table": VALUES,
            "indicator": term.indicator,
            "version": value.id if value else None,
            "period": value.period if value else "",
            "selection": "",
            "rows": 1 if value else 0,
        }
        if value is None or value.value is None:
            return Taken(Input({}, {"": unit}, [""], reasons=({"code": reason, "term": name},)), kept)
        number = Fraction(value.value)
        cell = Cell(
            n=1,
            total=number,
            least=number,
            most=number,
            ids=value.id,
            replayed=value.origin == Origin.REPLAYED,
            simulated=value.origin == Origin.SIMULATED,
        )
        return Taken(Input({("", ""): cell}, {"": unit}, [""]), kept, value.status == Status.PROVISIONAL)

    def _value(self, name: str, term: RefTerm, period: str) -> tuple[Value | None, str, str, str]:
        """The row that a term takes, or why there is none; with the unit and dataset of the other indicator."""
        other = self.other(term.indicator)
        if other is None:
            return None, "no-indicator", term.unit, ""
        unit, dataset = other.about.unit, other.about.dataset
        if not quantities.known(unit) or not quantities.convertible(unit, term.unit):
            return None, "unit-differs", term.unit, dataset
        if name in self.pins:
            pinned = self.pins[name].get("version")
            row = None if pinned is None else reads.value(self.grant, term.indicator, int(pinned))
            return row, "no-value", unit, dataset
        wanted = term.at or _back(period, term.lag)
        if periods.kind_of(wanted) != other.about.period:
            if not _coarser(other.about.period, periods.kind_of(wanted)):
                return None, "period-differs", unit, dataset
            wanted = periods.of_day(periods.first_day(wanted), other.about.period)
        return other.values.get(wanted), "no-value", unit, dataset


def _coarser(kind: str, than: str) -> bool:
    return periods.KINDS.index(kind) > periods.KINDS.index(than)


def _back(period: str, lag: int) -> str:
    for _ in range(lag):
        period = periods.before(period)
    return period


def _step(period: str, lag: int) -> str:
    for _ in range(lag):
        period = periods.after(period)
    return period
