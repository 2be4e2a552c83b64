"""Publishes over real MQTT at QoS 1, held back by what is not acknowledged yet; goes on when the listener was away."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from krog.base.errors import Transient, Unauthenticated

#: Messages under way at a time, and seconds to wait for an acknowledgement before it is said that nobody answers.
UNDER_WAY, PATIENCE_S = 400, 60.0

NOT_AUTHORISED = 0x87


class Publisher:
    """A client of the listener. `acknowledged` counts what is durable, `refused` what was set aside, by its reason."""

    def __init__(self, host: str, port: int, key_id: str, secret: str, *, client_id: str = "krog-replay"):
        self.host, self.port = host, port
        self.acknowledged = 0
        self.refused: Counter[str] = Counter()
        self._room = threading.BoundedSemaphore(UNDER_WAY)
        self._connected = threading.Event()
        self._failure = ""
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv5)
        self._client.username_pw_set(key_id, secret)
        self._client.max_inflight_messages_set(UNDER_WAY)
        self._client.reconnect_delay_set(1, 5)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish

    def connect(self, patience_s: float = PATIENCE_S) -> None:
        """Waits until the listener is there; Unauthenticated when the key is wrong."""
        self._client.connect_async(self.host, self.port, keepalive=30)
        self._client.loop_start()
        self._wait(self._connected.is_set, patience_s)

    def publish(self, topic: str, payload: bytes) -> None:
        """Returns as soon as the message is under way; waits while too many are."""
        end = time.monotonic() + PATIENCE_S
        while not self._room.acquire(timeout=0.5):
            self._check(end)
        self._client.publish(topic, payload, qos=1)

    def drain(self, patience_s: float = PATIENCE_S) -> None:
        """Waits until everything is acknowledged."""
        self._wait(lambda: self._room._value == UNDER_WAY, patience_s)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _wait(self, holds: Any, patience_s: float) -> None:
        end = time.monotonic() + patience_s
        while not holds():
            self._check(end)
            time.sleep(0.01)

    def _check(self, end: float) -> None:
        if self._failure:
            raise Unauthenticated(
                f"The listener at {self.host}:{self.port} refused: {self._failure}.", "key", todo="Give a key in use."
            )
        if time.monotonic() > end:
            raise Transient(f"The MQTT listener at {self.host}:{self.port} does not answer.", todo="Is Krog running?")

    def _on_connect(self, client: Any, data: Any, flags: Any, code: Any, properties: Any) -> None:
        if code.is_failure and code.value == NOT_AUTHORISED:
            self._failure = str(code)
        elif not code.is_failure:
            self._connected.set()

    def _on_disconnect(self, client: Any, data: Any, flags: Any, code: Any, properties: Any) -> None:
        self._connected.clear()
        if code.value == NOT_AUTHORISED:
            self._failure = "the key was revoked"

    def _on_publish(self, client: Any, data: Any, number: int, code: Any, properties: Any) -> None:
        if code.is_failure:
            self.refused[getattr(properties, "ReasonString", "") or str(code)] += 1
        else:
            self.acknowledged += 1
        self._room.release()
