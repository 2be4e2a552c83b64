"""Accounts and keys in the desk: for administrators alone, secrets are shown once, buttons do what they say."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from krog.base.ids import Ref
from krog.journal import reads as journal
from krog.people import factors, keys, totp
from krog.people.models import Account, ApiKey, Identity, Office, Organisation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture()
def admin(client_of):
    Organisation.objects.create(key="mok", title={"en": "City", "sl": "Občina"})
    Office.objects.create(key="vodovod", title={"en": "Water", "sl": "Vodovod"}, organisation="mok")
    return client_of("boss", "administrator", name="Boss")


PAGES = ["/desk/accounts/", "/desk/accounts/new", "/desk/accounts/boss", "/desk/keys/"]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", ["official", "digital_officer", "clerk"])
def test_only_administrators_see_accounts_and_keys(admin, client_of, page, role):
    assert client_of("x", role).get(page).status_code == 403
    assert Client().get(page).headers["Location"].startswith("/desk/sign-in")


@pytest.mark.parametrize("act", ["sessions", "factor", "unlink", "close", "reopen", "password", "change"])
def test_nobody_else_presses_the_buttons(admin, client_of, account, act):
    account("ana", "official")
    before = Account.objects.values().get(key="ana")
    assert client_of("x", "official").post("/desk/accounts/ana", {"act": act}).status_code == 403
    assert Account.objects.values().get(key="ana") == before


def test_the_list_says_how_people_sign_in_and_finds_them(admin, account, django_assert_max_num_queries):
    for number in range(60):
        account(f"a{number:02}", "official", offices=("vodovod",), name=f"Ana {number:02}")
    ana = Account.objects.get(key="a00")
    ana.set_password("a long enough one")
    ana.save()
    secret = totp.new_secret()
    factors.enrol(ana, secret=secret, code=totp.code(secret, int(__import__("time").time()) // 30))
    with django_assert_max_num_queries(12):
        page = admin.get("/desk/accounts/").content.decode()
    assert "password and second factor" in page and "Water" in page and "of 61" in page
    found = admin.get("/desk/accounts/?q=ana%2007").content.decode()
    assert "Ana 07" in found and "Ana 08" not in found
    assert "Boss" in admin.get("/desk/accounts/?role=administrator").content.decode()
    assert "No account fits" in admin.get("/desk/accounts/?q=%27%22%3Cb%3E").content.decode()


def test_an_account_is_opened_given_a_password_changed_and_closed(admin):
    form = {"key": "Eva", "name": "Eva Novak", "email": "eva@example.org", "organisation": "mok", "language": "sl"}
    wrong = admin.post("/desk/accounts/new", {**form, "key": "E v a", "roles": ["official"]})
    assert wrong.status_code == 422 and 'value="Eva Novak"' in wrong.content.decode()
    made = admin.post("/desk/accounts/new", {**form, "roles": ["official"], "offices": ["vodovod"]})
    assert made.headers["Location"] == "/desk/accounts/eva"
    assert admin.post("/desk/accounts/new", {**form, "roles": []}).status_code == 422
    shown = admin.post("/desk/accounts/eva", {"act": "password"})
    password = re.search(r"<code>([\w-]{16})</code>", shown.content.decode()).group(1)
    assert "no-store" in shown.headers["Cache-Control"]
    assert password not in admin.get("/desk/accounts/eva").content.decode()
    assert password not in str([(e.before, e.after) for e in journal.recent()])
    eva = Client()
    assert eva.post("/desk/sign-in", {"username": "eva", "password": password}).status_code == 302
    changed = {
        "act": "change",
        "name": "Eva Kos",
        "email": "",
        "organisation": "",
        "language": "en",
        "roles": ["planner"],
    }
    assert admin.post("/desk/accounts/eva", changed).status_code == 302
    row = Account.objects.get(key="eva")
    assert (row.name, row.roles, row.offices) == ("Eva Kos", ["planner"], [])
    assert eva.get("/desk/account/").status_code == 200
    assert admin.post("/desk/accounts/eva", {"act": "close", "reason": "left"}).status_code == 302
    assert eva.get("/desk/account/").status_code == 302
    page = admin.get("/desk/accounts/eva").content.decode()
    assert "Open again" in page and "left" in page
    assert admin.post("/desk/accounts/eva", {"act": "close"}).status_code == 422
    admin.post("/desk/accounts/eva", {"act": "reopen"})
    assert Account.objects.get(key="eva").is_active


def test_closing_revokes_keys_only_when_asked(admin, account):
    ana = account("ana", "administrator")
    one = keys.create(ana, title="one", organisation="mok")
    admin.post("/desk/accounts/ana", {"act": "close"})
    assert keys.verify(one.id, one.secret)
    admin.post("/desk/accounts/ana", {"act": "reopen"})
    admin.post("/desk/accounts/ana", {"act": "close", "keys": "end"})
    assert keys.verify(one.id, one.secret) is None


def test_sessions_factor_and_link_are_ended_from_the_page(admin, client_of):
    ana = client_of("ana", "official", password="a long enough one")
    row = Account.objects.get(key="ana")
    secret = totp.new_secret()
    factors.enrol(row, secret=secret, code=totp.code(secret, int(__import__("time").time()) // 30))
    Identity.objects.create(issuer="https://x", subject="1", account=row, linked=1)
    assert admin.post("/desk/accounts/ana", {"act": "sessions"}).status_code == 302
    assert ana.get("/desk/account/").status_code == 302
    assert admin.post("/desk/accounts/ana", {"act": "factor", "reason": ""}).status_code == 422
    assert admin.post("/desk/accounts/ana", {"act": "factor", "reason": "called back"}).status_code == 302
    assert admin.post("/desk/accounts/ana", {"act": "unlink"}).status_code == 302
    assert not factors.has(row.pk) and not Identity.objects.exists()
    verbs = [entry.verb for entry in journal.history(Ref("account", "ana"))]
    assert verbs[:3] == ["people.unlink-identity", "people.reset-factor", "people.end-sessions"]


def test_an_administrator_keeps_the_own_way_in(admin):
    about = {"name": "Boss", "email": "", "organisation": "", "language": "en", "roles": ["official"]}
    assert admin.post("/desk/accounts/boss", {"act": "close"}).status_code == 422
    assert admin.post("/desk/accounts/boss", {"act": "change", **about}).status_code == 422
    row = Account.objects.get(key="boss")
    assert row.is_active and row.roles == ["administrator"]


def test_a_key_is_shown_once_and_revoked(admin):
    assert admin.post("/desk/keys/", {"title": "", "organisation": "nowhere"}).status_code == 422
    assert (
        admin.post("/desk/keys/", {"title": "x", "organisation": "mok", "roles": ["administrator"]}).status_code == 422
    )
    made = admin.post("/desk/keys/", {"title": "Gateway", "organisation": "mok", "roles": ["sensor"]})
    key, secret = re.search(r"Bearer (\w+)\.([\w-]+)<", made.content.decode()).groups()
    assert keys.verify(key, secret) and ApiKey.objects.get(key=key).maker == "boss"
    page = admin.get("/desk/keys/").content.decode()
    assert "Gateway" in page and secret not in page
    admin.post(f"/desk/keys/{key}/revoke", {"reason": "lost"})
    assert keys.verify(key, secret) is None
    assert admin.post(f"/desk/keys/{key}/revoke").status_code == 404
    assert admin.get(f"/desk/keys/{key}/revoke").status_code == 405


def test_nobody_else_makes_or_revokes_keys(admin, client_of, account):
    new = keys.create(account("ada", "administrator"), title="x", organisation="mok")
    other = client_of("x", "digital_officer")
    assert other.post("/desk/keys/", {"title": "y", "organisation": "mok", "roles": ["sensor"]}).status_code == 403
    assert other.post(f"/desk/keys/{new.id}/revoke").status_code == 403
    assert keys.verify(new.id, new.secret) and ApiKey.objects.count() == 1


def test_an_account_that_is_not_there_is_said(admin):
    assert admin.get("/desk/accounts/nobody").status_code == 404
    assert admin.get("/desk/accounts/%00").status_code == 404
    assert admin.post("/desk/accounts/boss", {"act": "burn"}).status_code == 422
