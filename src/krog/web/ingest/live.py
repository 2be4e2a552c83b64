"""GET /live?streams=a,b: values as server-sent events, as soon as they are on the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qs

import msgspec
from asgiref.sync import sync_to_async
from django.db import close_old_connections

from krog.base import times
from krog.base.errors import Busy, Invalid, KrogError, NotFound
from krog.base.grant import ANONYMOUS, Reader
from krog.base.origin import Origin
from krog.catalogue import door
from krog.engine import ingest
from krog.engine.ingest import LiveValue
from krog.streams import reads as streams
from krog.web.ingest.asgi import Receive, Scope, Send, answer_problem, header
from krog.web.ingest.known import KnownKeys

#: Most listeners at once, most datastreams of one, most values that wait for a slow one before it is let go.
LISTENERS, STREAMS, WAITING = 2_000, 500, 1_000
HEARTBEAT_S = 15.0

_encode = msgspec.json.encode


class Live:
    """Hands every committed value to those who listen to its datastream."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[LiveValue]]] = {}
        self._count = 0
        self._loop = asyncio.get_running_loop()
        self._end = ingest.subscribe(self._tell)

    @property
    def listeners(self) -> int:
        return self._count

    def close(self) -> None:
        self._end()

    def _tell(self, values: Sequence[LiveValue]) -> None:
        """In the writer's thread: only values that somebody waits for cross over."""
        wanted = [value for value in values if value.key in self._queues]
        if wanted:
            self._loop.call_soon_threadsafe(self._hand_out, wanted)

    def _hand_out(self, values: Sequence[LiveValue]) -> None:
        for value in values:
            for queue in self._queues.get(value.key, ()):
                if not queue.full():
                    queue.put_nowait(value)

    async def serve(self, scope: Scope, receive: Receive, send: Send, keys: KnownKeys) -> None:
        """One listener until it leaves, or cannot keep up."""
        try:
            reader = await keys.bearer(header(scope, b"authorization")) or ANONYMOUS
            wanted = _wanted(scope)
            if self._count >= LISTENERS:
                raise Busy("Too many listen already.", todo="Try again in a minute.")
            await sync_to_async(_may, thread_sensitive=False)(reader, wanted)
        except KrogError as error:
            await answer_problem(send, error)
            return
        queue: asyncio.Queue[LiveValue] = asyncio.Queue(WAITING)
        for key in wanted:
            self._queues.setdefault(key, set()).add(queue)
        self._count += 1
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [
                        (b"content-type", b"text/event-stream; charset=utf-8"),
                        (b"cache-control", b"no-store"),
                        (b"x-accel-buffering", b"no"),
                    ],
                }
            )
            await send({"type": "http.response.body", "body": b"retry: 3000\n\n", "more_body": True})
            while not leaving.done() and not queue.full():
                await send({"type": "http.response.body", "body": await self._next(queue), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except (OSError, RuntimeError, asyncio.CancelledError):
            pass  # The listener has left; granian tells it in one of these ways.
        finally:
            leaving.cancel()
            self._count -= 1
            for key in wanted:
                self._queues[key].discard(queue)
                if not self._queues[key]:
                    del self._queues[key]

    async def _next(self, queue: asyncio.Queue[LiveValue]) -> bytes:
        """The next values in one piece, or a heartbeat."""
        try:
            values = [await asyncio.wait_for(queue.get(), HEARTBEAT_S)]
        except TimeoutError:
            return b": still here\n\n"
        while not queue.empty():
            values.append(queue.get_nowait())
        return b"".join(map(_event, values))


def _event(value: LiveValue) -> bytes:
    content = {
        "datastream": value.key,
        "value": value.value if value.text is None else value.text,
        "time": times.iso(value.time),
        "origin": Origin(value.origin).word,
    }
    return b"event: observation\nid: %d\ndata: %b\n\n" % (value.id, _encode(content))


def _wanted(scope: Scope) -> list[str]:
    query = parse_qs(bytes(scope["query_string"])[:20_000].decode("latin-1"))
    found = sorted({key for part in query.get("streams", []) for key in part.split(",") if key})
    if not found or len(found) > STREAMS:
        raise Invalid("Say which datastreams.", "streams", f"1 to {STREAMS} keys with commas: /live?streams=a,b")
    return found


def _may(reader: Reader, wanted: list[str]) -> None:
    """NotFound for a datastream that does not exist or that the reader may not see."""
    close_old_connections()
    try:
        grant = door.open(reader, "api", kind="streams")
        known = streams.keys_of(grant, wanted)
    finally:
        close_old_connections()
    if missing := [key for key in wanted if key not in known]:
        raise NotFound(f"There is no datastream {', '.join(missing[:5])}.", "streams")


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
