"""`GET /live?streams=a,b`: server-sent events with each new value of these datastreams, within two seconds.

Shows what anonymous may read; with a Bearer key, what that key may read. Of several values that arrive between two
sendings only the newest is sent. A reconnect needs no Last-Event-ID: every connection begins with the newest values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

import msgspec

from krog.base import times
from krog.base.errors import Invalid, NotFound, TooLarge, Transient
from krog.base.grant import ANONYMOUS, Reader
from krog.base.origin import Origin
from krog.catalogue import access_log, door
from krog.engine.ingest import LiveValue
from krog.sources.live import Live
from krog.sources.offloop import off_loop
from krog.sources.rights import Rights
from krog.streams import reads as streams
from krog.web.ingest.http import Receive, Scope, Send
from krog.web.ingest.observations import bearer

#: Most datastreams of a connection, most connections, seconds between two sendings and between two signs of life.
STREAMS, CLIENTS, EVERY_S, HEARTBEAT_S = 200, 500, 0.25, 15.0
#: A client that takes nothing for this long is dropped; rights are looked at anew this often.
SLOW_S, ANEW_S = 20.0, 5.0

Newest = Callable[[Reader, Sequence[str]], Sequence[LiveValue]]


def newest(reader: Reader, keys: Sequence[str]) -> list[LiveValue]:
    """The present value of each of these datastreams that the reader may see."""
    access_log.begin()
    found = streams.latest(door.open(reader, "api", kind="streams"), keys).values()
    return [
        LiveValue(each.stream, 0, 0, each.time, each.value, each.text, int(each.origin))
        for each in found
        if each.time is not None and each.origin is not None and not each.withheld
    ]


class Watching:
    """All connections of browsers and programs that watch live values."""

    def __init__(self, live: Live, rights: Rights, newest: Newest = newest):
        self._rights, self._newest = rights, newest
        self._by_key: dict[str, set[_Watch]] = {}
        self._watches: set[_Watch] = set()
        self.dropped = 0
        self._closed = False
        self._unwatch = live.watch(self._deliver)

    @property
    def clients(self) -> int:
        return len(self._watches)

    def close(self) -> None:
        """Ends all connections; no more are taken."""
        self._closed = True
        self._unwatch()
        for watch in tuple(self._watches):
            watch.ended.set()
            watch.fresh.set()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, until the client leaves; raises before the first byte when it may not be answered."""
        wanted = _wanted(scope["query_string"])
        reader = await bearer(scope, self._rights) or ANONYMOUS
        allowed = await self._rights.watchable(reader) & wanted
        if not allowed:
            todo = "The list of streams names those that you may see."
            raise NotFound("None of these datastreams can be watched.", "streams", todo=todo)
        if self.clients >= CLIENTS or self._closed:
            raise Transient("Too many watch already.", todo="Try again in a moment, or read the newest values by API.")
        watch = _Watch(reader, frozenset(wanted), allowed)
        self._watches.add(watch)
        for key in wanted:
            self._by_key.setdefault(key, set()).add(watch)
        leaving = asyncio.create_task(_left(receive, watch))
        try:
            await self._serve(watch, send)
        except (TimeoutError, ConnectionError):
            self.dropped += 1
        finally:
            leaving.cancel()
            self._watches.discard(watch)
            for key in wanted:
                self._by_key[key].discard(watch)
                if not self._by_key[key]:
                    del self._by_key[key]

    async def _serve(self, watch: _Watch, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"), (b"x-content-type-options", b"nosniff"),
        ]  # fmt: skip
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        watch.take(await off_loop(lambda: self._newest(watch.reader, sorted(watch.allowed))))
        await _send(send, b"retry: 3000\n\n" + watch.events())
        loop = asyncio.get_running_loop()
        looked = beat = loop.time()
        while not watch.ended.is_set():
            try:
                await asyncio.wait_for(watch.fresh.wait(), 1.0)
            except TimeoutError:
                pass
            else:
                await asyncio.sleep(EVERY_S)
            if loop.time() - looked > ANEW_S:
                watch.allowed, looked = await self._rights.watchable(watch.reader) & watch.wanted, loop.time()
            data = watch.events()
            if not data and loop.time() - beat > HEARTBEAT_S:
                data = b": still here\n\n"
            if data:
                await _send(send, data)
                beat = loop.time()
        await _send(send, b"", last=True)

    def _deliver(self, values: Sequence[LiveValue]) -> None:
        for value in values:
            for watch in self._by_key.get(value.key, ()):
                watch.take((value,))


class _Watch:
    """One connection: the newest value of each of its datastreams that was not sent yet."""

    def __init__(self, reader: Reader, wanted: frozenset[str], allowed: frozenset[str]):
        self.reader, self.wanted, self.allowed = reader, wanted, allowed
        self.fresh, self.ended = asyncio.Event(), asyncio.Event()
        self._waiting: dict[str, LiveValue] = {}
        self._sent: dict[str, int] = {}

    def take(self, values: Sequence[LiveValue]) -> None:
        """Older values than the newest, such as those of a history that comes in, are of no interest here."""
        for value in values:
            known = self._waiting.get(value.key)
            if value.time >= max(self._sent.get(value.key, value.time), known.time if known else value.time):
                self._waiting[value.key] = value
                self.fresh.set()

    def events(self) -> bytes:
        self.fresh.clear()
        values, self._waiting = self._waiting, {}
        parts = []
        for value in values.values():
            if value.key in self.allowed:
                self._sent[value.key] = value.time
                parts.append(event(value))
        return b"".join(parts)


def event(value: LiveValue) -> bytes:
    """One value as an event."""
    result: Any = value.value if value.text is None else msgspec.Raw(value.text.encode())
    shown: Mapping[str, Any] = {
        "datastream": value.key, "value": result, "time": times.iso(value.time), "origin": Origin(value.origin).word,
    }  # fmt: skip
    number = b"id: %d\n" % value.id if value.id else b""
    return number + b"data: " + msgspec.json.encode(shown) + b"\n\n"


def _wanted(query: bytes) -> frozenset[str]:
    try:
        given = parse_qs(query[:20_000].decode("latin-1"), max_num_fields=20, errors="replace").get("streams", [])
    except ValueError:
        given = []
    found = frozenset(key.strip() for part in given for key in part.split(",") if key.strip())
    if not found:
        raise Invalid("It is not said what to watch.", "streams", "keys of datastreams with commas between them")
    if len(found) > STREAMS:
        raise TooLarge(f"{len(found)} datastreams are too many for one connection.", "streams", f"at most {STREAMS}")
    return found


async def _send(send: Send, data: bytes, *, last: bool = False) -> None:
    await asyncio.wait_for(send({"type": "http.response.body", "body": data, "more_body": not last}), SLOW_S)


async def _left(receive: Receive, watch: _Watch) -> None:
    """Ends the watch when the client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass
    watch.ended.set()
    watch.fresh.set()
