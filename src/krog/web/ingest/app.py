"""The public port as an ASGI application: opens the hot store, starts the MQTT listener, routes."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "krog.web.settings")
django.setup()

from krog.base.errors import Invalid, KrogError, NotFound  # noqa: E402
from krog.base.settings import settings  # noqa: E402
from krog.engine import ingest  # noqa: E402
from krog.sources.live import Live  # noqa: E402
from krog.sources.mqtt.listener import Listener  # noqa: E402
from krog.sources.rights import Rights  # noqa: E402
from krog.web.ingest import state  # noqa: E402
from krog.web.ingest.forward import Forwarder  # noqa: E402
from krog.web.ingest.http import BrokenOff, Gone, Receive, Reply, Scope, Send, answer, problem  # noqa: E402
from krog.web.ingest.live import Watching  # noqa: E402
from krog.web.ingest.observations import Observations  # noqa: E402

log = logging.getLogger("krog.ingest")

#: What a request to the pages may have besides its photo, in bytes.
BESIDES = 2_000_000
#: How long requests to the pages may go on when Krog stops, in seconds.
GRACE_S = 3.0


class Public:
    """Everything that the public port needs, from start to stop."""

    async def start(self) -> None:
        given = settings()
        _die_with_parent()
        await asyncio.to_thread(ingest.current)
        self.began = time.monotonic()
        self.replays = ingest.watch()
        self.rights = Rights()
        self.live = Live(ingest.subscribe)
        self.watching = Watching(self.live, self.rights)
        self.observations = Observations(ingest, self.rights)
        self.forwarder = Forwarder(
            Path(given.var).resolve() / "web.sock",
            largest=given.upload_mb * 1_000_000 + BESIDES,
            secure=given.url.startswith("https:"),
            proxies=given.proxies,
        )
        self.lag = state.Lag()
        _when_told_to_stop(self.let_go)
        self.mqtt: Listener | None = None
        self.stopping: asyncio.Task[None] | None = None
        if given.mqtt_port:
            self.mqtt = Listener(given.mqtt_host, given.mqtt_port, door=ingest, rights=self.rights, live=self.live)
            await self.mqtt.start()
            log.info("MQTT is listened for on %s:%s.", given.mqtt_host, self.mqtt.port)

    def let_go(self) -> None:
        """Requests that would not end by themselves end now; the others have a moment."""
        self.watching.close()
        asyncio.get_running_loop().call_later(GRACE_S, self.forwarder.cut)
        if self.mqtt is not None:
            self.stopping = asyncio.get_running_loop().create_task(self.mqtt.stop())

    async def stop(self) -> None:
        self.watching.close()
        if self.stopping is not None:
            await self.stopping
        elif self.mqtt is not None:
            await self.mqtt.stop()
        self.replays.cancel()
        self.live.close()
        self.lag.close()
        await self.forwarder.close()
        await asyncio.to_thread(ingest.close)

    async def health(self) -> Reply:
        web, work = await asyncio.gather(self.forwarder.alive(), state.work())
        mqtt = self.mqtt is not None or not settings().mqtt_port
        return state.health(mqtt=mqtt, web=web, work=work)

    async def metrics(self) -> Reply:
        counts = ingest.metrics()
        values = {
            "krog_up": 1.0,
            "krog_uptime_seconds": time.monotonic() - self.began,
            "krog_observations_accepted_total": counts.get("accepted", 0.0),
            "krog_observations_duplicate_total": counts.get("duplicate", 0.0),
            "krog_hot_waiting": counts.get("store_waiting", 0.0),
            "krog_hot_commits_total": counts.get("store_commits", 0.0),
            "krog_hot_commit_seconds_total": counts.get("store_commit_seconds", 0.0),
            "krog_hot_failed_total": counts.get("store_failed", 0.0),
            "krog_live_clients": float(self.watching.clients),
            "krog_live_dropped_total": float(self.watching.dropped),
            "krog_forward_active": float(self.forwarder.active),
            "krog_loop_lag_seconds": self.lag.seconds,
        }
        if self.mqtt is not None:
            found = self.mqtt.metrics()
            values |= {
                "krog_mqtt_clients": found["clients"],
                "krog_mqtt_received_total": found["received"],
                "krog_mqtt_dropped_total": found["dropped"],
                "krog_mqtt_protocol_errors_total": found["protocol_errors"],
                "krog_mqtt_refused_total": found["refused_connections"],
            }
        return state.metrics(values, counts, await state.work())


def _die_with_parent() -> None:
    """The server's supervisor may be killed outright; then this process must not keep the port and the hot store."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _when_told_to_stop(call: Callable[[], None]) -> None:
    """Calls `call` in the loop when the process is told to stop. The server waits for open requests before it ends the
    application's life, and a request for live values ends only when it is told to."""
    loop = asyncio.get_running_loop()
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def told(signum: int, frame: FrameType | None, before: Any = before) -> None:
            loop.call_soon_threadsafe(call)
            if callable(before):
                before(signum, frame)

        signal.signal(number, told)


public = Public()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The application that granian serves."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "http":
        await _http(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = await receive()
        if event["type"] == "lifespan.startup":
            try:
                await public.start()
            except Exception as error:
                known = isinstance(error, KrogError | OSError)
                log.error("The public port cannot be opened: %s", error, exc_info=not known)
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
        else:
            await public.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _http(scope: Scope, receive: Receive, send: Send) -> None:
    method, path = scope["method"], scope["path"]
    try:
        if path == "/api/v1/observations" and method == "POST":
            reply = await public.observations.post(scope, receive)
        elif path == "/live" and method == "GET":
            await public.watching.serve(scope, receive, send)
            return
        elif path in ("/healthz", "/metrics"):
            if method not in ("GET", "HEAD"):
                raise NotFound("There is nothing to be sent here.", "method", "GET")
            reply = await (public.health() if path == "/healthz" else public.metrics())
        else:
            await public.forwarder.forward(scope, receive, send)
            return
    except BrokenOff:
        reply = problem(Invalid("The request broke off.", "body", todo="Send it again, as a whole."))
    except Gone:
        return
    except KrogError as error:
        reply = problem(error)
    except Exception:
        log.exception("A request to %s failed.", path)
        reply = problem(KrogError("Something went wrong; it has been written down.", todo="Try again in a minute."))
    await answer(send, reply, head=method == "HEAD")
