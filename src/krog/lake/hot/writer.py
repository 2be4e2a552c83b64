"""The one writer of the SQLite hot store: a thread that commits everything waiting in one transaction."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time as clock
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import msgspec

from krog.base import times
from krog.base.errors import Busy, Conflict, Transient
from krog.lake.durable import lease
from krog.lake.hot import Listener
from krog.lake.hot.schema import connect
from krog.lake.shapes import COUNTER_BITS, NewAside, Row, Stored

log = logging.getLogger("krog.lake")

#: Most rows of one transaction: it stays far below the 50 ms that a reader may wait.
GROUP_ROWS = 5_000
#: Most bytes of a payload, of a detail and of a message that the loss ledger keeps.
PAYLOAD_BYTES, DETAIL_CHARS, MESSAGE_BYTES = 4096, 500, 8192

Outcome = tuple[list[Stored], list[int]]


class _Known(msgspec.Struct, gc=False):
    """What the writer keeps in memory of one stream: its line of the table `summary`."""

    first: int
    last: int
    count: int
    minimum: float | None
    maximum: float | None
    id: int
    value: float | None
    text: str | None
    origin: int
    seen: int


class _Item:
    __slots__ = ("aside", "counts", "done", "rows")

    def __init__(self, rows: Sequence[Row], aside: Sequence[NewAside], counts: Mapping[tuple[int, str], int]):
        self.rows, self.aside, self.counts = rows, aside, counts
        self.done: Future[Outcome] = Future()


class SqliteWriter:
    """The writing end of the hot store. A second process that opens it is refused with Conflict."""

    def __init__(self, path: Path, *, worker: int = 0, most_waiting: int = 50_000):
        self.path, self.worker, self.most_waiting = path, worker, most_waiting
        self._lease = lease(
            path.with_name(path.name + ".writer"),
            Conflict(
                f"Another process writes the hot store {path}.",
                "KROG_HOT",
                "one ingest process",
                "Send observations to the running Krog, or stop it first.",
            ),
        )
        try:
            self._connection = connect(path)
        except BaseException:
            self._lease.close()
            raise
        self._connection.execute("PRAGMA wal_autocheckpoint=4000")
        self._connection.execute("PRAGMA journal_size_limit=67108864")
        self._summary: dict[int, _Known] = {}
        self._last = worker << COUNTER_BITS
        self._load()
        self._stale = False
        self._queue: deque[_Item] = deque()
        self._waiting = 0
        self._wake = threading.Condition()
        self._closing = False
        self._listeners: list[Listener] = []
        self._metrics = dict.fromkeys(("commits", "commit_seconds", "rows", "duplicates", "aside", "failed"), 0.0)
        self._thread = threading.Thread(target=self._run, name="krog-hot-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return self._waiting

    def submit(
        self,
        rows: Sequence[Row],
        aside: Sequence[NewAside] = (),
        counts: Mapping[tuple[int, str], int] | None = None,
    ) -> Future[Outcome]:
        """See HotStore. Raises Busy when too much waits already; then nothing was queued."""
        item = _Item(rows, aside, counts or {})
        size = len(rows) + len(aside)
        with self._wake:
            if self._closing:
                raise Transient("The hot store is closing.", todo="Send it again in a moment.")
            if self._waiting and self._waiting + size > self.most_waiting:
                raise Busy(
                    f"{self._waiting} observations wait to be stored; no more can be taken right now.",
                    todo="Send it again in a second, or send less at a time.",
                )
            self._waiting += size
            self._queue.append(item)
            self._wake.notify()
        return item.done

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def metrics(self) -> Mapping[str, float]:
        return {**self._metrics, "waiting": float(self._waiting)}

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        self._connection.close()
        self._lease.close()

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                if not self._queue:
                    return
                items: list[_Item] = []
                size = 0
                while self._queue and (not items or size + len(self._queue[0].rows) <= GROUP_ROWS):
                    items.append(self._queue.popleft())
                    size += len(items[-1].rows)
            self._commit(items)
            with self._wake:
                self._waiting -= sum(len(item.rows) + len(item.aside) for item in items)

    def _commit(self, items: list[_Item]) -> None:
        began = clock.perf_counter()
        try:
            if self._stale:
                self._load()
            group = _Group(self._connection, self._summary, self._last)
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [(group.add(item.rows), group.put_aside(item.aside)) for item in items]
            for item in items:
                group.count(item.counts)
            group.write(self.worker)
            self._connection.execute("COMMIT")
        except Exception as failure:
            self._roll_back(items, failure)
            return
        self._last = group.last
        self._metrics["commits"] += 1
        self._metrics["commit_seconds"] += clock.perf_counter() - began
        self._metrics["rows"] += len(group.fresh)
        self._metrics["duplicates"] += group.duplicates
        self._metrics["aside"] += sum(len(item.aside) for item in items)
        for item, outcome in zip(items, outcomes, strict=True):
            if item.done.set_running_or_notify_cancel():
                item.done.set_result(outcome)
        if group.fresh:
            for listener in tuple(self._listeners):
                try:
                    listener(group.fresh)
                except Exception:
                    log.exception("A listener for new observations failed.")

    def _roll_back(self, items: list[_Item], failure: Exception) -> None:
        """Tells those who wait, and has what is in memory read anew before the next commit."""
        log.error("The hot store %s did not take a group of %d messages: %s", self.path, len(items), failure)
        self._stale = True
        self._metrics["failed"] += 1
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            log.exception("The hot store %s could not undo a transaction.", self.path)
        for item in items:
            if item.done.set_running_or_notify_cancel():
                item.done.set_exception(
                    Transient("The observations could not be stored; none of them was taken.", todo="Send them again.")
                )

    def _load(self) -> None:
        """Reads what the writer keeps in memory: the summaries and the last id given."""
        self._summary = {
            row[0]: _Known(*row[1:])
            for row in self._connection.execute(
                "SELECT stream, first, last, count, minimum, maximum, id, value, text, origin, seen FROM summary"
            )
        }
        found = self._connection.execute("SELECT last FROM ids WHERE worker=?", (self.worker,)).fetchone()
        self._last = found[0] if found else self.worker << COUNTER_BITS
        self._stale = False


class _Group:
    """The rows of one transaction. It changes the writer's summaries; after a failure they are read anew."""

    def __init__(self, connection: sqlite3.Connection, summary: dict[int, _Known], last: int):
        self.connection, self.summary, self.last = connection, summary, last
        self.now = times.now()
        self.fresh: list[tuple[Row, Stored]] = []
        self.duplicates = 0
        self._insert: list[tuple[object, ...]] = []
        self._new: dict[tuple[int, int], list[tuple[int, float | None, str | None]]] = {}
        self._dirty: set[int] = set()
        self._superseded: list[tuple[int, int]] = []
        self._counts: dict[tuple[int, str], int] = {}

    def add(self, rows: Iterable[Row]) -> list[Stored]:
        found = []
        for row in rows:
            stream, time, value, text, end, quality, origin, supersedes = row
            existing = self._same(row)
            if existing is not None:
                self.duplicates += 1
                self._counts[stream, "duplicate"] = self._counts.get((stream, "duplicate"), 0) + 1
                self._see(stream)
                found.append(Stored(existing, True))
                continue
            self.last += 1
            self._insert.append((stream, time, self.last, end, value, text, quality, self.now, origin, supersedes))
            self._new.setdefault((stream, time), []).append((self.last, value, text))
            self._summarise(row)
            if supersedes is not None:
                self._superseded.append((supersedes, self.last))
            stored = Stored(self.last, False)
            found.append(stored)
            self.fresh.append((row, stored))
        return found

    def _same(self, row: Row) -> int | None:
        """The id of an observation of the same stream, time and result that is in the hot store."""
        known = self.summary.get(row.stream)
        if known is None or row.time > known.last:
            return None
        for id, value, text in self._new.get((row.stream, row.time), ()):
            if value == row.value and text == row.text:
                return id
        found = self.connection.execute(
            "SELECT id FROM observations WHERE stream=? AND time=? AND value IS ? AND text IS ? ORDER BY id LIMIT 1",
            (row.stream, row.time, row.value, row.text),
        ).fetchone()
        return int(found[0]) if found else None

    def _see(self, stream: int) -> None:
        self.summary[stream].seen = self.now
        self._dirty.add(stream)

    def _summarise(self, row: Row) -> None:
        stream, time, value = row.stream, row.time, row.value
        self._dirty.add(stream)
        known = self.summary.get(stream)
        if known is None:
            self.summary[stream] = _Known(time, time, 1, value, value, self.last, value, row.text, row.origin, self.now)
            return
        if time >= known.last or (row.supersedes is not None and row.supersedes == known.id):
            known.id, known.value, known.text, known.origin = self.last, value, row.text, row.origin
            known.last = max(known.last, time)
        known.first = min(known.first, time)
        known.count += 1
        known.seen = self.now
        if value is not None:
            known.minimum = value if known.minimum is None else min(known.minimum, value)
            known.maximum = value if known.maximum is None else max(known.maximum, value)

    def put_aside(self, entries: Iterable[NewAside]) -> list[int]:
        ids = []
        for entry in entries:
            self._counts[entry.stream, entry.reason] = self._counts.get((entry.stream, entry.reason), 0) + 1
            message = entry.message if len(entry.message) <= MESSAGE_BYTES else b""
            done = self.connection.execute(
                "INSERT INTO aside"
                " (received, transport, topic, key, stream, payload, size, reason, detail, who, message)"
                " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (
                    self.now,
                    entry.transport[:50],
                    entry.topic[:500],
                    entry.key[:200],
                    entry.stream,
                    entry.payload[:PAYLOAD_BYTES],
                    len(entry.payload),
                    entry.reason,
                    entry.detail[:DETAIL_CHARS],
                    entry.who[:200],
                    message,
                ),
            )
            ids.append(int(done.lastrowid or 0))
        return ids

    def count(self, counts: Mapping[tuple[int, str], int]) -> None:
        for key, number in counts.items():
            self._counts[key] = self._counts.get(key, 0) + number

    def write(self, worker: int) -> None:
        run = self.connection.executemany
        run(
            'INSERT INTO observations (stream, time, id, "end", value, text, quality, recorded, origin, supersedes)'
            " VALUES (?,?,?,?,?,?,?,?,?,?)",
            self._insert,
        )
        run("INSERT OR IGNORE INTO superseded (id, by) VALUES (?,?)", self._superseded)
        run(
            "INSERT OR REPLACE INTO summary VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            [(stream, *msgspec.structs.astuple(self.summary[stream])) for stream in self._dirty],
        )
        run(
            "INSERT INTO counters VALUES (?,?,?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
            [(stream, reason, number) for (stream, reason), number in self._counts.items()],
        )
        if self._insert:
            self.connection.execute("INSERT OR REPLACE INTO ids VALUES (?,?)", (worker, self.last))
