"""What the door in and the lake carry: accepted observations a second, latency of single ones, reads, moves.

Next to it a bare SQLite insert of the same rows into the same tables on the same disk, in the same run.
"""

from __future__ import annotations

import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOME = tempfile.mkdtemp(prefix="krog-bench-")
os.environ.update(KROG_VAR=HOME, KROG_DEMO="true")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")

import django  # noqa: E402

django.setup()

from benchmarks.machine import percentile, report  # noqa: E402
from krog import lake  # noqa: E402
from krog.base import times  # noqa: E402
from krog.base.grant import Reader  # noqa: E402
from krog.base.settings import settings  # noqa: E402
from krog.engine.ingest.intake import Intake  # noqa: E402
from krog.engine.ingest.message import Message  # noqa: E402
from krog.engine.tier import Tier  # noqa: E402
from krog.lake.hot.schema import connect  # noqa: E402
from krog.lake.store import hot_reads, open_hot  # noqa: E402
from krog.streams.shapes import IngestStream  # noqa: E402

STREAMS, BATCH, MANY, SINGLES, SENDERS = 1000, 1000, 300_000, 50_000, 500
KEY = Reader(kind="key", id=1, name="bench", roles=frozenset({"sensor"}), organisation="mok")


def known() -> dict[str, IngestStream]:
    """A thousand datastreams."""
    return {f"s{n}": IngestStream(n, f"s{n}", "d", "m3/h", 0.0, 1e9, 60, True, "mok") for n in range(1, STREAMS + 1)}


def bare() -> float:
    """Rows a second of executemany in batches, each its own transaction, with nothing around it."""
    connection = connect(Path(HOME) / "bare.sqlite")
    now = times.now()
    began = time.perf_counter()
    for begin in range(0, MANY, BATCH):
        rows = [
            (n % STREAMS, now + n, n, None, float(n), None, None, now, 0, None) for n in range(begin, begin + BATCH)
        ]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO observations VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
        connection.execute("COMMIT")
    spent = time.perf_counter() - began
    connection.close()
    return MANY / spent


async def batches(intake: Intake, start: int) -> float:
    """Observations a second in batches, one after the other."""
    began = time.perf_counter()
    for begin in range(0, MANY, BATCH):
        batch = [
            Message(stream=f"s{n % STREAMS + 1}", value=n, time=start + n * 1000, origin="simulated")
            for n in range(begin, begin + BATCH)
        ]
        assert all(receipt.status == "accepted" for receipt in await intake.accept(batch, by=KEY))
    return MANY / (time.perf_counter() - began)


async def singles(intake: Intake, start: int) -> dict[str, float]:
    """Single messages from many senders at once, each waiting for its own receipt."""
    waits: list[float] = []

    async def sender(number: int) -> None:
        for n in range(number, SINGLES, SENDERS):
            began = time.perf_counter()
            message = Message(stream=f"s{n % STREAMS + 1}", value=n, time=times.iso(start + n * 1000 + 500))
            [receipt] = await intake.accept([message], by=KEY)
            assert receipt.status == "accepted"
            waits.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(sender(number) for number in range(SENDERS)))
    spent = time.perf_counter() - began
    return {
        "per_second": round(SINGLES / spent),
        "p50_ms": round(1000 * percentile(waits, 0.5), 1),
        "p99_ms": round(1000 * percentile(waits, 0.99), 1),
        "senders": SENDERS,
    }


def milliseconds(what: Callable[[], Any], times_over: int = 50) -> float:
    """The median time of a call."""
    spent = []
    for _ in range(times_over):
        began = time.perf_counter()
        what()
        spent.append(time.perf_counter() - began)
    return round(1000 * percentile(spent, 0.5), 3)


def main() -> None:
    index = known()
    intake = Intake(open_hot(), hot_reads(), index=lambda: index, epoch=lambda: 1, settings=settings())
    start = times.now() - 20 * times.MINUTE
    figures: dict[str, Any] = {"bare_sqlite_per_second": round(bare())}
    figures["batches_of_1000_per_second"] = round(asyncio.run(batches(intake, start)))
    figures["single"] = asyncio.run(singles(intake, start))
    figures["commits"] = intake.metrics()["store_commits"]
    figures["memory_of_ingest_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    intake.close()
    total = lake.totals()["accepted"]
    figures["reads_hot_ms"] = {
        "latest_of_1000": milliseconds(lambda: lake.latest(range(1, 1001))),
        "last_100_of_one": milliseconds(lambda: lake.observations([7], limit=100)),
        "series_of_one": milliseconds(lambda: lake.series([7], start, start + times.HOUR, times.MINUTE)),
    }
    tier = Tier(settings().path("hot"), settings().path("lake"), hot_days=0)
    began = time.perf_counter()
    assert tier.move() == total
    figures["moved_to_the_lake_per_second"] = round(total / (time.perf_counter() - began))
    began = time.perf_counter()
    tier.tidy()
    figures["forgotten_per_second"] = round(total / (time.perf_counter() - began))
    figures["reads_lake_ms"] = {
        "last_100_of_one": milliseconds(lambda: lake.observations([7], limit=100)),
        "series_of_one": milliseconds(lambda: lake.series([7], start, start + times.HOUR, times.MINUTE)),
    }
    assert lake.count(range(1, STREAMS + 1)) == total
    size = sum(file.stat().st_size for file in (settings().path("lake") / "observations").rglob("*.parquet"))
    figures["bytes_per_observation_in_the_lake"] = round(size / total, 1)
    tier.close()
    report("ingest", observations=total, **figures)


if __name__ == "__main__":
    main()
