"""The small writes of processes that do not ingest: answers to the loss ledger, and the tier's marks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from krog.base import times
from krog.lake.hot.schema import connect


class SqliteLedger:
    """Each method is one short transaction of its own connection."""

    def __init__(self, path: Path):
        self.path = path

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        connection = connect(self.path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()

    def answer(self, ids: Sequence[int], *, state: str, was: Sequence[str], by: str, note: str = "") -> list[int]:
        """Moves entries that are in one of the states `was` to `state`; returns the ids that it moved."""
        moved = []
        with self._writing() as connection:
            for id in ids:
                done = connection.execute(
                    "UPDATE aside SET state=?, answered=?, by=?, note=?"
                    f" WHERE id=? AND state IN ({','.join('?' * len(was))})",
                    (state, times.now(), by[:200], note[:500], id, *was),
                )
                if done.rowcount:
                    moved.append(id)
        return moved

    def replayed(self, id: int, *, observation: int) -> None:
        with self._writing() as connection:
            connection.execute(
                "UPDATE aside SET state='replayed', observation=?, answered=? WHERE id=?",
                (observation, times.now(), id),
            )

    def again(self, id: int, *, reason: str, detail: str) -> None:
        """A replay was not accepted either: the entry is open again, with the reason of now."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE aside SET state='open', reason=?, detail=? WHERE id=?", (reason, detail[:500], id)
            )

    def trim(self, before: int, most: int = 5_000) -> int:
        """Deletes entries of the loss ledger that were answered before a moment; open ones stay."""
        with self._writing() as connection:
            return connection.execute(
                "DELETE FROM aside WHERE id IN (SELECT id FROM aside WHERE state IN ('replayed', 'dismissed')"
                " AND answered < ? LIMIT ?)",
                (before, most),
            ).rowcount

    def moved(self, worker: int, *, high: int, version: int) -> None:
        """The lake's table has the worker's rows up to `high` in `version`."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO marks (worker, high, version) VALUES (?,?,?) ON CONFLICT DO UPDATE SET high=excluded.high",
                (worker, high, version),
            )
            connection.execute("UPDATE marks SET version=?", (version,))
            connection.execute("INSERT OR REPLACE INTO moves VALUES (?,?,?)", (worker, high, times.now()))

    def published(self, version: int) -> None:
        """The same rows stand in another version of the table now."""
        with self._writing() as connection:
            connection.execute("UPDATE marks SET version=?", (version,))

    def rewind(self, worker: int, *, high: int, version: int) -> None:
        """The table has only rows up to `high`: those above are moved again, from the hot store that still has them."""
        with self._writing() as connection:
            connection.execute("UPDATE marks SET high=? WHERE worker=?", (high, worker))
            connection.execute("UPDATE marks SET version=?", (version,))
            connection.execute("DELETE FROM moves WHERE worker=? AND high>?", (worker, high))

    def duplicate(self, stream: int, number: int) -> None:
        """Counts duplicates that were found only beside rows of the lake."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO counters VALUES (?, 'duplicate', ?)"
                " ON CONFLICT DO UPDATE SET count = count + excluded.count",
                (stream, number),
            )

    def forget(self, worker: int, *, before: int, most: int = 5_000) -> int:
        """Deletes up to `most` rows that reached the lake before the moment `before`; returns how many."""
        with self._writing() as connection:
            found = connection.execute(
                "SELECT low, (SELECT MAX(high) FROM moves WHERE moves.worker=marks.worker AND time < ?), high"
                " FROM marks WHERE worker=?",
                (before, worker),
            ).fetchone()
            if not found or found[1] is None or found[0] >= found[1]:
                return 0
            low, bound = found[0], min(found[1], found[2])
            cut = connection.execute(
                "SELECT MAX(id) FROM (SELECT id FROM observations WHERE id>? AND id<=? ORDER BY id LIMIT ?)",
                (low, bound, most),
            ).fetchone()[0]
            cut = bound if cut is None else cut
            connection.execute(
                "INSERT INTO gone SELECT stream, MAX(time) FROM observations WHERE id>? AND id<=? GROUP BY stream"
                " ON CONFLICT DO UPDATE SET time = MAX(time, excluded.time)",
                (low, cut),
            )
            done = connection.execute("DELETE FROM observations WHERE id>? AND id<=?", (low, cut))
            connection.execute("UPDATE marks SET low=? WHERE worker=?", (cut, worker))
            connection.execute("DELETE FROM moves WHERE worker=? AND high<?", (worker, cut))
            return done.rowcount
