"""The hot store's writer: what it answers is on the disk, once, under ids without gaps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import wait

import pytest

from krog import lake
from krog.base.errors import Busy, Conflict, Transient
from krog.base.settings import Settings
from krog.lake.hot.schema import connect
from krog.lake.hot.writer import DETAIL_CHARS, PAYLOAD_BYTES, SqliteWriter
from krog.lake.shapes import NewAside, Row, Stored
from krog.lake.store import open_hot


@pytest.fixture()
def writer(home: Settings) -> Iterator[SqliteWriter]:
    store = open_hot()
    yield store
    store.close()


def _aside(**about: object) -> NewAside:
    fields = {
        "transport": "mqtt",
        "topic": "krog/x",
        "key": "x",
        "stream": 0,
        "payload": b"?",
        "reason": "unknown",
        "detail": "There is no datastream.",
        "who": "key 1",
    } | about
    return NewAside(**fields)


def test_an_equal_observation_is_a_duplicate_and_another_result_is_a_second_one(writer: SqliteWriter) -> None:
    rows = [Row(7, 1000, 1.5), Row(7, 1000, 1.5), Row(7, 1000, 2.5), Row(8, 1000, 1.5), Row(7, 1000, None, '"1.5"')]
    stored, _ = writer.submit(rows).result(10)
    assert stored == [Stored(1, False), Stored(1, True), Stored(2, False), Stored(3, False), Stored(4, False)]
    assert writer.submit([Row(7, 1000, 2.5), Row(7, 999, 2.5)]).result(10)[0] == [Stored(2, True), Stored(5, False)]
    assert [(each.time, each.value) for each in lake.observations([7], newest_first=False)] == [
        (999, 2.5),
        (1000, 1.5),
        (1000, 2.5),
        (1000, None),
    ]
    assert lake.counters([7, 8]) == {7: {"duplicate": 2}}


def test_ids_have_no_gap_over_a_restart_and_over_a_failed_commit(home: Settings) -> None:
    first = open_hot()
    first.submit([Row(1, time, 1.0) for time in range(5)]).result(10)
    connection = connect(home.path("hot"))
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON observations WHEN NEW.stream = 2"
        " BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    with pytest.raises(Transient, match="none of them was taken"):
        first.submit([Row(1, 100, 9.0), Row(2, 5, 1.0)]).result(10)
    assert first.submit([Row(1, 5, 1.0)]).result(10)[0] == [Stored(6, False)]
    first.close()
    connection.execute("DROP TRIGGER full")
    connection.execute("DELETE FROM observations")
    connection.close()
    second = open_hot()
    assert second.submit([Row(2, 5, 1.0)]).result(10)[0] == [Stored(7, False)]
    assert lake.latest([1])[1].time == 5, "the failed group must not be remembered as the newest"
    assert lake.summary([1])[1].count == 6
    second.close()


def test_everything_that_waits_goes_in_few_commits(writer: SqliteWriter) -> None:
    futures = [writer.submit([Row(1, time, 1.0)]) for time in range(2000)]
    wait(futures, 30)
    assert sorted(future.result()[0][0].id for future in futures) == list(range(1, 2001))
    assert writer.metrics()["rows"] == 2000
    assert writer.metrics()["commits"] < 1000


def test_a_second_writing_process_is_refused(writer: SqliteWriter) -> None:
    with pytest.raises(Conflict, match="Another process writes"):
        open_hot()


def test_too_much_at_once_is_refused_before_anything_is_taken(home: Settings) -> None:
    store = SqliteWriter(home.path("hot"), most_waiting=10)
    blocker = connect(home.path("hot"))
    blocker.execute("BEGIN IMMEDIATE")
    taken = [store.submit([Row(1, 0, 1.0)])]
    taken += [store.submit([Row(1, time, 1.0)]) for time in range(1, 10)]
    with pytest.raises(Busy):
        store.submit([Row(1, 10, 1.0)])
    blocker.execute("ROLLBACK")
    blocker.close()
    assert len(taken) == 10
    wait(taken, 30)
    assert lake.count([1]) == len(taken)
    store.close()


def test_latest_and_summary_follow_time_and_not_arrival(writer: SqliteWriter) -> None:
    writer.submit([Row(1, 50, 5.0, origin=2), Row(1, 10, -3.0), Row(1, 70, None, '"open"', origin=1)]).result(10)
    writer.submit([Row(1, 60, 80.0)]).result(10)
    latest = lake.latest([1, 99])
    assert set(latest) == {1}
    assert (latest[1].time, latest[1].value, latest[1].text, latest[1].origin) == (70, None, '"open"', 1)
    assert latest[1].seen > 0
    summary = lake.summary([1])[1]
    assert (summary.first, summary.last, summary.count, summary.minimum, summary.maximum) == (10, 70, 4, -3.0, 80.0)


def test_a_correction_hides_what_it_corrects(writer: SqliteWriter) -> None:
    writer.submit([Row(1, 10, 5.0), Row(1, 20, 6.0)]).result(10)
    writer.submit([Row(1, 20, 7.0, supersedes=2)]).result(10)
    assert [each.value for each in lake.observations([1])] == [7.0, 5.0]
    assert lake.latest([1])[1].value == 7.0
    assert writer.submit([Row(1, 20, 6.0)]).result(10)[0] == [Stored(2, True)], "a resent old value must not come back"


def test_series_gives_mean_bounds_count_and_the_weakest_origin(writer: SqliteWriter) -> None:
    numbers = [Row(1, 0, 1.0, origin=3), Row(1, 9, 3.0, origin=1), Row(1, 25, 8.0)]
    writer.submit([*numbers, Row(1, 26, None, '"x"')]).result(10)
    assert lake.series([1, 2], 0, 30, 10) == {
        1: [lake.Bucket(0, 2, 2.0, 1.0, 3.0, 1), lake.Bucket(20, 1, 8.0, 8.0, 8.0, 0)],
        2: [],
    }


def test_the_loss_ledger_keeps_a_bounded_beginning_of_anything(writer: SqliteWriter) -> None:
    huge = _aside(payload=b"\x00\xff" * 10_000, detail="d" * 9999, topic="t" * 9999, message=b"m" * 100_000)
    _, ids = writer.submit([Row(1, 1, 1.0)], [huge, _aside(reason="late", key="y", stream=3)]).result(10)
    newest, oldest = lake.aside()
    assert [oldest.id, newest.id] == ids
    assert (oldest.size, len(oldest.payload), len(oldest.detail), oldest.message) == (
        20_000,
        PAYLOAD_BYTES,
        DETAIL_CHARS,
        b"",
    )
    assert lake.aside_counts() == {"unknown": 1, "late": 1}
    assert lake.counters([0, 3]) == {0: {"unknown": 1}, 3: {"late": 1}}
    assert [each.key for each in lake.aside(keys=["y"])] == ["y"]
    assert lake.aside(keys=[]) == []
    assert lake.totals() == {"accepted": 1, "unknown": 1, "late": 1}


def test_listeners_hear_only_what_is_new_and_a_broken_one_harms_nobody(writer: SqliteWriter) -> None:
    heard: list[int] = []

    def broken(_: object) -> None:
        raise RuntimeError("broken")

    writer.listen(broken)
    end = writer.listen(lambda fresh: heard.extend(stored.id for _, stored in fresh))
    writer.submit([Row(1, 1, 1.0), Row(1, 1, 1.0)]).result(10)
    writer.submit([Row(1, 2, 1.0)]).result(10)
    end()
    writer.submit([Row(1, 3, 1.0)]).result(10)
    assert heard == [1, 2]


def test_a_file_of_another_version_is_refused(home: Settings) -> None:
    connection = sqlite3.connect(home.path("hot"))
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(Exception, match="version 99"):
        open_hot()
