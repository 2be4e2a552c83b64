"""Publishes readings over real MQTT with QoS 1: as fast as they are acknowledged, or at a pace."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from krog.base import times
from krog.base.errors import Forbidden, Transient
from krog.sources.replay.feeds import Reading

#: Messages that may be on their way at once.
IN_FLIGHT = 400
CONNECT_S = 60.0


class Publisher:
    """One connection that comes back by itself; `publish` returns when everything was acknowledged."""

    def __init__(self, host: str, port: int, key_id: str, secret: str, client_id: str = "krog-replay"):
        self._host, self._port = host, port
        self._free = threading.Semaphore(IN_FLIGHT)
        self._refused = ""
        self._connected = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        self.client.username_pw_set(key_id, secret)
        self.client.max_inflight_messages_set(IN_FLIGHT)
        self.client.max_queued_messages_set(0)
        self.client.reconnect_delay_set(1, 10)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda *_: self._connected.clear()
        self.client.on_publish = lambda *_: self._free.release()

    def _on_connect(self, _c: object, _u: object, _f: object, code: ReasonCode, _p: object) -> None:
        if code.is_failure:
            self._refused = str(code)
        else:
            self._connected.set()

    def __enter__(self) -> Publisher:
        until = time.monotonic() + CONNECT_S
        while True:
            try:
                self.client.connect(self._host, self._port, keepalive=30)
                break
            except OSError as error:
                if time.monotonic() > until:
                    raise Transient(f"No MQTT listener at {self._host}:{self._port}: {error}") from None
                time.sleep(0.3)
        self.client.loop_start()
        while not self._connected.wait(0.1):
            if self._refused:
                raise Forbidden(
                    f"The MQTT listener refused the key: {self._refused}.", todo="Make one: krog key create."
                )
            if time.monotonic() > until:
                raise Transient(f"The MQTT listener at {self._host}:{self._port} does not answer.")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self.client.disconnect()
        self.client.loop_stop()

    def publish(
        self, readings: Iterable[Reading], *, speed: float = 0.0, progress: Callable[[int], None] | None = None
    ) -> int:
        """Sends all; `speed` 0 is as fast as it goes, else so many times as fast as they were recorded."""
        count, began, first = 0, time.monotonic(), 0
        for moment, stream, value, origin in readings:
            if speed:
                first = first or moment
                time.sleep(max(0.0, (moment - first) / 1e6 / speed - (time.monotonic() - began)))
            self._free.acquire()
            payload = json.dumps({"value": value, "time": times.iso(moment), "origin": origin.word})
            self.client.publish(f"krog/{stream}", payload, qos=1)
            count += 1
            if progress and count % 1000 == 0:
                progress(count)
        for _ in range(IN_FLIGHT):
            self._free.acquire()
        self._free.release(IN_FLIGHT)
        return count
