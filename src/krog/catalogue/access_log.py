"""Who read what is not public: one row per request in a file of its own, written before the first byte leaves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from threading import Lock

from krog.base import times
from krog.base.grant import Reader
from krog.base.settings import settings

_noted: ContextVar[dict[tuple[str, int, str, str], set[str]] | None] = ContextVar("noted", default=None)
_write = Lock()

_TABLE = """CREATE TABLE IF NOT EXISTS access (
  id INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, reader INTEGER NOT NULL, name TEXT NOT NULL,
  purpose TEXT NOT NULL, datasets TEXT NOT NULL, address TEXT NOT NULL)"""


@lru_cache(maxsize=4)
def _connection(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(_TABLE)
    return connection


def _file() -> Path:
    return Path(settings().var) / "access.sqlite"


def begin() -> None:
    """Begins a request: what it opens is collected and written once, by `flush`."""
    _noted.set({})


def note(reader: Reader, purpose: str, datasets: list[str]) -> None:
    """A reader was granted datasets that are not public. Outside a request it is written at once."""
    collected = _noted.get()
    if collected is None:
        _append(reader.kind, reader.id, reader.name, purpose, datasets, "")
        return
    collected.setdefault((reader.kind, reader.id, reader.name, purpose), set()).update(datasets)


def flush(address: str) -> None:
    """Ends a request: writes what it opened; `address` is the path that was asked for."""
    collected = _noted.get()
    _noted.set(None)
    for (kind, number, name, purpose), datasets in (collected or {}).items():
        _append(kind, number, name, purpose, sorted(datasets), address)


def _append(kind: str, number: int, name: str, purpose: str, datasets: list[str], address: str) -> None:
    with _write:
        _connection(_file()).execute(
            "INSERT INTO access (time, kind, reader, name, purpose, datasets, address) VALUES (?,?,?,?,?,?,?)",
            (times.now(), kind, number, name, purpose, " ".join(datasets), address[:500]),
        )


def recent(limit: int = 100, dataset: str | None = None) -> list[tuple[int, str, str, str, str]]:
    """The newest accesses: (time, who, purpose, datasets, address)."""
    with closing(_connection(_file()).cursor()) as cursor:
        rows = cursor.execute(
            "SELECT time, name, purpose, datasets, address FROM access WHERE ? IS NULL OR ' '||datasets||' ' LIKE ? "
            "ORDER BY id DESC LIMIT ?",
            (dataset, f"% {dataset} %", limit),
        )
        return list(rows)
