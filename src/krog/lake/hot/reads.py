"""Reads of the SQLite hot store, from any process and thread; each thread has a connection of its own."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from krog.lake.hot.schema import connect
from krog.lake.shapes import Aside, Cursor, Latest, Mark, Observation, Summary

COLUMNS = 'stream, time, id, value, text, "end", quality, recorded, origin, supersedes'
LIVE = "id NOT IN (SELECT id FROM superseded)"
ASIDE = (
    "id, received, transport, topic, key, stream, payload, size, reason, detail, who, message,"
    " state, answered, by, note, observation"
)
#: The order in which origins weaken a value that is made of several: see `shapes.weaker`.
RANK = "CASE origin WHEN 2 THEN 12 WHEN 1 THEN 11 ELSE origin END"
#: Most numbers in one IN (…).
SOME = 500

FOREVER = (-(2**62), 2**62)


class SqliteReads:
    """The reading end of the hot store. `reading()` pins one state of it for all reads inside."""

    def __init__(self, path: Path):
        self.path = path
        self._own = threading.local()

    @property
    def connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if found is None:
            found = self._own.connection = connect(self.path, read_only=True)
        return found

    def close(self) -> None:
        """Closes the connection of this thread."""
        found = getattr(self._own, "connection", None)
        if found is not None:
            found.close()
            self._own.connection = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        connection = self.connection
        if connection.in_transaction:
            yield
            return
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")

    def latest(self, streams: Sequence[int]) -> dict[int, Latest]:
        return {
            row[0]: Latest(*row)
            for row in self._some("SELECT stream, last, id, value, text, origin, seen FROM summary", "stream", streams)
        }

    def summary(self, streams: Sequence[int]) -> dict[int, Summary]:
        return {
            row[0]: Summary(*row)
            for row in self._some("SELECT stream, first, last, count, minimum, maximum FROM summary", "stream", streams)
        }

    def counters(self, streams: Sequence[int]) -> dict[int, dict[str, int]]:
        found: dict[int, dict[str, int]] = {}
        for stream, reason, count in self._some("SELECT stream, reason, count FROM counters", "stream", streams):
            found.setdefault(stream, {})[reason] = count
        return found

    def totals(self) -> dict[str, int]:
        found = dict(self.connection.execute("SELECT reason, SUM(count) FROM counters GROUP BY reason").fetchall())
        found["accepted"] = self.connection.execute("SELECT COALESCE(SUM(count), 0) FROM summary").fetchone()[0]
        return found

    def since(self, after: int, limit: int) -> list[Observation]:
        """Observations in the order in which they were accepted, beginning after the id `after`."""
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM observations WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
        )
        return [Observation(*row) for row in rows]

    def last_id(self) -> int:
        """The highest id given so far (0 if none)."""
        found = self.connection.execute("SELECT MAX(last) FROM ids").fetchone()[0]
        return found or 0

    def page(
        self,
        stream: int,
        start: int,
        end: int,
        *,
        limit: int,
        newest_first: bool,
        after: Cursor | None,
        above: int = -1,
    ) -> list[Observation]:
        """Observations of one stream with start <= time < end and id > `above`, in time order, beginning after
        the cursor."""
        where, values = "stream=? AND time>=? AND time<? AND id>?", [stream, start, end, above]
        if after is not None:
            where += f" AND (time, id) {'<' if newest_first else '>'} (?, ?)"
            values += after
        order = "DESC" if newest_first else "ASC"
        rows = self.connection.execute(
            f"SELECT {COLUMNS} FROM observations WHERE {where} AND {LIVE} ORDER BY time {order}, id {order} LIMIT ?",
            (*values, limit),
        )
        return [Observation(*row) for row in rows]

    def buckets(
        self, stream: int, start: int, end: int, interval: int, above: int = -1
    ) -> list[tuple[int, int, float, float, float, int]]:
        """(bucket start, count, sum, min, max, origin) of the numbers of one stream."""
        return self.connection.execute(
            "SELECT ? + (time - ?) / ? * ? AS bucket, COUNT(*), SUM(value), MIN(value), MAX(value),"
            f" MAX({RANK}) % 10 FROM observations"
            f" WHERE stream=? AND time>=? AND time<? AND id>? AND value IS NOT NULL AND {LIVE}"
            " GROUP BY bucket ORDER BY bucket",
            (start, start, interval, interval, stream, start, end, above),
        ).fetchall()

    def count(self, stream: int, start: int, end: int, above: int = -1) -> int:
        found = self.connection.execute(
            f"SELECT COUNT(*) FROM observations WHERE stream=? AND time>=? AND time<? AND id>? AND {LIVE}",
            (stream, start, end, above),
        ).fetchone()[0]
        return int(found)

    def has(self, stream: int, id: int) -> bool:
        """Whether the stream's observation `id` is in the hot store."""
        found = self.connection.execute("SELECT 1 FROM observations WHERE id=? AND stream=?", (id, stream)).fetchone()
        return found is not None

    def superseded(self) -> list[int]:
        return [row[0] for row in self.connection.execute("SELECT id FROM superseded")]

    def marks(self) -> list[Mark]:
        return [Mark(*row) for row in self.connection.execute("SELECT worker, high, low, version FROM marks")]

    def gone(self, streams: Sequence[int]) -> dict[int, int]:
        """Per stream the newest time of observations that only the lake still has."""
        return dict(self._some("SELECT stream, time FROM gone", "stream", streams))

    def aside(
        self,
        *,
        state: str | None,
        reason: str | None,
        key: str | None,
        keys: Sequence[str] | None,
        before: int | None,
        limit: int,
    ) -> list[Aside]:
        where, values = self._aside_where(state, reason, key, keys)
        if before is not None:
            where.append("id < ?")
            values.append(before)
        rows = self.connection.execute(
            f"SELECT {ASIDE} FROM aside WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*values, limit)
        )
        return [Aside(*row) for row in rows]

    def aside_by_id(self, ids: Sequence[int]) -> list[Aside]:
        return sorted((Aside(*row) for row in self._some(f"SELECT {ASIDE} FROM aside", "id", ids)), key=lambda a: a.id)

    def aside_counts(self, state: str, keys: Sequence[str] | None) -> dict[str, int]:
        where, values = self._aside_where(state, None, None, keys)
        return dict(
            self.connection.execute(
                f"SELECT reason, COUNT(*) FROM aside WHERE {' AND '.join(where)} GROUP BY reason", values
            ).fetchall()
        )

    @staticmethod
    def _aside_where(
        state: str | None, reason: str | None, key: str | None, keys: Sequence[str] | None
    ) -> tuple[list[str], list[object]]:
        where, values = ["1"], list[object]()
        for column, wanted in (("state", state), ("reason", reason), ("key", key)):
            if wanted is not None:
                where.append(f"{column} = ?")
                values.append(wanted)
        if keys is not None:
            where.append(f"key IN ({','.join('?' * len(keys))})")
            values.extend(keys)
        return where, values

    def _some(self, select: str, column: str, wanted: Iterable[int]) -> Iterator[Any]:
        """The rows of `select` whose `column` is among the wanted, in groups that SQLite takes."""
        left = list(dict.fromkeys(wanted))
        for begin in range(0, len(left), SOME):
            part = left[begin : begin + SOME]
            yield from self.connection.execute(f"{select} WHERE {column} IN ({','.join('?' * len(part))})", part)
