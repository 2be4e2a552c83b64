"""The observations of a snapshot as an Ibis table, with local days and hours; only computations import it."""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis

from krog.base import times
from krog.base.settings import settings
from krog.lake.local_time import offsets
from krog.lake.snapshot import ENGINE, Snapshot, corrected

COLUMNS = {
    "stream": "int64",
    "time": "int64",
    "id": "int64",
    "value": "float64",
    "text": "string",
    "end": "int64",
    "quality": "int32",
    "recorded": "int64",
    "origin": "int32",
    "supersedes": "int64",
}


def connect() -> Any:
    """A connection to the engine that computes."""
    return ibis.duckdb.connect(**ENGINE)


def observations(snapshot: Snapshot, con: Any, zone: str | None = None) -> Any:
    """All observations of the snapshot that no later one corrects, as a table of `con`.

    Columns: stream, time (UTC microseconds), id, value, text, end, quality, recorded, origin, supersedes; and in the
    city's time zone local_time (microseconds on the local clock), local_date (date), local_hour (0 to 23), local_month
    ("2026-11").
    """
    if not snapshot.files:
        table = ibis.memtable(ibis.schema(COLUMNS).to_pyarrow().empty_table())
        span = (0, 0)
    else:
        table = con.read_parquet([file.path for file in snapshot.files]).select(*COLUMNS)
        span = (min(file.times[0] for file in snapshot.files), max(file.times[1] for file in snapshot.files))
        without = corrected(snapshot)
        if without:
            table = table.filter(~table.id.isin(without))
    return local(table, zone or settings().timezone, *span)


def local(table: Any, zone: str, start: int, end: int) -> Any:
    """Adds the local columns to a table whose `time` lies from `start` to `end`."""
    (_, first), *later = offsets(zone, start, end)
    shift = ibis.literal(first, "int64")
    for moment, offset in later:
        shift = ibis.ifelse(table.time >= moment, offset, shift)
    with_time = table.mutate(local_time=table.time + shift)
    days = (with_time.local_time // times.DAY).cast("int32")
    dated = with_time.mutate(
        local_date=(ibis.literal(date(1970, 1, 1)) + days.as_interval("D")).cast("date"),
        local_hour=((with_time.local_time % times.DAY) // times.HOUR).cast("int32"),
    )
    return dated.mutate(local_month=dated.local_date.strftime("%Y-%m"))
