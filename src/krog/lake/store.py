"""Opens the hot store that the settings name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from krog.base.settings import Settings, settings
from krog.lake.hot import HotReads, HotStore
from krog.lake.hot.ledger import SqliteLedger
from krog.lake.hot.reads import SqliteReads
from krog.lake.hot.writer import SqliteWriter


def open_hot(of: Settings | None = None) -> HotStore:
    """The writing end of the hot store; raises Conflict when another process has it."""
    return SqliteWriter((of or settings()).path("hot"))


def hot_reads(of: Settings | None = None) -> HotReads:
    """The reading end, one per file and process."""
    return _reads((of or settings()).path("hot"))


def hot_ledger(of: Settings | None = None) -> SqliteLedger:
    """The small writes of processes that do not ingest."""
    return SqliteLedger((of or settings()).path("hot"))


@cache
def _reads(path: Path) -> SqliteReads:
    return SqliteReads(path)
