"""`engine.ingest.accept` is the only way an observation enters: validated, known, durable, then acknowledged.

Only the ingest process calls `accept`, `set_aside` and `subscribe`: it holds the one writing end of the hot store,
opened on first use (Conflict if another process has it). `replay_aside` and `dismiss_aside` work from any process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from asgiref.sync import async_to_sync

from krog.base.grant import Reader
from krog.base.settings import settings
from krog.engine.ingest import aside
from krog.engine.ingest.aside import dismiss_aside, replay_aside
from krog.engine.ingest.intake import Intake, Subscriber
from krog.engine.ingest.message import REASONS, LiveValue, Message, Receipt
from krog.lake.store import hot_reads, open_hot
from krog.streams import reads as streams

__all__ = [
    "REASONS",
    "LiveValue",
    "Message",
    "Receipt",
    "accept",
    "accept_now",
    "close",
    "current",
    "dismiss_aside",
    "metrics",
    "replay_aside",
    "set_aside",
    "subscribe",
    "watch",
]

_intake: Intake | None = None
_opening = threading.Lock()


def current() -> Intake:
    """The intake of this process, opened on first use."""
    global _intake
    with _opening:
        if _intake is None:
            _intake = Intake(
                open_hot(), hot_reads(), index=streams.ingest_index, epoch=streams.ingest_epoch, settings=settings()
            )
        return _intake


def close() -> None:
    """Commits what waits and lets the hot store go."""
    global _intake
    with _opening:
        if _intake is not None:
            _intake.close()
            _intake = None


async def accept(batch: Sequence[Message], *, by: Reader) -> list[Receipt]:
    """See `Intake.accept`."""
    return await current().accept(batch, by=by)


def accept_now(batch: Sequence[Message], *, by: Reader) -> list[Receipt]:
    """The same for callers without an event loop."""
    return async_to_sync(accept)(batch, by=by)


async def set_aside(
    payload: bytes, reason: str, detail: str, *, transport: str, topic: str, by: Reader, key: str = ""
) -> Receipt:
    """See `Intake.set_aside`."""
    return await current().set_aside(payload, reason, detail, transport=transport, topic=topic, by=by, key=key)


def subscribe(subscriber: Subscriber) -> Callable[[], None]:
    """See `Intake.subscribe`."""
    return current().subscribe(subscriber)


def metrics() -> dict[str, float]:
    """See `Intake.metrics`; empty in a process that ingests nothing."""
    return _intake.metrics() if _intake else {}


def watch() -> asyncio.Task[None]:
    """Starts the task that tries messages again when an operator asks; the ingest process calls it once."""
    return asyncio.get_running_loop().create_task(aside.watch(current()))
