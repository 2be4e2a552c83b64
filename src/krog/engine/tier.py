"""Moves observations from the hot store to the lake, exactly once: the only writer of the lake's table.

A move commits rows and the mark "all ids up to here" in one Delta commit, makes it durable, and then records the mark
in the hot store, which publishes it to readers. After a crash between the two the mark in the table is the higher one,
and is believed. Rows leave the hot store only KROG_HOT_DAYS after they reached the lake; every reader takes hot rows
and marks in one transaction of the hot store, so none can be caught between.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from krog.base import times
from krog.base.errors import Conflict
from krog.base.settings import settings
from krog.catalogue import door
from krog.engine.schedule import Schedule
from krog.indicators import reads as indicators
from krog.lake.hot.ledger import SqliteLedger
from krog.lake.hot.reads import SqliteReads
from krog.lake.shapes import Mark, Observation
from krog.people.permissions import SYSTEM

if TYPE_CHECKING:
    from krog.lake.table import Table

log = logging.getLogger("krog.tier")

#: Rows of one Delta commit.
MOST = 100_000
MOVE_EVERY_S = 15
TIDY_EVERY_S = 300
VACUUM_EVERY = times.DAY
#: Answered entries of the loss ledger are kept so long; the journal has who answered what for ever.
ANSWERED_DAYS = 90


class Tier:
    """Moves, forgets and tidies for one hot store and one lake; its methods take turns."""

    def __init__(self, hot: Path, lake: Path, *, hot_days: float, worker: int = 0, most: int = MOST):
        from krog.lake.table import Table

        self.reads, self.ledger = SqliteReads(hot), SqliteLedger(hot)
        self.hot_days, self.worker, self.most = hot_days, worker, most
        self._turn = threading.Lock()
        self._table: Table = Table(lake)
        self._tidied_without = -1
        self._vacuumed = 0
        try:
            self._recover()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Lets another process be the tier."""
        self._table.close()
        self.reads.close()

    def move(self) -> int:
        """Moves everything that waits; returns how many rows."""
        total = 0
        with self._turn:
            while True:
                mark = self._mark()
                rows = self.reads.since(mark.high, self.most)
                if not rows:
                    return total
                upto = rows[-1].id
                corrected = set(self.reads.superseded())
                fresh = self._without_known([row for row in rows if row.id not in corrected])
                version = self._table.append(fresh, worker=self.worker, upto=upto)
                self.ledger.moved(self.worker, high=upto, version=version)
                total += len(fresh)
                if len(rows) < self.most:
                    return total

    def tidy(self, pinned: Callable[[], Collection[int]] = set) -> None:
        """Forgets old hot rows and old answers, joins small files, leaves out corrected rows, writes a checkpoint.

        `pinned` gives the versions that values name as what they were computed from: their files stay for good.
        """
        with self._turn:
            self._forget()
            without = self.reads.superseded()
            version = self._table.compact(without if len(without) != self._tidied_without else ())
            self._tidied_without = len(without)
            self._table.checkpoint()
            if times.now() - self._vacuumed > VACUUM_EVERY:
                self._vacuumed = times.now()
                self._table.vacuum(pinned())
                version = self._table.version
            if version is not None and self.reads.marks():
                self.ledger.published(version)

    def _forget(self) -> None:
        before = times.now() - int(self.hot_days * times.DAY)
        while self.ledger.forget(self.worker, before=before):
            pass
        self.ledger.trim(times.now() - ANSWERED_DAYS * times.DAY)

    def _mark(self) -> Mark:
        for mark in self.reads.marks():
            if mark.worker == self.worker:
                return mark
        return Mark(self.worker, 0, 0, -1)

    def _recover(self) -> None:
        """Brings the marks of hot store and table together after whatever happened."""
        mark, high = self._mark(), self._table.high(self.worker)
        if high > mark.high:
            log.warning("The lake had rows up to %d before the mark was recorded; it is recorded now.", high)
            self.ledger.moved(self.worker, high=high, version=self._table.version)
        elif high < mark.high and high >= mark.low:
            log.warning("The lake has rows up to %d only, the mark said %d: they are moved again.", high, mark.high)
            self.ledger.rewind(self.worker, high=high, version=self._table.version)
        elif high < mark.high:
            raise Conflict(
                f"The lake has observations up to {high} only, and the hot store has let go of those up to {mark.low}.",
                "KROG_LAKE",
                "the lake that belongs to this hot store",
                "Restore the lake from its newest backup.",
            )
        elif mark.version != self._table.version and mark.high:
            self.ledger.published(self._table.version)

    def _without_known(self, rows: list[Observation]) -> list[Observation]:
        """Leaves out duplicates of rows that only the lake still has, and counts them."""
        gone = self.reads.gone([row.stream for row in rows])
        asked = [row for row in rows if row.time <= gone.get(row.stream, -(2**63))]
        known = self._table.known(asked) if asked else {}
        if not known:
            return rows
        for stream, number in Counter(row.stream for row in asked if row.id in known).items():
            self.ledger.duplicate(stream, number)
        return [row for row in rows if row.id not in known]


_current: Tier | None = None
_opening = threading.Lock()


def current() -> Tier:
    """The tier of this process, opened on first use; raises Conflict when another process is it."""
    global _current
    with _opening:
        if _current is None:
            now = settings()
            _current = Tier(now.path("hot"), now.path("lake"), hot_days=now.hot_days)
        return _current


def close() -> None:
    """Lets another process be the tier."""
    global _current
    with _opening:
        if _current is not None:
            _current.close()
            _current = None


def move() -> None:
    """Brings everything accepted so far into the lake."""
    current().move()


def tidy() -> None:
    """Keeps hot store and lake small and quick."""
    current().tidy(lambda: indicators.pinned_versions(door.open(SYSTEM, "compute", kind="indicators")))


SCHEDULES: tuple[Schedule, ...] = (
    Schedule("tier.move", MOVE_EVERY_S, move),
    Schedule("tier.tidy", TIDY_EVERY_S, tidy),
)
