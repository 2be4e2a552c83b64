"""Use of services in the pages: forms count once, programs do not, the page and the API show it."""

from __future__ import annotations

import pytest
from django.test import Client

from krog.catalogue import reads, usage
from krog.people.permissions import SYSTEM
from tests.nouns.test_catalogue_usage import EVER, GRANT

pytestmark = pytest.mark.django_db

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


@pytest.fixture()
def declared(dataset):
    from krog.base.declaration import Change
    from krog.cases import verbs

    dataset("cases", noun="cases")
    dataset("service-use", noun="catalogue")
    about = {"title": {"en": "Pothole", "sl": "Luknja"}, "dataset": "cases", "office": "ceste", "citizen": True}
    verbs.declare_case_types(SYSTEM, changes=[Change("pothole", about)])


def _counts():
    return {(u.service, u.channel): (u.started, u.finished) for u in reads.service_use(GRANT, *EVER)}


def _mark(page):
    import re

    return re.search(r'name="use" value="([^"]*)"', page.content.decode()).group(1)


def test_a_report_is_started_and_finished_once_however_often_it_is_sent(declared):
    client = Client(headers=BROWSER)
    mark = _mark(client.get("/en/cases/report?type=pothole"))
    given = {"type": "pothole", "use": mark, "once": "abc", "description": "A hole"}
    again = client.post("/en/cases/report", given)
    assert again.status_code == 422 and _mark(again) == mark
    assert _counts() == {("report:pothole", "web"): (1, 0)}
    for _ in range(2):
        assert client.post("/en/cases/report", {**given, "place": "Main street 1"}).status_code == 302
    assert _counts() == {("report:pothole", "web"): (1, 1)}
    assert not client.cookies.get("sessionid")


@pytest.mark.parametrize("agent", ["", "Googlebot/2.1", "python-requests/2", "Mozilla/5.0 (compatible; bingbot/2.0)"])
def test_programs_are_not_counted(declared, agent):
    client = Client(headers={"user-agent": agent})
    assert _mark(client.get("/en/cases/report?type=pothole")) == ""
    client.get("/en/?q=pothole")
    assert _counts() == {}


def test_pages_that_a_browser_loads_ahead_are_not_counted(declared):
    Client(headers={**BROWSER, "sec-purpose": "prefetch"}).get("/en/?q=pothole")
    assert _counts() == {}


def test_who_opens_a_form_again_and_again_stops_counting(declared):
    client = Client(headers=BROWSER)
    for _ in range(70):
        client.get("/en/cases/report?type=pothole")
    assert _counts() == {("report:pothole", "web"): (60, 0)}


def test_searches_and_downloads_count(declared):
    client = Client(headers=BROWSER)
    client.get("/en/?q=pothole")
    client.get("/en/?q=zzzzzz")
    client.get("/en/usage/?format=csv")
    assert _counts() == {("search", "web"): (2, 1), ("download", "web"): (1, 1)}


def test_the_page_says_what_is_used_and_the_api_the_same(declared, client, django_assert_max_num_queries):
    usage.finish(usage.start("report:pothole", channel="web", language="en"), "report:pothole")
    usage.start("report:pothole", channel="web", language="en")
    usage.once("report:pothole", channel="phone", language="sl")
    with django_assert_max_num_queries(12):
        page = client.get("/en/usage/").content.decode()
    assert "Report: Pothole" in page and "phone" in page and "<svg" in page
    found = client.get("/api/v1/usage/?service=report&channel=web").json()["items"]
    assert [(i["service"], i["started"], i["finished"], i["abandoned"]) for i in found] == [("report:pothole", 2, 1, 1)]
    lines = client.get("/en/usage/?format=csv").content.decode().splitlines()
    assert lines[0].startswith("day,service,channel") and any(",report:pothole,phone,sl,1,1,0" in x for x in lines)


@pytest.mark.parametrize(
    "query",
    ["start=2026-01-02&end=2026-01-01", "start=1900-01-01&end=2026-01-01", "channel=fax", "service=%25", "start=x"],
)
def test_the_api_refuses_what_are_no_days(declared, client, query):
    assert client.get(f"/api/v1/usage/?{query}").status_code == 400


@pytest.mark.parametrize("query", ["months=999999999999", "months=x", "service=%27%22%3C", "channel=%00", "months=-1"])
def test_the_page_takes_no_harm_from_its_address(declared, client, query):
    assert client.get(f"/en/usage/?{query}").status_code in (200, 404)


def test_a_city_that_has_not_declared_the_dataset_shows_no_numbers(client, dataset):
    usage.once("search", channel="web", language="sl")
    page = client.get("/en/usage/").content.decode()
    assert "datasets.toml" in page
    assert client.get("/api/v1/usage/").json()["items"] == []


def test_officials_find_it_in_the_desk(client_of, declared):
    assert "Use of services" in client_of("ofi", "official").get("/desk/usage/").content.decode()
