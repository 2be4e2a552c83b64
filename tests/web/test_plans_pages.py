"""Pages of plans: anybody reads what is in force, with few queries however large the plan is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from krog.base.declaration import Change
from krog.base.ids import Ref
from krog.people.permissions import SYSTEM
from krog.plans import applying, verbs
from tests.nouns.plans_fixture import PLANNER, plan
from tests.nouns.test_plans_states import _belongs, _indicator

pytestmark = pytest.mark.django_db

Make = Callable[..., str]


def _get(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


def _tree(page: str) -> str:
    return page.partition('<ul class="tree')[2].partition("</div>")[0]


def test_the_tree_shows_states_and_filters_stand_in_the_address(client: Client, dataset: Make) -> None:
    plan(dataset)
    dataset("figures", noun="indicators")
    _indicator("losses", {"2014": 0.0, "2024": 1.0})
    _belongs("u3.2", "losses")
    page = _get(client, "/en/plans/")
    assert "Town 2030" in page
    assert "the source names no adoption" in page
    page = _get(client, "/en/plans/town")
    assert "off track" in page
    assert "Drinking water" in page and "Water supply renewal" not in page
    opened = _get(client, "/en/plans/town?open=tp3,u3.2")
    assert "Water supply renewal" in opened and opened.count('aria-expanded="true"') == 2
    assert len(re.findall(r"<li[ >]", page)) == page.count("</li>")
    found = _get(client, "/en/plans/town?text=water&level=project")
    assert "Water supply renewal" in found
    assert "Green spaces" not in _tree(found)
    assert "Drinking water" in _tree(found)
    assert "Nothing in the plan fits" in _get(client, "/en/plans/town?text=zzz")
    assert "Drinking water" in _get(client, "/en/plans/town?state=off_track")
    assert "Green spaces" not in _tree(_get(client, "/en/plans/town?state=off_track"))
    assert "Drinking water" not in _tree(_get(client, "/en/plans/town?area=u3.1"))
    _get(client, "/en/plans/nothing", 404)
    _get(client, "/en/plans/town?version=nothing", 404)
    _get(client, "/sl/plans/town?area=%01&level=%27%3B&state=%F0%9F%8C%8A")


def test_a_node_shows_why_who_and_what_and_escapes_what_people_wrote(client: Client, dataset: Make) -> None:
    plan(dataset)
    dataset("figures", noun="indicators")
    _indicator("losses", {"2014": 0.0, "2024": 1.0})
    _indicator("unclear", {"2024": 5.0}, parse_status="ambiguous")
    _belongs("u3.2", "losses")
    _belongs("u3.2", "unclear")
    verbs.review(PLANNER, plan="town", node="u3.2", judgement="off_track", decision="change", note="<b>pipes</b>")
    page = _get(client, "/en/plans/town/u3.2")
    for words in (
        "Drinking water",
        "off track",
        "Indicator losses",
        "nobody is named",
        "unclear in the source",
        "the target can be read in several ways",
        "Water supply renewal",
        "&lt;b&gt;pipes&lt;/b&gt;",
    ):
        assert words in page
    assert "Petra Planner" not in page
    assert "reviewed" in _get(client, "/en/plans/town/u3.2/history")
    assert "Petra Planner" not in _get(client, "/en/plans/town/u3.2/history")
    _get(client, "/en/plans/town/nothing", 404)


def test_versions_and_what_changed_are_public_once_a_draft_is_out(
    client: Client, dataset: Make, client_of: Any
) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="Plan 2026")
    verbs.change_node(
        PLANNER,
        plan="town",
        draft=draft,
        node="u3.1",
        fields={"title": {"en": "Parks"}},
        because=Ref("proposal", "p-abc"),
        note="asked for",
    )
    _get(client, f"/en/plans/town?version={draft}", 404)
    _get(client, f"/en/plans/town/diff?b={draft}", 404)
    planner = client_of("petra", "planner")
    assert "Parks" in _get(planner, f"/en/plans/town/diff?b={draft}")
    assert "Plan 2026" not in _get(client, "/en/plans/town/versions")
    verbs.consult(PLANNER, plan="town", draft=draft)
    page = _get(client, f"/en/plans/town/diff?b={draft}")
    for words in ("<del>en: Green spaces</del>", "<ins>en: Parks</ins>", "p-abc", "asked for"):
        assert words in page
    assert "it is not in force" in _get(client, f"/en/plans/town/u3.1?version={draft}")
    verbs.adopt(PLANNER, plan="town", version=draft, body="Town council", on=verbs.today(), gazette="UL 7/26")
    page = _get(client, "/en/plans/town/versions")
    for words in ("Town council", "UL 7/26", "in force", "replaced by a newer version"):
        assert words in page
    assert "Green spaces" in _get(client, "/en/plans/town/u3.1?version=first")
    assert "Parks" in _get(client, "/en/plans/town/u3.1")
    assert "Nothing differs" in _get(client, "/en/plans/town/diff?a=first&b=first")


@pytest.mark.parametrize("nodes", [141, 700])
@pytest.mark.parametrize("signed_in", [False, True])
def test_pages_take_few_queries_however_large_the_plan_is(
    nodes: int, signed_in: bool, client: Client, client_of: Any, dataset: Make, django_assert_max_num_queries: Any
) -> None:
    plan(dataset, nodes=nodes)
    dataset("figures", noun="indicators")
    dataset("proposals", noun="voice")
    for n in range(20):
        _indicator(f"i{n}", {"2014": 0.0, "2024": 99.0 - 4 * n})
        _belongs(f"n{n}", f"i{n}")
    reader = client_of("petra", "planner") if signed_in else client
    _get(reader, "/en/plans/")
    for address in (
        "/en/plans/",
        "/en/plans/town",
        "/en/plans/town/n3",
        "/en/plans/town/versions",
        "/api/v1/plans/town",
        "/api/v1/plans/town/n3",
    ):
        with django_assert_max_num_queries(12):
            _get(reader, address)


def test_programs_read_plans_and_what_changed(client: Client, dataset: Make) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="Plan 2026")
    verbs.change_node(
        PLANNER,
        plan="town",
        draft=draft,
        node="u3.1",
        fields={"title": {"en": "Parks"}},
        because=Ref("proposal", "p-abc"),
    )
    verbs.link(PLANNER, plan="town", draft=draft, source="u3.1", target="u3.2", type="contributes")
    _get(client, f"/api/v1/plans/town?version={draft}", 404)
    verbs.consult(PLANNER, plan="town", draft=draft)
    verbs.adopt(PLANNER, plan="town", version=draft, body="Town council", on=verbs.today())
    one = client.get("/plans/town/u3.1", headers={"accept": "application/json"}).json()
    assert (one["title"], one["path"], one["state"]) == ({"en": "Parks"}, ["tp3"], "no_data")
    assert [each["kind"] for each in one["versions"]] == ["changed", "added"]
    assert client.get("/plans/town/u3.1").headers["Location"].endswith("/plans/town/u3.1")
    assert [v["status"] for v in client.get("/api/v1/plans/town/versions").json()] == ["adopted", "amended"]
    diff = client.get(f"/api/v1/plans/town/diff?a=first&b={draft}").json()
    assert [(n["key"], n["fields"], n["because"][0]["ref"]) for n in diff["nodes"]] == [
        ("u3.1", ["title"], "proposal/p-abc")
    ]
    assert diff["links_added"] == ["u3.1--contributes--u3.2"]
    before = client.get("/api/v1/plans/town?version=first").json()
    assert next(n for n in before["nodes"] if n["key"] == "u3.1")["title"] == {"en": "Green spaces"}
    for wrong in ("/api/v1/plans/nothing", "/api/v1/plans/town/nothing", "/api/v1/plans/town/diff?b=nothing"):
        assert client.get(wrong).status_code == 404
    assert client.get("/api/v1/plans/town/diff").status_code in (400, 422)


def _two_trees(dataset: Make) -> None:
    """Axes and areas over the same measures: `m1` helps the axis `so1` and its goal `sc1`, `m2` the axis alone."""
    levels = [{"key": key, "title": {"en": key}} for key in ("axis", "goal", "area", "measure")]
    trees = [
        {"key": "fields", "title": {"en": "By field"}, "top": ["area"], "by": ""},
        {"key": "axes", "title": {"en": "By axis"}, "top": ["axis"], "by": "contributes"},
    ]
    plan(dataset, levels=levels, trees=trees, nodes=1)
    nodes = (
        ("so1", "axis", ""), ("sc1", "goal", "so1"), ("a1", "area", ""), ("m1", "measure", "a1"),
        ("m2", "measure", "a1"), ("m3", "measure", "a1"),
    )  # fmt: skip
    applying.declare_nodes(
        SYSTEM,
        [
            Change(
                key, {"plan": "town", "level": level, "parent": parent, "title": {"en": f"This is {key}"}, "order": n}
            )
            for n, (key, level, parent) in enumerate(nodes)
        ],
    )
    links = (("m1", "so1"), ("m1", "sc1"), ("m2", "so1"))
    applying.declare_links(
        SYSTEM,
        [Change(f"{a}--contributes--{b}", {"source": a, "target": b, "type": "contributes"}) for a, b in links],
    )


def _order(page: str) -> list[str]:
    return re.findall(r"This is (\w+)</a>", _tree(page))


def test_a_plan_with_two_trees_shows_the_one_that_is_asked_for(client: Client, dataset: Make) -> None:
    _two_trees(dataset)
    page = _get(client, "/en/plans/town")
    assert "By field" in page and "By axis" in page
    assert _order(page) == ["a1", "m1", "m2", "m3"]
    axes = _get(client, "/en/plans/town?tree=axes&open=so1,sc1")
    assert _order(axes) == ["so1", "sc1", "m1", "m2"], "a measure stands once, below the lowest that it helps"
    assert _tree(axes).count("through a link") == 2
    assert 'name="tree" value="axes"' in axes, "filters stay in the tree"
    assert _order(_get(client, "/en/plans/town?tree=nothing")) == ["a1", "m1", "m2", "m3"]


def test_links_stand_in_the_order_of_the_plan(client: Client, dataset: Make) -> None:
    _two_trees(dataset)
    page = _get(client, "/en/plans/town/so1")
    linked = [page.index(f"This is {key}</a>") for key in ("m1", "m2")]
    assert linked == sorted(linked)
