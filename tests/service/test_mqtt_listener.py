"""The embedded MQTT listener before real clients: paho, mosquitto_pub, mosquitto_sub and raw sockets."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from krog.base import times
from krog.sources.mqtt import codec, session
from krog.sources.mqtt.packets import LARGEST_PACKET, Reason
from tests.service.mqtt_house import Client, House, house, until


@pytest.fixture()
def krog(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as found:
        yield found


@pytest.fixture()
def client(krog: House) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def make(**about: object) -> Client:
        found = Client(krog.port, **about)  # type: ignore[arg-type]
        made.append(found)
        until(lambda: found.connected)
        return found

    yield make
    for each in made:
        each.close()


def mosquitto(command: str) -> str:
    found = shutil.which(command)
    assert found, f"{command} is missing. On Debian: sudo apt-get install mosquitto-clients"
    return found


def raw(port: int, *, connect: bytes | None = None) -> socket.socket:
    """A plain connection, by default already let in as an MQTT 3.1.1 client."""
    found = socket.create_connection(("127.0.0.1", port), timeout=5)
    found.sendall(hello() if connect is None else connect)
    if connect is None:
        assert found.recv(4) == b"\x20\x02\x00\x00"
    return found


def hello(version: int = 4, client: str = "raw", user: str = "own", password: str = "secret") -> bytes:
    body = codec.text("MQTT") + bytes([version, 0xC2, 0, 30]) + (b"\0" if version == 5 else b"")
    return codec.packet(codec.CONNECT, body + codec.text(client) + codec.text(user) + codec.text(password))


def closed(found: socket.socket) -> bytes:
    """What still comes until the other side closes."""
    rest = b""
    with found:
        while data := found.recv(65536):
            rest += data
    return rest


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("qos", [0, 1])
def test_a_number_becomes_an_observation(krog: House, client: Callable[..., Client], version: int, qos: int) -> None:
    before = times.now()
    client(version=version).send("krog/inflow", "21.5", qos)
    until(krog.observations)
    (found,) = krog.observations()
    assert (found.stream, found.value, found.origin) == (1, 21.5, 0)
    assert before <= found.time <= times.now()


def test_an_object_carries_time_and_origin(krog: House, client: Callable[..., Client]) -> None:
    at = times.now() - times.HOUR
    payload = {"value": 3, "time": times.iso(at), "origin": "replayed", "unit": "m3/h"}
    assert client().send("krog/inflow", json.dumps(payload)) == 0
    (found,) = krog.observations()
    assert (found.value, found.time, found.origin) == (3.0, at, 1)


@pytest.mark.parametrize(
    "topic, payload, reason, code",
    [
        ("krog/inflow", b"", "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b"21,5", "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b"\xff\xfe\x00", "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b'{"value": 1, "tiem": "x"}', "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b'{"time": "2026-01-01T00:00:00Z"}', "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b'"much"', "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b"true", "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b"[" * 5000, "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b'{"value":' + b"[" * 5000, "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b"1e999", "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b'{"value": 1, "time": "yesterday"}', "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("home/inflow", b"1", "malformed", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/nobody", b"1", "unknown", Reason.TOPIC_NAME_INVALID),
        ("krog/inflow", b"-1", "out-of-range", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b'{"value": 1, "unit": "l/s"}', "unit", Reason.PAYLOAD_FORMAT_INVALID),
        ("krog/inflow", b'{"value": 1, "time": "2001-01-01T00:00:00Z"}', "late", Reason.IMPLEMENTATION_SPECIFIC),
        ("krog/inflow", b'{"value": 1, "time": "2101-01-01T00:00:00Z"}', "future", Reason.IMPLEMENTATION_SPECIFIC),
    ],
)
def test_what_is_not_accepted_is_kept_acknowledged_and_explained(
    krog: House, client: Callable[..., Client], topic: str, payload: bytes, reason: str, code: int
) -> None:
    sender = client()
    assert sender.send(topic, payload) == code
    assert sender.acks[max(sender.acks)][1], "the acknowledgement says why in words"
    (entry,) = krog.aside()
    assert (entry.reason, entry.topic, entry.transport) == (reason, topic, "mqtt")
    assert entry.payload == payload[:4096] and entry.detail and "gateway" in entry.who
    assert krog.observations() == []
    assert sender.send("krog/inflow", "1") == 0, "the next message is taken as if nothing had been"


def test_an_old_client_gets_its_acknowledgement_for_a_message_set_aside(
    krog: House, client: Callable[..., Client]
) -> None:
    assert client(version=4).send("krog/nobody", "1") == 0
    assert [entry.reason for entry in krog.aside()] == ["unknown"]


def test_a_key_of_another_organisation_may_not_write(krog: House, client: Callable[..., Client]) -> None:
    assert client(key="stranger").send("krog/inflow", "1") == Reason.NOT_AUTHORISED
    assert [entry.reason for entry in krog.aside()] == ["forbidden"]


def test_a_duplicate_is_acknowledged_and_stored_once(krog: House, client: Callable[..., Client]) -> None:
    payload = json.dumps({"value": 3, "time": times.iso(times.now() - times.HOUR)})
    sender = client()
    assert [sender.send("krog/inflow", payload) for _ in range(3)] == [0, 0, 0]
    assert len(krog.observations()) == 1 and krog.intake.metrics()["duplicate"] == 2


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("secret", ["wrong", ""])
def test_wrong_credentials_are_refused(krog: House, version: int, secret: str) -> None:
    found = Client(krog.port, version=version, secret=secret)
    try:
        until(lambda: found.connected)
        assert found.connected[0][1] == "Not authorized"
    finally:
        found.close()
    assert krog.listener.metrics()["refused_connections"] >= 1


def test_limits_are_told_in_connack(client: Callable[..., Client]) -> None:
    told = client().properties
    assert told is not None
    assert told.MaximumQoS == 1 and told.RetainAvailable == 0 and told.ReceiveMaximum == session.RECEIVE_MAXIMUM
    assert told.MaximumPacketSize == LARGEST_PACKET and told.SharedSubscriptionAvailable == 0
    assert told.SessionExpiryInterval == 0 and told.SubscriptionIdentifierAvailable == 0


def test_a_revoked_key_loses_its_connection_within_seconds(krog: House, client: Callable[..., Client]) -> None:
    found = client()
    krog.keys.pop("own")
    until(lambda: found.gone, 8)
    assert found.gone[0] == Reason.NOT_AUTHORISED


@pytest.mark.parametrize("version", [4, 5])
def test_watchers_see_what_they_may(krog: House, client: Callable[..., Client], version: int) -> None:
    watcher = client(version=version, name="watcher")
    assert watcher.subscribe("krog/inflow", 1) == 1
    assert watcher.subscribe("krog/#", 0) == 0
    refused = Reason.NOT_AUTHORISED if version == 5 else Reason.UNSPECIFIED
    assert watcher.subscribe("krog/secret-flow") == refused
    sender = client(name="sender")
    sender.send("krog/secret-flow", "7")
    sender.send("krog/delivery", "2")
    began = time.monotonic()
    sender.send("krog/inflow", json.dumps({"value": 5.5, "time": "2026-01-02T03:04:05Z", "origin": "simulated"}))
    until(lambda: len(watcher.messages) >= 2)
    assert time.monotonic() - began < 2
    assert [(topic, qos) for topic, _, qos in watcher.messages] == [("krog/delivery", 0), ("krog/inflow", 1)]
    assert json.loads(watcher.messages[1][1]) == {"value": 5.5, "time": "2026-01-02T03:04:05Z", "origin": "simulated"}


def test_unsubscribing_ends_the_values(krog: House, client: Callable[..., Client]) -> None:
    watcher = client(name="watcher")
    watcher.subscribe("krog/+")
    sender = client(name="sender")
    sender.send("krog/inflow", "1")
    until(lambda: watcher.messages)
    watcher.client.unsubscribe("krog/+")
    time.sleep(0.2)
    sender.send("krog/inflow", "2")
    time.sleep(0.3)
    assert len(watcher.messages) == 1


def test_a_shared_subscription_is_refused(client: Callable[..., Client]) -> None:
    assert client().subscribe("$share/a/krog/#") == Reason.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED


def test_the_same_client_again_takes_over(client: Callable[..., Client]) -> None:
    first, second = client(name="twin"), client(name="twin")
    first.client.reconnect_delay_set(60, 60)
    until(lambda: first.gone)
    assert first.gone[0] == Reason.SESSION_TAKEN_OVER and not second.gone


def test_mosquitto_pub_and_sub_by_hand(krog: House) -> None:
    login = ["-h", "127.0.0.1", "-p", str(krog.port), "-u", "own", "-P", "secret"]
    watcher = subprocess.Popen(
        [mosquitto("mosquitto_sub"), *login, "-t", "krog/#", "-C", "3", "-W", "10"], stdout=subprocess.PIPE, text=True
    )
    until(lambda: krog.listener.clients == 1)
    time.sleep(0.3)
    for words in (["-q", "0"], ["-q", "1"], ["-q", "1", "-V", "mqttv5"]):
        subprocess.run(
            [mosquitto("mosquitto_pub"), *login, *words, "-t", "krog/inflow", "-m", "21.5"], check=True, timeout=10
        )
    out, _ = watcher.communicate(timeout=15)
    assert watcher.returncode == 0
    assert [json.loads(line)["value"] for line in out.splitlines()] == [21.5] * 3
    assert len(krog.observations()) == 3


def test_mosquitto_pub_learns_that_it_may_not(krog: House) -> None:
    done = subprocess.run(
        [mosquitto("mosquitto_pub"), "-h", "127.0.0.1", "-p", str(krog.port), "-u", "own", "-P", "no",
         "-t", "krog/inflow", "-m", "1"], capture_output=True, text=True, timeout=10,
    )  # fmt: skip
    assert done.returncode != 0 and "not authori" in done.stderr.lower()


def test_half_packets_wait_for_their_rest(krog: House) -> None:
    found = raw(krog.port)
    whole = codec.publish(4, "krog/inflow", b"21.5", 1, 7)
    for byte in whole:
        found.sendall(bytes([byte]))
        time.sleep(0.002)
    assert found.recv(4) == codec.puback(4, 7)
    found.sendall(codec.publish(4, "krog/inflow", b"22.5", 1, 8)[:-2])
    found.close()
    time.sleep(0.2)
    assert [each.value for each in krog.observations()] == [21.5]


def test_a_client_that_sends_and_leaves_has_sent(krog: House) -> None:
    found = raw(krog.port, connect=b"")
    found.sendall(hello() + b"".join(codec.publish(4, "krog/inflow", b"%d" % n) for n in range(200)) + b"\xe0\x00")
    found.close()
    until(lambda: len(krog.observations()) == 200)


def test_an_oversized_packet_is_refused_and_kept(krog: House) -> None:
    found = raw(krog.port, connect=hello(5))
    found.recv(100)
    found.sendall(codec.publish(5, "krog/inflow", b"1" * LARGEST_PACKET, 1, 3))
    rest = closed(found)
    assert rest[0] >> 4 == codec.DISCONNECT and rest[2] == Reason.PACKET_TOO_LARGE
    until(krog.aside)
    assert krog.aside()[0].reason == "malformed" and b"krog/inflow" in krog.aside()[0].payload


def test_qos_2_is_refused_in_both_versions(krog: House, caplog: pytest.LogCaptureFixture) -> None:
    for version in (4, 5):
        found = raw(krog.port, connect=hello(version))
        found.recv(100)
        body = codec.text("krog/inflow") + b"\0\1" + b"\0" * (version - 4) + b"1"
        found.sendall(codec.packet(codec.PUBLISH, body, 4))
        rest = closed(found)
        assert (rest == b"") if version == 4 else (rest[2] == Reason.QOS_NOT_SUPPORTED)
    assert "QoS 2 is not offered" in caplog.text
    until(lambda: len(krog.aside()) == 2)


@pytest.mark.parametrize(
    "junk", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100, b"\x10\x05\x00\x04MQT", b"\x30\x00", b"\xc0\x00"]
)
def test_what_is_no_mqtt_is_sent_away(krog: House, junk: bytes) -> None:
    found = raw(krog.port, connect=junk)
    if junk.startswith(b"\x10"):
        found.shutdown(socket.SHUT_WR)
    assert closed(found) == b""


def test_too_many_messages_under_way_end_the_connection(krog: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "RECEIVE_MAXIMUM", 3)
    found = raw(krog.port, connect=hello(5))
    found.recv(100)
    found.sendall(b"".join(codec.publish(5, "krog/inflow", b"1", 1, number) for number in range(1, 9)))
    rest = closed(found)
    assert bytes([codec.DISCONNECT << 4]) in rest and bytes([Reason.RECEIVE_MAXIMUM_EXCEEDED]) in rest


def test_a_silent_client_is_sent_away(krog: House) -> None:
    body = codec.text("MQTT") + bytes([4, 0xC2, 0, 1]) + codec.text("s") + codec.text("own") + codec.text("secret")
    found = raw(krog.port, connect=codec.packet(codec.CONNECT, body))
    assert found.recv(4) == b"\x20\x02\x00\x00"
    found.sendall(b"\xc0\x00")
    assert found.recv(2) == codec.PONG
    began = time.monotonic()
    assert closed(found) == b"" and 1 < time.monotonic() - began < 4


def test_a_slow_watcher_is_sent_away_and_others_go_on(
    krog: House, client: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "OUTBOX", 50)
    slow = raw(krog.port, connect=hello(client="slow"))
    slow.recv(4)
    slow.sendall(codec.packet(codec.SUBSCRIBE, b"\0\1" + codec.text("krog/#") + b"\1", 2))
    assert slow.recv(5)[-1] == 1
    sender, watcher = client(name="sender"), client(name="watcher")
    watcher.subscribe("krog/#")
    for number in range(200):
        sender.client.publish("krog/inflow", str(number), qos=1)
    until(lambda: len(watcher.messages) == 200)
    assert len(closed(slow)) < 64 * 100, "no more than may be under way without an acknowledgement"
    assert krog.listener.clients == 2


def test_messages_wait_while_the_store_is_busy(krog: House, client: Callable[..., Client]) -> None:
    krog.intake.store.most_waiting = 5  # type: ignore[attr-defined]
    sender = client()
    infos = [sender.client.publish("krog/inflow", str(number % 200), qos=1) for number in range(3000)]
    until(lambda: len(sender.acks) == len(infos), 30)
    assert len(krog.observations()) == 3000


def test_everything_read_is_stored_when_krog_stops(tmp_path: Path) -> None:
    with house(tmp_path) as krog:
        found = raw(krog.port)
        found.sendall(b"".join(codec.publish(4, "krog/inflow", b"%d" % n, 1, n + 1) for n in range(200)))
        time.sleep(0.05)
    acks = closed(found)
    stored = {int(each.value or 0) for each in krog.observations()}
    acknowledged = {int.from_bytes(acks[at + 2 : at + 4], "big") - 1 for at in range(0, len(acks), 4)}
    assert acknowledged <= stored
