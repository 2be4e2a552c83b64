"""Pages of streams: what a citizen sees, what he does not, what strange addresses do; the loss ledger in the desk."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import ANONYMOUS
from krog.base.origin import Origin
from krog.catalogue import door
from krog.lake.shapes import NewAside
from krog.streams import reads
from tests import sensing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_values")]

Make = Callable[..., Client]


@pytest.fixture()
def town(db: None) -> None:
    sensing.dataset("mlaka-water", noun="streams", organisation="mok")
    sensing.dataset("homes", noun="streams", access="restricted", roles=["operator"])
    sensing.declare(
        inflow=sensing.stream(),
        silent=sensing.stream(interval_s=60, title={"sl": "Tihi", "en": "Quiet one"}),
        never=sensing.stream(title={"en": "Never <script>alert(1)</script>"}),
        secret=sensing.stream(dataset="homes", title={"en": "Household of Mrs Novak"}),
    )
    sensing.observe("inflow", [10.0, None, None, None, None, None, 12.5, 11.25])
    sensing.observe("silent", [3.0], end=times.now() - times.HOUR)
    sensing.observe("secret", [7.77])


def _page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content[:2000]
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


def test_the_list_says_state_and_newest_value_of_every_stream(client: Client, town: None) -> None:
    page = _page(client, "/en/streams/")
    assert "Inflow to zone Mlaka" in page
    assert ">silent</span>" in page
    assert "1 hour ago" in page
    assert "no values yet" in page
    assert 'data-live="inflow"' in page
    assert "11.25" in page
    assert "simulated" in page
    assert "invented place" in page


def test_the_list_is_narrowed_by_what_where_and_who_and_sorted(client: Client, town: None) -> None:
    sensing.declare(other=sensing.stream(title={"en": "Another one"}))
    page = _page(client, "/en/streams/")
    assert 'name="sort"' in page
    assert "Mrs Novak" not in page
    whole = reads.datastreams(door.open(ANONYMOUS, "portal", kind="streams")).items
    chosen = whole[0].observed_property.key
    assert "Another one" in _page(client, f"/en/streams/?property={chosen}&sort=property")
    for question in ("property=nowhere", "place=nowhere", "operator=nobody"):
        assert "No measuring point is like that." in _page(client, f"/en/streams/?{question}")
    assert "Mrs Novak" not in _page(client, f"/en/streams/?property={chosen}&sort=%3Cscript%3E")


def test_names_from_files_cannot_bring_in_script(client: Client, town: None) -> None:
    for address in ("/en/streams/", "/en/streams/never", "/en/things/shaft", "/en/streams/?q=<script>alert(1)"):
        page = _page(client, address)
        assert "<script>alert(1)" not in page
    assert "Never &lt;script&gt;" in _page(client, "/en/streams/")


def test_a_stream_shows_value_chart_statistics_and_where_it_really_comes_from(client: Client, town: None) -> None:
    page = _page(client, "/en/streams/inflow")
    assert "from 10 to 12.5" in page
    assert "<svg" in page
    assert "This place is invented." in page
    assert "Italy, 2004" in page
    assert "UCI Air Quality" in page
    assert "± 2 %" in page
    assert "/api/v1/streams/inflow/observations" in page
    assert "mosquitto_pub" not in page


def test_slovenian_pages_are_slovenian(client: Client, town: None) -> None:
    from django.utils.translation import gettext, override

    with override("sl"):
        words = gettext("Measuring points")
    assert words == "Merilna mesta"
    page = _page(client, "/sl/streams/inflow")
    assert "Dotok v cono Mlaka" in page
    assert "zadnjih 24 ur" in page
    assert "11,25" in page


@pytest.mark.parametrize("name", ["24h", "7d", "30d", "all"])
def test_ranges_are_links_that_work_without_script(client: Client, town: None, name: str) -> None:
    page = _page(client, f"/en/streams/inflow?range={name}")
    assert f'href="/en/streams/inflow?range={name}" aria-current="true"' in page


def test_an_old_stream_leads_to_all_of_its_time(client: Client, town: None) -> None:
    sensing.observe("never", [1.0], end=times.now() - 90 * times.DAY)
    page = _page(client, "/en/streams/never")
    assert "No values in this range." in page
    assert "/en/streams/never?range=all" in page
    assert "<svg" in _page(client, "/en/streams/never?range=all")


def test_readings_are_paged_without_losing_any(client: Client, town: None) -> None:
    import re

    sensing.observe("never", [float(n) for n in range(60)], every_s=60)
    address, seen = "/en/streams/never", []
    while address:
        page = _page(client, address)
        seen += re.findall(r'<th scope="row"><time datetime="([^"]+)"', page)
        found = re.search(r'<a rel="next" href="([^"]+)"', page)
        address = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == len(set(seen)) == 60


def test_the_download_holds_every_reading_with_its_origin(client: Client, town: None) -> None:
    rows = list(csv.DictReader(io.StringIO(_page(client, "/en/streams/inflow?format=csv").lstrip("\ufeff"))))
    assert [(row["Value (m³/h)"], row["Origin"]) for row in rows[:3]] == [
        ("10", "simulated"),
        ("12.5", "simulated"),
        ("11.25", "simulated"),
    ]
    assert all(row["Time"] and row["Recorded"] and row["Number"] for row in rows)


@pytest.mark.parametrize(
    "address",
    [
        "/en/streams/inflow?range=1000y",
        "/en/streams/inflow?after=x",
        "/en/streams/inflow?format=xls",
        "/en/streams/?offset=-1",
        "/en/streams/?offset=' OR 1=1",
        "/en/streams/inflow?range=%3Cscript%3E",
    ],
)
def test_strange_questions_are_refused_and_explained(client: Client, town: None, address: str) -> None:
    page = _page(client, address, 400)
    assert "<script>" not in page.replace('<script type="module"', "")


@pytest.mark.parametrize("key", ["nothing", "a%2Fb", "..%2F..%2Fetc%2Fpasswd", "%00", "' OR '1'='1", "x" * 500])
def test_what_is_not_there_is_not_found(client: Client, town: None, key: str) -> None:
    for address in (f"/en/streams/{key}", f"/en/things/{key}", f"/api/v1/streams/{key}", f"/api/v1/things/{key}"):
        assert client.get(address).status_code == 404


def test_a_restricted_stream_is_invisible_everywhere(client: Client, town: None) -> None:
    for address in ("/en/streams/", "/en/things/shaft", "/api/v1/streams/?limit=1000", "/api/v1/things/shaft"):
        page = _page(client, address)
        assert "Novak" not in page
        assert "7.77" not in page
        assert "secret" not in page.replace("csrf", "")
    for address in (
        "/en/streams/secret",
        "/en/streams/secret?format=csv",
        "/api/v1/streams/secret",
        "/api/v1/streams/secret/observations",
        "/api/v1/streams/secret/series",
    ):
        assert client.get(address).status_code == 404


def test_a_role_that_may_see_it_sees_it(client_of: Make, town: None) -> None:
    operator = client_of("vida", "operator")
    assert "7.77" in _page(operator, "/en/streams/secret")
    official = client_of("ana", "official")
    assert official.get("/en/streams/secret").status_code == 404


def test_pages_take_few_queries(client: Client, town: None, django_assert_max_num_queries: Callable[..., Any]) -> None:
    for address in ("/en/streams/", "/en/streams/inflow", "/en/things/shaft", "/api/v1/streams/inflow/observations"):
        with django_assert_max_num_queries(12):
            _page(client, address)


def test_an_operator_sees_what_needs_attention_first(client_of: Make, town: None) -> None:
    page = _page(client_of("vida", "operator"), "/desk/streams/")
    assert page.index("Quiet one") < page.index("Inflow to zone Mlaka")
    assert "Inflow to zone Mlaka" not in _page(client_of("ivo", "operator"), "/desk/streams/?state=silent")


def test_the_desk_says_how_to_feed_a_stream_by_hand(client_of: Make, client: Client, town: None) -> None:
    page = _page(client_of("vida", "operator"), "/desk/streams/inflow")
    assert "-t krog/inflow -m &#x27;100&#x27;" in page or "-t krog/inflow -m '100'" in page
    assert client.get("/desk/streams/inflow").status_code == 302


# The loss ledger.


@pytest.fixture()
def lost(town: None) -> list[int]:
    number = reads.ingest_index()["inflow"].id
    secret = reads.ingest_index()["secret"].id
    entries = [
        NewAside(
            "mqtt",
            "krog/inflow",
            "inflow",
            number,
            b'{"value": 999}',
            "out-of-range",
            "999 is outside 0 to 200.",
            "key k1",
            b'{"stream":"inflow","value":999}',
        ),
        NewAside(
            "mqtt",
            "krog/x",
            "<b>x</b>",
            0,
            b"<script>alert(1)</script>\x00\xe2\x80\xae",
            "unknown",
            "No such.",
            "key k1",
            b'{"stream":"x","value":1}',
        ),
        NewAside("http", "", "", 0, b"{broken", "malformed", "Not JSON.", "key k2"),
        NewAside(
            "mqtt",
            "krog/secret",
            "secret",
            secret,
            b"7.123",
            "late",
            "7.123 is late.",
            "key k3",
            b'{"stream":"secret"}',
        ),
    ]
    with sensing.hot() as store:
        return store.submit([], entries).result(timeout=30)[1]


def test_the_ledger_shows_payloads_safely_and_by_reason(client_of: Make, lost: list[int]) -> None:
    vida = client_of("vida", "operator")
    page = _page(vida, "/desk/set-aside/")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\u202e" not in page
    assert "&lt;b&gt;x" in page
    only = _page(vida, "/desk/set-aside/?reason=malformed")
    assert "{broken" in only
    assert "999" not in only
    assert "outside" in _page(vida, "/desk/set-aside/?key=inflow")


def test_what_he_may_not_see_is_withheld_in_the_ledger_too(client_of: Make, lost: list[int]) -> None:
    page = _page(client_of("otto", "digital_officer"), "/desk/set-aside/")
    assert "7.123" not in page
    assert "withheld" in page
    assert "7.123" in _page(client_of("vida", "operator"), "/desk/set-aside/")


def test_the_ledger_is_for_those_who_look_after_streams(client_of: Make, client: Client, lost: list[int]) -> None:
    assert client_of("ana", "official").get("/desk/set-aside/").status_code == 403
    assert client.get("/desk/set-aside/").status_code == 302


def test_numbers_that_forms_send_back_are_not_written_for_people(client_of: Make, town: None) -> None:
    entry = NewAside("mqtt", "krog/x", "x", 0, b"1", "unknown", "No such.", "key", b'{"stream":"x","value":1}')
    with sensing.hot() as store:
        last = store.submit([], [entry] * 1200).result(timeout=30)[1][-1]
    page = _page(client_of("vida", "operator"), "/desk/set-aside/")
    assert f'name="id" value="{last}"' in page


def test_messages_are_dismissed_with_a_note_only(client_of: Make, lost: list[int]) -> None:
    from krog import lake

    vida = client_of("vida", "operator")
    for form, words in (
        ({"act": "dismiss", "note": "meter was being tested"}, "Nothing is chosen"),
        ({"act": "dismiss", "id": [lost[0]], "note": " "}, "Say why"),
        ({"act": "replay", "id": [lost[2]]}, "nothing to try"),
        ({"act": "dismiss", "id": ["1; DROP TABLE aside"], "note": "x"}, "Nothing is chosen"),
    ):
        answer = vida.post("/desk/set-aside/", form, follow=True)
        assert words in answer.content.decode()
    assert {entry.state for entry in lake.aside_by_id(lost)} == {"open"}
    done = vida.post("/desk/set-aside/", {"act": "dismiss", "id": lost[:2], "note": "test"}, follow=True)
    assert "2 messages were dismissed." in done.content.decode()
    asked = vida.post("/desk/set-aside/", {"act": "replay", "id": [lost[3]]}, follow=True)
    assert "1 message is being tried again." in asked.content.decode()
    assert [entry.state for entry in lake.aside_by_id(lost)] == ["dismissed", "dismissed", "open", "asked"]
    assert "test" in _page(vida, "/desk/set-aside/?state=dismissed")


# The API.


def _json(client: Client, address: str, status: int = 200) -> dict[str, Any]:
    answer = client.get(address, headers={"accept": "application/json"})
    assert answer.status_code == status, answer.content
    if status != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"
    return json.loads(answer.content)  # type: ignore[no-any-return]


def test_the_api_lists_streams_with_pages(client: Client, town: None) -> None:
    first = _json(client, "/api/v1/streams/?limit=2")
    assert (first["total"], len(first["items"])) == (3, 2)
    second = _json(client, first["nextLink"].split("8000", 1)[1])
    assert "nextLink" not in second
    assert {s["key"] for s in first["items"] + second["items"]} == {"inflow", "silent", "never"}
    assert _json(client, "/api/v1/streams/?role=inflow&thing=shaft&q=dotok")["total"] == 1


def test_the_api_tells_everything_about_a_stream(client: Client, town: None) -> None:
    found = _json(client, "/streams/inflow")
    assert found["latest"]["value"] == 11.25
    assert found["latest"]["origin"] == "simulated"
    assert found["thing"]["demo_place"] is True
    assert found["sensor"]["accuracy_unit"] == "%"


def test_the_api_pages_observations_while_new_ones_arrive(client: Client, town: None) -> None:
    moments = sensing.observe("never", [float(n) for n in range(9)], end=times.now() - times.HOUR)
    page = _json(client, "/api/v1/streams/never/observations?limit=4&order=newest")
    seen = page["items"]
    sensing.observe("never", [99.0])
    while "nextLink" in page:
        page = _json(client, page["nextLink"].split("8000", 1)[1])
        seen += page["items"]
    assert [o["time"] for o in seen] == [times.iso(m) for m in reversed(moments)]
    assert {o["origin"] for o in seen} == {Origin.SIMULATED.word}


def test_the_api_takes_ranges_in_every_honest_form(client: Client, town: None) -> None:
    moment = times.parse("2026-05-12T10:00:00+02:00")
    sensing.observe("never", [1.0], end=moment)
    for start in ("2026-05-12T08:00:00Z", "2026-05-12T10:00:00%2B02:00", "2026-05-12T10:00:00+02:00", "2026-05-12"):
        found = _json(client, f"/api/v1/streams/never/observations?start={start}&end=2026-05-13")
        assert [o["value"] for o in found["items"]] == [1.0], start


@pytest.mark.parametrize(
    "question",
    [
        "start=yesterday",
        "start=2026-13-01",
        "end=2026-05-12T10:00",
        "start=99999999999999",
        "limit=0",
        "limit=100000000",
        "limit=x",
        "after=1",
        "order=sideways",
        "start=" + "9" * 300,
    ],
)
def test_the_api_refuses_what_it_cannot_read_and_says_what_it_can(client: Client, town: None, question: str) -> None:
    found = _json(client, f"/api/v1/streams/inflow/observations?{question}", 400)
    assert found["title"] == "invalid"
    assert found.get("where") or found.get("problems")


def test_the_api_draws_series_with_gaps(client: Client, town: None) -> None:
    found = _json(client, "/api/v1/streams/inflow/series?step_s=300")
    assert sum(item["count"] for item in found["items"]) == 3
    assert len(found["items"]) == 3
    _json(client, "/api/v1/streams/inflow/series?step_s=60&start=2000-01-01", 400)
    _json(client, "/api/v1/streams/inflow/series?start=2026-05-12&end=2026-05-11", 400)


def test_withheld_values_do_not_leave_by_the_api(client: Client, db: None) -> None:
    sensing.dataset("mlaka-water", noun="streams", fields={"time": {}, "value": {"access": "official"}})
    sensing.declare(inflow=sensing.stream())
    sensing.observe("inflow", [987654321.125])
    assert _json(client, "/api/v1/streams/inflow")["latest"]["withheld"] is True
    for address in ("/api/v1/streams/inflow", "/api/v1/streams/inflow/observations", "/api/v1/streams/inflow/series"):
        assert "987654321" not in client.get(address).content.decode()
    for address in ("/en/streams/inflow", "/en/streams/inflow?format=csv"):
        assert "987654321" not in _page(client, address).replace(",", "")


def test_a_retired_stream_is_gone(client: Client, town: None) -> None:
    from krog.base.declaration import Change
    from krog.catalogue import door
    from krog.people.permissions import SYSTEM
    from krog.streams import verbs

    verbs.declare(SYSTEM, kind="datastream", changes=[Change("inflow", None)])
    with pytest.raises(NotFound):
        reads.datastream(door.open(SYSTEM, "portal", kind="streams"), "inflow")
    assert client.get("/en/streams/inflow").status_code == 404
