"""Reads of observations in the lake's table at one version. It loads the engine: import it where that is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from krog.lake.hot.reads import COLUMNS, RANK
from krog.lake.shapes import Cursor, Observation
from krog.lake.snapshot import Snapshot, connection, corrected, snapshot_at

Parts = list[tuple[int, int, float, float, float, int]]


def page(
    version: int,
    stream: int,
    start: int,
    end: int,
    *,
    limit: int,
    newest_first: bool,
    after: Cursor | None,
    without: Sequence[int],
) -> list[Observation]:
    """As `SqliteReads.page`, of the rows of a version."""
    order = "DESC" if newest_first else "ASC"
    where, values = _where(stream, start, end, without)
    if after is not None:
        where += f" AND (time, id) {'<' if newest_first else '>'} (?, ?)"
        values += after
    rows = _run(
        version,
        stream,
        start,
        end,
        f"SELECT {COLUMNS} FROM _ WHERE {where} ORDER BY time {order}, id {order} LIMIT {int(limit)}",
        values,
    )
    return [Observation(*row) for row in rows]


def buckets(version: int, stream: int, start: int, end: int, interval: int, *, without: Sequence[int]) -> Parts:
    """As `SqliteReads.buckets`, of the rows of a version."""
    where, values = _where(stream, start, end, without)
    return _run(
        version,
        stream,
        start,
        end,
        f"SELECT {int(start)} + (time - {int(start)}) // {int(interval)} * {int(interval)} AS bucket, COUNT(*),"
        f" SUM(value), MIN(value), MAX(value), MAX({RANK}) % 10"
        f" FROM _ WHERE {where} AND value IS NOT NULL GROUP BY bucket ORDER BY bucket",
        values,
    )


def count(version: int, stream: int, start: int, end: int, *, without: Sequence[int]) -> int:
    """How many rows of the stream a version has in the range."""
    where, values = _where(stream, start, end, without)
    found = _run(version, stream, start, end, f"SELECT COUNT(*) FROM _ WHERE {where}", values)
    return int(found[0][0]) if found else 0


def rows(of: Snapshot, streams: Sequence[int], start: int, end: int, limit: int = 100_000) -> list[Observation]:
    """Observations of the streams that stand in a snapshot, by stream and time."""
    files = of.files_with(start=start, end=end)
    if not files or not streams:
        return []
    found = (
        connection()
        .execute(
            f"SELECT {COLUMNS} FROM read_parquet(?) WHERE stream IN (SELECT UNNEST(?)) AND time>=? AND time<?"
            f" AND id NOT IN (SELECT UNNEST(?::BIGINT[])) ORDER BY stream, time, id LIMIT {int(limit)}",
            [files, list(streams), start, end, corrected(of)],
        )
        .fetchall()
    )
    return [Observation(*row) for row in found]


def _where(stream: int, start: int, end: int, without: Sequence[int]) -> tuple[str, list[Any]]:
    where, values = "stream=? AND time>=? AND time<?", [stream, start, end]
    if without:
        where += " AND id NOT IN (SELECT UNNEST(?))"
        values.append(list(without))  # type: ignore[arg-type]
    return where, values


def _run(version: int, stream: int, start: int, end: int, query: str, values: list[Any]) -> list[Any]:
    """Runs a query on `_`, the rows of those files of the version that may hold the stream and range."""
    files = snapshot_at(version).files_with(stream=stream, start=start, end=end)
    if not files:
        return []
    done = connection().execute(query.replace(" _ ", " read_parquet(?) "), [files, *values])
    found: list[Any] = done.fetchall()
    return found
