"""Signing in through an organisation: the whole way with a real OpenID Connect provider, and every refusal."""

from __future__ import annotations

import http.cookiejar
import json
import re
import select
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from krog.base.grant import Grant
from krog.base.settings import settings as krog_settings
from krog.people import accounts, identities, oidc
from krog.people.models import Account, Identity
from krog.people.permissions import SYSTEM
from tests.service.provider_process import CLIENT, PASSWORD, SECRET

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:8000"
BACK = f"{URL}/desk/sign-in/organisation/back"
BEGIN = "/desk/sign-in/organisation"


@pytest.fixture()
def organisation(monkeypatch):
    """Points the settings at a provider: `organisation(issuer, KROG_OIDC_MATCH="linked")`."""
    from krog.web import limits

    monkeypatch.setattr(limits, "passes", lambda request, limit: True)

    def point(issuer: str, **more: object) -> None:
        about = {"KROG_URL": URL, "KROG_OIDC_ISSUER": issuer, "KROG_OIDC_CLIENT": CLIENT, "KROG_OIDC_SECRET": SECRET}
        for name, value in {**about, **more}.items():
            monkeypatch.setitem(krog_settings()._values, name, value)
        oidc.forget()

    yield point
    oidc.forget()


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture()
def people(account):
    account("ana", "official", email="ana@example.org")
    account("eva", "official", email="eva@example.org")


# A real provider


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """The issuer of a real provider that runs in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = Path(__file__).with_name("provider_process.py")
    command = [sys.executable, str(file), str(port), str(tmp_path_factory.mktemp("provider")), BACK, f"{URL}/"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], env=_environment())
    try:
        assert select.select([process.stdout], [], [], 60)[0] and process.stdout.readline() == b"ready\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def _environment() -> dict[str, str]:
    import os

    return {k: v for k, v in os.environ.items() if not k.startswith(("KROG_", "DJANGO_"))} | {
        "PYTHONPATH": str(Path(__file__).parents[2])
    }


class Browser:
    """Keeps the provider's cookies, sends its forms, and stops where it leads back to Krog."""

    class _Stop(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, req, fp, code, msg, headers, newurl):
            return None if newurl.startswith(URL) else super().redirect_request(req, fp, code, msg, headers, newurl)

    def __init__(self) -> None:
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar, self._Stop)

    def open(self, url: str, form: dict[str, str] | None = None) -> tuple[str, str, str]:
        """The address where it ended, the page, and where it leads back to ("" if it does not)."""
        data = urllib.parse.urlencode(form).encode() if form else None
        try:
            with self.opener.open(urllib.request.Request(url, data, {"Referer": url}), timeout=20) as answer:
                return answer.url, answer.read().decode(), ""
        except urllib.error.HTTPError as error:
            with error:
                return error.url, error.read().decode(), error.headers.get("Location") or ""

    def sign_in(self, url: str, name: str) -> str:
        """Goes to the provider, signs in there where it asks; the address back at Krog."""
        here, page, back = self.open(url)
        if not back:
            mark = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
            _, page, back = self.open(here, {"csrfmiddlewaretoken": mark, "login": name, "password": PASSWORD})
        assert back, page
        return back


def _go(client: Client, browser: Browser, name: str, query: str = ""):
    sent = client.get(f"{BEGIN}{query}")
    assert sent.status_code == 302, sent.content
    return client.get(browser.sign_in(sent.headers["Location"], name).removeprefix(URL))


def test_an_official_signs_in_works_and_signs_out_at_both(provider, organisation, people):
    organisation(provider)
    client, browser = Client(), Browser()
    page = client.get("/desk/sign-in?next=/desk/cases/").content.decode()
    assert f'href="{BEGIN}?next=%2Fdesk%2Fcases%2F"' in page
    answer = _go(client, browser, "ana", "?next=/desk/cases/")
    assert answer.headers["Location"] == "/desk/cases/"
    assert client.get("/desk/account/").status_code == 200
    assert Account.objects.get(key="ana").last_login is not None
    assert Identity.objects.get().account.key == "ana"
    out = client.post("/desk/sign-out")
    assert client.get("/desk/account/").status_code == 302
    address = out.headers["Refresh"].partition("url=")[2]
    here, page, back = browser.open(address)
    if not back:  # It asks whether it should.
        mark = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        _, page, back = browser.open(here, {**hidden, "csrfmiddlewaretoken": mark, "action": "logout"})
    assert back == f"{URL}/", page
    assert "login" in browser.open(client.get(BEGIN).headers["Location"])[0]


def test_the_second_time_the_subject_counts_not_the_address(provider, organisation, people):
    organisation(provider)
    _go(Client(), Browser(), "ana")
    Account.objects.filter(key="ana").update(email="moved@example.org")
    Account.objects.filter(key="eva").update(email="ana@example.org")
    client = Client()
    assert _go(client, Browser(), "ana").status_code == 302
    assert "<code>ana</code>" in client.get("/desk/account/").content.decode()


def test_who_has_no_account_is_told_so_and_none_is_made(provider, organisation, people):
    organisation(provider)
    client = Client()
    answer = _go(client, Browser(), "bor")
    assert answer.status_code == 403 and "bor@example.org" in answer.content.decode()
    assert Account.objects.count() == 2 and client.get("/desk/account/").status_code == 302


def test_an_address_that_nobody_verified_opens_no_account_unless_the_city_trusts_it(provider, organisation, people):
    organisation(provider)
    assert _go(Client(), Browser(), "eva").status_code == 403
    assert not Identity.objects.exists()
    organisation(provider, KROG_OIDC_MATCH="email-trusted")
    assert _go(Client(), Browser(), "eva").status_code == 302


def test_a_new_person_gets_an_account_without_roles_where_the_city_wants_it(provider, organisation, people):
    organisation(provider, KROG_OIDC_CREATE=True)
    client = Client()
    assert _go(client, Browser(), "new").status_code == 302
    row = Account.objects.get(email="nova.oseba@example.org")
    assert (row.key, row.roles, row.has_usable_password()) == ("nova.oseba", ["citizen"], False)
    assert client.get("/desk/").status_code == 403
    assert _go(Client(), Browser(), "new").status_code == 302 and Account.objects.count() == 3


def test_an_account_closed_meanwhile_is_out_and_stays_out(provider, organisation, people, account):
    organisation(provider)
    client, browser = Client(), Browser()
    _go(client, browser, "ana")
    assert client.get("/desk/account/").status_code == 200
    accounts.close(SYSTEM, account="ana", reason="left")
    assert client.get("/desk/account/").headers["Location"].startswith("/desk/sign-in")
    assert _go(client, browser, "ana").status_code == 403
    accounts.reopen(SYSTEM, account="ana")
    assert client.get("/desk/account/").status_code == 302
    assert _go(client, browser, "ana").status_code == 302


def test_closing_between_leaving_and_coming_back_is_in_time(provider, organisation, people):
    organisation(provider)
    client, browser = Client(), Browser()
    back = browser.sign_in(client.get(BEGIN).headers["Location"], "ana")
    accounts.close(SYSTEM, account="ana", reason="left")
    assert client.get(back.removeprefix(URL)).status_code == 403


def test_a_code_comes_back_once_and_to_the_browser_that_began(provider, organisation, people):
    organisation(provider)
    client, browser = Client(), Browser()
    back = browser.sign_in(client.get(BEGIN).headers["Location"], "ana").removeprefix(URL)
    assert Client().get(back).status_code == 403
    assert client.get(back).status_code == 302
    assert client.get(back).status_code == 403
    began = client.get(BEGIN).headers["Location"]
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(began).query)["state"][0]
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
    assert client.get(f"{BEGIN}/back?state={state}&code={code}").status_code == 403


def test_a_code_stolen_on_its_way_is_worth_nothing_without_the_verifier(provider, organisation, people):
    organisation(provider)
    victim, thief = Client(), Client()
    back = Browser().sign_in(victim.get(BEGIN).headers["Location"], "ana")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
    own = urllib.parse.parse_qs(urllib.parse.urlsplit(thief.get(BEGIN).headers["Location"]).query)["state"][0]
    assert thief.get(f"{BEGIN}/back?state={own}&code={code}").status_code == 403
    assert thief.get("/desk/account/").status_code == 302


def test_the_session_gets_a_new_number_and_nothing_of_somebody_elses(provider, organisation, people, client_of):
    organisation(provider)
    client = client_of("bor", "official")
    session = client.session
    session["left"] = "by bor"
    session.save()
    before = client.cookies["sessionid"].value
    _go(client, Browser(), "ana")
    assert client.cookies["sessionid"].value != before and "left" not in client.session
    assert "<code>ana</code>" in client.get("/desk/account/").content.decode()


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_elsewhere_afterwards(provider, organisation, people, wanted):
    organisation(provider)
    answer = _go(Client(), Browser(), "ana", "?" + urllib.parse.urlencode({"next": wanted}))
    assert answer.headers["Location"] == "/desk/"


def test_a_person_links_the_own_account_once(provider, organisation, people, account, client_of):
    organisation(provider, KROG_OIDC_MATCH="linked")
    assert _go(Client(), Browser(), "bor").status_code == 403
    client = client_of("robert", "official", email="other@example.org")
    assert _go(client, Browser(), "bor", "?link=1").headers["Location"].startswith("/desk/account/")
    again = Client()
    assert _go(again, Browser(), "bor").status_code == 302
    assert "<code>robert</code>" in again.get("/desk/account/").content.decode()
    thief = client_of("thief", "official")
    assert _go(thief, Browser(), "bor", "?link=1").status_code == 403
    identities.unlink(SYSTEM, account="robert")
    assert again.get("/desk/account/").status_code == 302
    assert accounts.one(Grant(SYSTEM, "desk"), "robert").organisation_sign_in is False


def test_who_signs_in_as_somebody_else_between_links_nobody(provider, organisation, people, client_of):
    organisation(provider, KROG_OIDC_MATCH="linked")
    client = client_of("one", "official")
    back = Browser().sign_in(client.get(f"{BEGIN}?link=1").headers["Location"], "bor").removeprefix(URL)
    client.force_login(Account.objects.get(key="ana"), backend="krog.people.backend.AccountBackend")
    assert client.get(back).status_code == 403 and not Identity.objects.exists()


# A crooked provider


class Crooked:
    """A provider that answers what a test wants, also what no provider may."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.about: dict[str, object] = {}
        self.claims: dict[str, object] = {}
        self.header: dict[str, object] = {"kid": "one"}
        self.sign_with: object = self.key
        self.algorithm = "RS256"
        self.answer: object = None
        self.asked: list[str] = []
        crooked = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                crooked.asked.append(self.path)
                if self.path.endswith("openid-configuration"):
                    self._say(crooked.configuration())
                elif self.path == "/keys":
                    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(crooked.key.public_key()))
                    self._say({"keys": [{**public, "kid": "one", "use": "sig"}]})
                else:
                    self._say({"sub": "somebody-else", "email": "ana@example.org", "email_verified": True})

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self._say(
                    crooked.answer if crooked.answer is not None else {"id_token": crooked.token(), "access_token": "a"}
                )

            def _say(self, content: object) -> None:
                body = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def configuration(self) -> dict[str, object]:
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/in",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys", "userinfo_endpoint": f"{self.issuer}/me", **self.about,
        }  # fmt: skip

    def token(self, **more: object) -> str:
        now = int(time.time())
        said = {
            "iss": self.issuer, "aud": CLIENT, "sub": "7", "iat": now, "exp": now + 300, "email": "ana@example.org",
            "email_verified": True, **self.claims, **more,
        }  # fmt: skip
        said = {key: value for key, value in said.items() if value is not None}
        return jwt.encode(said, self.sign_with, algorithm=self.algorithm, headers=self.header)


@pytest.fixture()
def crooked(organisation, people):
    found = Crooked()
    organisation(found.issuer)
    yield found
    found.server.shutdown()
    found.server.server_close()


def _come_back(crooked: Crooked, client: Client, **more: str):
    began = urllib.parse.parse_qs(urllib.parse.urlsplit(client.get(BEGIN).headers["Location"]).query)
    crooked.claims.setdefault("nonce", began["nonce"][0])
    return client.get(f"{BEGIN}/back", {"state": began["state"][0], "code": "c", **more})


def test_what_is_asked_of_a_provider(crooked):
    began = urllib.parse.parse_qs(urllib.parse.urlsplit(Client().get(BEGIN).headers["Location"]).query)
    assert began["code_challenge_method"] == ["S256"] and began["redirect_uri"] == [BACK]
    assert {"state", "nonce", "code_challenge"} <= set(began) and began["response_type"] == ["code"]


def test_a_token_that_is_right_is_taken(crooked):
    client = Client()
    assert _come_back(crooked, client, iss=crooked.issuer).status_code == 302
    assert client.get("/desk/account/").status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"}, {"aud": ["another"]}, {"aud": None}, {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"}, {"azp": "another"}, {"iss": "http://evil.example"},
        {"iss": None},
        {"exp": 1_000_000_000}, {"exp": None}, {"iat": 4_000_000_000}, {"iat": None}, {"nonce": "another"},
        {"nonce": None}, {"nonce": ""}, {"sub": None}, {"sub": ""}, {"sub": "x" * 256}, {"sub": "a\x00b"},
        {"nbf": 4_000_000_000}, {"exp": "soon"}, {"email_verified": False}, {"email_verified": "no"},
        {"email": ["ana@example.org"]}, {"email": None},
    ],
)  # fmt: skip
def test_a_token_that_is_not_right_in_one_thing_is_refused(crooked, claims):
    crooked.claims = dict(claims)
    client = Client()
    if claims.get("nonce", "-") is None:
        crooked.claims["nonce"] = None
    assert _come_back(crooked, client).status_code == 403
    assert client.get("/desk/account/").status_code == 302 and not Identity.objects.exists()


@pytest.mark.parametrize("how", ["stranger", "none", "secret", "unknown key", "no key named"])
def test_a_token_that_the_provider_did_not_sign_is_refused(crooked, how):
    if how in ("stranger", "no key named"):
        crooked.sign_with = crooked.stranger
        crooked.header = {"kid": "one"} if how == "stranger" else {}
    elif how == "none":
        crooked.algorithm, crooked.sign_with = "none", None
    elif how == "secret":
        crooked.algorithm, crooked.sign_with = "HS256", SECRET + "x" * 32
    else:
        crooked.header = {"kid": "another"}
    assert _come_back(crooked, Client()).status_code == 403 and not Identity.objects.exists()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"", 503), (b"no json", 503), (b"[]", 503), ({}, 403), ({"id_token": 7}, 403), ({"id_token": "a.b.c"}, 403),
        ({"id_token": ""}, 403), (b"x" * 400_000, 503), ({"id_token": "é.\x00."}, 403),
    ],
)  # fmt: skip
def test_answers_that_are_none_are_refused(crooked, answer, status):
    crooked.answer = answer
    assert _come_back(crooked, Client()).status_code == status


def test_userinfo_of_another_person_is_refused(crooked):
    crooked.claims = {"email": None}
    assert _come_back(crooked, Client()).status_code == 403


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/"}, {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "ftp://x"}, {"token_endpoint": ""},
    ],
)  # fmt: skip
def test_a_provider_that_describes_itself_wrongly_is_not_asked(crooked, about):
    crooked.about = about
    assert Client().get(BEGIN).status_code in (503, 403)


def test_a_provider_that_is_down_is_said_and_passwords_still_work(organisation, account):
    account("pia", "official", password="a long enough one")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        organisation(f"http://127.0.0.1:{probe.getsockname()[1]}")
        answer = Client().get(BEGIN)
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    signed = Client().post("/desk/sign-in", {"username": "pia", "password": "a long enough one"})
    assert signed.headers["Location"] == "/desk/"


@pytest.mark.parametrize(
    "query",
    [
        "", "?state=", "?state=x&code=y", "?code=y", "?error=access_denied", "?state=%00", "?state[]=x",
        "?iss=http://evil.example&state=x&code=y",
    ],
)  # fmt: skip
def test_who_comes_back_without_having_begun_is_refused(crooked, query):
    assert Client().get(f"{BEGIN}/back{query}").status_code in (403, 404)
    assert not Identity.objects.exists()


def test_an_answer_of_another_provider_is_refused(crooked):
    assert _come_back(crooked, Client(), iss="https://evil.example").status_code == 403


def test_a_subject_cannot_take_an_account_that_is_linked_with_another(crooked):
    assert _come_back(crooked, Client()).status_code == 302
    crooked.claims = {"sub": "8"}
    assert _come_back(crooked, Client()).status_code == 403
    assert Identity.objects.count() == 1


def test_two_accounts_with_one_address_are_an_administrators_matter(crooked, account):
    account("ana2", "administrator", email="ANA@example.org")
    assert _come_back(crooked, Client()).status_code == 403 and not Identity.objects.exists()


def test_strangers_tokens_do_not_make_krog_ask_for_keys_again_and_again(crooked):
    crooked.header = {"kid": "another"}
    for _ in range(5):
        _come_back(crooked, Client())
    assert crooked.asked.count("/keys") == 1


def test_without_a_provider_there_is_no_such_page(client):
    for path in ("", "/back"):
        assert client.get(BEGIN + path).status_code == 404
    assert BEGIN not in client.get("/desk/sign-in").content.decode()


# The organisation's word that somebody has left


def _logout(crooked: Crooked, **more: object):
    crooked.claims = {"nonce": None, "exp": None, "email": None, "email_verified": None}
    token = crooked.token(**{"events": {oidc.LOGOUT_EVENT: {}}, "jti": "1", **more})
    return Client(enforce_csrf_checks=True).post(f"{BEGIN}/signed-out", {"logout_token": token})


def test_the_organisation_ends_sessions_at_once(crooked):
    client = Client()
    _come_back(crooked, client)
    assert _logout(crooked, sub="9").status_code == 200
    assert client.get("/desk/account/").status_code == 200
    assert _logout(crooked).status_code == 200
    assert client.get("/desk/account/").status_code == 302


@pytest.mark.parametrize(
    "wrong",
    [{"events": {}}, {"events": None}, {"nonce": "x"}, {"iat": 1_700_000_000}, {"aud": "another"}, {"sub": None},
     {"events": "x"}],
)  # fmt: skip
def test_a_logout_token_that_is_not_right_ends_nothing(crooked, wrong):
    client = Client()
    _come_back(crooked, client)
    assert _logout(crooked, **wrong).status_code == 400
    assert client.get("/desk/account/").status_code == 200
    assert Client().post(f"{BEGIN}/signed-out", {"logout_token": "x.y.z"}).status_code == 400
