"""Datasets that are no streams, as Delta tables of their own: each change is a version that computations can pin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from krog.base.errors import Invalid, NotFound
from krog.base.ids import KEY_ALLOWED, is_key
from krog.base.settings import settings
from krog.lake.durable import sync, sync_tree


def write_table(name: str, rows: Sequence[Mapping[str, Any]] | Any, *, columns: Mapping[str, str] | None = None) -> int:
    """Makes `rows` (mappings with equal keys, or an Arrow table) the newest version of the table and gives
    its number; when nothing has changed it is the present one. `columns` names each column's type (string, float64,
    int64, bool), for rows that may be none or have empty columns."""
    import pyarrow as pa

    folder = _folder(name)
    schema = pa.schema([(column, getattr(pa, kind + "_" if kind == "bool" else kind)()) for column, kind in
                        columns.items()]) if columns else None  # fmt: skip
    data = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    if not data.num_columns:
        raise Invalid(f"The table {name} has no columns.", name, todo="Give a row, or a table with a schema.")
    mark = _fingerprint(data)
    before = _open(folder, None)
    if before is not None and before.history(1)[0].get("krog.content") == mark:
        return int(before.version())
    write_deltalake(
        folder,
        data,
        mode="overwrite",
        schema_mode="overwrite",
        name=name,
        commit_properties=CommitProperties(custom_metadata={"krog.content": mark}),
    )
    written = DeltaTable(folder)
    for file in written.file_uris():
        sync(Path(file.removeprefix("file://")))
    sync_tree(folder, settings().path("lake"))
    sync(folder / "_delta_log" / f"{written.version():020d}.json")
    sync(folder / "_delta_log")
    return int(written.version())


def read_table(name: str, version: int | None = None) -> Any:
    """The dataset's table at a version (the newest if None) as an Arrow table."""
    found = _open(_folder(name), version)
    if found is None:
        raise NotFound(f"There is no table {name}{'' if version is None else f' of version {version}'}.", name)
    return found.to_pyarrow_table()


def files(name: str, version: int) -> list[str]:
    """The Parquet files of a version, for an engine that reads them itself."""
    found = _open(_folder(name), version)
    return [] if found is None else [file.removeprefix("file://") for file in found.file_uris()]


def version(name: str) -> int | None:
    """The newest version of the dataset's table; None when it has none."""
    found = _open(_folder(name), None)
    return None if found is None else int(found.version())


def version_at(name: str, moment: int) -> int | None:
    """The version that was the newest at a moment (UTC milliseconds); None before the first."""
    found = _open(_folder(name), None)
    made = [] if found is None else [e for e in found.history() if int(e["timestamp"]) <= moment]
    return max((int(entry["version"]) for entry in made), default=None)


def _folder(name: str) -> Path:
    if not is_key(name):
        raise Invalid(f"{name!r} cannot name a table.", allowed=KEY_ALLOWED)
    return settings().path("lake") / "datasets" / name


def _open(folder: Path, version: int | None) -> Any | None:
    try:
        return DeltaTable(folder, version=version)
    except TableNotFoundError:
        return None
    except DeltaError:
        if version is None:
            raise
        return None


def _fingerprint(data: Any) -> str:
    import pyarrow as pa

    found = hashlib.sha256(str(data.schema).encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, data.schema) as out:
        out.write_table(data.combine_chunks())
    found.update(sink.getvalue())
    return found.hexdigest()
