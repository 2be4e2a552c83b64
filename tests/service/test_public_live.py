"""Live values of a real ingest process: soon, only to whom they may go, for as long as somebody looks."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from krog.base import times
from tests.service.mqtt_house import until
from tests.service.public_krog import Krog


@pytest.fixture(scope="module")
def krog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Krog]:
    found = Krog(tmp_path_factory.mktemp("krog")).start()
    yield found
    assert found.stop() == 0


class Watch:
    """A reader of server-sent events in a thread of its own."""

    def __init__(self, krog: Krog, streams: str, headers: dict[str, str] | None = None):
        self.connection = krog.connection(timeout=30)
        self.connection.request("GET", f"/live?streams={streams}", headers=headers or {})
        self.socket = self.connection.sock
        self.reply: http.client.HTTPResponse = self.connection.getresponse()
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.lines: list[str] = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.body = b""
        if self.reply.status == 200:
            self.thread.start()
        else:
            self.body = self.reply.read()
            self.connection.close()

    def _read(self) -> None:
        try:
            while line := self.reply.readline().decode():
                self.lines.append(line)
                if line.startswith("data: "):
                    self.events.append((time.monotonic(), json.loads(line[6:])))
        except (OSError, ValueError, AttributeError):
            pass

    def close(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        assert not self.thread.is_alive()
        self.reply.close()
        self.connection.close()


def send(krog: Krog, stream: str, value: float, **more: str) -> None:
    assert krog.send({"datastream": stream, "value": value, "origin": "simulated", **more})[0] == 201


def test_a_value_is_shown_within_two_seconds(krog: Krog) -> None:
    send(krog, "inflow", 1.0)
    watch = Watch(krog, "inflow,delivery")
    assert watch.reply.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    until(lambda: watch.events)
    assert watch.events[0][1]["value"] == 1.0, "it begins with the present value"
    began = time.monotonic()
    send(krog, "inflow", 21.5)
    until(lambda: len(watch.events) > 1)
    seen, event = watch.events[-1]
    assert seen - began < 2
    assert event["datastream"] == "inflow" and event["value"] == 21.5 and event["origin"] == "simulated"
    assert abs(times.parse(event["time"]) - times.now()) < 10 * times.SECOND
    send(krog, "inflow", 3.0, time=times.iso(times.now() - times.DAY))
    time.sleep(1)
    assert len(watch.events) == 2, "a history that comes in is no news"
    assert any(line.startswith("retry:") for line in watch.lines)
    watch.close()


def test_what_is_not_public_goes_to_those_who_may_read_it(krog: Krog) -> None:
    assert Watch(krog, "closed-flow").reply.status == 404
    assert Watch(krog, "closed-flow", krog.bearer("other")).reply.status == 404
    mine, everybody = Watch(krog, "closed-flow,inflow", krog.bearer()), Watch(krog, "closed-flow,inflow")
    send(krog, "closed-flow", 8.0)
    send(krog, "inflow", 2.5)
    until(lambda: {"closed-flow", "inflow"} <= {event["datastream"] for _, event in mine.events})
    until(lambda: everybody.events)
    time.sleep(0.6)
    assert {event["datastream"] for _, event in everybody.events} == {"inflow"}
    mine.close()
    everybody.close()


@pytest.mark.parametrize(
    "query, status", [("", 400), ("nobody", 404), (",".join(f"s{n}" for n in range(201)), 413), ("%00", 404)]
)
def test_a_wish_that_cannot_be_met_is_answered_with_a_problem(krog: Krog, query: str, status: int) -> None:
    found = Watch(krog, query)
    assert found.reply.status == status and "detail" in json.loads(found.body)


def test_a_wrong_key_is_refused(krog: Krog) -> None:
    assert Watch(krog, "inflow", {"Authorization": "Bearer a.b"}).reply.status == 401


def test_clients_that_leave_are_forgotten(krog: Krog) -> None:
    until(lambda: krog.metrics()["krog_live_clients"] == 0)
    watches = [Watch(krog, "inflow", {"Last-Event-ID": "7"}) for _ in range(5)]
    assert krog.metrics()["krog_live_clients"] == 5
    for watch in watches:
        watch.close()
    until(lambda: krog.metrics()["krog_live_clients"] == 0)


def test_many_values_at_once_make_few_events(krog: Krog) -> None:
    watch = Watch(krog, "delivery")
    now = times.now()
    many = [{"datastream": "delivery", "value": n / 100, "time": times.iso(now + n)} for n in range(1, 3001)]
    assert krog.send(many)[0] == 201
    until(lambda: watch.events and watch.events[-1][1]["value"] == 30.0)
    assert len(watch.events) < 10
    watch.close()


def test_krog_stops_although_somebody_looks(krog: Krog) -> None:
    watch = Watch(krog, "inflow")
    began = time.monotonic()
    assert krog.stop() == 0
    assert time.monotonic() - began < 10
    watch.close()
    krog.start()
