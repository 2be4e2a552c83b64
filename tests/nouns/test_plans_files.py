"""The city's files import a plan; what a body adopted afterwards changes by adoption only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from krog.base.declaration import Change
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.people.permissions import SYSTEM
from krog.plans import applying, providers, reads, verbs
from tests.nouns.plans_fixture import PLANNER, english, grant, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures(english.__name__)]

Make = Callable[..., str]
READ = {each.kind: each.read for each in providers.DECLARATIONS}


def _node(key: str, **fields: Any) -> Change:
    return Change(key, {**READ["node"]()[key], **fields})


def _link(source: str, target: str, type: str = "contributes") -> Change:
    return Change(f"{source}--{type}--{target}", {"source": source, "target": target, "type": type})


def _adopt_something() -> None:
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"title": {"en": "Parks"}})
    verbs.consult(PLANNER, plan="town", draft=draft)
    verbs.adopt(PLANNER, plan="town", version=draft, body="Council", on=verbs.today())


def _shape_of(kind: str) -> set[str]:
    declaration = next(each for each in providers.DECLARATIONS if each.kind == kind)
    return set(declaration.shape.__struct_fields__) - {"key"}


def test_what_is_written_is_read_back(dataset: Make) -> None:
    plan(dataset, adopted_on="2025-06-18", adopting_body="Town council")
    applying.declare_links(SYSTEM, [_link("u3.1", "u3.2"), _link("u3.2", "u3.1", "relates_to")])
    applying.declare_indicators(
        SYSTEM, [Change("u3.2--losses", {"node": "u3.2", "indicator": "losses", "role": "measures"})]
    )
    state: dict[str, Mapping[str, Any]] = {kind: read() for kind, read in READ.items()}
    assert set(state["node"]) == {"tp3", "u3.1", "u3.2", "u3.2.1"}
    assert state["node"]["u3.2.1"]["parent"] == "u3.2"
    assert state["plan"]["town"]["adopting_body"] == "Town council"
    assert state["link"]["u3.1--contributes--u3.2"] == {"source": "u3.1", "target": "u3.2", "type": "contributes"}
    assert state["node_indicator"]["u3.2--losses"]["role"] == "measures"
    for kind, things in state.items():
        for fields in things.values():
            assert set(fields) == _shape_of(kind)
    for declaration in providers.DECLARATIONS:
        declaration.write(SYSTEM, [Change(key, fields) for key, fields in state[declaration.kind].items()])
    assert {kind: read() for kind, read in READ.items()} == state


def test_the_import_changes_in_place_until_a_version_is_adopted(dataset: Make) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="open")
    verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.2", fields={"note": "ours"})
    applying.declare_nodes(
        SYSTEM,
        [
            _node("u3.2", title={"en": "Drinking water!"}),
            Change("u3.2.1", None),
            Change("u3.4", {"plan": "town", "title": {"en": "New"}, "parent": "tp3", "level": "measure"}),
        ],
    )
    nodes = reads.tree(grant(), "town").nodes
    assert list(nodes) == ["tp3", "u3.4", "u3.1", "u3.2"]
    assert nodes["u3.2"].title == {"en": "Drinking water!"}
    assert len(reads.versions(grant(), "town")) == 1
    ours = reads.diff(grant(PLANNER), "town", None, draft)
    assert [(each.key, each.fields) for each in ours.nodes] == [("u3.2", ("note",))]
    applying.declare_nodes(SYSTEM, [Change("u3.2.1", {"plan": "town", "title": {"en": "Back"}, "parent": "u3.2"})])
    assert reads.node(grant(), "town", "u3.2.1").title == {"en": "Back"}


def test_after_an_adoption_files_write_a_draft_and_keep_the_working_fields(dataset: Make) -> None:
    plan(dataset)
    _adopt_something()
    applying.declare_nodes(
        SYSTEM,
        [
            _node("u3.2", title={"en": "From files"}, status="running", note="working"),
            _node("u3.1", note="only a note"),
            Change("u3.2.1", None),
            Change("u3.5", {"plan": "town", "title": {"en": "New"}, "parent": "tp3"}),
        ],
    )
    applying.declare_links(SYSTEM, [_link("u3.1", "u3.2")])
    nodes = reads.tree(grant(), "town").nodes
    assert nodes["u3.2"].title == {"en": "Drinking water"}
    assert (nodes["u3.2"].status, nodes["u3.2"].note, nodes["u3.1"].note) == ("running", "working", "only a note")
    assert "u3.2.1" in nodes
    assert nodes["u3.1"].links == ()
    drafts = [v for v in reads.versions(grant(PLANNER), "town") if v.status == "draft"]
    assert [d.label for d in drafts] == ["From the city's files"]
    diff = reads.diff(grant(PLANNER), "town", None, drafts[0].key)
    assert {each.key: each.kind for each in diff.nodes} == {"u3.2": "changed", "u3.5": "added", "u3.2.1": "removed"}
    assert [link.key for link in diff.links_added] == ["u3.1--contributes--u3.2"]
    applying.declare_nodes(SYSTEM, [_node("tp3", title={"en": "Env"})])
    assert len([v for v in reads.versions(grant(PLANNER), "town") if v.status == "draft"]) == 1


def test_files_that_make_no_plan_are_refused_whole(dataset: Make, reader: Callable[..., Any]) -> None:
    plan(dataset)
    before = READ["node"]()
    for changes, error in (
        ([_node("u3.1", title={"en": "x"}), _node("tp3", parent="u3.2")], Conflict),
        ([Change("x", {"plan": "town", "title": {"en": "x"}, "parent": "nowhere"})], Conflict),
        ([Change("x", {"plan": "nowhere", "title": {"en": "x"}})], NotFound),
        ([Change("diff", {"plan": "town", "title": {"en": "x"}})], Invalid),
        ([Change("tp3", None)], Conflict),
    ):
        with pytest.raises(error):
            applying.declare_nodes(SYSTEM, changes)
        assert READ["node"]() == before
    with pytest.raises(Conflict):
        applying.declare_links(SYSTEM, [_link("u3.1", "u3.2"), _link("u3.2", "u3.1")])
    with pytest.raises(NotFound):
        applying.declare_links(SYSTEM, [_link("nowhere", "u3.2")])
    assert READ["link"]() == {}
    with pytest.raises(Forbidden):
        applying.declare_nodes(reader("planner"), [])


def test_checks_say_what_types_cannot() -> None:
    checks = {each.kind: each.check for each in providers.DECLARATIONS if each.check}
    assert checks["plan"](
        {"title": {"en": "x"}, "dataset": "d", "levels": [{"key": "a"}, {"key": "a"}], "adopted_on": "18. 6. 2025"}
    ) == ["The level 'a' stands twice.", "adopted_on '18. 6. 2025' is not a day such as 2025-06-18."]
    assert checks["plan"]({}) == ["A plan needs its title.", "A plan needs its dataset."]
    assert checks["node"]({"title": {"en": "x"}}) == ["A node needs its plan."]
    assert "at most 500" in checks["node"]({"plan": "p", "title": {"en": "x" * 501}})[0]
    assert checks["node"]({"plan": "p", "title": {"en": "x"}, "status": "running"}) == []
