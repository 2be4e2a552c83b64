"""A pinned version of the lake reads the same for ever; local days are those of the city."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from krog import lake
from krog.base import times
from krog.base.errors import Conflict, NotFound
from krog.base.settings import Settings
from krog.engine.tier import Tier
from krog.lake import cold, ibis_table, table
from krog.lake.hot.writer import SqliteWriter
from krog.lake.shapes import Row
from krog.lake.snapshot import EMPTY, snapshot, snapshot_at
from krog.lake.store import open_hot

FIRST = times.parse("2026-10-24T21:30:00Z")
ALWAYS = (0, 2**60)


@pytest.fixture()
def writer(home: Settings) -> Iterator[SqliteWriter]:
    store = open_hot()
    yield store
    store.close()


@pytest.fixture()
def tier(home: Settings) -> Iterator[Tier]:
    made = Tier(home.path("hot"), home.path("lake"), hot_days=0)
    yield made
    made.close()


def test_a_version_stays_as_it_was_through_moves_joins_and_corrections(
    writer: SqliteWriter, tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "SMALL_FILES", 2)
    assert snapshot().version == EMPTY
    assert cold.rows(snapshot(), [1], *ALWAYS) == []
    writer.submit([Row(stream, FIRST + n, float(n)) for n in range(50) for stream in (1, 2)]).result(10)
    tier.move()
    pinned = snapshot()
    before = cold.rows(pinned, [1], *ALWAYS)
    assert [row.value for row in before] == [float(n) for n in range(50)]
    assert pinned.high == 100
    writer.submit([Row(1, FIRST, 99.0, supersedes=before[0].id), Row(1, FIRST + 900, 1.0)]).result(10)
    tier.move()
    tier.tidy()
    tier.tidy()
    newest = snapshot()
    assert newest.version > pinned.version
    assert len(newest.files) == 1, "small files are joined"
    assert cold.rows(snapshot_at(pinned.version), [1], *ALWAYS) == before
    after = cold.rows(newest, [1], *ALWAYS)
    assert (after[0].value, len(after)) == (99.0, 51)
    assert [row.value for row in lake.observations([1], limit=3, newest_first=False)] == [99.0, 1.0, 2.0]


def test_a_corrected_row_is_gone_from_the_newest_files(writer: SqliteWriter, tier: Tier) -> None:
    writer.submit([Row(1, FIRST, 5.0), Row(1, FIRST + 1, 6.0)]).result(10)
    tier.move()
    writer.submit([Row(1, FIRST, 7.0, supersedes=1)]).result(10)
    tier.move()
    tier.tidy()
    import pyarrow.parquet as pq

    stored = [value for file in snapshot().files for value in pq.read_table(file.path)["value"].to_pylist()]
    assert sorted(stored) == [6.0, 7.0]


def test_a_version_that_a_value_names_outlives_the_others(
    writer: SqliteWriter, tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "SMALL_FILES", 2)
    versions = []
    for number in range(4):
        writer.submit([Row(1, FIRST + number, float(number))]).result(10)
        tier.move()
        tier.tidy()
        versions.append(snapshot().version)
    pinned, other = versions[1], versions[2]
    assert tier._table.vacuum({pinned, 10**6}, hours=0) > 0
    assert len(cold.rows(snapshot_at(pinned), [1], *ALWAYS)) == 2
    assert len(cold.rows(snapshot(), [1], *ALWAYS)) == 4
    with pytest.raises(Exception, match=r"(?i)no files found"):
        cold.rows(snapshot_at(other), [1], *ALWAYS)


def test_an_unknown_version_says_so(tier: Tier, home: Settings) -> None:
    with pytest.raises(NotFound, match="Version 4711"):
        snapshot_at(4711)


def test_local_days_have_23_24_and_25_hours(writer: SqliteWriter, tier: Tier) -> None:
    quarter = 15 * times.MINUTE
    autumn = [Row(1, FIRST + n * quarter, 1.0) for n in range(4 * 24 * 3)]
    spring = [Row(1, times.parse("2026-03-28T22:30:00Z") + n * quarter, 1.0) for n in range(4 * 24 * 3)]
    writer.submit([*autumn, *spring]).result(10)
    tier.move()
    con = ibis_table.connect()
    seen = ibis_table.observations(snapshot(), con, "Europe/Ljubljana")
    per_day = con.to_pyarrow(seen.group_by("local_date").agg(n=ibis_table.ibis._.count())).to_pylist()
    found = {row["local_date"].isoformat(): row["n"] for row in per_day}
    assert found["2026-10-25"] == 25 * 4
    assert found["2026-10-26"] == 24 * 4
    assert found["2026-03-29"] == 23 * 4
    for row in con.to_pyarrow(seen.select("time", "local_date", "local_hour", "local_month")).to_pylist():
        moment = times.to_datetime(row["time"], "Europe/Ljubljana")
        expected = (moment.date(), moment.hour, moment.strftime("%Y-%m"))
        assert (row["local_date"], row["local_hour"], row["local_month"]) == expected


def test_an_empty_lake_is_an_empty_table(home: Settings) -> None:
    con = ibis_table.connect()
    assert con.to_pyarrow(ibis_table.observations(snapshot(), con).count()).as_py() == 0


def test_one_process_writes_the_lake(tier: Tier, home: Settings) -> None:
    with pytest.raises(Conflict, match="Another process writes the lake"):
        Tier(home.path("hot"), home.path("lake"), hot_days=1)


def test_partitions_have_ascii_names_and_files_are_sorted(writer: SqliteWriter, tier: Tier, home: Settings) -> None:
    import pyarrow.parquet as pq

    moments = [times.parse("2026-11-30T23:59:59.999999Z"), times.parse("2026-12-01T00:00:00Z")]
    writer.submit([Row(stream, moment, 1.0) for moment in reversed(moments) for stream in (3, 1, 2)]).result(10)
    tier.move()
    folders = sorted(path.name for path in (home.path("lake") / "observations").glob("month=*"))
    assert folders == ["month=2026-11", "month=2026-12"]
    for file in snapshot().files:
        found = pq.read_table(file.path)
        assert found["stream"].to_pylist() == [1, 2, 3]
        assert pq.ParquetFile(file.path).metadata.row_group(0).column(0).compression == "ZSTD"


def test_processes_that_read_the_hot_store_do_not_load_the_engines() -> None:
    code = (
        "import os, sys, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'krog.web.settings'; django.setup()\n"
        "import krog.engine.ingest, krog.lake; krog.lake.observations([1]); krog.lake.series([1], 0, 10, 1)\n"
        "print([name for name in ('duckdb', 'deltalake', 'pyarrow', 'ibis') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=Path.cwd())
    assert done.stdout.strip() == "[]", done.stderr
