"""The hot store: the durable log of what arrived and the last days of observations.

SQLite is the embedded default (`writer` and `reads`). Another engine implements the two Protocols below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from krog.lake.shapes import NewAside, Row, Stored

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
