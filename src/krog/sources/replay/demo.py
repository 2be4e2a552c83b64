"""Feeds a demo city: first its history, then a reading of every datastream again and again."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from pathlib import Path

from krog.base import times
from krog.sources.replay import feeds as declared
from krog.sources.replay.publisher import Publisher

Progress = Callable[[int, int], None]


def run(
    city: Path,
    recorded: Path | None,
    *,
    host: str,
    port: int,
    key_id: str,
    secret: str,
    zone: str,
    days: int | None = None,
    every_s: float | None = None,
    speed: float = 0.0,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
    done: Callable[[int, float], None] | None = None,
) -> int:
    """Sends `days` of history, then the reading in force every `every_s` seconds (0: ends after the history).

    Returns the number of messages of the history, all acknowledged. `progress` gets (sent, expected).
    """
    wanted = declared.load(city)
    stop = stop or threading.Event()
    days = wanted.days if days is None else days
    every_s = wanted.every_s if every_s is None else every_s
    now = times.now()
    found = declared.feeds(wanted, recorded, now=now, zone=zone)
    start = now - days * times.DAY
    streams = len(wanted.feed) + sum(1 + len(water.deliveries) for water in wanted.water)
    expected = sum(days * times.DAY // feed.interval for feed in found) // max(1, len(found)) * streams
    with Publisher(host, port, key_id, secret) as publisher:
        history = heapq.merge(*(feed.between(start, now) for feed in found))
        sent = publisher.publish(
            history, speed=speed, progress=(lambda count: progress(count, expected)) if progress else None
        )
        if done:
            done(sent, (times.now() - now) / 1e6)
        while every_s and not stop.wait(every_s):
            moment = times.now()
            publisher.publish([reading for feed in found for reading in feed.at(moment)])
    return sent
