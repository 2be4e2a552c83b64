"""The tables of the SQLite hot store, and how its file is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from krog.base.errors import Misconfigured

VERSION = 1

TABLES = """
CREATE TABLE observations (
    stream INTEGER NOT NULL, time INTEGER NOT NULL, id INTEGER NOT NULL,
    "end" INTEGER, value REAL, text TEXT, quality INTEGER, recorded INTEGER NOT NULL, origin INTEGER NOT NULL,
    supersedes INTEGER, PRIMARY KEY (stream, time, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX observations_id ON observations (id);

-- One line per stream, kept by the writer in the transaction of the rows.
CREATE TABLE summary (
    stream INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
    minimum REAL, maximum REAL, id INTEGER NOT NULL, value REAL, text TEXT, origin INTEGER NOT NULL,
    seen INTEGER NOT NULL
);

-- Ids that a later observation corrects: no read shows them, the next compaction of their month leaves them out.
CREATE TABLE superseded (id INTEGER PRIMARY KEY, by INTEGER NOT NULL);

-- The last id given, per worker.
CREATE TABLE ids (worker INTEGER PRIMARY KEY, last INTEGER NOT NULL);

-- The loss ledger.
CREATE TABLE aside (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received INTEGER NOT NULL, transport TEXT NOT NULL, topic TEXT NOT NULL,
    key TEXT NOT NULL, stream INTEGER NOT NULL, payload BLOB NOT NULL, size INTEGER NOT NULL, reason TEXT NOT NULL,
    detail TEXT NOT NULL, who TEXT NOT NULL, message BLOB NOT NULL, state TEXT NOT NULL DEFAULT 'open',
    answered INTEGER NOT NULL DEFAULT 0, by TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
    observation INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX aside_state ON aside (state, reason, id);
CREATE INDEX aside_key ON aside (key, id);

-- How many messages of a stream (0: of no known stream) had which fate, ever.
CREATE TABLE counters (
    stream INTEGER NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (stream, reason)
) WITHOUT ROWID;

-- The tier's marks, every move it made, and per stream the newest time that is no longer here.
CREATE TABLE marks (
    worker INTEGER PRIMARY KEY, high INTEGER NOT NULL, low INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL
);
CREATE TABLE moves (
    worker INTEGER NOT NULL, high INTEGER NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (worker, high)
) WITHOUT ROWID;
CREATE TABLE gone (stream INTEGER PRIMARY KEY, time INTEGER NOT NULL);
"""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to the hot file, which is made when it is not there. Statements commit by themselves unless a
    transaction is begun; other threads may use the connection if they take turns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        _ensure(connection, path)
        if read_only:
            connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _ensure(connection: sqlite3.Connection, path: Path) -> None:
    """Makes the tables if this is a new file; refuses a file of another version of Krog."""
    if _version(connection) == 0:
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection) == 0:
                for statement in TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    found = _version(connection)
    if found != VERSION:
        raise Misconfigured(
            f"The hot store {path} has version {found} of its tables.",
            "KROG_HOT",
            f"version {VERSION}",
            "Run the Krog that wrote it, or name another file.",
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
