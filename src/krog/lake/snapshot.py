"""A pinned version of the table of observations: its list of Parquet files, and how far the marks were."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import duckdb

from krog.base.errors import NotFound
from krog.base.settings import settings
from krog.lake.store import hot_reads

#: No version yet: nothing has reached the lake.
EMPTY = -1


@dataclass(frozen=True)
class File:
    """One Parquet file of a version, the bounds of what is in it, and whether any of its rows corrects another."""

    path: str
    month: str
    rows: int
    size: int
    streams: tuple[int, int]
    times: tuple[int, int]
    corrects: bool


@dataclass(frozen=True)
class Snapshot:
    """What a computation reads: version `version` of the table, whose rows stand in `files`; it has every observation
    up to the id `high`. Files of a version stay readable for 30 days after another version has replaced them."""

    version: int
    files: tuple[File, ...]
    high: int

    def files_with(self, *, stream: int | None = None, start: int, end: int) -> list[str]:
        """Paths of the files that may hold rows of the stream in the range."""
        return [
            file.path
            for file in self.files
            if file.times[0] < end
            and file.times[1] >= start
            and (stream is None or file.streams[0] <= stream <= file.streams[1])
        ]


def snapshot() -> Snapshot:
    """The version that is published now, with the marks that belong to it."""
    marks = hot_reads().marks()
    return snapshot_at(max((mark.version for mark in marks), default=EMPTY))


def snapshot_at(version: int) -> Snapshot:
    """A version again, as it was; raises NotFound when it is not kept any more."""
    lake = settings().path("lake")
    log = lake / "observations" / "_delta_log" / f"{version:020d}.json"
    return _load(lake, version, log.stat().st_mtime_ns if log.exists() else 0)


@lru_cache(maxsize=8)
def _load(lake: Path, version: int, written: int) -> Snapshot:
    """`written` tells a version from another of the same number in a lake that was restored."""
    from krog.lake import table

    if version == EMPTY:
        return Snapshot(EMPTY, (), 0)
    found = table.at(lake, version)
    if found is None:
        raise NotFound(
            f"Version {version} of the observations is not kept.", "lake", todo="Take a newer version: snapshot()."
        )
    return Snapshot(version, tuple(table.files(found)), table.high(found))


ENGINE: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "256MB",
    "threads": 2,
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "preserve_insertion_order": "false",
}

_OWN = threading.local()


def connection() -> Any:
    """The DuckDB connection of this thread; all share one engine and its memory, and none downloads anything."""
    found = getattr(_OWN, "connection", None)
    if found is None:
        found = _OWN.connection = _engine().cursor()
    return found


@cache
def _engine() -> Any:
    return duckdb.connect(config=ENGINE)


def corrected(of: Snapshot) -> list[int]:
    """Ids of observations that a later one in the snapshot corrects: no computation may use them."""
    correcting = [file.path for file in of.files if file.corrects]
    if not correcting:
        return []
    found = connection().execute("SELECT supersedes FROM read_parquet(?) WHERE supersedes IS NOT NULL", [correcting])
    return [id for (id,) in found.fetchall()]
