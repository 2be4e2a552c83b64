"""The lake's one table of observations: Delta, partitioned by UTC month, each file sorted by (stream, time)."""

from __future__ import annotations

import json
import time as clock
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties, Transaction
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, RemoveAction

from krog.base import times
from krog.base.errors import Conflict
from krog.lake.durable import lease, sync, sync_tree
from krog.lake.hot.reads import COLUMNS
from krog.lake.shapes import Observation
from krog.lake.snapshot import File, connection

#: Files below this are joined once there are SMALL_FILES of them in a month.
SMALL_BYTES, SMALL_FILES = 128 * 1024 * 1024, 16
#: After so many versions the log gets a checkpoint, so that opening the table stays quick.
CHECKPOINT_EVERY = 100
#: Files and log entries of versions that were replaced are kept so long.
KEEP_HOURS = 30 * 24
#: Rows of one row group: what a point query must decode.
ROW_GROUP = 50_000
#: Columns whose smallest and largest value the log keeps for each file.
BOUNDED = ("stream", "time", "id", "supersedes")

HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)


def schema() -> Any:
    """The columns; `month` (ASCII "2026-11") stands in the path only."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field("stream", pa.int64(), nullable=False),
            pa.field("time", pa.int64(), nullable=False),
            pa.field("id", pa.int64(), nullable=False),
            pa.field("value", pa.float64()),
            pa.field("text", pa.string()),
            pa.field("end", pa.int64()),
            pa.field("quality", pa.int32()),
            pa.field("recorded", pa.int64(), nullable=False),
            pa.field("origin", pa.int32(), nullable=False),
            pa.field("supersedes", pa.int64()),
            pa.field("month", pa.string(), nullable=False),
        ]
    )


def folder(lake: Path) -> Path:
    """Where the table stands in the lake."""
    return lake / "observations"


def at(lake: Path, version: int | None = None) -> Any | None:
    """The table at a version (the newest if None); None when there is none."""
    try:
        return DeltaTable(folder(lake), version=version)
    except TableNotFoundError:
        return None
    except DeltaError:
        if version is None:
            raise
        return None


def high(table: Any, worker: int = 0) -> int:
    """The id up to which this version holds the worker's rows."""
    return int(table.transaction_version(_transaction(worker)) or 0)


def files(table: Any) -> Iterable[File]:
    """The files of this version, with their bounds."""
    actions = table.get_add_actions(flatten=True)
    if not actions.num_rows:
        return
    names = (
        "path",
        "partition.month",
        "num_records",
        "size_bytes",
        "min.stream",
        "max.stream",
        "min.time",
        "max.time",
        "max.supersedes",
    )
    root = Path(table.table_uri.removeprefix("file://"))
    columns = (actions.column(name).to_pylist() for name in names)
    for path, month, rows, size, first, last, begin, end, corrected in zip(*columns, strict=True):
        yield File(str(root / path), month, rows, size, (first, last), (begin, end), corrected is not None)


def month_of(moment: int) -> str:
    """The UTC month of a moment, as partitions are named."""
    return times.to_datetime(moment).strftime("%Y-%m")


class Table:
    """The writing end of the table; one process at a time has it."""

    def __init__(self, lake: Path):
        self.lake, self.folder = lake, folder(lake)
        self._lease = lease(
            lake / ".tier",
            Conflict(
                f"Another process writes the lake {lake}.",
                "KROG_LAKE",
                "one work process",
                "Stop it first.",
            ),
        )
        self._delta = at(lake) or self._create()

    def _create(self) -> Any:
        self.folder.mkdir(parents=True, exist_ok=True)
        DeltaTable.create(
            self.folder,
            schema=schema(),
            partition_by=["month"],
            name="observations",
            configuration={
                "delta.deletedFileRetentionDuration": "interval 30 days",
                "delta.logRetentionDuration": "interval 30 days",
            },
        )
        found = DeltaTable(self.folder)
        self._sync_log(found)
        return found

    def close(self) -> None:
        """Lets another process write."""
        self._lease.close()

    @property
    def version(self) -> int:
        return int(self._delta.version())

    def high(self, worker: int = 0) -> int:
        return high(self._delta, worker)

    def append(self, rows: Sequence[Observation], *, worker: int, upto: int) -> int:
        """Commits rows and, in the same commit, that the worker's rows up to the id `upto` are in.

        Returns the version when all is durable. The same rows twice would stand twice: ask `high` first.
        """
        months: dict[str, list[Observation]] = {}
        days: dict[int, str] = {}
        for row in rows:
            day = row.time // times.DAY
            month = days.get(day) or days.setdefault(day, month_of(row.time))
            months.setdefault(month, []).append(row)
        actions = [self._write(month, part) for month, part in sorted(months.items())]
        return self._commit(actions, [Transaction(_transaction(worker), upto)])

    def known(self, rows: Sequence[Observation]) -> dict[int, int]:
        """Those of the rows (by id) that the table has already with the same stream, time and result, and their ids
        there."""
        import pyarrow as pa

        if not rows:
            return {}
        first, last = min(row.time for row in rows), max(row.time for row in rows)
        old = [file.path for file in files(self._delta) if file.times[0] <= last and file.times[1] >= first]
        if not old:
            return {}
        asked = pa.table(
            {name: [getattr(row, name) for row in rows] for name in ("id", "stream", "time")}
            | {
                "value": pa.array([row.value for row in rows], pa.float64()),
                "text": pa.array([row.text for row in rows], pa.string()),
            }
        )
        con = connection()
        con.register("asked", asked)
        found = con.execute(
            "SELECT asked.id, MIN(old.id) FROM asked JOIN read_parquet(?) old"
            " ON old.stream = asked.stream AND old.time = asked.time AND old.value IS NOT DISTINCT FROM asked.value"
            " AND old.text IS NOT DISTINCT FROM asked.text GROUP BY asked.id",
            [old],
        ).fetchall()
        con.unregister("asked")
        return dict(found)

    def compact(self, without: Sequence[int] = ()) -> int | None:
        """Joins the small files of each month that has many, and rewrites files that hold one of the ids `without`,
        leaving those rows out. Returns the new version, or None if there was nothing to do."""
        months: dict[str, list[File]] = {}
        for file in files(self._delta):
            months.setdefault(file.month, []).append(file)
        touched = self._holding(without)
        done = None
        for month, present in sorted(months.items()):
            small = [file for file in present if file.size < SMALL_BYTES]
            chosen = small if len(small) >= SMALL_FILES else []
            chosen += [file for file in present if file.path in touched and file not in chosen]
            if chosen:
                done = self._join(month, chosen, without)
        return done

    def checkpoint(self) -> None:
        """Writes a checkpoint of the log, if it has grown since the last."""
        mark = self.folder / "_delta_log" / "_last_checkpoint"
        last = json.loads(mark.read_text())["version"] if mark.exists() else 0
        if self.version - last >= CHECKPOINT_EVERY:
            self._delta.create_checkpoint()
            self._sync_log(self._delta)

    def vacuum(self, pinned: Collection[int] = (), hours: int = KEEP_HOURS) -> int:
        """Deletes files that no version of the last `hours` and no `pinned` version uses, and what a crash cut off."""
        known = [version for version in sorted(pinned) if 0 <= version <= self.version]
        gone = self._delta.vacuum(
            retention_hours=hours,
            dry_run=False,
            enforce_retention_duration=False,
            full=True,
            keep_versions=known or None,
            post_commithook_properties=HOOKS,
        )
        self._delta.update_incremental()
        self._sync_log(self._delta)
        return len(gone)

    def _write(self, month: str, rows: list[Observation]) -> AddAction:
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows.sort(key=lambda row: (row.stream, row.time, row.id))
        whole = schema()
        fields = [field for field in whole if field.name != "month"]
        data = pa.table(
            [pa.array([getattr(row, field.name) for row in rows], field.type) for field in fields],
            schema=pa.schema(fields),
        )
        file = self._new_file(month)
        pq.write_table(data, file, compression="zstd", row_group_size=ROW_GROUP)
        bounds = {name: [getattr(row, name) for row in rows if getattr(row, name) is not None] for name in BOUNDED}
        stats = _stats(len(rows), {name: (min(found), max(found)) for name, found in bounds.items() if found})
        return self._add(file, month, stats, data_change=True)

    def _join(self, month: str, chosen: Sequence[File], without: Sequence[int]) -> int:
        file = self._new_file(month)
        con = connection()
        old = [each.path for each in chosen]
        kept = "id NOT IN (SELECT UNNEST(?))" if without else "true"
        values = [old, list(without)] if without else [old]
        con.execute(
            f"COPY (SELECT {COLUMNS} FROM read_parquet(?) WHERE {kept} ORDER BY stream, time, id)"
            f" TO {_quoted(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})",
            values,
        )
        asked = ", ".join(f"MIN({name}), MAX({name})" for name in BOUNDED)
        count, *ends = con.execute(f"SELECT COUNT(*), {asked} FROM read_parquet(?)", [str(file)]).fetchone()
        bounds = dict(zip(BOUNDED, zip(ends[::2], ends[1::2], strict=True), strict=True))
        actions: list[AddAction | RemoveAction] = []
        changed = count != sum(each.rows for each in chosen)
        if count:
            stats = _stats(count, {name: pair for name, pair in bounds.items() if pair[0] is not None})
            actions.append(self._add(file, month, stats, data_change=changed))
        else:
            file.unlink()
        now = int(clock.time() * 1000)
        root = Path(self._delta.table_uri.removeprefix("file://"))
        for each in chosen:
            path = str(Path(each.path).relative_to(root))
            actions.append(RemoveAction(path, changed, now, each.size, {"month": month}))
        return self._commit(actions, [])

    def _holding(self, ids: Sequence[int]) -> set[str]:
        """Paths of the files that hold one of these ids."""
        present = [file.path for file in files(self._delta)]
        if not ids or not present:
            return set()
        found = (
            connection()
            .execute(
                "SELECT DISTINCT filename FROM read_parquet(?, filename=true) WHERE id IN (SELECT UNNEST(?))",
                [present, list(ids)],
            )
            .fetchall()
        )
        return {path for (path,) in found}

    def _new_file(self, month: str) -> Path:
        place = self.folder / f"month={month}"
        place.mkdir(parents=True, exist_ok=True)
        return place / f"part-{uuid.uuid4().hex}.parquet"

    def _add(self, file: Path, month: str, stats: str, *, data_change: bool) -> AddAction:
        sync(file)
        sync_tree(file.parent, self.folder)
        return AddAction(
            str(file.relative_to(self.folder)),
            file.stat().st_size,
            {"month": month},
            int(clock.time() * 1000),
            data_change,
            stats,
        )

    def _commit(self, actions: Sequence[AddAction | RemoveAction], marks: list[Transaction]) -> int:
        self._delta.create_write_transaction(
            list(actions),
            "append",
            schema(),
            partition_by=["month"],
            commit_properties=CommitProperties(app_transactions=marks),
            post_commithook_properties=HOOKS,
        )
        self._delta.update_incremental()
        self._sync_log(self._delta)
        return self.version

    def _sync_log(self, table: Any) -> None:
        log = self.folder / "_delta_log"
        for name in (f"{table.version():020d}.json", "_last_checkpoint"):
            if (log / name).exists():
                sync(log / name)
        for checkpoint in log.glob(f"{table.version():020d}.checkpoint*.parquet"):
            sync(checkpoint)
        sync_tree(log, self.lake)


def _quoted(file: Path) -> str:
    return "'" + str(file).replace("'", "''") + "'"


def _transaction(worker: int) -> str:
    return f"krog-tier-{worker}"


def _stats(count: int, bounds: Mapping[str, Sequence[int]]) -> str:
    return json.dumps(
        {
            "numRecords": count,
            "minValues": {name: low for name, (low, _) in bounds.items()},
            "maxValues": {name: high for name, (_, high) in bounds.items()},
            "nullCount": {},
        }
    )
