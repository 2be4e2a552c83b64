"""Search on pages and over the API: by kind and page, for officials what they may see, for the public nothing more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from krog.catalogue import door
from krog.cli import main as cli
from krog.engine import finding
from krog.people.permissions import SYSTEM
from krog.registers import verbs as registers
from krog.web.portal import finder
from tests import registry
from tests.sensing import dataset

pytestmark = pytest.mark.django_db


def _lamps(count: int, access: str = "public") -> None:
    dataset("mlaka-points", noun="registers", access=access)
    registry.declare()
    changes = [registry.record(f"lamp-{n:03d}", name=f"Svetilka {n}") for n in range(count)]
    registers.declare_records(SYSTEM, changes=changes)
    door.forget()
    finding.rebuild()


def test_a_kind_has_pages_of_its_own(client: Client, django_assert_max_num_queries: Callable[..., object]) -> None:
    _lamps(finder.PAGE + 3)
    every = client.get("/en/?q=svetilka").content.decode()
    assert every.count('href="/en/registers/points/lamp-') == finder.SHOWN
    assert "kind=record" in every
    with django_assert_max_num_queries(12):
        second = client.get(f"/en/?q=svetilka&kind=record&offset={finder.PAGE}").content.decode()
    assert second.count('href="/en/registers/points/lamp-') == 3
    assert client.get("/en/?q=svetilka&kind=%3Cscript%3E&offset=0").status_code == 200
    assert client.get("/en/?q=svetilka&offset=x").status_code == 400


def test_the_public_neither_finds_nor_counts_what_officials_find(
    client: Client, client_of: Callable[..., Client]
) -> None:
    _lamps(3, access="official")
    assert "lamp-" not in client.get("/en/?q=svetilka").content.decode()
    found = client.get("/api/v1/search?q=svetilka").json()
    assert (found["items"], found["total"], found["kinds"]) == ([], 0, {})
    assert client.get("/desk/search/?q=svetilka").status_code == 302
    page = client_of("ana", "official").get("/desk/search/?q=svetilka").content.decode()
    assert page.count('href="/desk/registers/points/records/lamp-') == 3


def test_a_field_for_officials_is_found_by_them_alone(client: Client, client_of: Callable[..., Client]) -> None:
    fields = {"name": {}, "kind": {"access": "official"}}
    dataset("mlaka-points", noun="registers", access="public", fields=fields)
    registry.declare()
    registers.declare_records(SYSTEM, changes=[registry.record("p1", name="Jašek")])
    door.forget()
    finding.rebuild()
    kind = registry.record("p1").fields["values"]["kind"]
    assert [hit["key"] for hit in client.get("/api/v1/search?q=jasek").json()["items"]] == ["p1"]
    assert client.get(f"/api/v1/search?q={kind}&kind=record").json()["items"] == []
    page = client_of("ana", "official").get(f"/desk/search/?q={kind}").content.decode()
    assert "/desk/registers/points/records/p1" in page


def test_the_api_pages_and_refuses_kinds_that_there_are_not(client: Client) -> None:
    _lamps(5)
    first = client.get("/api/v1/search?q=svetilka&kind=record&limit=2").json()
    assert (len(first["items"]), first["total"], first["kinds"]["record"]) == (2, 5, 5)
    last = client.get("/api/v1/search?q=svetilka&kind=record&limit=2&offset=4").json()
    assert (len(last["items"]), "next" in first, "next" in last) == (1, True, False)
    refused = client.get("/api/v1/search?q=svetilka&kind=nonsense")
    assert (refused.status_code, "record" in refused.content.decode()) == (400, True)


def test_the_command_mends_the_index(capsys: pytest.CaptureFixture[str]) -> None:
    _lamps(1)
    assert cli.main(["search", "rebuild"]) == 0
    assert "as it should be" in capsys.readouterr().out
