"""The embedded MQTT listener: accepts clients, watches over them, hands their messages to `engine.ingest`.

It is a way in and a way to watch, not a general broker: what a client publishes reaches others only after it was
accepted as an observation. There are no retained messages, no wills, no QoS 2, no shared subscriptions and no sessions
that outlive a connection; MQTT 5 clients are told so in CONNACK.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import Counter
from collections.abc import Coroutine, Sequence

from krog.base.errors import KrogError
from krog.base.grant import Reader
from krog.engine.ingest import LiveValue
from krog.sources.live import Live
from krog.sources.mqtt.inlet import Door
from krog.sources.mqtt.packets import Reason
from krog.sources.mqtt.session import Session
from krog.sources.rights import Rights

log = logging.getLogger("krog.mqtt")

#: Most connections at a time; each is bounded in memory (`session`).
CLIENTS = 1000
#: How often silent clients are sought, and how often keys and rights are asked anew.
SWEEP_S, ASK_S = 1.0, 2.0
#: How long messages that were read may take to be stored when Krog stops.
STOP_S = 10.0
#: How long clients may take to read that Krog stops.
LINGER_S = 0.5


class Listener:
    """`await start()` once; `port` says where it listens (a free port where 0 was asked for)."""

    def __init__(self, host: str, port: int, *, door: Door, rights: Rights, live: Live | None = None):
        self.host, self.port = host, port
        self.door, self.rights, self.live = door, rights, live
        self.loop = asyncio.get_running_loop()
        self.counts: Counter[str] = Counter()
        self._sessions: set[Session] = set()
        self._by_client: dict[tuple[str, str], Session] = {}
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._unwatch = live.watch(self._deliver) if live else lambda: None

    async def start(self) -> None:
        self._server = await self.loop.create_server(lambda: Session(self), self.host, self.port, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]
        self._run(self._sweep())
        self._run(self._ask())

    async def stop(self) -> None:
        """Takes nothing more, stores and acknowledges what was read, then closes all connections."""
        self._unwatch()
        if self._server is not None:
            self._server.close()
        for session in tuple(self._sessions):
            session.hold()
        working = [session.work for session in self._sessions if session.work is not None]
        if working:
            await asyncio.wait(working, timeout=STOP_S)
        for session in tuple(self._sessions):
            session.end(Reason.SERVER_SHUTTING_DOWN, "Krog stops.")
        end = self.loop.time() + LINGER_S
        while self._sessions and self.loop.time() < end:
            await asyncio.sleep(0.02)
        for session in tuple(self._sessions):
            session.abort()
        await asyncio.sleep(0)
        for task in tuple(self._tasks):
            task.cancel()

    @property
    def clients(self) -> int:
        return len(self._by_client)

    @property
    def has_room(self) -> bool:
        return len(self._by_client) < CLIENTS

    def metrics(self) -> dict[str, float]:
        """Connected clients, and counters since the start by name."""
        names = ("received", "dropped", "protocol_errors", "refused_connections")
        return {"clients": float(self.clients), **{name: float(self.counts[name]) for name in names}}

    def next_number(self) -> int:
        return next(self._numbers)

    # What sessions tell

    def opened(self, session: Session) -> None:
        self._sessions.add(session)
        if len(self._sessions) > CLIENTS + 200:
            session.end(Reason.SERVER_BUSY, "There are too many connections already.")

    def joined(self, session: Session) -> None:
        """A client is connected; an older connection of the same key and client id ends."""
        older = self._by_client.get(session.key)
        self._by_client[session.key] = session
        if older is not None:
            older.end(Reason.SESSION_TAKEN_OVER, "The same client has connected again.")

    def closed(self, session: Session) -> None:
        self._sessions.discard(session)
        self.left(session)

    def left(self, session: Session) -> None:
        if self._by_client.get(session.key) is session:
            del self._by_client[session.key]

    def keep_broken(self, packet: bytes, what: str, by: Reader) -> None:
        """Puts a PUBLISH that could not be taken into the loss ledger."""

        async def keep() -> None:
            try:
                await self.door.set_aside(packet, "malformed", what, transport="mqtt", topic="", by=by)
            except KrogError as error:
                log.error("A broken MQTT packet could not be kept: %s", error)

        self._run(keep())

    # What goes on meanwhile

    def _run(self, coroutine: Coroutine[None, None, None]) -> None:
        task = self.loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _deliver(self, values: Sequence[LiveValue]) -> None:
        for session in tuple(self._by_client.values()):
            session.deliver(values)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self.loop.time()
            for session in tuple(self._sessions):
                if session.overdue(now):
                    session.end(Reason.KEEP_ALIVE_TIMEOUT, "Nothing was heard for too long.")

    async def _ask(self) -> None:
        """Sends away clients whose key was revoked, and looks anew at what the others may watch."""
        while True:
            await asyncio.sleep(ASK_S)
            for session in tuple(self._by_client.values()):
                try:
                    reader = await self.rights.reader(*session.credentials)
                    if reader is None:
                        session.end(Reason.NOT_AUTHORISED, "The key was revoked.")
                    else:
                        session.reader = reader
                        await session.look_again()
                except Exception:
                    log.exception("The rights of the MQTT client %s could not be read anew.", session.name)
