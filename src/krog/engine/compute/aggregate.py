"""Aggregates the readings of a term on its own grain: one Ibis expression over a pinned version of the lake.

The engine counts, finds least and greatest, and sums decimals of nine places, which is exact in any order and with any
number of threads; means, conversions and the formula itself are made in `indicators.combine`. So the same version gives
the same bits on every engine, today and in ten years.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib.metadata import version
from typing import Any

from krog.base import times
from krog.base.origin import Origin
from krog.engine.compute.selection import Selection
from krog.indicators import periods
from krog.indicators.combine import Cell, Input
from krog.indicators.terms import TIME_GRAINS, Term
from krog.lake.snapshot import Snapshot

#: Readings are taken to nine decimal places; sums are exact up to 29 digits before the point.
EXACT = "decimal(38, 9)"
_KINDS = {grain: kind for kind, grain in TIME_GRAINS.items()}


def engine() -> str:
    """Name and version of the engine that computes, as it is kept with each value."""
    return f"duckdb {version('duckdb')}, ibis {version('ibis-framework')}"


class Readings:
    """The observations of one snapshot, opened once for all terms that are computed from it."""

    def __init__(self, snapshot: Snapshot, zone: str):
        from krog.lake import ibis_table

        self.snapshot, self.zone = snapshot, zone
        self._con = ibis_table.connect()
        self._table = ibis_table.observations(snapshot, self._con, zone)

    def close(self) -> None:
        """Frees what the engine holds."""
        self._con.disconnect()

    def hours_after(self, mark: int, streams: Sequence[int]) -> tuple[list[int], bool]:
        """The UTC hours (microseconds) that readings with an id over `mark` belong to, and whether any corrects an
        earlier reading."""
        if not self.snapshot.files or not streams:
            return [], False
        fresh = self._table.filter(self._table.id > mark, self._table.stream.isin(list(streams)))
        hour = fresh.time // times.HOUR
        found = self._rows(fresh.group_by(hour=hour).aggregate(corrects=fresh.supersedes.notnull().max()))
        return sorted(int(row["hour"]) * times.HOUR for row in found), any(row["corrects"] for row in found)

    def span(self, streams: Sequence[int]) -> tuple[int, int] | None:
        """Time of the first and of the last reading of the streams; None where there are none."""
        if not self.snapshot.files or not streams:
            return None
        rows = self._table.filter(self._table.stream.isin(list(streams)))
        row = self._rows(rows.aggregate(first=rows.time.min(), last=rows.time.max()))[0]
        return None if row["first"] is None else (int(row["first"]), int(row["last"]))

    def inputs(self, term: Term, chosen: Selection, wanted: Sequence[str]) -> Mapping[str, Input]:
        """What the term reads in each of the periods `wanted` (sorted, of one kind)."""
        grain = _KINDS[term.time_grain]
        buckets = {period: periods.buckets(period, grain, term.local_hour, self.zone) for period in wanted}
        cells = self._cells(term, chosen, wanted)
        found = {}
        for period in wanted:
            length: dict[str, int] = {}
            for one in buckets[period]:
                length[one.label] = length.get(one.label, 0) + one.end - one.start
            found[period] = Input(
                cells={
                    (key, label): cells[key, label]
                    for key in chosen.streams
                    for label in length
                    if (key, label) in cells
                },
                units={key: "1" if term.agg == "count" else one.unit for key, one in chosen.streams.items()},
                buckets=list(length),
                expected={
                    (key, label): length[label] // (one.interval_s * times.SECOND)
                    for key, one in chosen.streams.items()
                    if one.interval_s
                    for label in length
                },
            )
        return found

    def _cells(self, term: Term, chosen: Selection, wanted: Sequence[str]) -> dict[tuple[str, str], Cell]:
        """Count, exact sum, least and greatest by stream and bucket: the part that grows with the readings."""
        if not self.snapshot.files or not chosen.streams:
            return {}
        keys = {one.number: key for key, one in chosen.streams.items()}
        rows = self._rows(expression(self._table, term, list(keys), wanted, self.zone))
        return {
            (keys[int(row["stream"])], str(row["bucket"])): Cell(
                n=int(row["n"]),
                total=Fraction(row["total"]),
                least=Fraction(row["least"]),
                most=Fraction(row["most"]),
                ids=int(row["ids"]),
                replayed=bool(row["replayed"]),
                simulated=bool(row["simulated"]),
            )
            for row in rows
        }

    def _rows(self, asked: Any) -> list[dict[str, Any]]:
        # Rows come by the engine's own cursor: as Arrow, Ibis would load pandas, which costs 70 MB for a few numbers.
        cursor = self._con.raw_sql(self._con.compile(asked))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def expression(table: Any, term: Term, numbers: Sequence[int], wanted: Sequence[str], zone: str) -> Any:
    """The Ibis expression of a term over the lake's table of observations, for the periods `wanted`."""
    start, end = periods.bounds(wanted[0], zone)[0], periods.bounds(wanted[-1], zone)[1]
    rows = table.filter(table.stream.isin(list(numbers)), table.time >= start, table.time < end, table.value.notnull())
    if term.local_hour:
        rows = rows.filter(rows.local_hour >= term.local_hour[0], rows.local_hour < term.local_hour[1])
    if len(wanted) < _days(wanted):
        rows = rows.filter(_label(rows, _of(wanted[0])).isin(list(wanted)))
    exact = rows.value.cast(EXACT)
    return rows.group_by(rows.stream, bucket=_label(rows, _KINDS[term.time_grain])).aggregate(
        n=rows.count(),
        total=exact.sum(),
        least=exact.min(),
        most=exact.max(),
        ids=rows.id.cast("decimal(38, 0)").sum(),
        replayed=(rows.origin == int(Origin.REPLAYED)).max(),
        simulated=(rows.origin == int(Origin.SIMULATED)).max(),
    )


def _of(period: str) -> str:
    return periods.kind_of(period)


def _days(wanted: Sequence[str]) -> int:
    """How many periods there would be from the first to the last."""
    first, last = periods.first_day(wanted[0]), periods.first_day(wanted[-1])
    if _of(wanted[0]) == "day":
        return (last - first).days + 1
    years = last.year - first.year
    return years + 1 if _of(wanted[0]) == "year" else years * 12 + last.month - first.month + 1


def _label(rows: Any, kind: str) -> Any:
    """The bucket of a reading as text: day, month or year of the local date."""
    if kind == "day":
        return rows.local_date.strftime("%Y-%m-%d")
    return rows.local_month if kind == "month" else rows.local_date.year().cast("string")
