"""The public port of a real ingest process: observations by HTTP and MQTT, and that what is acknowledged is there."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from krog.base import times
from krog.lake.hot.reads import SqliteReads
from krog.lake.shapes import Aside, Observation
from tests.service.mqtt_house import Client, until
from tests.service.public_krog import ROOT, Krog, free_port


@pytest.fixture(scope="module")
def krog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Krog]:
    found = Krog(tmp_path_factory.mktemp("krog")).start()
    yield found
    assert found.stop() == 0


def stored(folder: Path, after: int = 0) -> list[Observation]:
    reads = SqliteReads(folder / "hot.sqlite")
    try:
        return reads.since(after, 1_000_000)
    finally:
        reads.close()


def aside(folder: Path) -> list[Aside]:
    reads = SqliteReads(folder / "hot.sqlite")
    try:
        return reads.aside(state=None, reason=None, key=None, keys=None, before=None, limit=1000)
    finally:
        reads.close()


def last(krog: Krog) -> int:
    return max((each.id for each in stored(krog.folder)), default=0)


def test_one_observation_is_answered_with_its_receipt(krog: Krog) -> None:
    before = last(krog)
    status, receipt = krog.send({"datastream": "inflow", "value": 21.5, "origin": "simulated", "unit": "m3/h"})
    (found,) = stored(krog.folder, before)
    assert status == 201 and receipt == {"status": "accepted", "id": found.id}
    assert (found.value, found.origin) == (21.5, 2)


def test_a_duplicate_gets_the_id_it_had(krog: Krog) -> None:
    observation = {"datastream": "inflow", "value": 3, "time": times.iso(times.now() - times.HOUR)}
    first, second = krog.send(observation), krog.send(observation)
    assert (first[0], second[0]) == (201, 201)
    assert second[1] == {"status": "duplicate", "id": first[1]["id"]}


def test_a_list_is_answered_item_by_item(krog: Krog) -> None:
    at = times.iso(times.now() - times.MINUTE)
    good = [{"datastream": "inflow", "value": n, "time": at} for n in (51, 52)]
    status, answer = krog.send(good)
    assert status == 201 and [each["status"] for each in answer["receipts"]] == ["accepted", "accepted"]
    bad = [
        {"datastream": "nobody", "value": 1}, {"datastream": "inflow", "value": 900}, {"value": 1}, 7,
        {"datastream": "inflow", "value": 53},
    ]  # fmt: skip
    status, answer = krog.send(bad)
    receipts = answer["receipts"]
    assert status == 202
    assert [each.get("reason", "") for each in receipts] == ["unknown", "out-of-range", "malformed", "malformed", ""]
    entries = {entry.id: entry for entry in aside(krog.folder)}
    for sent, receipt in zip(bad[:4], receipts, strict=False):
        assert json.loads(entries[receipt["entry"]].payload) == sent and receipt["detail"]
    assert krog.send([])[0] == 201


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "malformed"), (b"not json", "malformed"), (b"[1,", "malformed"), (b"\xff\xfe", "malformed"),
        (b'{"datastream": "inflow"}', "malformed"), (b'{"datastream": "inflow", "value": 1, "x": 1}', "malformed"),
        (b"[" * 20000, "malformed"), (b'{"datastream":"inflow","value":' + b"[" * 20000, "malformed"),
        (b'{"datastream": 7, "value": 1}', "malformed"), (b'{"datastream": "inflow", "value": "1"}', "malformed"),
        (b'{"datastream": "nobody", "value": 1}', "unknown"),
        (b'{"datastream": "inflow", "value": 201}', "out-of-range"),
        (b'{"datastream": "inflow", "value": 1, "time": "2001-01-01T00:00:00Z"}', "late"),
        (b'{"datastream": "inflow", "value": 1, "time": "2101-01-01T00:00:00Z"}', "future"),
        (b'{"datastream": "inflow", "value": 1, "unit": "l/s"}', "unit"),
    ],
)  # fmt: skip
def test_what_is_not_accepted_is_explained_and_kept(krog: Krog, body: bytes, reason: str) -> None:
    before = krog.metrics()[f'krog_observations_not_accepted_total{{reason="{reason}"}}']
    status, problem = krog.send(body)
    assert status == 400 and problem["reason"] == reason and problem["detail"]
    entry = next(entry for entry in aside(krog.folder) if entry.id == problem["entry"])
    assert entry.reason == reason and entry.payload == body[:4096] and entry.transport == "http"
    assert krog.metrics()[f'krog_observations_not_accepted_total{{reason="{reason}"}}'] == before + 1


def test_who_may_send(krog: Krog) -> None:
    observation = {"datastream": "inflow", "value": 1}
    status, problem = krog.send(observation, key=None)
    assert status == 401 and "krog key create" in problem["todo"]
    status, _, headers = krog.ask(
        "POST", "/api/v1/observations", b"{}", {"Authorization": f"Bearer {krog.keys['own'][0]}.wrong"}
    )
    assert status == 401 and headers["www-authenticate"] == "Bearer"
    assert headers["content-type"] == "application/problem+json"
    status, problem = krog.send(observation, key="other")
    assert status == 403 and problem["reason"] == "forbidden"


def test_too_much_at_once_is_refused(krog: Krog) -> None:
    before = last(krog)
    assert krog.send(b"[" + b" " * 2_000_001 + b"]")[0] == 413
    assert krog.send([{"datastream": "inflow", "value": 1}] * 5001)[0] == 413
    assert last(krog) == before


def test_a_list_of_the_largest_size_is_taken(krog: Krog) -> None:
    now = times.now()
    many = [{"datastream": "delivery", "value": 1.5, "time": times.iso(now - n * times.SECOND)} for n in range(5000)]
    status, answer = krog.send(many)
    assert status == 201 and len(answer["receipts"]) == 5000


def test_mqtt_takes_the_same_path_into_the_same_store(krog: Krog) -> None:
    before = last(krog)
    key, secret = krog.keys["own"]
    client = Client(krog.mqtt_port, key=key, secret=secret)
    try:
        until(lambda: client.connected)
        assert client.send("krog/inflow", "11.25") == 0
        assert client.send("krog/nobody", "1") != 0
    finally:
        client.close()
    assert [each.value for each in stored(krog.folder, before)] == [11.25]
    metrics = krog.metrics()
    assert metrics["krog_mqtt_received_total"] >= 2 and metrics["krog_observations_accepted_total"] > 1


def test_metrics_name_and_explain_themselves(krog: Krog) -> None:
    text = krog.get("/metrics")[1].decode()
    assert text.count("# HELP ") == text.count("# TYPE ") >= 17
    assert "krog_hot_waiting" in text and "krog_loop_lag_seconds" in text


def test_healthz_says_which_role_is_missing(krog: Krog) -> None:
    status, body, _ = krog.get("/healthz")
    assert status == 503
    assert json.loads(body) == {
        "status": "degraded", "ingest": "ok", "mqtt": "ok", "web": "down", "work": "never ran", "database": "ok"
    }  # fmt: skip


def test_a_second_ingest_process_is_refused_with_words(krog: Krog) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "krog.cli.main", "run", "ingest"], cwd=ROOT, capture_output=True, text=True, timeout=30,
        env={**krog.env, "KROG_PORT": str(free_port()), "KROG_MQTT_PORT": "0"},
    )  # fmt: skip
    assert second.returncode != 0
    assert "Another process writes the hot store" in second.stdout + second.stderr
    assert krog.send({"datastream": "inflow", "value": 1})[0] == 201, "the first goes on"


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    krog = Krog(tmp_path)
    acknowledged: set[int] = set()
    sent = 0
    for kill in (krog.kill, krog.kill_supervisor, krog.kill):
        krog.start()
        client = Client(krog.mqtt_port, key=krog.keys["own"][0], secret=krog.keys["own"][1], name=f"sender-{sent}")
        until(lambda client=client: client.connected)
        numbers: dict[int, int] = {}
        stop = threading.Timer(1.5, kill)
        stop.start()
        end = time.monotonic() + 2.5
        base = times.now() - 10 * times.DAY
        while time.monotonic() < end:
            payload = json.dumps({"value": 1.0, "time": times.iso(base + sent * times.SECOND)})
            numbers[client.client.publish("krog/inflow", payload, qos=1).mid] = sent
            sent += 1
            time.sleep(1 / 500)
        stop.join()
        acks = dict(client.acks)
        client.close()
        acknowledged |= {base + numbers[mid] * times.SECOND for mid, (code, _) in acks.items() if code == 0}
    krog.start()
    try:
        assert len(acknowledged) > 500
        times_stored = [each.time for each in stored(krog.folder)]
        lost = acknowledged - set(times_stored)
        assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged observations are lost"
        assert len(times_stored) == len(set(times_stored)), "none is there twice"
    finally:
        krog.stop()
