"""Plays a city's feeds over MQTT: first the history as fast as the listener takes it, then live, for ever."""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from krog.base import times
from krog.base.errors import Transient
from krog.sources.replay import recipe
from krog.sources.replay.feeds import DAY_S, Feed, Mended, feeds
from krog.sources.replay.progress import Progress
from krog.sources.replay.publisher import Publisher

#: Messages after which it is waited for their acknowledgement and noted how far the replay is.
CHUNK = 4000

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a replay did: messages sent and acknowledged, refusals by reason, seconds that the history took."""

    sent: int = 0
    acknowledged: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    history_s: float = 0.0


def run(
    city: Path,
    folder: Path | None,
    *,
    host: str,
    port: int,
    key_id: str,
    secret: str,
    speed: float = 0,
    days_back: float = 35,
    every_s: float = 7,
    once: bool = False,
    state: Path | None = None,
    mended: Mended = lambda case_type, since: None,
    say: Say = lambda words: None,
    stop: threading.Event | None = None,
    patience_s: float = 120,
) -> Outcome:
    """Sends the last `days_back` days (at `speed` times real time; 0: as fast as they are taken), then, unless `once`,
    every `every_s` seconds what every datastream is at right now, until `stop`. `state` is the file that remembers how
    far it is; with it, a second run goes on where the first ended. `mended` tells when a case was closed."""
    stop = stop or threading.Event()
    progress = Progress(state)
    found = feeds(recipe.read(city), folder, began=progress.began, mended=mended)
    shown = Counter(feed.origin for feed in found)
    said = ", ".join(f"{number} {origin}" for origin, number in shown.items())
    say(f"{len(found)} datastreams ({said})" + (f" from {folder}" if folder else ""))
    publisher = Publisher(host, port, key_id, secret)
    outcome = Outcome()
    try:
        publisher.connect(patience_s)
        began = time.monotonic()
        _history(found, publisher, progress, outcome, days_back=days_back, speed=speed, say=say, stop=stop)
        outcome.history_s = time.monotonic() - began
        outcome.acknowledged, outcome.refused = publisher.acknowledged, publisher.refused
        say(f"history: {outcome.acknowledged} readings in {outcome.history_s:.1f} s{_refusals(publisher.refused)}")
        if not once and not stop.is_set():
            _live(found, publisher, progress, outcome, every_s=every_s, say=say, stop=stop)
    finally:
        publisher.close()
    outcome.acknowledged, outcome.refused = publisher.acknowledged, publisher.refused
    return outcome


def _refusals(refused: Counter[str]) -> str:
    if not refused:
        return ""
    return f"; {refused.total()} set aside: " + "; ".join(f"{number} × {why}" for why, number in refused.most_common(3))


def _history(
    found: Sequence[Feed], publisher: Publisher, progress: Progress, outcome: Outcome, *, days_back: float,
    speed: float, say: Say, stop: threading.Event,
) -> None:  # fmt: skip
    end = time.time()

    def readings(feed: Feed) -> Iterator[tuple[float, float, int]]:
        days = min(days_back, feed.backfill_days or days_back)
        start = max(end - days * DAY_S, progress.sent(feed.datastream))
        number = found.index(feed)
        return ((moment, value, number) for moment, value in feed.history(start, end))

    reached: dict[str, float] = {}
    clock: tuple[float, float] | None = None
    for moment, value, number in heapq.merge(*(readings(feed) for feed in found)):
        if speed > 0:
            clock = clock or (time.monotonic(), moment)
            ahead = (moment - clock[1]) / speed - (time.monotonic() - clock[0])
            if ahead > 0 and stop.wait(ahead):
                break
        if stop.is_set():
            break
        _send(publisher, found[number], moment, value)
        outcome.sent += 1
        reached[found[number].datastream] = moment
        if outcome.sent % CHUNK == 0:
            publisher.drain()
            progress.keep(reached)
            say(f"history: {outcome.sent} readings, up to {times.iso(int(moment * times.SECOND))[:10]}")
    publisher.drain()
    progress.keep(reached)


def _live(
    found: Sequence[Feed], publisher: Publisher, progress: Progress, outcome: Outcome, *, every_s: float, say: Say,
    stop: threading.Event,
) -> None:  # fmt: skip
    due = {feed.datastream: 0.0 for feed in found}
    away = False
    while not stop.is_set():
        began = time.monotonic()
        now = time.time()
        reached: dict[str, float] = {}
        for feed in found:
            if now < due[feed.datastream]:
                continue
            due[feed.datastream] = (now // feed.every_s + 1) * feed.every_s if feed.every_s else now
            value = feed.now(now)
            if value is not None:
                try:
                    _send(publisher, feed, now, value)
                except Transient:
                    break
                outcome.sent += 1
                reached[feed.datastream] = now
        try:
            publisher.drain(30)
        except Transient:
            if not away:
                say("the listener is away; waiting for it")
            away = True
        else:
            if away:
                say("the listener is back")
            away = False
            progress.keep(reached)
        stop.wait(max(0.1, every_s - (time.monotonic() - began)))


def _send(publisher: Publisher, feed: Feed, moment: float, value: float) -> None:
    said = {"value": value, "time": times.iso(int(moment * times.SECOND)), "origin": feed.origin}
    publisher.publish(f"krog/{feed.datastream}", msgspec.json.encode(said))
