"""Milestones of nodes: steps by a day, late ones found, kept by planners and the responsible office."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from krog.base.declaration import Change
from krog.base.errors import Forbidden, Invalid, NotFound
from krog.people.permissions import SYSTEM
from krog.plans import applying, milestones, providers, reads, verbs
from krog.plans.shapes import LINKS, Link
from krog.plans.tree import problems
from tests.nouns.plans_fixture import PLANNER, english, grant, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures(english.__name__)]
Make = Callable[..., str]


def test_a_milestone_is_next_until_it_is_done_and_late_when_its_day_has_passed(dataset: Make) -> None:
    plan(dataset)
    day = milestones.today()
    later = milestones.add_milestone(
        PLANNER, plan="town", node="u3.1", title={"en": "Permit"}, due=day + timedelta(days=9)
    )
    first = milestones.add_milestone(
        PLANNER, plan="town", node="u3.1", title={"en": "Design"}, due=day - timedelta(days=1)
    )
    some_day = milestones.add_milestone(PLANNER, plan="town", node="u3.1", title={"en": "Works"})
    found = milestones.milestones(grant(), "town", ["u3.1"])
    assert [each.key for each in found] == [first, later, some_day]
    assert [each.late(day) for each in found] == [True, False, False]
    assert [each.key for each in milestones.milestones(grant(), "town", late=True)] == [first]
    assert milestones.upcoming(found) == found[0]
    milestones.finish_milestone(PLANNER, milestone=first, on=day)
    found = milestones.milestones(grant(), "town")
    assert milestones.milestones(grant(), "town", late=True) == []
    next_one = milestones.upcoming(found)
    assert next_one is not None and next_one.key == later
    milestones.remove_milestone(PLANNER, milestone=later, reason="merged")
    assert later not in {each.key for each in milestones.milestones(grant(), "town")}
    assert milestones.milestones(grant(), "town", ["u3.2"]) == []
    said = [entry for entry in reads.history(grant(PLANNER), "town", "u3.1") if entry.verb == "plans.milestone"]
    assert len(said) == 5
    assert said[1].after is not None and said[1].after["done_on"] == day.isoformat()


def test_what_is_wrong_with_a_milestone_is_told_at_once(dataset: Make) -> None:
    plan(dataset)
    with pytest.raises(Invalid) as refused:
        milestones.add_milestone(PLANNER, plan="town", node="u3.1", title={}, office="nowhere", note="x" * 5001)
    assert {p.where for p in refused.value.problems} == {"title", "office", "note"}
    with pytest.raises(NotFound):
        milestones.add_milestone(PLANNER, plan="town", node="u9", title={"en": "x"})
    key = milestones.add_milestone(PLANNER, plan="town", node="u3.1", title={"en": "Permit"})
    with pytest.raises(Invalid, match="cannot be saved"):
        milestones.finish_milestone(PLANNER, milestone=key, on=milestones.today() + timedelta(days=1))
    with pytest.raises(Invalid, match="cannot be saved"):
        milestones.change_milestone(PLANNER, milestone=key, fields={"node": "u3.2"})


def test_the_office_of_a_node_keeps_its_milestones_and_no_other(dataset: Make) -> None:
    plan(dataset)
    state = {kind.kind: kind.read for kind in providers.DECLARATIONS}["node"]()
    applying.declare_nodes(SYSTEM, [Change("u3.1", {**state["u3.1"], "office": "parks"})])
    gardener = replace(
        PLANNER, roles=frozenset({"anonymous", "official"}), offices=frozenset({"parks"}), leads=frozenset({"parks"})
    )
    key = milestones.add_milestone(gardener, plan="town", node="u3.1", title={"en": "Plant trees"})
    with pytest.raises(Forbidden):
        milestones.add_milestone(gardener, plan="town", node="u3.2", title={"en": "Dig"})
    other = replace(gardener, leads=frozenset({"water"}))
    with pytest.raises(Forbidden):
        milestones.finish_milestone(other, milestone=key, on=milestones.today())
    with pytest.raises(Forbidden):
        milestones.remove_milestone(other, milestone="no-such")


def test_milestones_facts_trees_and_statuses_come_from_files_and_go_back(dataset: Make) -> None:
    plan(
        dataset,
        trees=[{"key": "areas", "title": {"en": "Areas"}, "top": ["area"], "by": "contributes"}],
        statuses=[{"key": "oppn", "title": {"en": "Detailed plan"}}],
        facts=[{"key": "digital", "title": {"en": "Digital"}, "type": "yes_no"}],
    )
    read = {each.kind: each.read for each in providers.DECLARATIONS}
    fields = {
        "node": "u3.1",
        "title": {"en": "Open"},
        "due": "2027-05-01",
        "done_on": "",
        "office": "",
        "note": "",
        "source": "p. 3",
    }
    applying.declare_milestones(SYSTEM, [Change("open-day", fields)])
    assert read["milestone"]() == {"open-day": fields}
    assert milestones.milestones(grant(), "town")[0].due == date(2027, 5, 1)
    applying.declare_nodes(SYSTEM, [Change("u3.1", {**read["node"]()["u3.1"], "facts": {"digital": "yes"}})])
    found = reads.tree(grant(), "town")
    assert found.nodes["u3.1"].facts == {"digital": "yes"}
    assert (found.plan.trees[0].by, found.plan.statuses[0].key, found.plan.facts[0].type) == (
        "contributes",
        "oppn",
        "yes_no",
    )
    applying.declare_milestones(SYSTEM, [Change("open-day", None)])
    assert read["milestone"]() == {}
    with pytest.raises(NotFound):
        applying.declare_milestones(SYSTEM, [Change("m", {**fields, "node": "nowhere"})])


def test_a_fact_that_the_plan_does_not_know_is_refused(dataset: Make) -> None:
    plan(dataset, facts=[{"key": "digital", "title": {}, "type": "yes_no"}])
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    for facts, words in (({"green": "yes"}, "no fact"), ({"digital": "maybe"}, "neither yes nor no")):
        with pytest.raises(Invalid) as refused:
            verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"facts": facts})
        assert words in refused.value.problems[0].what
    verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"facts": {"digital": "no"}})
    declared = next(each for each in providers.DECLARATIONS if each.kind == "plan")
    assert declared.check is not None
    told = declared.check(
        {
            "title": {"en": "x"},
            "dataset": "d",
            "levels": [{"key": "area"}],
            "trees": [{"key": "a", "top": ["axis"], "by": "nothing"}, {"key": "a", "top": [], "by": ""}],
            "facts": [{"key": "Big", "type": "text"}],
        }
    )
    assert len(told) == 5, told


def test_links_that_say_the_same_from_both_sides_stand_once_and_the_others_never_lead_back() -> None:
    parents = {"a": "", "b": ""}
    for key, kind in LINKS.items():
        both = problems(parents, [Link("a", "b", key), Link("b", "a", key)])
        assert both, key
        assert ("other way round" in both[0].what) == kind.symmetric
    assert not problems(parents, [Link("a", "b", "synergy"), Link("b", "a", "relates_to")])
