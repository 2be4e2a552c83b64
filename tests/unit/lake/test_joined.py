"""Hot store and lake read as one: whatever was moved, forgotten, joined or corrected, reads equal a plain list."""

from __future__ import annotations

import os
import shutil
import tempfile
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from krog import lake
from krog.base import times
from krog.base.settings import settings
from krog.engine.tier import Tier
from krog.lake import table
from krog.lake.shapes import Observation, Row, weaker
from krog.lake.store import hot_reads, open_hot

#: Half an hour around the end of a month, so that rows fall into two partitions.
BEGIN = times.parse("2026-10-31T23:45:00Z")
MINUTE = times.MINUTE
PROVE = os.environ.get("KROG_PROVE") == "1"

moments = st.integers(0, 29).map(lambda minute: BEGIN + minute * MINUTE)
results = st.one_of(
    st.tuples(st.sampled_from([0.0, 1.5, -2.0]), st.none()), st.tuples(st.none(), st.sampled_from(['"open"', "true"]))
)
rows = st.lists(
    st.builds(
        lambda stream, time, result, origin: Row(stream, time, *result, origin=origin),
        st.integers(1, 3),
        moments,
        results,
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=8,
)


class Joined(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("KROG_VAR", str(self.home))
        self.patch.setattr(table, "SMALL_FILES", 3)
        settings.cache_clear()
        self.store = open_hot()
        self.tier = Tier(settings().path("hot"), settings().path("lake"), hot_days=0, most=5)
        self.shown: dict[int, Row] = {}
        self.hidden: set[tuple[object, ...]] = set()
        self.ever = 0
        self.moved = self.forgotten = 0

    def teardown(self) -> None:
        self.store.close()
        self.tier.close()
        hot_reads().close()
        self.patch.undo()
        settings.cache_clear()
        shutil.rmtree(self.home)

    @rule(batch=rows)
    def arrive(self, batch: list[Row]) -> None:
        batch = [row for row in batch if row[:4] not in self.hidden]
        stored, _ = self.store.submit(batch).result(10)
        for row, done in zip(batch, stored, strict=True):
            equal = [id for id, old in self.shown.items() if old[:4] == row[:4]]
            near = [id for id in equal if id > self.forgotten]
            if near:
                assert (done.id, done.duplicate) == (near[0], True)
            else:
                self.ever += 1
                assert (done.id, done.duplicate) == (self.ever, False)
                self.shown[done.id] = row

    @precondition(lambda self: self.shown)
    @rule(pick=st.integers(0, 10_000))
    def correct(self, pick: int) -> None:
        id = sorted(self.shown)[pick % len(self.shown)]
        old = self.shown[id]
        if sum(row[:4] == old[:4] for row in self.shown.values()) > 1:
            return  # A late duplicate that the tier has not seen yet: it goes when it is moved, corrected or not.
        row = old._replace(value=1000.0 + self.ever, text=None, supersedes=id)
        stored, _ = self.store.submit([row]).result(10)
        self.ever += 1
        del self.shown[id]
        self.hidden.add(old[:4])
        self.shown[stored[0].id] = row

    @rule()
    def move(self) -> None:
        self.tier.move()
        self.moved = self.ever
        first: dict[tuple[object, ...], int] = {}
        for id, row in sorted(self.shown.items()):
            if first.setdefault(row[:4], id) != id:
                del self.shown[id]  # A duplicate of a row that only the lake had is found when it is moved.

    @rule()
    def tidy(self) -> None:
        self.tier.tidy()
        self.forgotten = self.moved

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.tier.close()
        self.store = open_hot()
        self.tier = Tier(settings().path("hot"), settings().path("lake"), hot_days=0, most=5)

    @rule(
        streams=st.lists(st.integers(1, 4), max_size=4),
        ends=st.tuples(moments, moments),
        newest=st.booleans(),
        size=st.integers(1, 7),
        interval=st.integers(1, 7),
    )
    def read(self, streams: list[int], ends: tuple[int, int], newest: bool, size: int, interval: int) -> None:
        start, end = min(ends), max(ends)
        wanted = sorted(
            (
                (row.time, id, row)
                for id, row in self.shown.items()
                if row.stream in streams and start <= row.time < end
            ),
            reverse=newest,
        )
        found: list[Observation] = []
        after = None
        while page := lake.observations(streams, start, end, limit=size, newest_first=newest, after=after):
            found += page
            after = page[-1].cursor
        assert [(each.time, each.id, each.stream, each.value, each.text, each.origin) for each in found] == [
            (time, id, row.stream, row.value, row.text, row.origin) for time, id, row in wanted
        ]
        assert lake.count(streams, start, end) == len(wanted)
        step = interval * MINUTE
        buckets = lake.series(streams, start, end, step)
        for stream in streams:
            plain: dict[int, list[Row]] = {}
            for time, _, row in wanted:
                if row.stream == stream and row.value is not None:
                    plain.setdefault(start + (time - start) // step * step, []).append(row)
            assert [bucket.time for bucket in buckets[stream]] == sorted(plain)
            for bucket in buckets[stream]:
                numbers = [row.value for row in plain[bucket.time]]
                assert (bucket.count, bucket.minimum, bucket.maximum) == (len(numbers), min(numbers), max(numbers))
                assert bucket.mean == pytest.approx(sum(numbers) / len(numbers))
                assert bucket.origin == reduce(weaker, (row.origin for row in plain[bucket.time]))

    @invariant()
    def everything_is_there(self) -> None:
        assert lake.count([1, 2, 3]) == len(self.shown)


@pytest.mark.timeout(600)
def test_reads_equal_a_plain_list_whatever_the_tier_did() -> None:
    run_state_machine_as_test(
        Joined,
        settings=effort(
            max_examples=150 if PROVE else 10,
            stateful_step_count=25,
            deadline=None,
            derandomize=not PROVE,
            suppress_health_check=list(HealthCheck),
        ),
    )
