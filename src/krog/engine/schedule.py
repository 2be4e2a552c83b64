"""What the work process does again and again, and when it last did it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module

from django.db import close_old_connections

from krog.base import times
from krog.journal import verbs as journal

log = logging.getLogger("krog.work")

#: Modules of the engine (and of the floors above it that register here) whose SCHEDULES the work process runs.
MODULES = [
    "krog.engine.seal",
    "krog.engine.tier",
    "krog.engine.evaluate",
    "krog.engine.measure",
    "krog.engine.compute",
    "krog.engine.notify",
    "krog.engine.remind",
    "krog.engine.forget",
    "krog.engine.finding",
    "krog.engine.expire",
]


@dataclass(frozen=True)
class Schedule:
    """`run` is called every `every_s` seconds, never twice at once; it must be idempotent and may raise."""

    key: str
    every_s: float
    run: Callable[[], None]


def schedules(modules: Iterable[str] = ()) -> list[Schedule]:
    """All schedules of the engine's modules."""
    found: list[Schedule] = []
    for name in modules or MODULES:
        found.extend(import_module(name).SCHEDULES)
    return found


def run_once(schedule: Schedule) -> bool:
    """Runs one schedule, keeps when and how it ended; a failure is logged and seen by operators, never fatal."""
    started = times.now()
    error = ""
    try:
        schedule.run()
    except Exception as failure:
        log.exception("The scheduled work %s failed.", schedule.key)
        error = f"{type(failure).__name__}: {failure}"[:1000]
    journal.schedule_ran(schedule.key, started=started, every_s=schedule.every_s, error=error)
    return not error


def run_forever(found: Iterable[Schedule], stop: threading.Event) -> None:
    """Each schedule in a thread of its own, until `stop` is set."""

    def loop(schedule: Schedule) -> None:
        while not stop.is_set():
            began = time.monotonic()
            close_old_connections()
            run_once(schedule)
            close_old_connections()
            stop.wait(max(0.05, schedule.every_s - (time.monotonic() - began)))

    threads = [threading.Thread(target=loop, args=(each,), name=each.key, daemon=True) for each in found]
    for thread in threads:
        thread.start()
    while not stop.wait(0.5):
        pass
    for thread in threads:
        thread.join(timeout=10)
