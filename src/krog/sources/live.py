"""From the writer's thread to the event loop: newly accepted observations for all who watch."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from krog.engine.ingest import LiveValue

log = logging.getLogger("krog.live")

Watcher = Callable[[Sequence[LiveValue]], None]

#: Most values that wait for the loop; beyond that the oldest are skipped (they are in the store all the same).
MOST_WAITING = 50_000


class Live:
    """`watch` registers a watcher that is called in the loop, soon after each commit."""

    def __init__(self, subscribe: Callable[[Watcher], Callable[[], None]]):
        self._loop = asyncio.get_running_loop()
        self._fresh: deque[LiveValue] = deque(maxlen=MOST_WAITING)
        self._called = False
        self._watchers: list[Watcher] = []
        self._end = subscribe(self._take)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def close(self) -> None:
        self._end()
        self._watchers.clear()

    def _take(self, values: Sequence[LiveValue]) -> None:
        """In the writer's thread."""
        self._fresh.extend(values)
        if not self._called:
            self._called = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # The loop has ended; nobody watches any more.
                self._called = False

    def _deliver(self) -> None:
        self._called = False
        values = []
        while self._fresh:
            values.append(self._fresh.popleft())
        if not values:
            return
        for watcher in tuple(self._watchers):
            try:
                watcher(values)
            except Exception:
                log.exception("A watcher of live values failed.")
