"""The plan's page: several trees, branches that open on demand, lists by filter, and the matrix."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from krog.base.declaration import Change
from krog.people.permissions import SYSTEM
from krog.plans import applying, milestones, reads
from krog.plans.branches import branches, crossing, leading_to, under
from tests.nouns.plans_fixture import PLANNER, grant, plan

pytestmark = pytest.mark.django_db
Make = Callable[..., str]


@pytest.fixture()
def koper(dataset: Make) -> None:
    """Axes with goals beside areas with measures and actions; measures contribute to goals, actions to measures."""
    levels = [{"key": key, "title": {"en": key}} for key in ("axis", "goal", "area", "measure", "action")]
    trees = [
        {"key": "axes", "title": {"en": "Axes"}, "top": ["axis"], "by": "contributes"},
        {"key": "areas", "title": {"en": "Areas"}, "top": ["area"], "by": ""},
    ]
    plan(dataset, levels=levels, trees=trees, nodes=1)
    rows = [
        ("so1", "axis", ""),
        ("sc1", "goal", "so1"),
        ("so2", "axis", ""),
        ("a1", "area", ""),
        ("m1", "measure", "a1"),
        ("m2", "measure", "a1"),
        ("x1", "action", "a1"),
    ]
    applying.declare_nodes(
        SYSTEM,
        [
            Change(key, {"plan": "town", "level": level, "parent": parent, "title": {"en": f"Node {key}"}, "order": n})
            for n, (key, level, parent) in enumerate(rows, 1)
        ],
    )
    links = [("m1", "so1"), ("m1", "sc1"), ("m1", "so2"), ("m2", "so1"), ("x1", "m1")]
    applying.declare_links(
        SYSTEM,
        [Change(f"{a}--contributes--{b}", {"source": a, "target": b, "type": "contributes"}) for a, b in links],
    )


def _lines(page: str) -> list[str]:
    listed = page.partition('<ul class="tree')[2]
    return re.findall(r'<a href="[^"]*/town/([a-z0-9.]+)">', listed)


def test_a_measure_stands_below_its_area_and_below_every_goal_it_contributes_to(koper: None) -> None:
    tree = reads.tree(grant(), "town")
    axes = branches(tree, tree.plan.trees[0])
    assert axes.tops == ("so1", "so2")
    assert axes.children["so1"] == ("sc1", "m2")
    assert axes.children["sc1"] == ("m1",) and axes.children["so2"] == ("m1",)
    assert axes.children["m1"] == ("x1",) and ("sc1", "m1") in axes.linked
    areas = branches(tree, tree.plan.trees[1])
    assert areas.tops == ("n0", "a1") and areas.children["a1"] == ("m1", "m2", "x1")
    assert leading_to(tree, "so1") == {"m1", "m2"} and leading_to(tree, "nowhere") == frozenset()
    assert crossing(tree, ["a1"], ["so1", "so2", "sc1"]) == {("a1", "so1"): 2, ("a1", "so2"): 1, ("a1", "sc1"): 1}


def test_the_page_shows_one_tree_and_opens_its_branches_by_address(client: Client, koper: None) -> None:
    page = client.get("/en/plans/town").content.decode()
    assert _lines(page) == ["so1", "sc1", "m2", "so2", "m1"]
    assert _lines(client.get("/en/plans/town?tree=areas").content.decode()) == ["n0", "a1", "m1", "m2", "x1"]
    assert _lines(client.get("/en/plans/town?open=").content.decode()) == ["so1", "so2"]
    assert _lines(client.get("/en/plans/town?open=so2,m1").content.decode()) == ["so1", "so2", "m1", "x1"]
    fetched = client.get("/en/plans/town?open=so2,m1&branch=m1&depth=1").content.decode()
    assert "<html" not in fetched and re.findall(r'class="d(\d)', fetched) == ["1", "2"]
    for odd in ("?open=%01,zz", "?branch=zz", "?open=so1&branch=so1&depth=x", "?tree=zz", "?view=zz", "?offset=9999"):
        assert client.get(f"/en/plans/town{odd}").status_code == 200


def test_the_matrix_counts_what_leads_where_and_each_number_opens_its_list(client: Client, koper: None) -> None:
    page = client.get("/en/plans/town?view=matrix").content.decode()
    href, count = re.findall(r'<a href="(/en/plans/town\?[^"]*to=so1[^"]*)" aria-label="(\d+)', page)[0]
    assert count == "2"
    assert _lines(client.get(href.replace("&amp;", "&")).content.decode()) == ["a1", "m1", "a1", "m2"]
    assert "no data" in client.get("/en/plans/town?view=matrix&across=state").content.decode()
    everything = client.get("/en/plans/town?view=all").content.decode()
    assert {"so1", "m2", "x1"} <= set(_lines(everything))


def test_filters_by_who_horizon_and_text_without_marks(client: Client, dataset: Make) -> None:
    plan(dataset)
    state = {
        "plan": "town",
        "level": "measure",
        "parent": "tp3",
        "title": {"sl": "Žive meje"},
        "horizon": "2030, 2035",
        "office": "parks",
        "status": "running",
    }
    applying.declare_nodes(SYSTEM, [Change("u3.1", state)])
    for query in ("text=zive", "who=parks", "horizon=2035", "status=running", "area=tp3&level=measure&text=ŽIVE"):
        assert "u3.1" in client.get(f"/en/plans/town?{query}").content.decode().partition("tree found")[2], query
    for query in ("who=water", "horizon=2040", "status=done", "strategic=1"):
        assert "Nothing in the plan fits" in client.get(f"/en/plans/town?{query}").content.decode(), query


def test_a_plan_of_a_thousand_nodes_is_folded_and_takes_few_queries(
    client: Client, dataset: Make, django_assert_max_num_queries: Any
) -> None:
    plan(dataset, nodes=1000)
    client.get("/en/plans/town")
    for query in ("", "?open=n0,n1,n2,n3", "?level=project", "?view=matrix", "?view=all"):
        with django_assert_max_num_queries(12):
            page = client.get(f"/en/plans/town{query}").content.decode()
        if query != "?view=all":
            assert len(_lines(page)) <= 500, query


def test_an_area_of_a_tree_by_links_holds_what_contributes_to_it(client: Client, koper: None) -> None:
    tree = reads.tree(grant(), "town")
    assert under(tree, "so1") == {"so1", "sc1", "m1", "m2", "x1"} and under(tree, "so2") == {"so2", "m1", "x1"}
    assert under(tree, "a1") == {"a1", "m1", "m2", "x1"}, "an area of the tree without links holds its own parts alone"
    assert under(tree, "m2") == {"m2"} and under(tree, "nowhere") == frozenset()
    found = client.get("/en/plans/town?area=so2&level=action").content.decode()
    assert "x1" in _lines(found)
    assert "Nothing in the plan fits" in client.get("/en/plans/town?area=nowhere").content.decode()


def test_a_tree_with_too_many_open_branches_says_so_and_offers_the_rest(
    client: Client, dataset: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("krog.web.portal.plans_tree.ROWS", 10)
    plan(dataset, nodes=20)
    opened = "open=n0,n1,n2"
    first = client.get(f"/en/plans/town?{opened}").content.decode()
    assert "here are 10 rows" in first and "What comes before" not in first
    rest = re.findall(r'<a href="([^"]*)">Show the rest', first)[0].replace("&amp;", "&")
    second = client.get(rest).content.decode()
    assert len(_lines(first)) == 10 and "Show the rest" in first
    third = client.get(f"/en/plans/town?{opened}&offset=20").content.decode()
    assert "What comes before" in second and "Show the rest" not in third
    everything = [*_lines(first), *_lines(second), *_lines(third)]
    assert sorted(everything) == sorted(f"n{n}" for n in range(20)), "each node once, none lost between the parts"
    branch = client.get(f"/en/plans/town?{opened}&branch=n0&depth=0").content.decode()
    assert "There is more below" in branch


def test_programs_get_trees_statuses_and_milestones(client: Client, koper: None) -> None:
    milestones.add_milestone(PLANNER, plan="town", node="m1", title={"en": "Opened"}, due=date(2030, 6, 1))
    found = client.get("/api/v1/plans/town").json()
    assert found["trees"][0] == {"key": "axes", "title": {"en": "Axes"}, "top": ["axis"], "by": "contributes"}
    assert found["trees"][1]["by"] is None and found["statuses"] == [] and found["facts"] == []
    (milestone,) = found["milestones"]
    assert (milestone["node"], milestone["due"], milestone["done_on"]) == ("m1", "2030-06-01", None)
    assert [each["key"] for each in client.get("/api/v1/plans/town/m1").json()["milestones"]] == [milestone["key"]]
    assert client.get("/api/v1/plans/town/m2").json()["milestones"] == []
