"""Signing in with a password and a second factor: both are needed, codes are good once, closing ends it at once."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from krog.base import times
from krog.base.settings import settings as krog_settings
from krog.people import accounts, factors, totp
from krog.people.models import Account, SecondFactor
from krog.people.permissions import SYSTEM

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough one"
IN = {"username": "ana", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _step() -> int:
    return times.now() // times.SECOND // totp.STEP_S


@pytest.fixture()
def strict(monkeypatch):
    """As outside of a demonstration."""
    monkeypatch.setitem(krog_settings()._values, "KROG_SECOND_FACTOR", "required")


@pytest.fixture()
def secret(account):
    account("ana", "official", password=PASSWORD)
    made = totp.new_secret()
    factors.enrol(Account.objects.get(key="ana"), secret=made, code=totp.code(made, _step()))
    SecondFactor.objects.update(last_step=0)
    return made


def _is_in(client: Client) -> bool:
    return client.get("/desk/account/").status_code == 200


def test_the_password_alone_opens_nothing(secret, client):
    answer = client.post("/desk/sign-in", {**IN, "next": "/desk/cases/"})
    assert answer.headers["Location"] == "/desk/sign-in/code"
    assert not _is_in(client) and client.get("/desk/").headers["Location"].startswith("/desk/sign-in")
    assert client.get("/api/v1/cases/").status_code == 200
    done = client.post("/desk/sign-in/code", {"code": totp.code(secret, _step())})
    assert done.headers["Location"] == "/desk/cases/" and _is_in(client)


def test_a_code_that_was_used_opens_no_second_session(secret, client):
    code = totp.code(secret, _step())
    other = Client()
    for each in (client, other):
        each.post("/desk/sign-in", IN)
    assert client.post("/desk/sign-in/code", {"code": code}).status_code == 302
    assert other.post("/desk/sign-in/code", {"code": code}).status_code == 400 and not _is_in(other)


def test_codes_cannot_be_tried_out_and_the_owner_elsewhere_is_not_kept_out(secret, client):
    client.post("/desk/sign-in", IN)
    good = totp.code(secret, _step())
    wrong = "000000" if good != "000000" else "111111"
    for _ in range(6):
        client.post("/desk/sign-in/code", {"code": wrong})
    assert client.post("/desk/sign-in/code", {"code": good}).status_code == 400 and not _is_in(client)
    elsewhere = Client(headers={"x-forwarded-for": "203.0.113.7"})
    elsewhere.post("/desk/sign-in", IN)
    assert elsewhere.post("/desk/sign-in/code", {"code": good}).status_code == 302


def test_who_does_not_know_the_password_cannot_use_up_anybodys_codes(secret, client):
    for _ in range(30):
        Client().post("/desk/sign-in/code", {"code": "000000"})
    client.post("/desk/sign-in", IN)
    assert client.post("/desk/sign-in/code", {"code": totp.code(secret, _step())}).status_code == 302


def test_the_second_step_is_over_after_ten_minutes_or_when_the_account_changes(secret, client, monkeypatch):
    from krog.web import second_factor

    client.post("/desk/sign-in", IN)
    now = second_factor.time.time()
    with monkeypatch.context() as patch:
        patch.setattr(second_factor.time, "time", lambda: now + 601)
        assert client.get("/desk/sign-in/code").headers["Location"] == "/desk/sign-in"
    for change in (
        lambda: accounts.end_sessions(SYSTEM, account="ana"),
        lambda: accounts.close(SYSTEM, account="ana"),
    ):
        client.post("/desk/sign-in", IN)
        change()
        again = client.post("/desk/sign-in/code", {"code": totp.code(secret, _step())})
        assert again.headers["Location"] == "/desk/sign-in" and not _is_in(client)


def test_a_session_of_before_takes_nothing_into_the_new_one(secret, client):
    client.post("/desk/sign-in", IN)
    before = client.cookies["sessionid"].value
    client.post("/desk/sign-in/code", {"code": totp.code(secret, _step())})
    assert client.cookies["sessionid"].value != before
    thief = Client()
    thief.cookies["sessionid"] = before
    assert not _is_in(thief)


def test_a_recovery_code_signs_in_once_and_says_how_many_are_left(account, client):
    account("ana", "official", password=PASSWORD)
    made = totp.new_secret()
    codes = factors.enrol(Account.objects.get(key="ana"), secret=made, code=totp.code(made, _step()))
    client.post("/desk/sign-in", IN)
    answer = client.post("/desk/sign-in/code", {"code": codes[3]}, follow=True)
    assert "recovery code" in answer.content.decode() and "9" in answer.content.decode()
    other = Client()
    other.post("/desk/sign-in", IN)
    assert other.post("/desk/sign-in/code", {"code": codes[3]}).status_code == 400


def test_officials_set_the_factor_up_before_they_are_in(strict, account, client):
    account("ana", "official", password=PASSWORD)
    assert client.post("/desk/sign-in", IN).headers["Location"] == "/desk/sign-in/set-up"
    page = client.get("/desk/sign-in/set-up")
    text = page.content.decode()
    assert "<svg" in text and not _is_in(client)
    assert "style=" not in text and page.headers["Cache-Control"].count("no-store")
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", text).group(1).replace(" ", "")
    assert client.post("/desk/sign-in/set-up", {"code": "12345"}).status_code == 400 and not _is_in(client)
    assert secret in client.get("/desk/sign-in/set-up").content.decode().replace(" ", "")
    done = client.post("/desk/sign-in/set-up", {"code": totp.code(secret, _step())})
    assert len(re.findall(r"<code>[a-z2-9]{5}-[a-z2-9]{5}</code>", done.content.decode())) == 10 and _is_in(client)
    assert client.get("/desk/sign-in/set-up").headers["Location"] == "/desk/sign-in"
    assert "Location" in Client().get("/desk/sign-in/code").headers


def test_nobody_sets_up_a_factor_over_one_that_is_there(strict, secret, client):
    client.post("/desk/sign-in", IN)
    assert client.get("/desk/sign-in/set-up").headers["Location"] == "/desk/sign-in/code"


def test_accounts_of_a_demonstration_go_by_password_alone_and_the_page_says_so(strict, account, client):
    account("ana", "official", password=PASSWORD)
    Account.objects.update(demo=True)
    assert "demonstration" in client.get("/desk/sign-in", headers={"accept-language": "en"}).content.decode()
    assert client.post("/desk/sign-in", IN).headers["Location"] == "/desk/" and _is_in(client)


def test_outside_of_a_demonstration_its_accounts_need_one_too(strict, account, client, monkeypatch):
    account("ana", "official", password=PASSWORD)
    Account.objects.update(demo=True)
    monkeypatch.setitem(krog_settings()._values, "KROG_DEMO", False)
    assert client.post("/desk/sign-in", IN).headers["Location"] == "/desk/sign-in/set-up"
    assert "demonstration" not in client.get("/desk/sign-in", headers={"accept-language": "en"}).content.decode()


def test_closing_an_account_ends_every_browser_at_once(client_of, account):
    one = client_of("ana", "official", password=PASSWORD)
    two = Client()
    two.post("/desk/sign-in", IN)
    other = client_of("bor", "official")
    assert _is_in(one) and _is_in(two)
    accounts.close(SYSTEM, account="ana", reason="left")
    assert not _is_in(one) and not _is_in(two) and _is_in(other)
    assert one.get("/api/v1/people/").status_code != 500
    accounts.reopen(SYSTEM, account="ana")
    assert not _is_in(one) and not _is_in(two)
    two.post("/desk/sign-in", IN)
    assert _is_in(two)


def test_knowing_who_it_is_costs_two_queries(client_of, django_assert_num_queries):
    client = client_of("ana", "official")
    client.get("/language/sl")
    with django_assert_num_queries(2):
        assert client.get("/language/sl").status_code == 302


def test_signing_out_everywhere_else_keeps_this_browser(client_of):
    here = client_of("ana", "official", password=PASSWORD)
    there = Client()
    there.post("/desk/sign-in", IN)
    assert here.post("/desk/account/sessions").status_code == 302
    assert _is_in(here) and not _is_in(there)


def test_a_new_password_needs_the_old_one_and_ends_other_sessions(client_of):
    here = client_of("ana", "official", password=PASSWORD)
    there = Client()
    there.post("/desk/sign-in", IN)
    wrong = here.post("/desk/account/", {"now": "not it at all", "new": "quite another one"})
    short = here.post("/desk/account/", {"now": PASSWORD, "new": "short"})
    assert wrong.status_code == short.status_code == 400 and _is_in(there)
    assert here.post("/desk/account/", {"now": PASSWORD, "new": "quite another one"}).status_code == 302
    assert _is_in(here) and not _is_in(there)
    assert Client().post("/desk/sign-in", IN).status_code == 400


def test_a_factor_is_set_up_and_its_codes_renewed_on_ones_own_page(client_of):
    client = client_of("ana", "official", password=PASSWORD)
    text = client.get("/desk/account/second-factor").content.decode()
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", text).group(1).replace(" ", "")
    first = client.post("/desk/account/second-factor", {"code": totp.code(secret, _step())}).content.decode()
    SecondFactor.objects.update(last_step=0)
    assert client.post("/desk/account/second-factor", {"code": "000"}).status_code == 400
    second = client.post("/desk/account/second-factor", {"code": totp.code(secret, _step())}).content.decode()
    find = re.compile(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>")
    assert len(find.findall(first)) == len(find.findall(second)) == 10 and set(find.findall(first)) != set(
        find.findall(second)
    )


def test_who_signs_in_through_the_organisation_has_no_second_factor_here(client_of):
    assert client_of("ana", "official").get("/desk/account/second-factor").status_code == 409


def test_a_key_has_no_account_page(client, account):
    from krog.people import keys
    from krog.people.models import Organisation

    Organisation.objects.create(key="mok")
    new = keys.create(SYSTEM, title="x", organisation="mok", roles=("official",))
    answer = client.get("/desk/account/", headers={"authorization": f"Bearer {new.bearer}"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/desk/sign-in/code", "/desk/sign-in/set-up", "/desk/sign-in/organisation/back"])
def test_forms_of_signing_in_need_their_token(path, secret):
    client = Client(enforce_csrf_checks=True)
    assert client.post(path, {"code": "1"}).status_code in (403, 405)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aX:y", "x" * 3000]
)
def test_the_second_step_leads_nobody_elsewhere(secret, client, wanted):
    client.post("/desk/sign-in", {**IN, "next": wanted})
    done = client.post("/desk/sign-in/code", {"code": totp.code(secret, _step())})
    assert done.headers["Location"] in ("/desk/", "/%0d%0aX:y") and "evil" not in done.headers["Location"]


def test_an_account_that_is_not_there_is_answered_like_a_wrong_password(secret, client):
    known = client.post("/desk/sign-in", {"username": "ana", "password": "wrong"})
    unknown = client.post("/desk/sign-in", {"username": "nobody", "password": "wrong"})

    def body(answer):
        return re.sub(r'csrfmiddlewaretoken" value="[^"]+"|value="(ana|nobody)"', "", answer.content.decode())

    assert known.status_code == unknown.status_code == 400 and body(known) == body(unknown)
