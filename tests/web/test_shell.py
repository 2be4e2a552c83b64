"""The frame of all pages: languages, errors, signing in, canonical addresses, headers, the access log."""

from __future__ import annotations

import json
import re

import pytest

from krog.base.settings import settings
from krog.catalogue import access_log
from krog.engine.cities import city
from krog.journal import verbs as journal
from krog.web import problems

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kranj():
    journal.applied(
        "city",
        {
            "kranj": {
                "name": "Kranj",
                "title": {"sl": "Mestna občina Kranj", "en": "City Municipality of Kranj"},
                "languages": ["sl", "en"],
                "contact": {"phone": "04 237 30 00", "office_hours": {"sl": "pon. 8–12", "en": "Mon 8–12"}},
            }
        },
    )
    city.forget()


@pytest.mark.parametrize(
    "accepts, lands", [("en-GB,en;q=0.9", "/en/"), ("de,it;q=0.9", "/sl/"), ("", "/sl/"), ("sl;q=x,en", "/en/")]
)
def test_the_root_leads_to_the_readers_language(client, accepts, lands):
    assert client.get("/", headers={"accept-language": accepts}).headers["Location"] == lands


def test_a_language_that_the_city_does_not_speak_has_no_address(client):
    assert client.get("/it/pages/privacy").status_code == 404
    assert client.get("/language/it").status_code == 404


def test_a_choice_of_language_is_kept_and_never_leads_elsewhere(client):
    answer = client.get("/language/en?next=https://evil.example/")
    assert answer.headers["Location"] == "/"
    assert client.get("/").headers["Location"] == "/en/"


def test_an_unknown_page_says_so_to_people_and_to_programs(client):
    page = client.get("/sl/nothing-here")
    assert page.status_code == 404 and 'lang="sl"' in page.content.decode()
    document = client.get("/api/v1/nothing", headers={"accept": "application/json"})
    assert document.status_code == 404
    assert document.headers["Content-Type"] == "application/problem+json"
    assert json.loads(document.content)["title"] == "not-found"


def test_a_wrong_api_key_is_refused_and_names_the_remedy(client):
    answer = client.get("/api/v1/streams/", headers={"authorization": "Bearer wrong"})
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert "krog key create" in json.loads(answer.content)["todo"]


def test_headers_keep_pages_to_themselves(client):
    answer = client.get("/en/pages/nothing")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["X-Frame-Options"] == "DENY"


def test_the_desk_asks_to_sign_in_and_brings_back(client, account):
    answer = client.get("/desk/inspect/?x=1")
    assert answer.headers["Location"] == "/desk/sign-in?next=%2Fdesk%2Finspect%2F%3Fx%3D1"
    account("ana", "administrator", password="a long enough one")
    signed = client.post(
        "/desk/sign-in", {"username": "ana", "password": "a long enough one", "next": "/desk/inspect/"}
    )
    assert signed.headers["Location"] == "/desk/inspect/"
    page = client.get("/desk/inspect/")
    assert page.status_code == 200 and page.headers["Cache-Control"] == "private, no-store"


def test_signing_in_never_leads_to_another_site(client, account):
    account("ana", "official", password="a long enough one")
    signed = client.post(
        "/desk/sign-in", {"username": "ana", "password": "a long enough one", "next": "//evil.example"}
    )
    assert signed.headers["Location"] == "/desk/"


def test_guessing_passwords_has_to_wait(client, account):
    account("ana", "official", password="a long enough one")
    for _ in range(8):
        assert client.post("/desk/sign-in", {"username": "ana", "password": "wrong"}).status_code == 400
    late = client.post("/desk/sign-in", {"username": "ana", "password": "a long enough one"})
    assert late.status_code == 400 and "/desk/" not in late.headers.get("Location", "")


def test_wrong_attempts_elsewhere_keep_nobody_out(client, account):
    account("ana", "official", password="a long enough one")
    for _ in range(8):
        client.post(
            "/desk/sign-in", {"username": "ana", "password": "wrong"}, headers={"x-forwarded-for": "203.0.113.9"}
        )
    signed = client.post("/desk/sign-in", {"username": "ana", "password": "a long enough one"})
    assert signed.headers["Location"] == "/desk/"


def test_a_citizen_account_may_not_enter_the_desk(client_of):
    assert client_of("cita", "citizen").get("/desk/inspect/").status_code == 403


def test_inspecting_is_for_few_shows_no_secret_and_is_written_down(client_of):
    assert client_of("ofi", "official").get("/desk/inspect/").status_code == 403
    admin = client_of("admin", "administrator", password="a long enough one", name="Ada")
    page = admin.get("/desk/inspect/people.account/").content.decode()
    assert "people.account" in page
    from krog.people.models import Account

    row = admin.get(f"/desk/inspect/people.account/{Account.objects.get(key='admin').pk}/").content.decode()
    assert "scrypt" not in row and "Ada" in row
    assert access_log.recent(1)[0][1] == "Ada"
    assert admin.get("/desk/inspect/people.nothing/").status_code == 404


def test_signing_out_needs_a_form(client_of):
    client = client_of("ofi", "official")
    assert client.get("/desk/sign-out").status_code == 405
    assert client.post("/desk/sign-out").status_code == 302
    assert client.get("/desk/inspect/").headers["Location"].startswith("/desk/sign-in")


def test_a_form_from_elsewhere_is_refused_with_what_to_do(account):
    from django.test import Client

    answer = Client(enforce_csrf_checks=True).post("/desk/sign-in", {"username": "a", "password": "b"})
    assert answer.status_code == 403 and "<h1" in answer.content.decode()


def test_programs_are_known_by_what_they_accept(rf):
    assert problems.wants_json(rf.get("/sl/x", headers={"accept": "application/json"}))
    assert not problems.wants_json(rf.get("/sl/x", headers={"accept": "text/html,application/json"}))
    assert problems.wants_json(rf.get("/api/v1/x", headers={"accept": "text/html"}))


def test_the_api_describes_itself(client):
    document = client.get("/api/v1/openapi.json").json()
    assert document["info"]["title"] == "Krog Open API" and document["paths"]


def test_the_access_log_is_for_those_who_guard_the_data(client_of, dataset):
    dataset("inner", noun="streams", access="official")
    client_of("ofi", "official", name="Olga").get("/desk/streams/")
    assert client_of("ofi2", "official").get("/desk/accesses/").status_code == 403
    page = client_of("dig", "digital_officer").get("/desk/accesses/?dataset=inner").content.decode()
    assert "Olga" in page and "/desk/streams/" in page


def test_pages_and_files_travel_compressed(client):
    for address in ("/sl/offices/", "/static/krog/krog.css"):
        answer = client.get(address, headers={"accept-encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip", address
        assert "Accept-Encoding" in answer.headers["Vary"], address
        answer.close()


def test_a_page_says_what_it_is_and_in_which_languages_it_stands(client):
    page = client.get("/en/now/?x=1").content.decode()
    assert re.search(r'<meta name="description" content="[^"]{40,}">', page)
    assert f'<link rel="alternate" hreflang="sl" href="{settings().url}/sl/now/?x=1">' in page
    assert f'<link rel="alternate" hreflang="en" href="{settings().url}/en/now/?x=1">' in page


def test_a_city_with_two_official_languages_shows_its_name_in_both(client):
    names = {"sl": "Mestna občina Koper", "it": "Comune città di Capodistria", "en": "City of Koper"}
    about = {"title": names, "languages": ["sl", "it", "en"], "official": ["sl", "it"]}
    journal.applied("city", {"kranj": None, "koper": about})
    city.forget()
    assert "Comune città di Capodistria · Mestna občina Koper" in client.get("/it/now/").content.decode()
    page = client.get("/en/now/").content.decode()
    assert "Capodistria ·" not in page
    assert "Official are the texts in: Slovenščina, Italiano." in page


def test_a_page_tells_of_each_language_whether_its_text_is_official_translated_or_missing(client, dataset):
    dataset("water", noun="streams", title={"sl": "Voda"})
    page = client.get("/sl/datasets/water").content.decode()
    for name, word in (("Slovenščina", "uradno besedilo"), ("English", "besedila še ni")):
        assert re.search(rf'{name}</span><span class="muted">{word}<', page), name
