"""kill -9 of a process that ingests: whatever it acknowledged is there, once, and ids have no gap."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from krog import lake
from krog.base.settings import Settings, settings
from krog.lake.store import hot_reads

KILLS = 200 if os.environ.get("KROG_PROVE") == "1" else 10


@pytest.fixture()
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("KROG_VAR", str(tmp_path))
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.mark.timeout(60 + 10 * KILLS)
def test_what_was_acknowledged_is_there_after_a_kill(home: Settings, tmp_path: Path) -> None:
    chance = random.Random(20261121)
    acknowledged: dict[int, tuple[str, int, int]] = {}
    entries: set[int] = set()
    for turn in range(KILLS):
        said = tmp_path / f"said-{turn}"
        with said.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.service.kill_ingest", str(turn * 1_000_000)], stdout=out
            )
            try:
                while not said.stat().st_size:
                    assert process.poll() is None, "the process ended by itself"
                    time.sleep(0.01)
                time.sleep(chance.uniform(0.0, 0.5))
            finally:
                process.send_signal(signal.SIGKILL)
                process.wait()
        whole, _, _ = said.read_text().rpartition("\n")
        for line in whole.splitlines()[1:]:
            status, id, stream, value, moment = line.split()
            if status == "accepted":
                assert int(id) not in acknowledged
                acknowledged[int(id)] = (stream, int(value), int(moment))
            else:
                assert (status, stream) == ("set-aside", "nowhere")
                entries.add(int(id))
    stored = {each.id: each for each in hot_reads().since(0, 10**7)}
    assert len(acknowledged) > 20 * KILLS, "the processes must have worked for this to mean anything"
    for id, (stream, value, moment) in acknowledged.items():
        found = stored[id]
        assert (f"s{found.stream}", found.value, found.time) == (stream, value, moment)
    assert sorted(stored) == list(range(1, len(stored) + 1))
    assert len({(each.stream, each.value) for each in stored.values()}) == len(stored)
    assert entries <= {entry.id for entry in lake.aside(limit=10**7)}
    assert sum(each.count for each in lake.summary(range(1, 9)).values()) == len(stored)
