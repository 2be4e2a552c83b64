"""A process that ingests as fast as it can and says what was acknowledged, until it is killed: see test_ingest_kill."""

from __future__ import annotations

import asyncio
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")

import django

django.setup()

from krog.base import times  # noqa: E402
from krog.base.grant import Reader  # noqa: E402
from krog.base.settings import settings  # noqa: E402
from krog.engine.ingest.intake import Intake  # noqa: E402
from krog.engine.ingest.message import Message  # noqa: E402
from krog.lake.store import hot_reads, open_hot  # noqa: E402
from krog.streams.shapes import IngestStream  # noqa: E402

STREAMS = {f"s{n}": IngestStream(n, f"s{n}", "d", "m3/h", None, None, 60, True, "mok") for n in range(1, 9)}
KEY = Reader(kind="key", id=1, name="logger", roles=frozenset({"sensor"}), organisation="mok")


async def send(intake: Intake, sender: int, value: int) -> None:
    """Numbers without end from one sender, every tenth with one of a datastream that nobody knows."""
    while True:
        value += 1
        batch = [Message(stream=f"s{sender}", value=value, time=times.now())]
        if value % 10 == 0:
            batch.append(Message(stream="nowhere", value=value))
        for message, receipt in zip(batch, await intake.accept(batch, by=KEY), strict=True):
            sys.stdout.write(f"{receipt.status} {receipt.id} {message.stream} {message.value} {message.time}\n")
        sys.stdout.flush()


async def main(start: int) -> None:
    intake = Intake(open_hot(), hot_reads(), index=lambda: STREAMS, epoch=lambda: 1, settings=settings())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.gather(*(send(intake, sender, start) for sender in range(1, 9)))


asyncio.run(main(int(sys.argv[1])))
