"""The ASGI application of the public port: observations, live values, health, metrics; the rest goes to the pages."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")
django.setup()

from krog.base.errors import Invalid, KrogError  # noqa: E402 - Django must know its settings first
from krog.base.settings import settings  # noqa: E402
from krog.engine import ingest  # noqa: E402
from krog.sources.mqtt.listener import Listener  # noqa: E402
from krog.web.ingest import health, observations  # noqa: E402
from krog.web.ingest.asgi import Receive, Scope, Send, answer_problem  # noqa: E402
from krog.web.ingest.forward import Forward  # noqa: E402
from krog.web.ingest.known import KnownKeys  # noqa: E402
from krog.web.ingest.live import Live  # noqa: E402

log = logging.getLogger("krog.ingest")


class App:
    """The application of one ingest process."""

    def __init__(self) -> None:
        self.keys = KnownKeys()
        self.forward: Forward | None = None
        self.live: Live | None = None
        self.mqtt: Listener | None = None
        self.watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            try:
                await self._http(scope, receive, send)
            except ConnectionResetError:
                return
            except KrogError as error:
                await answer_problem(send, error)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.forward and self.live
        path, method = scope["path"], scope["method"]
        if path == "/api/v1/observations" and method != "GET":
            if method != "POST":
                raise Invalid("Observations are sent with POST.", "method", "POST")
            await observations.post(scope, receive, send, self.keys)
        elif path == "/live":
            await self.live.serve(scope, receive, send, self.keys)
        elif path == "/healthz":
            await health.healthz(send, pages=await self.forward.ready())
        elif path == "/metrics":
            clients = self.mqtt.clients if self.mqtt else 0
            await health.metrics(send, listeners=self.live.listeners, mqtt_clients=clients)
        else:
            await self.forward.serve(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            try:
                if event["type"] == "lifespan.startup":
                    await self.start()
                else:
                    await self.stop()
            except Exception as failure:
                log.exception("Ingest could not %s.", event["type"].rpartition(".")[2])
                await send({"type": f"{event['type']}.failed", "message": str(failure)})
                return
            await send({"type": f"{event['type']}.complete"})
            if event["type"] == "lifespan.shutdown":
                return

    async def start(self) -> None:
        """Opens the hot store for writing, then the ways in."""
        found = settings()
        self.forward = Forward(Path(found.var).resolve() / "web.sock")
        self.live = Live()
        self.watch = ingest.watch()
        if found.mqtt_port:
            self.mqtt = Listener(found.mqtt_host, found.mqtt_port, self.keys.reader)
            await self.mqtt.start()

    async def stop(self) -> None:
        """Closes the ways in, then commits what waits."""
        if self.mqtt:
            await self.mqtt.stop()
        if self.watch:
            self.watch.cancel()
        if self.live:
            self.live.close()
        if self.forward:
            await self.forward.close()
        await asyncio.to_thread(ingest.close)


app = App()
