"""Hostile input at every door of a running Krog: nothing breaks, hangs, leaks or is stored that was refused."""

from __future__ import annotations

import json
import os
import random
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests import hostile
from tests import hostile_demo as attack
from tests import hostile_doors as doors
from tests.demo import Krog, wait_until
from tests.hostile import Answer, Client, speak
from tests.hostile_demo import attacked

PROVE = bool(os.environ.get("KROG_PROVE"))
#: Seconds for addresses and for forms; together with the rest about a minute.
BOUND_S = 600 if PROVE else 14
SEED = int(os.environ.get("KROG_SEED", "20261121"))

pytestmark = pytest.mark.timeout(BOUND_S * 4 + 300)


@pytest.fixture(scope="module")
def krog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Krog]:
    """A demo of these tests alone, looked at afterwards."""
    with attacked(tmp_path_factory.mktemp("hostile")) as demo:
        yield demo


@pytest.fixture()
def rng() -> random.Random:
    return random.Random(SEED)


# Addresses


def _addresses(rng: random.Random) -> Iterator[str]:
    """Hostile addresses without end: every route with hostile parts, and with hostile questions behind real keys."""
    routes, asked = attack.routes(), hostile.questions()
    while True:
        rng.shuffle(routes)
        for route in routes:
            wild = rng.random() < 0.5
            path = re.sub(r"<[^>]+>", lambda _, w=wild: rng.choice(hostile.ESCAPED if w else hostile.KEYS), route)
            if not wild or rng.random() < 0.3:
                names = rng.sample(asked, rng.choice((1, 1, 2, 6)))
                path += "?" + "&".join(f"{name}={rng.choice((*hostile.ESCAPED, *hostile.KEYS))}" for name in names)
            yield path[:60_000]


def _walk(krog: Krog, rng: random.Random, client: Client, seconds: float) -> list[str]:
    """Asks hostile addresses for a time, four at once; what was wrong with the answers."""
    addresses, until = _addresses(rng), time.monotonic() + seconds
    wrong: set[str] = set()

    def ask(path: str) -> Answer:
        if path.startswith("/live"):
            heard = speak(krog.port, f"GET {path[:9000]} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode(), wait=0.3)
            return Answer(int(heard[9:12] or b"0"), asked=path)
        accept = rng.choice(("text/html", "application/json", "*/*", "\xff", ",;q=x", "text/html;q=1e400"))
        return client.get(path, Accept=accept, Accept_Language=rng.choice(("sl", "en;q=nan,*;q=-1", "x" * 3000)))

    with ThreadPoolExecutor(4) as pool:
        while time.monotonic() < until:
            some = [next(addresses) for _ in range(40)]
            for answer in pool.map(ask, some):
                if (found := answer.wrong()) or (not client.cookies and (found := _leak(krog, answer))):
                    wrong.add(found)
    return sorted(wrong)


def _leak(krog: Krog, answer: Answer) -> str:
    """What no anonymous answer may hold: addresses and names of accounts, the desk."""
    if answer.asked.startswith("GET /desk/") and "sign-in" not in answer.asked and answer.status == 200:
        return f"{answer.asked}: the desk answers anybody"
    found = {mail for mail in re.findall(r"[\w.+-]+@[\w-]+\.[\w.]+", answer.text)} & _mails(krog)
    return f"{answer.asked}: shows {', '.join(sorted(found))}" if found else ""


_known: set[str] = set()


def _mails(krog: Krog) -> set[str]:
    """The addresses of the demo's accounts."""
    if not _known:
        people = (Path(__file__).parents[2] / "cities/kranj/people.toml").read_text()
        accounts = people[people.index("[[account]]") :]
        _known.update(re.findall(r'email = "([^"]+)"', accounts))
    return _known


def test_hostile_addresses_are_answered_to_anybody(krog: Krog, rng: random.Random):
    assert _mails(krog)
    assert _walk(krog, rng, Client(krog.port), BOUND_S) == []


@pytest.mark.parametrize("account", ["planner", "administrator"])
def test_hostile_addresses_are_answered_to_those_who_are_signed_in(krog: Krog, rng: random.Random, account: str):
    client = Client(krog.port, "127.0.9.1").sign_in(account, krog.password)
    assert _walk(krog, rng, client, BOUND_S / 2) == []


@pytest.mark.parametrize(
    "path",
    [
        "/sl/voice/tus-prenova?from=%C2%B2", "/desk/inspect/people.account/x/", "/desk/inspect/people.account/%C2%B2/",
        "/desk/inspect/people.account/?offset=" + "9" * 5000, "/desk/voice?from=%C2%B2",
        "/desk/plans/" + "%C4%8D" * 3000,
        "/api/v1/indicators/night-losses/values?history=true&offset=" + "9" * 30, "/cases/" + "%C4%8D" * 3000,
    ],
)  # fmt: skip
def test_addresses_that_once_failed(krog: Krog, path: str):
    client = Client(krog.port, "127.0.9.2").sign_in("administrator", krog.password)
    assert client.get(path).wrong() == ""


# Observations


def test_hostile_observations_are_refused_and_not_stored(krog: Krog):
    client, key = Client(krog.port), {"Authorization": f"Bearer {krog.key}"}
    wrong = []
    for name, body in doors.bodies().items():
        answer = client.ask("POST", "/api/v1/observations", body, kind="application/json", headers=key)
        if answer.wrong() or not (
            400 <= answer.status < 500 or (answer.status == 202 and b'"accepted"' not in answer.body)
        ):
            wrong.append(f"{name}: {answer.status} {answer.text[:200]}")
    assert wrong == []
    for header in (
        "",
        "Bearer",
        "Bearer x",
        "Bearer .",
        "Basic eDp5",
        "Bearer \xff.\xff",
        "Bearer " + "x" * 9000,
        f"Bearer {krog.key}x",
    ):
        good = json.dumps({"datastream": "mlaka-inflow", "value": doors.MARK}).encode()
        answer = client.ask("POST", "/api/v1/observations", good, headers={"Authorization": header} if header else {})
        assert answer.status == 401, f"{header[:40]!r}: {answer.status}"
    time.sleep(1)
    assert doors.MARK not in _values(client)
    good = json.dumps({"datastream": "mlaka-inflow", "value": doors.MARK}).encode()
    assert client.ask("POST", "/api/v1/observations", good, headers=key).status == 201, "what is right is still taken"
    assert doors.MARK in _values(client)


def _values(client: Client) -> list[float]:
    page = client.get("/api/v1/streams/mlaka-inflow/observations?limit=200")
    return [row["value"] for row in page.json()["items"]]  # type: ignore[index, call-overload]


# The protocol


def test_requests_that_break_the_protocol_break_nothing_else(krog: Krog):
    with ThreadPoolExecutor(6) as pool:
        requests = doors.requests(krog.key)
        heard = dict(
            zip(
                requests, pool.map(lambda p: speak(krog.port, *p, pause=0.05, wait=1.0), requests.values()), strict=True
            )
        )
    wrong = []
    for name, said in heard.items():
        status = [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3})", said)]
        if (
            any(each >= 500 for each in status)
            or (b"/smuggled" in said and "short" not in name)
            or b"evil.example" in said
        ):
            wrong.append(f"{name}: {said[:300]!r}")
        if "length" in name and len(status) > 1 and "short" not in name:
            wrong.append(f"{name}: {len(status)} answers to one request: {said[:600]!r}")
    assert wrong == []
    assert Client(krog.port).get("/sl/").status == 200


def test_slow_clients_keep_nobody_waiting(krog: Krog):
    head = b"POST /sl/cases/report HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\nx"
    post = b"POST /api/v1/observations HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
    post += b"Content-Length: 100000\r\n\r\n["
    lines = []
    try:
        for number in range(1000 if PROVE else 200):
            line = socket.create_connection(("127.0.0.1", krog.port), timeout=5)
            lines.append(line)
            line.sendall((head, post % krog.key.encode(), b"GET /sl/ HTTP/1.1\r\nHost: x", b"")[number % 4])
        client = Client(krog.port)
        good = json.dumps({"datastream": "mlaka-inflow", "value": 21.5}).encode()
        key = {"Authorization": f"Bearer {krog.key}"}
        for _ in range(3):
            page = client.get("/sl/")
            assert (page.status, page.seconds < 3) == (200, True), f"{page.status} after {page.seconds:.1f} s"
            sent = client.ask("POST", "/api/v1/observations", good, headers=key)
            assert (sent.status, sent.seconds < 3) == (201, True), f"{sent.status} after {sent.seconds:.1f} s"
    finally:
        for line in lines:
            line.close()


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1@evil.example", "127.0.0.1:99999999", "", "\xff", "x" * 5000]
)
def test_a_forged_host_is_refused_or_ignored(krog: Krog, host: str):
    client = Client(krog.port)
    for path in (
        "/sl/",
        "/desk/",
        "/streams/mlaka-inflow",
        "/api/v1/streams/?limit=1",
        "/language/en?next=//evil.example/",
    ):
        answer = client.ask("GET", path, headers={"Host": host})
        assert answer.status < 500, answer.wrong()
        assert "evil.example" not in answer.headers.get("location", "").split("?")[0]
        assert answer.status >= 400 or "evil.example" not in answer.text


def test_a_forged_address_of_the_client_does_not_free_from_the_limits(krog: Krog):
    client = Client(krog.port, "127.0.8.1")
    found = []
    for number in range(9):
        forged = {
            name: f"10.0.0.{number}"
            for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Client-IP", "X_Forwarded_For")
        }
        body = json.dumps({"type": "street-lamp", "description": "x", "place": "y"}).encode()
        found.append(client.ask("POST", "/api/v1/cases/", body, kind="application/json", headers=forged).status)
    assert found[0] == 201
    assert found[-1] == 429, found


# Lines


def _mqtt(krog: Krog, key: str) -> tuple[paho.Client, list[int]]:
    """A client that follows the rules, and what it was told: reasons of connections, and -1 when it was cut off."""
    told: list[int] = []
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda *given: told.append(given[3].value)
    client.on_disconnect = lambda *given: told.append(-1)
    client.username_pw_set(*key.split(".", 1))
    client.connect("127.0.0.1", krog.mqtt_port)
    client.loop_start()
    wait_until(lambda: told, 10, "answer to the connection")
    return client, told


def test_mqtt_packets_that_break_the_protocol_end_their_connection_alone(krog: Krog):
    rng = random.Random(SEED)
    good, told = _mqtt(krog, krog.key)
    garbage = [
        *doors.packets().values(),
        *(rng.randbytes(rng.randrange(1, 3000)) for _ in range(2000 if PROVE else 100)),
    ]
    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(lambda packet: speak(krog.mqtt_port, packet, wait=0.2), garbage))
    assert not [each for each in heard if each[:1] == b"\x20" and each[3:4] == b"\x00"], "a wrong key was let in"
    sent = good.publish("krog/mlaka-inflow", "21.5", qos=1)
    sent.wait_for_publish(5)
    assert sent.is_published() and told == [0], "a client that follows the rules is served as before"
    good.disconnect()
    good.loop_stop()


def test_lines_that_no_mail_program_says_are_refused(krog: Krog):
    for line in doors.LINES:
        heard = speak(krog.mail_port, line, wait=0.3)
        assert b"Traceback" not in heard and b"354" not in heard, heard[:300]
    assert speak(krog.mail_port, b"", wait=2, until=b"220").startswith(b"220")
