"""Hostile forms and forbidden deeds: what people may not do, they cannot do, whatever they send."""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlencode

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests import hostile
from tests.demo import Krog, wait_until
from tests.hostile import Client
from tests.hostile_demo import attacked, routes

PROVE = bool(os.environ.get("KROG_PROVE"))
#: Seconds for words in forms.
BOUND_S = 600 if PROVE else 12
SEED = int(os.environ.get("KROG_SEED", "20261121"))
REPORT = {
    "type": "street-lamp", "description": "The lamp is dark.", "place": "Mlaka 1", "settlement": "", "lon": "",
    "lat": "", "name": "", "email": "", "phone": "", "website": "", "once": "", "kept": "",
}  # fmt: skip
PROPOSAL = {
    "title": "A bench", "text": "By the brook.", "node": "", "place": "", "author": "", "email": "", "website": "",
    "form": "",
}  # fmt: skip
SEND = "/sl/cases/report?type=street-lamp"
FORM = "application/x-www-form-urlencoded"
#: The name of the demo's clerk, as the journal has it.
CLERK = "Sprejem prijav"

pytestmark = pytest.mark.timeout(BOUND_S * 4 + 300)


@pytest.fixture(scope="module")
def krog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Krog]:
    """A demo of these tests alone, looked at afterwards."""
    with attacked(tmp_path_factory.mktemp("hostile")) as demo:
        yield demo


@pytest.fixture()
def rng() -> random.Random:
    return random.Random(SEED)


# Forms


def test_hostile_words_in_forms_are_answered(krog: Krog, rng: random.Random):
    forms: list[tuple[str, dict[str, str]]] = [
        ("/sl/cases/report?type=street-lamp", REPORT), ("/sl/voice/tus-prenova", PROPOSAL),
        ("/desk/sign-in", {"username": "x", "password": "y", "next": ""}),
    ]  # fmt: skip
    everything = [(path, name, word) for path, fields in forms for name in fields for word in hostile.WORDS]
    rng.shuffle(everything)
    until = time.monotonic() + BOUND_S

    def send(one: tuple[int, tuple[str, str, str]]) -> str:
        number, (path, name, word) = one
        if time.monotonic() > until:
            return ""
        client = Client(krog.port, f"127.0.{number // 200 + 10}.{number % 200 + 1}")
        fields = dict(forms)[path]
        wrong = client.form(path, fields={**fields, name: word}).wrong()
        if "report" in path:
            body = json.dumps({"type": "street-lamp", "description": "x", "place": "y", name: word}).encode()
            wrong = wrong or client.ask("POST", "/api/v1/cases/", body, kind="application/json").wrong()
        return f"{name}={word[:40]!r}: {wrong}" if wrong else ""

    with ThreadPoolExecutor(4) as pool:
        assert [wrong for wrong in pool.map(send, enumerate(everything)) if wrong] == []


@pytest.mark.parametrize(
    "body", [b"", b"\xff" * 300, b"a" * 1_200_000, b"&".join(b"a=b" for _ in range(1000)), b"%" * 500, b"\x00"]
)
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "\xff"]
)
def test_bodies_of_forms_that_are_none_are_answered(krog: Krog, body: bytes, kind: str):
    client = Client(krog.port, "127.0.7.1")
    client.get("/sl/cases/report?type=street-lamp")
    for path in ("/sl/cases/report?type=street-lamp", "/sl/voice/tus-prenova", "/desk/sign-in", "/api/v1/cases/"):
        answer = client.ask("POST", path, body, kind=kind)
        assert answer.wrong() == "" and answer.status >= 400


def test_photos_that_are_none_are_refused_and_the_others_kept_as_pictures_alone(krog: Krog):
    for number, (name, data) in enumerate(hostile.photos().items()):
        client = Client(krog.port, f"127.0.6.{number + 1}")
        answer = client.form(SEND, fields=REPORT, files={"photo": data})
        assert answer.wrong() == "", name
        assert answer.status == (302 if name in hostile.DECODED else 422), f"{name}: {answer.status}"
    kept = list((krog.var / "files").rglob("*.jpg"))
    assert kept
    for file in kept:
        data = file.read_bytes()
        assert data[:3] == b"\xff\xd8\xff" and b"<script" not in data and len(data) < 3_000_000, file.name
    assert not [f for f in (krog.var / "files").rglob("*") if f.is_file() and f.suffix != ".jpg"]
    large = b"x" * 40_000_000
    assert Client(krog.port, "127.0.6.99").form(SEND, fields=REPORT, files={"photo": large}).status == 413


def test_signed_links_that_were_changed_open_nothing(krog: Krog, rng: random.Random):
    def links() -> set[str]:
        texts = "\n".join(mail.get_body(("plain",)).get_content() for mail in krog.mails())
        return {
            each.split("/", 3)[3] for each in re.findall(r"https?://[^\s>\"]+/(?:link|enter|confirm)/[^\s>\"]+", texts)
        }

    def found() -> set[str]:
        Client(krog.port, "127.0.5.1").form(SEND, fields=REPORT)
        return links()

    paths = sorted(wait_until(found, 30, "mail with a signed link"))  # type: ignore[call-overload]
    client = Client(krog.port)
    assert client.get("/" + paths[0]).status == 200
    before, token = ("/" + paths[0]).rsplit("/", 1)
    changed = [
        token[:-1],
        token + "x",
        token[::-1],
        token.upper(),
        "~".join(reversed(token.split("~"))),
        "~",
        ":",
        "a~b~c",
        "eyJ9~x~y",
    ]
    for _ in range(200 if PROVE else 40):
        place = rng.randrange(len(token))
        changed.append(token[:place] + rng.choice("abcXYZ019-_~") + token[place + 1 :])
    for other in {*changed, *hostile.ESCAPED} - {token}:
        for path in (before, "/sl/indicators/enter", "/sl/indicators/confirm", "/sl/voice/confirm"):
            answer = client.get(f"{path}/{other}")
            assert answer.wrong() == "" and answer.status >= 400, f"{path}/{other[:80]}: {answer.status}"
    for path in ("/sl/indicators/enter", "/sl/indicators/confirm", "/sl/voice/confirm"):
        assert client.get(f"{path}/{token}").status in (403, 404), "a link is good for its purpose alone"


# Rights


def _desk() -> list[str]:
    keys = {"centres": "environment", "inspect": "people.account", "rules": "night-flow", "registers": "mlaka-points"}
    found = []
    for route in routes():
        if route.startswith("/desk/") and "sign-" not in route:
            key = keys.get(route.split("/")[2], "tus-2030")
            found.append(re.sub(r"<int:\w+>", "1", re.sub(r"<(?!int)[^>]+>", key, route)))
    return found


def test_the_desk_is_closed_to_anybody(krog: Krog):
    client = Client(krog.port)
    for path in _desk():
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            answer = client.ask(method, path, b"" if method == "POST" else None)
            assert answer.status in (302, 403, 404, 405), f"{method} {path}: {answer.status}"
            assert "/desk/sign-in" in answer.headers.get("location", "/desk/sign-in")
    for header in (f"Bearer {krog.key}x", "Bearer .", "Basic YTpi"):
        assert client.get("/desk/", Authorization=header).status == 401


def test_forms_without_their_token_change_nothing(krog: Krog):
    signed = Client(krog.port, "127.0.9.3").sign_in("administrator", krog.password)
    token = signed.cookies.get("csrftoken", "")
    for client in (signed, Client(krog.port)):
        for path in (
            *_desk(),
            "/sl/cases/report?type=street-lamp",
            "/sl/voice/tus-prenova",
            "/desk/sign-in",
            "/desk/sign-out",
        ):
            for body, headers in (
                (b"act=take", {}),
                (b"csrfmiddlewaretoken=" + b"a" * 64, {}),
                (b"", {"X-CSRFToken": "x" * 32}),
            ):
                answer = client.ask("POST", path, body, kind="application/x-www-form-urlencoded", headers=headers)
                assert answer.status in (302, 403, 404, 405), f"{path}: {answer.status}"
                if answer.status == 302:
                    assert not client.cookies.get("sessionid") or "sign-in" in answer.headers["location"], path
    if token:
        other = {"Origin": "https://evil.example"}
        body = f"csrfmiddlewaretoken={token}".encode()
        assert (
            signed.ask("POST", "/desk/sign-out", body, kind="application/x-www-form-urlencoded", headers=other).status
            == 403
        )
    assert signed.get("/desk/").status == 200, "nobody was signed out"


def _journal(krog: Krog) -> list[tuple[str, str]]:
    """Who did what, from the journal itself."""
    with closing(sqlite3.connect(f"file:{krog.var}/krog.sqlite?mode=ro", uri=True)) as base:
        return base.execute("SELECT actor_name, verb FROM journal_entry ORDER BY id").fetchall()


def test_a_clerk_can_do_by_address_only_what_a_clerk_may(krog: Krog):
    reports = Client(krog.port, "127.0.4.1")
    made = [reports.form(SEND, fields={**REPORT, "type": kind}) for kind in ("street-lamp", "water")]
    cases = [each.headers["location"].split("/")[3][:13] for each in made if each.status == 302]
    assert cases
    clerk = Client(krog.port, "127.0.9.4").sign_in("clerk", krog.password)
    token = _token(clerk)
    seen = len(_journal(krog))
    acts = (
        "take",
        "assign",
        "hand-over",
        "reply",
        "reply-public",
        "note",
        "wait",
        "snooze",
        "close",
        "decline",
        "publish",
        "tick",
    )
    fields = {"text": "x", "note": "x", "account": "clerk", "office": "vodovod", "hours": "24", "step": "0", "id": "1",
              "mail": "1", "title": "x", "value": "1", "public": "on", "version": "1", "reason": "x", "verdict": "keep",
              "open": "1", "opens": "2026-01-01", "closes": "2027-01-01", "adopted": "2026-11-21", "body": "x",
              "answer": "x", "state": "accepted", "until": "2027-01-01", "act": "dismiss"}  # fmt: skip
    refused = []
    for path in _desk():
        answer = clerk.ask("POST", path, urlencode({**fields, "csrfmiddlewaretoken": token}).encode(), kind=FORM)
        refused.append((path, answer.status))
        assert answer.wrong() == ""
    for case in cases:
        for act in acts:
            body = urlencode({**fields, "act": act, "csrfmiddlewaretoken": token}).encode()
            answer = clerk.ask("POST", f"/desk/cases/{case}/act", body, kind=FORM)
            assert answer.status in (403, 404, 409, 422, 400), f"{act} {case}: {answer.status}"
    # The own sessions and the own Monday mail are everybody's to end and to switch.
    own = {"people.end-sessions", "people.want-digest"}
    done = [verb for name, verb in _journal(krog)[seen:] if name == CLERK and verb not in own]
    assert done == [], refused
    for path in ("/desk/inspect/", "/desk/inspect/people.account/1/", "/desk/accesses/"):
        assert clerk.get(path).status == 403, path


def _token(client: Client) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/desk/cases/new").text)
    assert found
    return found[1]


def test_a_password_that_was_changed_ends_the_sessions_before(krog: Krog):
    client = Client(krog.port, "127.0.9.5").sign_in("operator2", krog.password)
    assert client.get("/desk/").status == 200
    krog.command("password", "operator2", given="a quite different secret\n")
    assert client.get("/desk/").status == 302
    other = Client(krog.port, "127.0.9.6")
    assert other.form("/desk/sign-in", fields={"username": "operator2", "password": krog.password}).status == 400
    other.sign_in("operator2", "a quite different secret")


def test_guessing_has_to_wait_where_it_comes_from_and_keeps_nobody_else_out(krog: Krog):
    guesser = Client(krog.port, "127.0.3.1")
    for number in range(10):
        wrong = {"username": "confirmer", "password": f"wrong {number}"}
        assert guesser.form("/desk/sign-in", fields=wrong).status == 400
    right = {"username": "confirmer", "password": krog.password}
    assert guesser.form("/desk/sign-in", fields=right).status == 400, "it has to wait"
    Client(krog.port, "127.0.3.99").sign_in("confirmer", krog.password)


def test_a_revoked_key_is_refused_within_seconds(krog: Krog):
    made = krog.command("key", "create", "hostile", "--organisation", "mok", "--role", "operator")
    key = re.search(r"Bearer (\S+)", made)[1]  # type: ignore[index]
    client, body = Client(krog.port), json.dumps({"datastream": "mlaka-inflow", "value": 21.5}).encode()

    def send() -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return client.ask("POST", "/api/v1/observations", body, headers=headers).status

    told: list[int] = []
    device = paho.Client(CallbackAPIVersion.VERSION2)
    device.on_connect = lambda *given: told.append(given[3].value)
    device.on_disconnect = lambda *given: told.append(-1)
    device.username_pw_set(*key.split(".", 1))
    device.connect("127.0.0.1", krog.mqtt_port)
    device.loop_start()
    wait_until(lambda: told, 10, "answer to the connection")
    assert told == [0]
    assert send() == 201
    assert client.get("/api/v1/streams/", Authorization=f"Bearer {key}").status == 200
    krog.command("key", "revoke", key.split(".")[0])
    revoked = time.monotonic()
    assert client.get("/api/v1/streams/", Authorization=f"Bearer {key}").status == 401, "the pages ask each time"
    wait_until(lambda: send() == 401, 4, "refusal over HTTP")
    wait_until(lambda: len(told) > 1, max(0.1, 6 - (time.monotonic() - revoked)), "end of the MQTT connection")
    wait_until(lambda: len(told) > 2, 10, "second try")
    assert told[1] == -1 and 0 not in told[1:], "it is not let in again"
    device.loop_stop()
