"""kill -9 of a process that moves observations to the lake: each is there exactly once, and no read ever misses one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from krog import lake
from krog.base import times
from krog.base.errors import Conflict
from krog.base.settings import Settings, settings
from krog.engine import tier
from krog.engine.tier import Tier
from krog.lake import cold
from krog.lake.hot.writer import SqliteWriter
from krog.lake.shapes import NewAside, Row
from krog.lake.snapshot import snapshot
from krog.lake.store import hot_ledger, hot_reads, open_hot

KILLS = 200 if os.environ.get("KROG_PROVE") == "1" else 10
BEGIN = times.parse("2026-10-31T12:00:00Z")


@pytest.fixture()
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("KROG_VAR", str(tmp_path))
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture()
def writer(home: Settings) -> Iterator[SqliteWriter]:
    store = open_hot()
    yield store
    store.close()


def _tier(home: Settings, **about: int) -> Tier:
    return Tier(home.path("hot"), home.path("lake"), hot_days=0, **about)


def _stands_once(total: int) -> None:
    """Every id stands once in the lake, and the joined reads show each exactly once too."""
    rows = cold.rows(snapshot(), [1, 2, 3], 0, 2**61, limit=10**7)
    assert Counter(row.id for row in rows) == Counter(range(1, total + 1))
    found: list[lake.Observation] = []
    after = None
    while page := lake.observations([1, 2, 3], limit=50_000, newest_first=False, after=after):
        found += page
        after = page[-1].cursor
    assert [(each.id, each.value) for each in found] == [(row.id, row.value) for row in sorted(rows, key=_order)]


def _order(row: lake.Observation) -> tuple[int, int]:
    return row.cursor


@pytest.mark.timeout(60 + 10 * KILLS)
def test_rows_reach_the_lake_exactly_once_through_kills(home: Settings, writer: SqliteWriter, tmp_path: Path) -> None:
    chance = random.Random(20261121)
    total = 0

    def arrive(number: int) -> None:
        nonlocal total
        rows = [
            Row(1 + n % 3, BEGIN + n * 300 * times.SECOND - (chance.randrange(40) * times.HOUR), float(n))
            for n in range(total, total + number)
        ]
        stored, _ = writer.submit(rows).result(30)
        assert not any(done.duplicate for done in stored)
        total += number

    for turn in range(KILLS):
        said = tmp_path / f"said-{turn}"
        arrive(300)
        with said.open("wb") as out:
            process = subprocess.Popen([sys.executable, "-m", "tests.service.kill_tier"], stdout=out)
            try:
                while not said.stat().st_size:
                    assert process.poll() is None, "the process ended by itself"
                    time.sleep(0.01)
                until = time.monotonic() + chance.uniform(0.0, 0.6)
                while time.monotonic() < until:
                    arrive(40)
                    assert lake.count([1, 2, 3]) == total
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
        assert lake.count([1, 2, 3]) == total
    last = _tier(home)
    last.move()
    last.tidy()
    last.close()
    _stands_once(total)


def _all(mover: Tier) -> None:
    mover.move()
    mover.tidy()


class Killed(BaseException):
    """Stands for the end of the process at one exact point."""


@pytest.mark.parametrize("point", ["moved", "published", "forget"])
def test_the_end_between_two_steps_is_recognised(
    home: Settings, writer: SqliteWriter, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    writer.submit([Row(1, BEGIN + n, float(n)) for n in range(100)]).result(10)
    first = _tier(home, most=30)

    def end(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as at:
        at.setattr("krog.lake.table.SMALL_FILES", 2)
        at.setattr(first.ledger, point, end)
        with pytest.raises(Killed):
            _all(first)
    first.close()
    assert lake.count([1]) == 100, "readers see the marks of before, and everything"
    second = _tier(home, most=30)
    second.move()
    second.tidy()
    assert second.move() == 0
    second.close()
    rows = cold.rows(snapshot(), [1], 0, 2**61)
    assert [row.value for row in rows] == [float(n) for n in range(100)]
    assert lake.count([1]) == 100


def test_a_lake_restored_from_before_gets_the_rows_again_while_the_hot_store_has_them(
    home: Settings, writer: SqliteWriter
) -> None:
    import shutil

    writer.submit([Row(1, BEGIN + n, float(n)) for n in range(10)]).result(10)
    first = Tier(home.path("hot"), home.path("lake"), hot_days=1)
    first.move()
    backup = home.path("lake").with_name("backup")
    shutil.copytree(home.path("lake"), backup)
    writer.submit([Row(1, BEGIN + n, float(n)) for n in range(10, 20)]).result(10)
    first.move()
    first.close()
    shutil.rmtree(home.path("lake"))
    shutil.copytree(backup, home.path("lake"))
    second = _tier(home)
    second.move()
    second.tidy()
    second.close()
    assert [row.value for row in cold.rows(snapshot(), [1], 0, 2**61)] == [float(n) for n in range(20)]
    shutil.rmtree(home.path("lake"))
    shutil.copytree(backup, home.path("lake"))
    with pytest.raises(Conflict, match="Restore the lake"):
        _tier(home)


def test_rows_stay_in_the_hot_store_for_their_days(home: Settings, writer: SqliteWriter) -> None:
    writer.submit([Row(1, BEGIN, 1.0)]).result(10)
    mover = Tier(home.path("hot"), home.path("lake"), hot_days=8)
    mover.move()
    mover.tidy()
    assert len(hot_reads().since(0, 10)) == 1
    mover.hot_days = 0
    mover.tidy()
    mover.close()
    assert hot_reads().since(0, 10) == []
    assert lake.count([1]) == 1


def test_a_late_duplicate_of_a_row_that_only_the_lake_has_is_counted_and_left_out(
    home: Settings, writer: SqliteWriter
) -> None:
    mover = _tier(home)
    writer.submit([Row(1, BEGIN, 1.0), Row(1, BEGIN + 5, 2.0)]).result(10)
    mover.move()
    mover.tidy()
    writer.submit([Row(1, BEGIN, 1.0), Row(1, BEGIN, 3.0)]).result(10)
    assert mover.move() == 1
    mover.close()
    assert [each.value for each in lake.observations([1], newest_first=False)] == [1.0, 3.0, 2.0]
    assert lake.counters([1]) == {1: {"duplicate": 1}}


def test_answered_entries_of_the_ledger_go_after_their_days_and_open_ones_stay(
    home: Settings, writer: SqliteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = NewAside("mqtt", "krog/x", "x", 0, b"?", "unknown", "There is no datastream.", "key 1")
    _, ids = writer.submit((), [entry, entry, entry]).result(10)
    hot_ledger().answer(ids[:2], state="dismissed", was=("open",), by="Ana", note="test")
    mover = _tier(home)
    mover.tidy()
    assert len(lake.aside(state=None)) == 3
    monkeypatch.setattr("krog.engine.tier.ANSWERED_DAYS", 0)
    mover.tidy()
    mover.close()
    assert [each.id for each in lake.aside(state=None)] == ids[2:]


@pytest.mark.django_db
def test_the_schedules_of_the_work_process_move_and_tidy(home: Settings, writer: SqliteWriter) -> None:
    writer.submit([Row(1, BEGIN + n, float(n)) for n in range(10)]).result(10)
    try:
        for schedule in tier.SCHEDULES:
            schedule.run()
    finally:
        tier.close()
    assert [row.value for row in cold.rows(snapshot(), [1], 0, 2**61)] == [float(n) for n in range(10)]
    assert len(hot_reads().since(0, 100)) == 10, "they stay hot for their days"
