"""Pages of registers: looking, filtering, downloading; changing in the desk; the same over the API."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from krog.base.declaration import Change
from krog.catalogue import door
from krog.people import verbs as people
from krog.people.models import Office
from krog.people.permissions import SYSTEM
from krog.registers import reads, verbs
from tests import registry, sensing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_values")]

Make = Callable[..., Client]


@pytest.fixture()
def points(db: None) -> None:
    registry.town()
    verbs.declare_records(
        SYSTEM,
        changes=[
            registry.record("dom", datastream="inflow"),
            registry.record("sola", name="Šola <script>alert(1)</script>", kind="school", people=300, web=None),
            registry.record("bor", name="=cmd|' /C calc'!A0", people=-5, geometry=None),
        ],
    )


def _page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content[:2000]
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def test_the_list_and_the_table_show_what_there_is(client: Client, points: None) -> None:
    assert "3 records" in _page(client, "/en/registers/")
    page = _page(client, "/en/registers/points")
    assert "Dom krajanov" in page
    assert "<script>alert(1)" not in page
    assert "home" in page
    assert "m³/h" in page
    assert "1\u00a0May\u00a02019" in page
    assert "šola" in _page(client, "/sl/registers/points")


def test_registers_are_listed_by_the_area_whose_office_keeps_them(client: Client, points: None) -> None:
    assert 'id="area-' not in _page(client, "/en/registers/")
    offices = [Change("vodovod", {"title": {"en": "Water"}, "centre": "environment"})]
    people.declare(SYSTEM, model=Office, noun="office", changes=offices)
    sensing.dataset("benches", noun="registers", access="public", office="")
    registry.declare("benches", data="benches", title={"en": "Benches"})
    page = _page(client, "/en/registers/")
    assert page.index('id="area-environment"') < page.index("Delivery points") < page.index('id="area-other"')
    assert page.index('id="area-other"') < page.index("Benches")
    assert 'id="area-mobility"' not in page


def test_filters_and_order_stand_in_the_address(client: Client, points: None) -> None:
    page = _page(client, "/en/registers/points?kind=school&people.min=100&q=&sort=-people")
    assert "Šola" in page
    assert "Dom krajanov" not in page
    assert 'aria-sort="descending"' in page
    assert '<option value="school" selected>' in page
    assert "Nothing was found." in _page(client, "/en/registers/points?q=nowhere")


def test_a_wrong_filter_is_explained_on_the_page_and_nothing_written_is_lost(client: Client, points: None) -> None:
    page = _page(client, "/en/registers/points?people.min=many&kind=school&colour=<b>", 400)
    assert "cannot be chosen like this" in page
    assert "many" in page
    assert '<option value="school" selected>' in page
    assert "<b>”" not in page


def test_a_record_shows_values_place_history_and_its_streams(client: Client, points: None) -> None:
    sensing.dataset("mlaka-water", noun="streams")
    sensing.declare(inflow=sensing.stream())
    sensing.observe("inflow", [4.25])
    page = _page(client, "/en/registers/points/dom")
    for part in (
        "Dom krajanov",
        "2.5",
        "https://example.org/dom",
        "1\u00a0January\u00a02020",
        "4.25",
        "Inflow to zone Mlaka",
    ):
        assert part in page
    assert "declared in the city" in page


def test_a_hidden_stream_is_not_named_by_the_record(client: Client, points: None) -> None:
    sensing.dataset("mlaka-water", noun="streams", access="restricted")
    sensing.declare(inflow=sensing.stream())
    assert "Inflow to zone Mlaka" not in _page(client, "/en/registers/points/dom")


def test_downloads_keep_the_filter_and_spreadsheets_find_no_formula(client: Client, points: None) -> None:
    text = _page(client, "/en/registers/points?format=csv&sort=key").removeprefix("\ufeff")
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["Key"] for row in rows] == ["bor", "dom", "sola"]
    assert rows[0]["Name"] == "'=cmd|' /C calc'!A0"
    assert (rows[0]["People"], rows[0]["Longitude (°)"]) == ("-5", "")
    names = ("Longitude (°)", "Latitude (°)", "Open", "Valid from")
    assert tuple(rows[1][name] for name in names) == ("14.3475", "46.2741", "yes", "2020-01-01")
    found = json.loads(_page(client, "/en/registers/points?format=geojson&kind=school"))
    assert [f["id"] for f in found["features"]] == ["sola"]
    for question in ("format=exe", "format=csv&kind=palace", "format=csv&colour=red"):
        _page(client, f"/en/registers/points?{question}", 400)


@pytest.mark.parametrize("key", ["nothing", "a%2Fb", "%00", "' OR 1=1", "<script>"])
def test_what_is_not_there_is_not_found(client: Client, points: None, key: str) -> None:
    for address in (
        f"/en/registers/{key}",
        f"/en/registers/points/{key}",
        f"/api/v1/registers/{key}",
        f"/api/v1/registers/points/records/{key}",
    ):
        assert client.get(address).status_code == 404


def test_a_restricted_register_is_invisible_everywhere(client: Client, db: None) -> None:
    registry.town(access="restricted", roles=["operator"])
    verbs.declare_records(SYSTEM, changes=[registry.record("dom")])
    assert "Delivery points" not in _page(client, "/en/registers/")
    assert "points" not in _page(client, "/api/v1/registers/")
    for address in (
        "/en/registers/points",
        "/en/registers/points?format=csv",
        "/en/registers/points/dom",
        "/api/v1/registers/points",
        "/api/v1/registers/points/records",
        "/registers/points/dom",
    ):
        assert client.get(address, headers={"accept": "application/json"}).status_code == 404


def test_hidden_fields_stay_hidden_in_every_form(client: Client, db: None) -> None:
    registry.town(fields={**{name: {} for name in registry.FIELDS}, "geometry": {}, "people": {"access": "official"}})
    verbs.declare_records(SYSTEM, changes=[registry.record("dom", people=4711)])
    for address in (
        "/en/registers/points",
        "/en/registers/points/dom",
        "/en/registers/points?format=csv",
        "/en/registers/points?format=geojson",
        "/api/v1/registers/points",
        "/api/v1/registers/points/records",
        "/api/v1/registers/points/dom",
    ):
        page = _page(client, address)
        assert "4711" not in page
        assert "people" not in page
    _page(client, "/api/v1/registers/points/records?people=4711", 400)


def test_pages_take_few_queries(
    client: Client, points: None, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for address in (
        "/en/registers/",
        "/en/registers/points",
        "/en/registers/points/dom",
        "/api/v1/registers/points/records",
    ):
        with django_assert_max_num_queries(12):
            _page(client, address)


# The desk.

FORM = {
    "value-name": "Nova točka",
    "value-kind": "home",
    "value-capacity": "1,5",
    "value-people": "7",
    "value-open": "true",
    "value-since": "2024-02-29",
    "value-web": "",
    "value-datastream": "",
    "lon": "14,3475",
    "lat": "46.2741",
    "valid_from": "",
    "valid_to": "",
    "key": "",
    "reason": "survey",
}


def _record(key: str) -> Any:
    return reads.record(door.open(SYSTEM, "desk", kind="registers"), "points", key)


def test_an_official_adds_a_record_by_the_form(client_of: Make, points: None) -> None:
    ana = client_of("ana", "official", offices=("vodovod",))
    assert "Add a record" in _page(ana, "/desk/registers/points")
    answer = ana.post("/desk/registers/points/add/", FORM)
    assert answer.headers["Location"] == "/desk/registers/points/records/points-nova-tocka"
    made = _record("points-nova-tocka")
    assert made.values == {
        "name": "Nova točka",
        "kind": "home",
        "capacity": 1.5,
        "people": 7,
        "open": True,
        "since": "2024-02-29",
    }
    assert made.geometry == registry.POINT


def test_the_desk_says_which_registers_one_may_change(
    client_of: Make, points: None, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for number in range(12):
        registry.dataset(f"other-{number}", noun="registers", office="promet")
        registry.declare(f"r{number}", data=f"other-{number}")
    ana = client_of("ana", "official", offices=("vodovod",))
    with django_assert_max_num_queries(12):
        page = _page(ana, "/desk/registers/")
    assert (page.count("read and change"), page.count("only read")) == (1, 12)


def test_the_form_says_every_mistake_and_loses_nothing(client_of: Make, points: None) -> None:
    ana = client_of("ana", "official", offices=("vodovod",))
    wrong = {
        **FORM,
        "value-name": "",
        "value-web": "javascript:alert(1)",
        "lat": "95",
        "valid_from": "spring",
        "key": "No!",
    }
    for form, words in (
        (wrong, ["This field is required"]),
        ({**wrong, "value-name": "Nova točka"}, ["javascript:alert", "not on Earth", "spring", "No!"]),
        ({**FORM, "lat": ""}, ["coordinates cannot be read"]),
        ({**FORM, "value-kind": "palace"}, ["palace"]),
        ({**FORM, "value-capacity": "1.000,5"}, ["Enter a number"]),
    ):
        answer = ana.post("/desk/registers/points/add/", form)
        page = answer.content.decode()
        assert answer.status_code == 400
        for word in words:
            assert word in page
        assert 'value="survey"' in page
        assert 'value="1,5"' in page or form["value-capacity"] != "1,5"
    assert reads.records(door.open(SYSTEM, "desk", kind="registers"), "points").total == 3


def test_a_record_is_changed_undone_and_taken_out_of_use(client_of: Make, points: None) -> None:
    ana = client_of("ana", "official", offices=("vodovod",))
    address = "/desk/registers/points/records/dom"
    page = _page(ana, address)
    assert 'value="2.5"' in page
    assert 'value="14.3475"' in page
    form = {**FORM, "value-name": "Dom", "seen": "1", "act": "save"}
    assert "The change is saved." in ana.post(address, form, follow=True).content.decode()
    assert _record("dom").values["name"] == "Dom"
    late = ana.post(address, {**form, "value-name": "Late"})
    assert late.status_code == 409
    assert _record("dom").values["name"] == "Dom"
    undone = ana.post(address, {"act": "undo", "seen": "2"}, follow=True).content.decode()
    assert "The last change is undone." in undone
    assert "last change undone" in undone
    assert _record("dom").values["name"] == "Dom krajanov"
    assert (
        "without a reason"
        in ana.post(address, {"act": "retire", "seen": "3", "reason": ""}, follow=True).content.decode()
    )
    gone = ana.post(address, {"act": "retire", "seen": "3", "reason": "torn down"}, follow=True).content.decode()
    assert "was taken out of use" in gone
    assert Client().get("/en/registers/points/dom").status_code == 404
    assert _record("dom").retired


def test_what_the_official_may_not_see_survives_his_change(client_of: Make, db: None) -> None:
    registry.town(fields={**{name: {} for name in registry.FIELDS}, "geometry": {}, "people": {"access": "restricted"}})
    verbs.declare_records(SYSTEM, changes=[registry.record("dom", people=4711)])
    ana = client_of("ana", "official", offices=("vodovod",))
    address = "/desk/registers/points/records/dom"
    assert "4711" not in _page(ana, address)
    form = {name: value for name, value in FORM.items() if name != "value-people"}
    ana.post(address, {**form, "value-name": "Dom", "seen": "1", "value-people": "1"})
    assert (_record("dom").values["name"], _record("dom").values["people"]) == ("Dom", 4711)


def test_others_may_look_and_not_change(client_of: Make, client: Client, points: None) -> None:
    other = client_of("ivo", "official", offices=("promet",))
    page = _page(other, "/desk/registers/points/records/dom")
    assert "Only the office that keeps this register" in page
    assert "Save the change" not in page
    assert other.post("/desk/registers/points/add/", FORM).status_code == 403
    for act in ("save", "undo", "retire"):
        form = {**FORM, "act": act, "seen": "1", "reason": "x"}
        assert other.post("/desk/registers/points/records/dom", form).status_code == 403
    assert client.get("/desk/registers/points").status_code == 302
    assert _record("dom").version == 1


# The API.


def _json(client: Client, address: str, status: int = 200) -> dict[str, Any]:
    answer = client.get(address, headers={"accept": "application/json"})
    assert answer.status_code == status, answer.content
    if status != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"
    return json.loads(answer.content)  # type: ignore[no-any-return]


def test_the_api_filters_sorts_and_pages_records(client: Client, points: None) -> None:
    first = _json(client, "/api/v1/registers/points/records?sort=-people&limit=2")
    assert ([r["key"] for r in first["items"]], first["total"]) == (["sola", "dom"], 3)
    second = _json(client, first["nextLink"].split("8000", 1)[1])
    assert [r["key"] for r in second["items"]] == ["bor"]
    assert "nextLink" not in second
    assert _json(client, "/api/v1/registers/points/records?bbox=14,46,15,47&kind=home")["total"] == 1
    found = _json(client, "/api/v1/registers/points/records?format=geojson&limit=1&sort=key")
    assert (found["type"], found["numberMatched"]) == ("FeatureCollection", 3)


def test_the_api_names_every_mistake(client: Client, points: None) -> None:
    found = _json(client, "/api/v1/registers/points/records?colour=red&people.min=many&sort=size&bbox=1", 400)
    assert {p["where"] for p in found["problems"]} == {"colour", "people.min", "sort", "bbox"}
    for question in ("limit=0", "limit=99999999", "offset=-1", "format=exe", "limit=' OR 1=1"):
        _json(client, f"/api/v1/registers/points/records?{question}", 400)


def test_the_lasting_address_answers_people_and_programs(client: Client, points: None) -> None:
    assert _json(client, "/registers/points/dom")["values"]["name"] == "Dom krajanov"
    answer = client.get("/registers/points/dom", headers={"accept": "text/html", "accept-language": "en"})
    assert answer.headers["Location"].endswith("/registers/points/dom")


def test_the_api_tells_the_public_no_names(client_of: Make, client: Client, points: None) -> None:
    ana = client_of("ana", "official", offices=("vodovod",), name="Ana Kovač")
    ana.post("/desk/registers/points/records/dom", {**FORM, "seen": "1", "reason": "Mrs Novak called"})
    text = client.get("/api/v1/registers/points/records/dom").content.decode()
    assert "Kova" not in text
    assert "Novak" not in text
    assert len(json.loads(text)["history"]) == 2


def test_the_map_of_a_register_is_asked_for_what_is_in_view_and_only_once(client: Client, points: None) -> None:
    page = client.get("/en/registers/points?kind=school").content.decode()
    assert 'data-source="/en/registers/points/map.geojson?kind=school"' in page
    assert "<script id" not in page
    first = client.get("/en/registers/points/map.geojson")
    found = first.json()
    keys = {one["properties"]["id"] for one in found["features"]}
    assert keys and found["complete"] is True
    assert keys == {
        record["key"] for record in client.get("/api/v1/registers/points/records").json()["items"] if record["geometry"]
    }
    again = client.get("/en/registers/points/map.geojson", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    nowhere = client.get("/en/registers/points/map.geojson?bbox=1,1,2,2").json()
    assert nowhere["features"] == []
    one = keys.pop()
    verbs.retire_record(SYSTEM, key=one, seen=1, reason="gone")
    after = client.get("/en/registers/points/map.geojson", headers={"If-None-Match": first["ETag"]})
    assert after.status_code == 200
    assert one not in {feature["properties"]["id"] for feature in after.json()["features"]}
    assert client.get("/en/registers/points/map.geojson?bbox=x").status_code == 400


def test_more_places_than_a_map_can_draw_are_told_together(
    client: Client, points: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from krog.registers import mapped

    every = client.get("/en/registers/points/map.geojson").json()["features"]
    monkeypatch.setattr(mapped, "MOST_POINTS", 1)
    cells = client.get("/en/registers/points/map.geojson?bbox=13,45,16,47").json()
    assert cells["complete"] is False
    assert sum(cell["properties"]["count"] for cell in cells["features"]) == len(every)


def test_a_table_leaves_out_what_is_empty_and_what_is_said_in_another_language(client: Client, db: None) -> None:
    fields = {**registry.FIELDS, "name_en": {"type": "text", "title": {"sl": "Ime v angleščini", "en": "English name"}}}
    registry.town()
    registry.declare(fields=fields)
    hall = registry.record("hall", name_en="Village hall", capacity=None)
    verbs.declare_records(SYSTEM, changes=[hall])
    slovenian, english = (client.get(f"/{code}/registers/points").content.decode() for code in ("sl", "en"))
    assert "Ime v angleščini" not in slovenian
    assert "English name" in english
    assert "Village hall" in english
    assert "sort=kind" in slovenian
    assert "sort=capacity" not in slovenian
