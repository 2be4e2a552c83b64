"""The hot store: the durable log of what arrived and the last days of observations.

SQLite is the embedded default (`writer`, `reads`, `ledger`). Another engine implements the Protocols below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Protocol

from krog.lake.shapes import Aside, Cursor, Latest, Mark, NewAside, Observation, Row, Stored, Summary

#: Called after a commit, in the writer's thread, with the rows that are new and what became of them.
Listener = Callable[[Sequence[tuple[Row, Stored]]], None]


class HotStore(Protocol):
    """The writing end; one process at a time has it."""

    @property
    def waiting(self) -> int:
        """How many rows wait for their commit."""

    def submit(
        self,
        rows: Sequence[Row],
        aside: Sequence[NewAside] = (),
        counts: Mapping[tuple[int, str], int] | None = None,
    ) -> Future[tuple[list[Stored], list[int]]]:
        """Queues rows and ledger entries as one whole; the future is done after the commit, and gives what became of
        each row and the ids of the entries. `counts` adds to the counters of (stream, reason)."""

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Registers a listener for new rows; calling the result ends it."""

    def metrics(self) -> Mapping[str, float]:
        """Counters of this process by name."""

    def close(self) -> None:
        """Commits what waits and lets the file go."""


class HotReads(Protocol):
    """The reading end, from any process; see `reader` for what callers get. `above` leaves out ids up to it."""

    def reading(self) -> AbstractContextManager[None]:
        """Pins one state of the store, marks included, for all reads inside."""

    def latest(self, streams: Sequence[int]) -> dict[int, Latest]: ...
    def summary(self, streams: Sequence[int]) -> dict[int, Summary]: ...
    def counters(self, streams: Sequence[int]) -> dict[int, dict[str, int]]: ...
    def totals(self) -> dict[str, int]: ...
    def since(self, after: int, limit: int) -> list[Observation]: ...
    def last_id(self) -> int: ...
    def has(self, stream: int, id: int) -> bool: ...
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
    ) -> list[Observation]: ...
    def buckets(
        self, stream: int, start: int, end: int, interval: int, above: int = -1
    ) -> list[tuple[int, int, float, float, float, int]]: ...
    def count(self, stream: int, start: int, end: int, above: int = -1) -> int: ...
    def superseded(self) -> list[int]: ...
    def marks(self) -> list[Mark]: ...
    def gone(self, streams: Sequence[int]) -> dict[int, int]: ...
    def aside(
        self,
        *,
        state: str | None,
        reason: str | None,
        key: str | None,
        keys: Sequence[str] | None,
        before: int | None,
        limit: int,
    ) -> list[Aside]: ...
    def aside_by_id(self, ids: Sequence[int]) -> list[Aside]: ...
    def aside_counts(self, state: str, keys: Sequence[str] | None) -> dict[str, int]: ...
