"""Pages, forms and API of indicators."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from krog.base import times
from krog.base.ids import Ref
from krog.base.origin import Origin
from krog.engine.compute import run, verify
from krog.indicators import models, verbs
from krog.journal import reads as journal
from krog.people import reads as people
from krog.people.models import Account
from krog.people.permissions import SYSTEM
from tests import measuring, sensing

pytestmark = pytest.mark.django_db


@pytest.fixture()
def zone(db):
    """The water zone with one computed night of replayed readings."""
    measuring.fresh()
    run._looked.clear()
    keys = measuring.zone()
    measuring.declare(night_losses=measuring.indicator())
    measuring.target("night-losses.2030", "night-losses", type="threshold", op="<", value=1.5)
    measuring.night(measuring.days_ago(2), {key: [2.0] * 24 for key in keys} | {"mlaka-inflow": [7.25] * 24},
                    origin=Origin.REPLAYED)  # fmt: skip
    measuring.to_lake()
    run.compute_all()
    yield models.Value.objects.filter(value__isnull=False).get()
    measuring.fresh()


@pytest.fixture()
def asked(account):
    """A value of 2025 asked from Ana, to be confirmed by Bor."""
    sensing.dataset("tus-indicators", noun="indicators")
    for key in ("ana", "bor"):
        account(key, "official", offices=("energetika",))
    measuring.declare(k3_1=measuring.entered())
    measuring.known("k3-1", y2023=18000.0, y2024=17500.5)
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    return "k3-1.2025"


def link(what):
    mails = journal.mails(ref=Ref("indicator-request", "k3-1.2025"))
    return next(m[0] for mail in mails if (m := re.search(rf"/en/indicators/{what}/\S+", mail.text)))


def page(client, address, status=200):
    response = client.get(address)
    assert response.status_code == status, response.content[:500]
    return " ".join(response.content.decode().split())


def test_the_page_says_value_state_and_that_it_is_no_fact(zone, client):
    text = page(client, "/en/indicators/night-losses")
    assert "1.25" in text
    assert "Demonstration data" in text
    assert "no verdict" in text
    assert "inflow − sum over all measuring points of (deliveries)" in text
    assert f"/en/indicators/night-losses/values/{zone.pk}" in text
    assert "96 readings" in text
    assert "&lt; 1.5 m³/h" in text
    assert zone.formula_id in text
    assert "Nočne izgube" in page(client, "/sl/indicators/")
    assert "on track" not in page(client, "/en/indicators/")


def test_a_night_that_cannot_be_known_says_why_and_the_last_known_one_stays(zone, client):
    measuring.night(measuring.days_ago(1), {"mlaka-inflow": [7.0] * 24, "mlaka-d1": [1.0] * 5})
    measuring.to_lake()
    run.compute_all()
    text = page(client, "/en/indicators/night-losses")
    assert "1.25" in text
    assert "mlaka-d1 has 5 of 24 readings." in text
    assert "cannot be known" in text
    found = client.get("/api/v1/indicators/night-losses").json()
    assert (found["latest"]["id"], found["gap"]["value"]) == (zone.pk, None)


def test_every_number_leads_to_its_raw_readings_in_the_pinned_version(zone, client):
    verify.check_some()
    address = f"/en/indicators/night-losses/values/{zone.pk}"
    text = page(client, address)
    assert text.count("<code>") >= 24
    assert "the same result to the last digit" in text
    measuring.night(measuring.days_ago(2), {"mlaka-inflow": [9.875] * 24})
    measuring.to_lake()
    assert "9.875" not in page(client, address)
    assert "7.25" in page(client, address)
    assert page(client, f"{address}?stream=mlaka-d2").count("2.000") == 24
    assert "not public" in page(client, f"{address}?stream=nobody")
    page(client, f"{address}?after=x", 400)


def test_raw_readings_of_a_closed_dataset_stay_closed(zone, client):
    sensing.dataset("mlaka-water", noun="streams", access="official")
    text = page(client, f"/en/indicators/night-losses/values/{zone.pk}")
    assert "not public" in text
    assert "7.25" not in text


def test_anybody_may_have_a_value_computed_again_but_not_without_end(zone):
    client = Client(enforce_csrf_checks=False)
    address = f"/en/indicators/night-losses/values/{zone.pk}/check"
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 302
    assert models.Check.objects.count() == 1
    verify.check_some()
    assert models.Check.objects.get(value=zone).same is True


def test_pages_need_few_queries(zone, client):
    client.get("/en/indicators/night-losses")
    for address in ("/en/indicators/", "/en/indicators/night-losses", f"/en/indicators/night-losses/values/{zone.pk}"):
        with CaptureQueriesContext(connection) as found:
            page(client, address)
        assert len(found) <= 12, (address, [q["sql"][:90] for q in found])


def test_downloads_and_api_agree_with_the_page(zone, client):
    lines = client.get("/en/indicators/night-losses/values.csv").content.decode().splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    row = next(each for each in rows if each["value"])
    assert (row["value"], row["origin"], row["unit"]) == ("1.25", "replayed", "m3/h")
    found = client.get("/api/v1/indicators/night-losses").json()
    assert (found["latest"]["value"], found["latest"]["origin"]) == (1.25, "replayed")
    judged = found["targets"][0]["evaluation"]
    assert (judged["verdict"], judged["reasons"]) == ("not_evaluable", ["demo-data"])
    one = client.get(f"/api/v1/indicators/night-losses/values/{zone.pk}").json()
    assert one["provenance"]["formula"] == measuring.NIGHT_LOSSES
    assert one["provenance"]["datastreams"]["deliveries"] == ["mlaka-d1", "mlaka-d2", "mlaka-d3"]
    assert one["provenance"]["formula_id"] == row["formula"]
    assert client.get("/api/v1/indicators/").json()["total"] == 1
    assert client.get("/api/v1/indicators/night-losses/values?history=true").json()["total"] >= 1
    assert client.get("/api/v1/indicators/nothing").status_code == 404
    assert client.get("/api/v1/indicators/night-losses/values?limit=0").status_code == 400
    assert json.loads(client.get("/indicators/night-losses", HTTP_ACCEPT="application/json").content)["key"] == (
        "night-losses"
    )


def test_what_a_reader_may_not_see_is_not_there(zone, client):
    sensing.dataset("tus-indicators", noun="indicators", access="official")
    for address in ("", "night-losses", f"night-losses/values/{zone.pk}", "night-losses/values.csv"):
        text = page(client, f"/en/indicators/{address}", 200 if not address else 404)
        assert "Night losses" not in text


def test_an_ambiguous_plan_is_shown_as_printed(client):
    sensing.dataset("tus-indicators", noun="indicators")
    measuring.declare(k3_1=measuring.entered(raw="(-25 %/ -7 %)", parse_status="ambiguous", parse_note="No baseline."))
    measuring.target("t", "k3-1", type="relative_to_baseline", value=-7.0, raw="-7 %", parse_status="ambiguous",
                     note="Weaker than 2023.")  # fmt: skip
    text = page(client, "/en/indicators/k3-1")
    for part in ("(-25 %/ -7 %)", "No baseline.", "“-7 %”", "ambiguous in the source", "Weaker than 2023."):
        assert part in text, part
    assert "There is no value yet." in text


def test_the_mailed_links_enter_and_confirm_without_an_account(asked):
    client = Client()
    address = link("enter")
    assert "Value (MWh" in page(client, address)
    assert models.Value.objects.filter(period="2025").count() == 0, "looking at a link changes nothing"
    wrong = client.post(address, {"value": "a lot", "source": ""})
    assert wrong.status_code == 400
    assert "a lot" in wrong.content.decode(), "nothing that was written is lost"
    far = client.post(address, {"value": "17.250.500,5", "source": "Book-keeping"})
    assert far.status_code == 400
    assert "thousand times" in far.content.decode()
    assert client.post(address, {"value": "17.250,5", "source": "Book-keeping"}).status_code == 302
    assert "nothing more to do here" in page(client, address)
    again = client.post(address, {"value": "1", "source": "x"})
    assert "nothing more to do here" in again.content.decode()
    second = link("confirm")
    text = page(client, second)
    assert "17,250.5" in text
    assert "Book-keeping" in text
    assert client.post(second, {"act": "confirm"}).status_code == 302
    assert "is confirmed" in page(client, second)
    assert "17,250.5" in page(client, "/en/indicators/k3-1")


def test_a_rejection_needs_a_reason_and_reaches_the_owner(asked):
    client = Client()
    client.post(link("enter"), {"value": "17000", "source": "x"})
    second = link("confirm")
    assert client.post(second, {"act": "reject", "reason": ""}).status_code == 400
    assert client.post(second, {"act": "reject", "reason": "Schools are missing."}).status_code == 302
    assert "Schools are missing." in page(client, link("enter"))


def test_links_of_one_purpose_do_not_open_the_other_and_forged_ones_nothing(asked):
    client = Client()
    token = link("enter").rsplit("/", 1)[1]
    page(client, f"/en/indicators/confirm/{token}", 403)
    page(client, f"/en/indicators/enter/{token[:-3]}abc", 403)
    page(client, "/en/indicators/enter/x", 403)


def test_the_desk_shows_what_waits_and_what_is_late(asked, client_of):
    anonymous = Client()
    assert anonymous.get("/desk/indicators/").status_code in (302, 401, 403)
    client = client_of("dora", "official", offices=("energetika",))
    text = page(client, "/desk/indicators/")
    assert "K3.1" in text
    assert "days left" in text
    models.Request.objects.update(due=times.now() - 3 * times.DAY)
    assert "3 days late" in page(client, "/desk/indicators/?tab=late")
    assert client.post(f"/desk/indicators/requests/{asked}/remind").status_code == 302
    assert len(journal.mails(ref=Ref("indicator-request", asked))) == 2
    sent = client.post(f"/desk/indicators/requests/{asked}/enter", {"value": "17000", "source": "Table 3"})
    assert sent.status_code == 302
    refused = client.post(f"/desk/indicators/requests/{asked}/confirm", {"act": "confirm"})
    assert refused.status_code == 403, "who entered may not confirm"
    assert "K3.1" in page(client, "/desk/indicators/?tab=confirm")
    other = client_of("eva", "official", offices=("promet",))
    assert "K3.1" not in page(other, "/desk/indicators/?tab=confirm")
    with CaptureQueriesContext(connection) as found:
        page(client, "/desk/indicators/?tab=confirm")
    assert len(found) <= 16, [q["sql"][:90] for q in found]


def test_who_answers_is_changed_with_a_reason(asked, client_of):
    client = client_of("dora", "official", offices=("energetika",))
    address = "/desk/indicators/k3-1"
    assert client.post(address, {"owner": "ana", "confirmer": "ana", "note": "x"}).status_code == 400
    assert client.post(address, {"owner": "dora", "confirmer": "bor", "note": ""}).status_code == 400
    assert client.post(address, {"owner": "dora", "confirmer": "bor", "note": "Ana left."}).status_code == 302
    assert "Ana left." in page(client, address)


def test_a_planner_clears_up_a_target_from_the_work_list(zone, account, client):
    measuring.target("odd", "night-losses", value=3.0, raw="3 ali 4", parse_status="ambiguous", note="Two numbers.")
    planner = account("pia", "planner")
    client.force_login(Account.objects.get(pk=planner.id))
    assert "3 ali 4" in page(client, "/desk/indicators/?tab=unclear")
    address = "/desk/indicators/night-losses/targets/odd"
    form = {"date": "2030", "type": "threshold", "op": "<", "value": "3", "clarification": ""}
    assert client.post(address, form).status_code == 400
    assert client.post(address, {**form, "clarification": "Council, 12. 5. 2026"}).status_code == 302
    assert "3 ali 4" not in page(client, "/desk/indicators/?tab=unclear")
    assert client.get("/desk/indicators/night-losses/targets/none").status_code == 404


def declared_list():
    """Two result indicators of one part of a plan, one without a level, one of another area, one unclear."""
    sensing.dataset("tus-indicators", noun="indicators")
    yearly = dict(period="year", kind="imported", formula={}, unit="1", decimals=0, direction="up")
    measuring.declare(
        own=measuring.indicator(**yearly, title={"en": "Krog links"}, order=1, code=""),
        free=measuring.indicator(
            **yearly, title={"en": "Free garages"}, order=2, theme="p1", code="", office="parking"
        ),
        jobs=measuring.indicator(
            **yearly,
            title={"en": "Jobs"},
            order=3,
            theme="p1",
            level="result",
            code="R1",
            baseline={"period": "2019", "value": 100.0},
        ),
        nights=measuring.indicator(**yearly, title={"en": "Nights of guests"}, order=4, theme="p2", level="result"),
        jobs_si=measuring.indicator(**yearly, title={"en": "Jobs in the state"}, series_of="jobs", area="Slovenia"),
    )
    measuring.known("jobs", y2019=100.0, y2023=90.0)
    measuring.target("jobs.2030", "jobs", op=">=", value=200.0)
    measuring.target("nights.2030", "nights", raw="more", parse_status="ambiguous", note="Which?")


def titles(text):
    """Names of the indicators of a list, as they stand in it."""
    rows = re.findall(r'<th scope="row"><a href="[^"]*">(.*?)</a>', text)
    return [re.sub("<.*?>", "", row).strip() for row in rows]


def test_result_indicators_come_first_and_other_areas_only_when_asked_for(db, client):
    declared_list()
    text = page(client, "/en/indicators/")
    assert titles(text) == ["R1 Jobs", "N1 Nights of guests", "Free garages", "Krog links"]
    assert "result indicators" in text
    assert titles(page(client, "/en/indicators/?area=Slovenia")) == ["N1 Jobs in the state"]
    assert titles(page(client, "/en/indicators/?sort=title")) == [
        "Free garages", "R1 Jobs", "Krog links", "N1 Nights of guests"]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("q=nights+GUESTS", ["N1 Nights of guests"]),
        ("theme=p1&level=result", ["R1 Jobs"]),
        ("office=parking", ["Free garages"]),
        ("unclear=1", ["N1 Nights of guests"]),
        ("state=bad", ["R1 Jobs"]),
        ("kind=entered", []),
        (
            "kind=%27--%3Cb%3E&sort=no&level=no&state=no",
            ["R1 Jobs", "N1 Nights of guests", "Free garages", "Krog links"],
        ),
    ],
)
def test_the_list_shows_what_the_address_asks_for(db, client, asked, found):
    declared_list()
    assert titles(page(client, f"/en/indicators/?{asked}")) == found


def test_a_long_list_has_pages_that_keep_what_was_asked_for(db, client, monkeypatch):
    declared_list()
    monkeypatch.setattr("krog.web.portal.indicators.PAGE", 3)
    text = page(client, "/en/indicators/?sort=title")
    assert len(titles(text)) == 3
    assert "?sort=title&amp;offset=3" in text
    assert titles(page(client, "/en/indicators/?sort=title&offset=3")) == ["N1 Nights of guests"]
    page(client, "/en/indicators/?offset=x", 400)


def test_the_download_of_the_list_holds_what_the_page_shows(db, client):
    declared_list()
    for asked in ("theme=p1", "unclear=1", "sort=title", "area=Slovenia"):
        lines = client.get(f"/en/indicators/?{asked}&format=csv").getvalue().decode("utf-8-sig").splitlines()
        shown = titles(page(client, f"/en/indicators/?{asked}"))
        assert len(lines) == len(shown) + 1
        assert all(name.split(maxsplit=1)[-1] in line for name, line in zip(shown, lines[1:], strict=True))


def test_the_page_compares_with_the_same_of_other_areas(db, client):
    declared_list()
    measuring.known("jobs-si", y2023=900.0)
    text = page(client, "/en/indicators/jobs")
    assert "In comparison" in text
    assert re.search(r'<a href="/en/indicators/jobs-si">Slovenia</a>.*?>900\s*</td>', text.replace("\n", " "))
    assert '<a href="/en/indicators/jobs">This city</a>' in page(client, "/en/indicators/jobs-si")
    assert "In comparison" not in page(client, "/en/indicators/free")


def test_what_is_done_or_not_is_said_in_words_and_entered_by_a_choice(asked, client):
    measuring.declare(k5=measuring.entered(unit="{yes}", decimals=0, title={"en": "Charter signed"}))
    verbs.ask(SYSTEM, indicator="k5", period="2025")
    mail = next(m.text for m in journal.mails(ref=Ref("indicator-request", "k5.2025")))
    address = re.search(r"/en/indicators/enter/\S+", mail)[0]
    assert 'type="radio"' in page(client, address)
    assert client.post(address, {"value": "7", "source": "x"}).status_code == 400
    assert client.post(address, {"value": "1", "source": "Minutes"}).status_code == 302
    verbs.confirm(reader_of("bor"), request="k5.2025")
    text = page(client, "/en/indicators/k5")
    assert "It was done: 2025." in text
    assert "<svg" not in text.split("Where this number comes from")[0].split("<h1>")[1]
    assert re.search(r">\s*done\s*<br>", page(client, "/en/indicators/"))


def test_that_there_is_no_value_is_entered_with_its_reason_only(asked, client):
    address = link("enter")
    assert client.post(address, {"none": "on"}).status_code == 400
    assert client.post(address, {"none": "on", "why": "Not read", "value": "5", "source": "x"}).status_code == 400
    assert client.post(address, {"source": "x"}).status_code == 400
    assert client.post(address, {"none": "on", "why": "The meters were not read."}).status_code == 302
    row = models.Value.objects.get(period="2025")
    assert (row.value, row.reasons, row.note) == (None, [{"code": "not-available"}], "The meters were not read.")


def reader_of(key):
    """The reader of an account."""
    return people.reader(Account.objects.get(key=key).pk)
