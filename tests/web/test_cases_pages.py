"""Pages of cases: reporting without JavaScript, following, the signed link, the desk, the API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from krog.base import times
from krog.cases import models, reads, verbs
from krog.catalogue import door
from krog.journal import reads as journal
from krog.people.models import Account, Territory
from krog.web import limits
from tests.nouns.cases_world import World, world
from tests.nouns.test_cases_handling import picture, report

__all__ = ["world"]

REPORT = "/en/cases/report?type=pothole"
GIVEN = {
    "type": "pothole",
    "description": "A deep hole.",
    "place": "Mlaka 5",
    "name": "Ana Novak",
    "email": "ana@example.org",
    "phone": "",
    "website": "",
    "once": "abc",
    "settlement": "",
    "lon": "",
    "lat": "",
}


@pytest.fixture()
def desk(world: World) -> Any:
    """A client signed in as one of the world's people."""

    def client(key: str) -> Client:
        found = Client()
        found.force_login(Account.objects.get(key=key), backend="krog.people.backend.AccountBackend")
        return found

    return client


def test_a_citizen_chooses_reports_and_follows_without_javascript(world: World, client: Client) -> None:
    Territory.objects.create(key="mlaka", title={"en": "Mlaka"}, level="settlement", lon=14.3475, lat=46.2741)
    choose = client.get("/en/cases/report").content.decode()
    assert "Pothole" in choose
    assert "Leak" not in choose
    form = client.get(REPORT)
    assert form.status_code == 200
    given = {**GIVEN, "settlement": "mlaka", "photo": SimpleUploadedFile("a.jpg", picture())}
    sent = client.post(REPORT, given)
    assert sent.status_code == 302
    page = client.get(sent["Location"])
    text = page.content.decode()
    case = models.Case.objects.get()
    assert case.key.upper() in text
    assert "Thank you" in text
    assert "A deep hole." in text
    assert (case.place, case.lon, case.lat) == ("Mlaka 5, Mlaka", 14.3475, 46.2741)
    assert case.photos.count() == 1
    assert page["Cache-Control"] == "private, no-store"
    assert page["Referrer-Policy"] == "no-referrer"


def test_a_point_on_the_map_is_enough_and_named_after_the_nearest_settlement(world: World, client: Client) -> None:
    Territory.objects.create(key="mlaka", title={"en": "Mlaka"}, level="settlement", lon=14.3475, lat=46.2741)
    for once, lon in (("a", "14.35"), ("b", "15.9")):
        sent = client.post(REPORT, {**GIVEN, "place": "", "lon": lon, "lat": "46.27", "once": once})
        assert sent.status_code == 302
    assert [case.place for case in models.Case.objects.order_by("id")] == ["Mlaka", ""]


def test_nothing_is_lost_on_a_mistake_not_even_the_photo(world: World, client: Client) -> None:
    wrong = {**GIVEN, "email": "not an address", "place": "", "photo": SimpleUploadedFile("a.jpg", picture())}
    page = client.post(REPORT, wrong)
    assert page.status_code == 422
    text = page.content.decode()
    assert "A deep hole." in text
    assert 'value="Ana Novak"' in text
    assert 'name="type" value="pothole"' in text
    assert 'role="alert"' in text
    kept = re.search(r'name="kept" value="([^"]+)"', text)
    assert kept is not None
    assert client.post(REPORT, {**GIVEN, "kept": kept[1]}).status_code == 302
    assert models.Photo.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"description": ""}, "required"),
        ({"place": ""}, "Say where it is"),
        ({"lon": "14"}, "longitude and latitude"),
        ({"lon": "999", "lat": "1"}, "180"),
        ({"website": "http://spam.example"}, "leave"),
        ({"settlement": "nowhere"}, "valid choice"),
        ({"photo": SimpleUploadedFile("a.jpg", b"<?php ?>", content_type="image/jpeg")}, "cannot be read as a photo"),
    ],
    ids=["words", "place", "half", "far", "robot", "settlement", "photo"],
)
def test_a_mistake_is_told_beside_its_field(world: World, client: Client, changed: dict[str, Any], told: str) -> None:
    page = client.post(REPORT, {**GIVEN, **changed})
    assert page.status_code == 422
    assert told in page.content.decode()
    assert models.Case.objects.count() == 0


def test_a_double_click_opens_one_case_and_a_flood_is_stopped(world: World, client: Client) -> None:
    places = {client.post(REPORT, GIVEN)["Location"] for _ in range(2)}
    assert len(places) == 1
    answers = [client.post(REPORT, {**GIVEN, "once": str(n)}).status_code for n in range(8)]
    assert answers[-1] == 429
    assert models.Case.objects.count() == 5
    body = {"type": "pothole", "description": "Hole.", "place": "Here"}
    program = client.post("/api/v1/cases/", body, content_type="application/json")
    assert (program.status_code, program["Retry-After"]) == (429, "600")
    last = client.post(REPORT, {**GIVEN, "once": "last"}).content.decode()
    assert "wait" in last
    assert "A deep hole." in last


def test_going_back_and_writing_another_report_sends_another(world: World, client: Client) -> None:
    both = [client.post(REPORT, {**GIVEN, "description": words})["Location"] for words in ("A hole.", "A lamp.")]
    assert len(set(both)) == 2


def test_photos_of_forms_that_are_not_right_do_not_fill_the_disk(world: World, client: Client) -> None:
    pages = []
    for _ in range(limits.DRAFTS.most + 1):
        photo = SimpleUploadedFile("a.jpg", picture())
        pages.append(client.post(REPORT, {**GIVEN, "place": "", "photo": photo}).content.decode())
    kept = [re.search(r'name="kept" value="([^"]+)"', page) for page in pages]
    assert all(kept[:-1])
    assert kept[-1] is None


def test_a_body_that_no_photo_may_have_is_refused_before_it_is_read(world: World) -> None:
    class Unreadable:
        def read(self, *size: int) -> bytes:
            raise AssertionError("The body was read.")

        readline = read

    answer = Client().generic(
        "POST",
        REPORT,
        b"",
        content_type="multipart/form-data; boundary=x",
        **{"CONTENT_LENGTH": "99000000", "wsgi.input": Unreadable()},
    )
    assert answer.status_code == 413


def test_the_public_sees_how_it_stands_and_nothing_personal(world: World, client: Client) -> None:
    opened = report()
    for address in (f"/en/cases/{opened.key}", "/en/cases/", "/api/v1/cases/", f"/api/v1/cases/{opened.key}"):
        answer = client.get(address)
        assert answer.status_code == 200
        text = answer.content.decode()
        assert opened.reference in text or opened.key in text
        for secret in ("Novak", "ana@example.org", "041 111", "Velika luknja", opened.code):
            assert secret not in text
    assert client.get(f"/en/cases/{opened.key}-{'a' * 12}").status_code == 404
    assert client.get(f"/en/cases/{world.leak()}").status_code == 404
    assert client.get("/en/cases/follow", {"reference": opened.reference}).status_code == 302
    assert client.get("/en/cases/follow", {"reference": "K-2026-999999"}).status_code == 404


def link_of(address: str) -> str:
    text = next(mail.text for mail in journal.mails() if mail.to == address)
    found = re.search(r"http://[^/\s]+(/\S+/cases/link/\S+)", text)
    assert found is not None
    return found[1]


def test_a_signed_link_shows_on_get_and_acts_on_post(world: World, client: Client) -> None:
    key = world.leak()
    link = link_of("olga@example.org")
    for _ in range(2):
        page = client.get(link)
        assert page.status_code == 200
        assert page["Cache-Control"] == "private, no-store"
    assert models.Case.objects.get(key=key).status == "new"
    assert client.post(link, {"act": "tick-0"}).status_code == 302
    assert client.post(link, {"act": "close", "text": ""}).status_code == 422
    assert client.post(link, {"act": "close", "text": "Pipe replaced."}).status_code == 302
    case = models.Case.objects.get(key=key)
    assert (case.status, case.closed_by, case.outcome) == ("done", "Olga Operater", "Pipe replaced.")
    again = client.post(link, {"act": "close", "text": "Twice."})
    assert again.status_code == 422
    assert "already closed" in again.content.decode()
    assert "Twice." in again.content.decode()
    assert client.get(link[:-3] + "abc").status_code == 403
    Account.objects.filter(key="olga").update(is_active=False)
    assert client.get(link).status_code == 403


def test_a_link_whose_holder_changed_office_reads_and_does_not_act(world: World, client: Client) -> None:
    key = world.leak()
    link = link_of("olga@example.org")
    Account.objects.filter(key="olga").update(offices=["ceste"])
    assert client.post(link, {"act": "close", "text": "x"}).status_code == 403
    assert models.Case.objects.get(key=key).status == "new"


def test_my_work_is_handled_in_its_rows(world: World, desk: Any, django_assert_max_num_queries: Any) -> None:
    key = world.leak()
    olga = desk("olga")
    olga.get("/desk/")
    with django_assert_max_num_queries(14):
        page = olga.get("/desk/?tab=unassigned").content.decode()
    assert "Night flow above the limit" in page
    assert "urgent" in page
    taken = olga.post(f"/desk/cases/{key}/act", {"act": "take", "next": "/desk/?tab=mine"})
    assert taken["Location"] == "/desk/?tab=mine"
    assert "Night flow" in olga.get("/desk/?tab=mine").content.decode()
    refused = desk("oto").post(f"/desk/cases/{key}/act", {"act": "take"})
    assert refused.status_code == 409
    assert "Olga Operater" in refused.content.decode()
    olga.post(f"/desk/cases/{key}/act", {"act": "snooze", "hours": "24"})
    assert "Night flow" in olga.get("/desk/?tab=waiting").content.decode()
    assert "Night flow" not in olga.get("/desk/?tab=mine").content.decode()
    elsewhere = olga.post(f"/desk/cases/{key}/act", {"act": "note", "text": "x", "next": "https://evil.example/"})
    assert elsewhere["Location"] == f"/desk/cases/{key}/"


def test_what_was_written_is_kept_when_an_action_is_refused(world: World, desk: Any) -> None:
    key = world.leak()
    verbs.close(world.operator, key=key, outcome="Done.")
    page = desk("oto").post(f"/desk/cases/{key}/act", {"act": "note", "text": "A long note."})
    assert page.status_code == 302
    page = desk("oto").post(f"/desk/cases/{key}/act", {"act": "close", "text": "My long outcome."})
    assert page.status_code == 409
    assert "My long outcome." in page.content.decode()
    assert "Olga Operater" in page.content.decode()


def test_another_office_reads_the_case_and_gets_no_buttons(world: World, desk: Any) -> None:
    key = report().key
    page = desk("olga").get(f"/desk/cases/{key}/").content.decode()
    assert "Velika luknja" in page
    assert "Ana Novak" not in page
    assert "ana@example.org" not in page
    assert f"/desk/cases/{key}/act" not in page
    assert desk("olga").post(f"/desk/cases/{key}/act", {"act": "close", "text": "x"}).status_code == 403
    own = desk("rok").get(f"/desk/cases/{key}/").content.decode()
    assert "Ana Novak" in own


def test_the_desk_is_closed_to_everybody_else(world: World, client: Client) -> None:
    key = world.leak()
    for address in ("/desk/", "/desk/centres/environment/", f"/desk/cases/{key}/", "/desk/mail/", "/desk/rules/"):
        answer = client.get(address)
        assert answer.status_code in (302, 401, 403)
        assert "Night flow" not in answer.content.decode()


def test_a_centre_shows_its_own_cases_and_who_is_on_duty(world: World, desk: Any) -> None:
    world.leak()
    page = desk("olga").get("/desk/centres/environment/?tab=unassigned")
    assert page.status_code == 200
    assert "Night flow" in page.content.decode()
    assert "04 281 13 91" in page.content.decode()
    other = desk("olga").get("/desk/centres/energy/?tab=unassigned")
    assert "Night flow" not in other.content.decode()
    assert desk("olga").get("/desk/centres/nothing/").status_code == 404


def test_a_photo_is_served_as_nothing_but_a_picture(world: World, desk: Any, client: Client) -> None:
    from krog.cases import photos

    opened = report(photographs=[photos.clean(picture())])
    number = models.Photo.objects.get().pk
    answer = desk("rok").get(f"/desk/cases/{opened.key}/photos/{number}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer.content[:2] == b"\xff\xd8"
    for address in (opened.key, opened.address):
        assert client.get(f"/en/cases/{address}/photos/{number}").status_code == 404
    verbs.publish(world.stranger, key=opened.key, public=True, photos=frozenset({number}))
    for address in (opened.key, opened.address):
        assert client.get(f"/en/cases/{address}/photos/{number}").status_code == 200


def test_words_are_shown_as_words(world: World, desk: Any, client: Client) -> None:
    nasty = "<script>alert(1)</script>"
    opened = report(description=nasty, place=nasty)
    verbs.reply(world.stranger, key=opened.key, text=nasty, public=True)
    for who, address in (
        (client, f"/en/cases/{opened.address}"),
        (client, f"/en/cases/{opened.key}"),
        (client, "/en/cases/"),
        (desk("rok"), f"/desk/cases/{opened.key}/"),
        (desk("rok"), "/desk/?tab=unassigned"),
    ):
        text = who.get(address).content.decode()
        assert nasty not in text
        assert "&lt;script&gt;" in text or "\\u003Cscript" in text


def test_a_clerk_opens_a_case_for_somebody_who_calls(world: World, desk: Any) -> None:
    rok = desk("rok")
    assert rok.get("/desk/cases/new").status_code == 200
    given = {
        "type": "pothole",
        "channel": "phone",
        "description": "Hole.",
        "place": "Here",
        "severity": "urgent",
        "protocol": "",
        "name": "Ana",
        "email": "",
        "phone": "041",
    }
    assert rok.post("/desk/cases/new", given).status_code == 422
    assert rok.post("/desk/cases/new", {**given, "severity": "normal"}).status_code == 302
    case = models.Case.objects.get()
    assert (case.channel, case.opened_by, case.opener) == ("phone", "official", "Rok Ceste")


def test_the_outbox_shows_failures_and_hides_who_reported(world: World, desk: Any) -> None:
    from krog.journal.models import Mail

    report()
    Mail.objects.filter(to="ana@example.org").update(state="failed", error="550 no such user")
    page = desk("rok").get("/desk/mail/?state=failed").content.decode()
    assert "550 no such user" in page
    assert "ana@example.org" not in page
    mail = Mail.objects.get(to="ana@example.org")
    assert desk("rok").post("/desk/mail/", {"mail": mail.pk}).status_code == 302
    assert Mail.objects.get(pk=mail.pk).state == "queued"


def test_the_demo_mailbox_shows_what_people_would_get(world: World, desk: Any, monkeypatch: Any) -> None:
    from krog.base.settings import settings
    from krog.engine import notify

    world.leak()
    notify.send()
    page = desk("olga").get("/desk/mailbox/").content.decode()
    name = re.findall(r'href="(/desk/mailbox/[^"]+)"', page)
    assert name
    assert desk("olga").get(name[0]).status_code == 200
    monkeypatch.setitem(settings()._values, "KROG_DEMO", False)
    assert desk("olga").get("/desk/mailbox/").status_code == 404


def test_a_program_reports_and_reads(world: World, client: Client) -> None:
    body = {"type": "pothole", "description": "Hole.", "place": "Here", "email": "a@example.org", "once": "7"}
    first = client.post("/api/v1/cases/", body, content_type="application/json")
    assert first.status_code == 201
    again = client.post("/api/v1/cases/", body, content_type="application/json")
    assert (again.status_code, again.json()) == (200, first.json())
    status = client.get(first.json()["status"]).json()
    assert (status["status"], status["description"]) == ("new", "Hole.")
    for wrong in (
        {**body, "place": ""},
        {**body, "type": "leak"},
        {**body, "email": "x"},
        {**body, "extra": 1},
        {**body, "lon": 500, "lat": 1},
        {"type": "pothole"},
        {**body, "description": "a\x00b"},
        {**body, "name": "a\x00b"},
        {**body, "type": "a\x00b"},
    ):
        answer = client.post("/api/v1/cases/", {**wrong, "once": ""}, content_type="application/json")
        assert answer.status_code in (400, 403, 422)
        assert answer["Content-Type"].startswith("application/problem+json")
    assert [kind["key"] for kind in client.get("/api/v1/cases/types").json()] == ["pothole"]
    assert models.Case.objects.count() == 1


def test_the_same_word_of_another_program_does_not_give_it_somebody_elses_report(world: World, client: Client) -> None:
    body = {"type": "pothole", "description": "In front of my door.", "place": "Here", "once": "1"}
    first = client.post("/api/v1/cases/", body, content_type="application/json")
    second = client.post("/api/v1/cases/", {**body, "description": "Hole."}, content_type="application/json")
    assert second.status_code == 201
    assert second.json()["reference"] != first.json()["reference"]


def test_overdue_is_seen(world: World, desk: Any, client: Client) -> None:
    opened = report()
    models.Case.objects.update(deadline=times.now() - times.HOUR)
    assert "overdue" in desk("rok").get("/desk/?tab=today").content.decode()
    assert "We are sorry" in client.get(f"/en/cases/{opened.key}").content.decode()
    page = reads.work(door.open(world.stranger, "desk", kind="cases"), "today", me=["rok"], offices=["ceste"])
    assert page.items[0].overdue
