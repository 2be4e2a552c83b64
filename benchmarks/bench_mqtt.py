"""500 observations a second over MQTT at QoS 1 for a minute, then kill -9: is everything acknowledged there? 20 times.

`python -m benchmarks.bench_mqtt [KILLS] [SECONDS] [PER_SECOND]`; prints JSON with machine and load.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.machine import percentile, report
from krog.base import times
from krog.lake.hot.reads import SqliteReads
from tests.service.public_krog import Krog


class Sender:
    """A paho client that notes when each message was sent and acknowledged."""

    def __init__(self, krog: Krog, number: int):
        self.sent: dict[int, tuple[int, float]] = {}
        self.acknowledged: dict[int, float] = {}
        self.refused = 0
        self._connected = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"bench-{number}", protocol=paho.MQTTv5)
        self.client.username_pw_set(*krog.keys["own"])
        self.client.max_inflight_messages_set(500)
        self.client.on_connect = lambda *_: self._connected.set()
        self.client.on_publish = self._on_publish
        self.client.connect("127.0.0.1", krog.mqtt_port)
        self.client.loop_start()
        assert self._connected.wait(20)

    def _on_publish(self, client: object, data: object, mid: int, code: paho.ReasonCode, props: object) -> None:
        if code.is_failure:
            self.refused += 1
        else:
            self.acknowledged[mid] = time.perf_counter()

    def run(self, first: int, seconds: float, per_second: int) -> int:
        """Sends at the pace for so long; each message has a time of its own. Gives the next number."""
        base = times.now() - 30 * times.DAY
        began = time.perf_counter()
        number = first
        while (passed := time.perf_counter() - began) < seconds:
            while number - first < passed * per_second:
                moment = base + number * 1000
                payload = json.dumps({"value": number % 100, "time": times.iso(moment), "origin": "simulated"})
                info = self.client.publish("krog/inflow", payload, qos=1)
                self.sent[info.mid] = (moment, time.perf_counter())
                number += 1
            time.sleep(0.002)
        return number

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def main(kills: int = 20, seconds: float = 60, per_second: int = 500) -> None:
    before = [round(each, 2) for each in os.getloadavg()]
    waits: list[float] = []
    acknowledged: set[int] = set()
    sent = refused = 0
    with tempfile.TemporaryDirectory(prefix="krog-bench-") as home:
        krog = Krog(Path(home))
        for number in range(kills):
            krog.start()
            sender = Sender(krog, number)
            # The kill comes while messages are still being sent, so that there always are some under way.
            timer = threading.Timer(seconds, krog.kill)
            timer.start()
            first = sent
            sent = sender.run(sent, seconds + 0.5, per_second)
            timer.join()
            sender.close()
            refused += sender.refused
            for mid, moment in sender.acknowledged.items():
                acknowledged.add(sender.sent[mid][0])
                waits.append((moment - sender.sent[mid][1]) * 1000)
            print(f"kill {number + 1}: {len(sender.acknowledged)} of {sent - first} acknowledged", file=sys.stderr)
        krog.start()
        reads = SqliteReads(Path(home) / "hot.sqlite")
        stored = [each.time for each in reads.since(0, 10**8)]
        reads.close()
        krog.stop()
    report(
        "mqtt", load_before=before, kills=kills, seconds=seconds, asked_per_second=per_second, sent=sent,
        acknowledged=len(acknowledged), acknowledged_per_second=round(len(acknowledged) / (kills * seconds), 1),
        refused=refused, stored=len(stored), lost=len(acknowledged - set(stored)),
        twice=len(stored) - len(set(stored)), ack_p50_ms=round(percentile(waits, 0.5), 1),
        ack_p99_ms=round(percentile(waits, 0.99), 1),
    )  # fmt: skip


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
