"""A real listener before a real intake and hot store, in a thread of its own, for tests with real clients."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from krog.base.grant import Reader
from krog.base.settings import load
from krog.engine.ingest.intake import Intake
from krog.lake.hot.reads import SqliteReads
from krog.lake.hot.writer import SqliteWriter
from krog.lake.shapes import Aside, Observation
from krog.sources.live import Live
from krog.sources.mqtt.listener import Listener
from krog.sources.rights import Rights
from krog.streams.shapes import IngestStream

OWN = Reader(kind="key", id=1, name="gateway", roles=frozenset({"anonymous", "sensor"}), organisation="komunala-kranj")
STRANGER = Reader(kind="key", id=2, name="stranger", roles=frozenset({"anonymous", "sensor"}), organisation="arso")


class House:
    """`streams` can be changed while it runs; `keys` are the secrets by key id."""

    def __init__(self, folder: Path):
        self.folder, self.fixed_port = folder, 0
        self.keys = {"own": ("secret", OWN), "stranger": ("secret", STRANGER)}
        self.watchable = frozenset({"inflow", "delivery"})
        self.streams = {
            "inflow": IngestStream(1, "inflow", "water", "m3/h", 0.0, 200.0, 900, True, "komunala-kranj"),
            "delivery": IngestStream(2, "delivery", "water", "m3/h", 0.0, 200.0, 900, True, "komunala-kranj"),
            "secret-flow": IngestStream(3, "secret-flow", "closed", "m3/h", None, None, 900, True, "komunala-kranj"),
        }
        self.listener: Listener
        self.loop: asyncio.AbstractEventLoop
        self.intake: Intake
        self._stop: asyncio.Event
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), daemon=True)

    def start(self) -> House:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)
        assert not self._thread.is_alive()

    async def _main(self) -> None:
        self.loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        reads = SqliteReads(self.folder / "hot.sqlite")
        given = load({"KROG_VAR": str(self.folder), "KROG_DEMO": "true"})
        writer = SqliteWriter(self.folder / "hot.sqlite")
        self.intake = Intake(writer, reads, index=lambda: dict(self.streams), epoch=lambda: 1, settings=given)
        live = Live(self.intake.subscribe)
        rights = Rights(self._verify, lambda reader, first: self.watchable)
        self.listener = Listener("127.0.0.1", self.fixed_port, door=self.intake, rights=rights, live=live)
        await self.listener.start()
        self._ready.set()
        await self._stop.wait()
        await self.listener.stop()
        self.intake.close()

    def _verify(self, key_id: str, secret: str) -> Reader | None:
        known, reader = self.keys.get(key_id, ("", None))
        return reader if known and known == secret else None

    @property
    def port(self) -> int:
        return self.listener.port

    @property
    def reads(self) -> SqliteReads:
        return SqliteReads(self.folder / "hot.sqlite")

    def observations(self) -> list[Observation]:
        reads = self.reads
        try:
            return reads.since(0, 1_000_000)
        finally:
            reads.close()

    def aside(self) -> list[Aside]:
        reads = self.reads
        try:
            return reads.aside(state=None, reason=None, key=None, keys=None, before=None, limit=1000)
        finally:
            reads.close()


@contextmanager
def house(folder: Path) -> Iterator[House]:
    found = House(folder).start()
    try:
        yield found
    finally:
        found.stop()


def until(holds: Callable[[], object], seconds: float = 10) -> None:
    """Waits until something holds; fails when it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


class Client:
    """A paho client that remembers what it was told."""

    def __init__(self, port: int, *, version: int = 5, key: str = "own", secret: str = "secret", name: str = "probe"):
        self.version = version
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv5 if version == 5 else paho.MQTTv311
        )
        self.client.username_pw_set(key, secret)
        self.connected: list[tuple[int, str]] = []
        self.properties: Properties | None = None
        self.gone: list[int] = []
        self.acks: dict[int, tuple[int, str]] = {}
        self.granted: dict[int, list[int]] = {}
        self.messages: list[tuple[str, bytes, int]] = []
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda c, u, flags, code, props: self.gone.append(code.value)
        self.client.on_publish = lambda c, u, mid, code, props: self.acks.__setitem__(
            mid, (code.value, getattr(props, "ReasonString", ""))
        )
        self.client.on_subscribe = lambda c, u, mid, codes, props: self.granted.__setitem__(
            mid, [code.value for code in codes]
        )
        self.client.on_message = lambda c, u, m: self.messages.append((m.topic, m.payload, m.qos))
        self.client.connect("127.0.0.1", port, keepalive=30)
        self.client.loop_start()

    def _on_connect(self, client: object, data: object, flags: object, code: object, properties: object) -> None:
        self.properties = properties  # type: ignore[assignment]
        self.connected.append((code.value, str(code)))  # type: ignore[attr-defined]

    def send(self, topic: str, payload: str | bytes, qos: int = 1) -> int:
        """Publishes; at QoS 1 returns the reason code of the acknowledgement."""
        info = self.client.publish(topic, payload, qos=qos)
        if not qos:
            return 0
        until(lambda: info.mid in self.acks)
        return self.acks[info.mid][0]

    def subscribe(self, topic: str, qos: int = 1) -> int:
        mid = self.client.subscribe(topic, qos)[1]
        until(lambda: mid in self.granted)
        return self.granted[mid][0]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def session_expiry(seconds: int) -> Properties:
    found = Properties(PacketTypes.CONNECT)
    found.SessionExpiryInterval = seconds
    return found
