"""What the public port hands to the pages: whole bodies both ways, the right headers, words when the pages are away."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from krog.web.ingest.forward import Forwarder
from tests.service.mqtt_house import until
from tests.service.public_krog import ROOT, Krog

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Krog]:
    """An ingest process whose pages are not there."""
    found = Krog(tmp_path_factory.mktemp("krog"), KROG_UPLOAD_MB="6").start()
    yield found
    assert found.stop() == 0


@pytest.fixture()
def krog(alone: Krog) -> Iterator[Krog]:
    """The same with pages that show what was forwarded, behind the real server of the pages."""
    path = alone.folder / "web.sock"
    pages = subprocess.Popen(
        [sys.executable, "-m", "granian", "--log-level", "warning", "--interface", "wsgi", "--uds", str(path),
         "--blocking-threads", "4", "--no-ws", "tests.service.pages_app:application"],
        cwd=ROOT, env=alone.env, start_new_session=True,
    )  # fmt: skip
    try:
        until(lambda: alone.get("/")[0] == 200, 20)
        yield alone
    finally:
        os.killpg(pages.pid, signal.SIGKILL)
        pages.wait(10)
        path.unlink(missing_ok=True)


def test_while_the_pages_start_people_and_programs_are_told(alone: Krog) -> None:
    status, body, headers = alone.get("/sl/", {"Accept": "text/html,*/*"})
    assert status == 503 and headers["retry-after"] == "2" and "Krog se zaganja" in body.decode()
    status, body, headers = alone.get("/api/v1/streams", {"Accept": "*/*"})
    assert status == 503 and headers["content-type"] == "application/problem+json"
    assert json.loads(body)["todo"] == "Try again in a few seconds."


def test_address_and_headers_arrive_as_they_were_sent(krog: Krog) -> None:
    status, body, _ = krog.get(
        "/sl/%C5%A1kofja%2Floka?a=%20b&c=%C4%8D",
        {"Accept-Language": "sl", "Cookie": "a=1", "X-Own": "č".encode().decode("latin-1")},
    )
    found = json.loads(body)
    assert status == 200 and found["query"] == "a=%20b&c=%C4%8D"
    assert found["headers"]["accept-language"] == "sl" and found["headers"]["cookie"] == "a=1"
    assert found["headers"]["host"] == f"127.0.0.1:{krog.port}"


def test_nobody_can_pretend_to_be_somebody_else(krog: Krog) -> None:
    lies = {
        "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=1.2.3.4", "X-Real-IP": "1.2.3.4", "Connection": "x-secret", "X-Secret": "1", "TE": "trailers",
    }  # fmt: skip
    found = json.loads(krog.get("/", lies)[1])["headers"]
    assert found["x-forwarded-for"] == "127.0.0.1" and found["x-forwarded-proto"] == "http"
    assert not {"x-forwarded-host", "forwarded", "x-real-ip", "x-secret", "te"} & set(found)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_arrives_whole(krog: Krog, chunked: bool) -> None:
    data = os.urandom(7 * MEGABYTE)
    body = iter([data[at : at + 50_000] for at in range(0, len(data), 50_000)]) if chunked else data
    headers = {"Transfer-Encoding": "chunked"} if chunked else {}
    connection = krog.connection()
    connection.request("POST", "/body", body, headers, encode_chunked=chunked)
    found = json.loads(connection.getresponse().read())
    connection.close()
    assert found["size"] == len(data) and found["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused(krog: Krog, chunked: bool) -> None:
    pieces = [b"x" * 100_000] * 90
    connection = krog.connection()
    headers = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(9 * MEGABYTE)}
    connection.request("POST", "/body", iter(pieces), headers, encode_chunked=chunked)
    found = connection.getresponse()
    assert found.status == 413 and json.loads(found.read())["allowed"] == "at most 8 MB"
    connection.close()
    assert krog.get("/")[0] == 200


def test_large_replies_come_whole_and_slow_readers_cost_no_memory(krog: Krog) -> None:
    assert len(krog.get(f"/big?{30 * MEGABYTE}")[1]) == 30 * MEGABYTE
    before = memory_mb(krog)
    slow = []
    for _ in range(8):
        each = socket.create_connection(("127.0.0.1", krog.port))
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        each.sendall(f"GET /big?{3 * MEGABYTE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        slow.append(each)
    time.sleep(2)
    began = time.monotonic()
    assert krog.get("/")[0] == 200 and time.monotonic() - began < 1, "slow readers hold none of the pages' threads"
    huge = socket.create_connection(("127.0.0.1", krog.port))
    huge.sendall(f"GET /big?{800 * MEGABYTE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    time.sleep(1)
    slow.append(huge)
    grown = memory_mb(krog) - before
    for each in slow:
        each.close()
    assert grown < 150, f"slow readers of 824 MB made the process grow by {grown:.0f} MB"


def test_a_slow_sender_keeps_nobody_waiting(krog: Krog) -> None:
    slow = [socket.create_connection(("127.0.0.1", krog.port)) for _ in range(10)]
    for each in slow:
        each.sendall(b"POST /body HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n12345")
    time.sleep(0.3)
    began = time.monotonic()
    assert krog.get("/")[0] == 200 and time.monotonic() - began < 1
    for each in slow:
        each.close()


def test_replies_keep_their_headers(krog: Krog) -> None:
    connection = krog.connection()
    connection.request("GET", "/cookies")
    found = connection.getresponse()
    found.read()
    assert found.status == 302 and found.getheader("Location") == "/elsewhere"
    assert found.headers.get_all("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
    connection.request("GET", "/chunks")
    assert connection.getresponse().read() == b"one two"
    connection.request("GET", "/nothing")
    found = connection.getresponse()
    assert found.status == 304 and found.read() == b""
    connection.request("HEAD", "/big?1000")
    found = connection.getresponse()
    assert found.status == 200 and found.getheader("Content-Length") == "1000" and found.read() == b""
    connection.close()


def test_a_reply_that_breaks_off_is_not_taken_for_whole(krog: Krog) -> None:
    with closing(krog.connection()) as connection:
        connection.request("GET", "/breaks")
        found = connection.getresponse()
        with closing(found):
            if found.status >= 500:  # It broke off before its first byte had left.
                return
            with pytest.raises(Exception, match=r"IncompleteRead|reset|closed"):
                assert found.read() != b"half", "IncompleteRead"


def test_krog_stops_although_a_reply_is_being_read(krog: Krog) -> None:
    with socket.create_connection(("127.0.0.1", krog.port)) as slow:
        slow.sendall(f"GET /big?{800 * MEGABYTE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        time.sleep(0.5)
        assert krog.stop() == 0
    krog.start()


def memory_mb(krog: Krog) -> float:
    """Resident memory of the process group."""
    assert krog.process is not None
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(folder.name)) == krog.process.pid:
                total += int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ProcessLookupError):
            continue
    return total / MEGABYTE


@pytest.mark.parametrize(
    "proxies, said, believed",
    [
        ((), "203.0.113.7", "10.1.1.1"),
        (("10.1.1.1",), "203.0.113.7", "203.0.113.7"),
        (("10.1.1.1",), "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (("10.1.1.1",), "nobody", "10.1.1.1"),
        (("10.1.1.1",), "", "10.1.1.1"),
        (("10.9.9.9",), "203.0.113.7", "10.1.1.1"),
    ],
)
def test_only_a_trusted_proxy_may_say_who_asks(proxies: tuple[str, ...], said: str, believed: str) -> None:
    scope = {
        "type": "http",
        "client": ("10.1.1.1", 1),
        "scheme": "http",
        "headers": [(b"x-forwarded-for", said.encode())],
    }

    async def ask() -> str:
        forwarder = Forwarder(Path("web.sock"), largest=1, proxies=frozenset(proxies))
        try:
            return dict(forwarder._headers(scope))["X-Forwarded-For"]
        finally:
            await forwarder.close()

    assert asyncio.run(ask()) == believed
