"""Home and Now: what a person comes to do, what is near, how the city is doing; only what exists and may be seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from krog.base import times
from krog.base.declaration import Change
from krog.engine import finding
from krog.people import verbs as people
from krog.people.models import Territory
from krog.people.permissions import SYSTEM
from krog.web.portal import finder, today
from tests import sensing

PLACES = (
    Change("mlaka-pri-kranju", {"title": {"sl": "Mlaka pri Kranju", "en": "Mlaka pri Kranju"}, "level": "settlement",
                                "parent": "", "lon": 14.3475, "lat": 46.2741}),
    Change("golnik", {"title": {"sl": "Golnik", "en": "Golnik"}, "level": "settlement", "parent": "", "lon": 14.33,
                      "lat": 46.33}),
)  # fmt: skip


@pytest.fixture()
def mlaka(db: None, dataset: Callable[..., str], own_values: None) -> None:
    """Two settlements, and a public, a silent and an internal datastream in the first."""
    people.declare(SYSTEM, model=Territory, noun="territory", changes=PLACES)
    sensing.dataset("mlaka-water", noun="streams")
    sensing.declare(
        mlaka_inflow=sensing.stream(),
        mlaka_old=sensing.stream(title={"sl": "Stari vodomer", "en": "Old meter"}),
        mlaka_secret=sensing.stream(title={"sl": "Skrivni vodomer", "en": "Secret meter"}, public=False),
    )
    sensing.observe("mlaka-inflow", [4.0, 5.25])
    sensing.observe("mlaka-old", [1.0], end=times.now() - times.DAY)
    sensing.observe("mlaka-secret", [77.77])


def html(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def test_now_shows_the_newest_public_values_with_their_origin(client: Client, mlaka: None) -> None:
    page = html(client, "/sl/now/")
    assert "5,25" in page
    assert 'data-live="mlaka-inflow"' in page
    assert "simulirano" in page
    assert "izmišljen kraj" in page
    assert "Skrivni vodomer" not in page
    assert "77,77" not in page


def test_a_silent_sensor_is_greyed_and_said(client: Client, mlaka: None) -> None:
    page = html(client, "/en/now/")
    old = page[page.index("Old meter") :]
    assert re.search(r'class="live stale" data-live="mlaka-old"', old)
    assert "is silent" in page


def test_home_chooses_the_place_where_most_is_measured(client: Client, mlaka: None) -> None:
    page = html(client, "/sl/")
    assert re.search(r'<option value="mlaka-pri-kranju" selected>', page)
    assert "5,25" in page
    assert re.search(r'<option value="golnik" selected>', html(client, "/sl/?place=golnik"))
    assert re.search(r'<option value="mlaka-pri-kranju" selected>', html(client, "/sl/?place=nowhere"))


def test_home_of_a_city_without_anything_still_works(client: Client, db: None) -> None:
    page = html(client, "/sl/")
    assert "Kaj potrebujete?" in page
    assert "Nič se še ne meri." in html(client, "/sl/now/")


def test_every_task_leads_to_a_page(client: Client, mlaka: None) -> None:
    page = html(client, "/sl/")
    tasks = page[page.index('class="cards tasks"') : page.index('id="today"')]
    addresses = re.findall(r'href="([^"]+)"', tasks)
    assert 3 <= len(addresses) <= 6
    for address in addresses:
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("word", ["dotok", "DOTOK", "vodomer stari"])
def test_search_finds_what_exists(client: Client, mlaka: None, word: str) -> None:
    finding.rebuild()
    page = html(client, f"/sl/?q={word}")
    assert "Meritve" in page
    assert "/sl/streams/mlaka-" in page


def test_search_does_not_find_what_may_not_be_seen(client: Client, mlaka: None) -> None:
    finding.rebuild()
    page = html(client, "/sl/?q=skrivni")
    assert "Skrivni vodomer" not in page
    assert "Ničesar nismo našli." in page


def test_search_takes_whatever_is_typed(client: Client, mlaka: None) -> None:
    for text in ("%3Cscript%3Ealert(1)%3C/script%3E", "a" * 500, "%25", "'%3B--", "   ", "%F0%9F%9A%B0"):
        page = html(client, f"/sl/?q={text}")
        assert "<script>alert" not in page
    for text in ("%00", "a" * 5000):
        assert client.get(f"/sl/?q={text}").status_code < 500


def test_words_are_compared_without_marks_and_endings() -> None:
    assert finder.plain("Rešitve ČŠŽ") == "resitve csz"
    assert finder.matches([finder.stem("voda")], finder.plain("Vodovodna cona"))
    assert not finder.matches(["zrak", "voda"], "Zrak v mestu")


def test_near_is_measured_in_kilometres() -> None:
    assert today.distance_km((14.3475, 46.2741), (14.3475, 46.2841)) == pytest.approx(1.112, abs=0.01)
    assert today.distance_km((14.3475, 46.2741), (14.3575, 46.2741)) == pytest.approx(0.769, abs=0.01)


@pytest.mark.parametrize("address", ["/sl/", "/sl/now/"])
def test_pages_ask_the_database_little(client: Client, mlaka: None, address: str) -> None:
    from django.db import connection

    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        html(client, address)
    assert len(queries) <= 12, "\n".join(query["sql"][:120] for query in queries)


def test_the_ground_of_maps_has_the_settlements(client: Client, mlaka: None) -> None:
    ground = client.get("/en/ground.geojson").json()
    assert [f["properties"]["title"] for f in ground["features"]] == ["Golnik", "Mlaka pri Kranju"]
    assert ground["features"][0]["geometry"] == {"type": "Point", "coordinates": [14.33, 46.33]}


@pytest.mark.parametrize("state, mark", [("clear", ["ok"]), ("never", ["none"]), ("unknown", ["none"])])
def test_good_news_is_told_only_when_the_rules_have_seen_enough(state: str, mark: list[str]) -> None:
    rule = SimpleNamespace(terms=[SimpleNamespace(stream="inflow")], standing=SimpleNamespace(state=state))
    assert [item.state for item in today.alerts([], frozenset({"inflow"}), (), [rule])] == mark  # type: ignore[list-item]
    assert today.alerts([], frozenset({"elsewhere"}), (), [rule]) == []  # type: ignore[list-item]
