"""Pages and API of rules and alerts: what is watched, why it alerted, who may switch it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from krog.base.grant import Reader
from krog.cases import verbs as cases
from krog.catalogue import door
from krog.engine import act
from krog.people.models import Account
from krog.rules import reads
from tests.nouns.cases_world import World, found, world

__all__ = ["world"]


@pytest.fixture()
def alert(world: World) -> str:
    """An alert that runs, with its case; gives its key."""
    return str(found(world, 1.0, 5.0, 6.5).raised[0].key)


def signed_in(key: str) -> Client:
    client = Client()
    client.force_login(Account.objects.get(key=key), backend="krog.people.backend.AccountBackend")
    return client


def test_everybody_sees_why_it_alerted_and_that_it_is_simulated(alert: str, client: Client) -> None:
    for address in ("/en/rules/", "/en/rules/night-flow", f"/en/rules/alerts/{alert}"):
        page = client.get(address)
        assert page.status_code == 200
        assert "Night flow above the limit" in page.content.decode()
        assert "simulated" in page.content.decode()
    text = client.get(f"/en/rules/alerts/{alert}").content.decode()
    assert "6.50" in text
    assert "8 / 8" in text
    assert "inflow" in text
    assert client.get("/en/rules/nothing").status_code == 404
    assert client.get("/en/rules/alerts/nothing").status_code == 404
    assert client.get("/en/rules/a%00b").status_code == 404


def test_a_rule_that_has_found_nothing_yet_says_so(world: World, client: Client) -> None:
    page = client.get("/en/rules/night-flow").content.decode()
    assert "not looked at yet" in page
    found(world, None)
    assert "readings are missing" in client.get("/en/rules/night-flow").content.decode()


def test_the_case_of_an_alert_is_linked_only_where_it_is_public(alert: str, world: World, client: Client) -> None:
    act.act()
    grant = door.open(world.operator, "desk", kind="rules")
    case = reads.alert(grant, alert).case
    assert case not in client.get(f"/en/rules/alerts/{alert}").content.decode()
    cases.publish(world.operator, key=case, public=True)
    assert case in client.get(f"/en/rules/alerts/{alert}").content.decode()
    shown = client.get(f"/en/cases/{case}").content.decode()
    assert "A rule has opened this case." in shown
    assert "simulated" in shown
    desk = signed_in("olga").get(f"/desk/cases/{case}/").content.decode()
    assert "6.50" in desk
    assert "Check the meter" in desk


def test_only_the_office_switches_and_acknowledges(alert: str, world: World) -> None:
    given = {"mode": "off", "reason": "New meter"}
    assert signed_in("rok").post("/desk/rules/night-flow/", given).status_code == 422
    assert signed_in("olga").post("/desk/rules/night-flow/", {"mode": "off", "reason": ""}).status_code == 422
    signed_in("rok").post(f"/desk/rules/alerts/{alert}")
    grant = door.open(world.operator, "desk", kind="rules")
    assert (reads.rule(grant, "night-flow").mode, reads.alert(grant, alert).state) == ("act", "open")
    assert signed_in("olga").post(f"/desk/rules/alerts/{alert}").status_code == 302
    assert reads.alert(grant, alert).state == "acknowledged"
    assert signed_in("olga").post("/desk/rules/night-flow/", given).status_code == 302
    page = signed_in("olga").get("/desk/rules/night-flow/").content.decode()
    assert "switched off" in page
    assert "New meter" in page
    for address in ("/desk/rules/", f"/desk/rules/alerts/{alert}"):
        assert signed_in("olga").get(address).status_code == 200


def test_samples_are_tried_on_the_page(world: World) -> None:
    from krog.rules import models

    sample = {"title": "burst", "fires": True, "readings": {"inflow": [9.0, 9.0], "meter-1": [1.0, 1.0]}}
    models.Rule.objects.update(samples=[sample, {**sample, "title": "wrong", "fires": False}])
    page = signed_in("olga").get("/desk/rules/night-flow/").content.decode()
    assert "burst" in page
    assert 'class="st ok">fires' in page
    assert 'class="st bad">fires' in page


def test_programs_read_rules_and_alerts(alert: str, client: Client) -> None:
    [rule] = client.get("/api/v1/rules/").json()
    assert (rule["key"], rule["state"], rule["limits"]["raise_above"]) == ("night-flow", "raised", 4.0)
    assert client.get("/api/v1/rules/night-flow").json()["terms"][1]["weight"] == -1
    listed = client.get("/api/v1/rules/alerts?open=true").json()
    assert listed["total"] == 1
    one = client.get(f"/api/v1/rules/alerts/{alert}").json()
    assert (one["value"], one["origin"]) == (6.5, "simulated")
    assert one["readings"][0]["stream"] == "inflow"
    assert "case" not in one
    assert client.get("/api/v1/rules/alerts?limit=0").status_code == 400
    assert client.get("/api/v1/rules/nothing").status_code == 404


def test_pages_of_a_rule_ask_the_database_little(
    alert: str, client: Client, django_assert_max_num_queries: Any
) -> None:
    act.act()
    client.get("/en/rules/")
    for address in ("/en/rules/", "/en/rules/night-flow", f"/en/rules/alerts/{alert}", "/en/cases/"):
        with django_assert_max_num_queries(12):
            assert client.get(address).status_code == 200


def test_desk_pages_ask_the_database_little(
    alert: str, world: World, django_assert_max_num_queries: Any, reader: Any
) -> None:
    act.act()
    olga = signed_in("olga")
    case = reads.alert(door.open(world.operator, "desk", kind="rules"), alert).case
    assert isinstance(world.operator, Reader)
    olga.get("/desk/")
    for address, most in (("/desk/", 12), (f"/desk/cases/{case}/", 12), ("/desk/centres/environment/", 12)):
        with django_assert_max_num_queries(most):
            assert olga.get(address).status_code == 200
