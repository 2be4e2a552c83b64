"""Pages of the catalogue: every dataset described, what is closed said to be closed, nothing of it shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from krog.base.grant import ANONYMOUS, Grant
from krog.catalogue import reads as catalogue
from krog.web.portal.catalogue import frequency_words
from tests import registry, sensing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_values")]


@pytest.fixture()
def town(db: None) -> None:
    sensing.dataset(
        "mlaka-water",
        noun="streams",
        licence="CC BY 4.0",
        frequency="PT5M",
        source="Own <b>meters</b>",
        title={"sl": "Voda", "en": "Water <script>alert(1)</script>"},
        fields={
            "value": {"type": "number", "unit": "m3/h", "title": {"en": "flow"}},
            "time": {"type": "time"},
            "note": {"type": "text", "access": "official"},
        },
    )
    sensing.dataset("homes", noun="streams", access="restricted", roles=["operator"], title={"en": "Households"})
    sensing.dataset("plans", noun="plans", access="official", title={"en": "Drafts"})
    sensing.declare(inflow=sensing.stream(), secret=sensing.stream(dataset="homes", title={"en": "Mrs Novak"}))
    registry.town()


def _page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content[:2000]
    return answer.content.decode()


def test_the_list_says_what_is_open_and_hides_what_is_restricted(client: Client, town: None) -> None:
    page = _page(client, "/en/datasets/")
    assert "Water &lt;script&gt;" in page
    assert "open to everybody" in page
    assert "for people who work for the city" in page
    assert "Households" not in page
    assert "Households" in _page(_operator(), "/en/datasets/")


def _operator() -> Client:
    from krog.people.models import Account

    row = Account.objects.create(key="vida", name="Vida", roles=["operator"])
    client = Client()
    client.force_login(row, backend="krog.people.backend.AccountBackend")
    return client


def test_the_list_is_filtered(client: Client, town: None) -> None:
    page = _page(client, "/en/datasets/?noun=registers")
    assert "mlaka-points" in page
    assert "mlaka-water" not in page
    assert "Nothing was found." in _page(client, "/en/datasets/?q=nowhere")
    assert "Water" in _page(client, "/en/datasets/?q=WATER&noun=nonsense'--")


def test_a_dataset_shows_dictionary_licence_contents_and_lineage(client: Client, town: None) -> None:
    page = _page(client, "/en/datasets/mlaka-water")
    for part in (
        "CC BY 4.0",
        "every 5 minutes",
        "m³/h",
        "flow",
        "Inflow to zone Mlaka",
        "written down before it is",
        "Own &lt;b&gt;meters&lt;/b&gt;",
        "/api/v1/streams/?dataset=mlaka-water",
    ):
        assert part in page
    assert "<script>alert(1)" not in page
    assert "Delivery points" in _page(client, "/en/datasets/mlaka-points")


def test_what_is_closed_is_described_and_not_shown(client: Client, town: None) -> None:
    assert "its contents are open only to those named below" in _page(client, "/en/datasets/plans")
    for key in ("homes", "nothing", "%00", "a%2Fb"):
        assert client.get(f"/en/datasets/{key}").status_code == 404
        assert client.get(f"/api/v1/datasets/{key}").status_code == 404


def test_the_api_describes_datasets(client: Client, town: None) -> None:
    found = json.loads(_page(client, "/api/v1/datasets/?limit=1"))
    assert (len(found["items"]), found["total"]) == (1, 3)
    assert "offset=1" in found["nextLink"]
    assert "homes" not in _page(client, "/api/v1/datasets/")
    water = json.loads(_page(client, "/api/v1/datasets/mlaka-water"))
    assert (water["readable"], water["licence"], water["holds"]) == (True, "CC BY 4.0", "streams")
    assert json.loads(_page(client, "/api/v1/datasets/plans"))["readable"] is False
    assert client.get("/api/v1/datasets/?limit=0").status_code == 400


def test_pages_take_few_queries(client: Client, town: None, django_assert_max_num_queries: Callable[..., Any]) -> None:
    for address in ("/en/datasets/", "/en/datasets/mlaka-water", "/en/datasets/mlaka-points", "/api/v1/datasets/"):
        with django_assert_max_num_queries(12):
            _page(client, address)


@pytest.mark.parametrize(
    ("period", "english", "slovenian"),
    [
        ("PT1M", "every minute", "vsako minuto"),
        ("PT2H", "every 2 hours", "vsaki 2 uri"),
        ("P3D", "every 3 days", "vsake 3 dni"),
        ("P1Y", "every year", "vsako leto"),
        ("irregular", "irregular", "irregular"),
        ("P1DT1H", "P1DT1H", "P1DT1H"),
        ("", "", ""),
    ],
)
def test_periods_are_told_in_words(period: str, english: str, slovenian: str) -> None:
    with override("en"):
        assert frequency_words(period) == english
    with override("sl"):
        assert frequency_words(period) == slovenian


def test_doubts_stand_on_the_dataset_and_beside_its_data(client: Client, town: None) -> None:
    doubts = [{"sl": "Leto je <b>ocena</b>.", "en": "The year is <b>an estimate</b>."}]
    for key, noun in (("mlaka-points", "registers"), ("homes", "streams")):
        about = {"access": "restricted", "roles": ["operator"]} if key == "homes" else {}
        sensing.dataset(key, noun=noun, doubts=doubts, **about)
    for address in ("/en/datasets/mlaka-points", "/en/registers/points"):
        assert "The year is &lt;b&gt;an estimate&lt;/b&gt;." in _page(client, address), address
    assert json.loads(_page(client, "/api/v1/datasets/mlaka-points"))["doubts"] == doubts
    reader = Grant(reader=ANONYMOUS, purpose="portal", datasets={})
    assert catalogue.doubts(reader, "mlaka-points") == tuple(doubts)
    assert catalogue.doubts(reader, "homes") == ()
    assert catalogue.doubts(reader, "nothing") == ()
