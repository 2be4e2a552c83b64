"""A plan changes by drafts that a body adopts; versions before stay readable, nothing is taken back silently."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.ids import Ref
from krog.plans import reads, verbs
from tests.nouns.plans_fixture import PLANNER, english, grant, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures(english.__name__)]

Make = Callable[..., str]


def _adopt(draft: str, *, on: date | None = None, key: str = "town") -> int:
    verbs.consult(PLANNER, plan=key, draft=draft)
    return verbs.adopt(PLANNER, plan=key, version=draft, body="Town council", on=on or verbs.today(), gazette="UL 1/26")


def test_the_first_import_is_in_force_and_says_that_no_body_is_on_record(dataset: Make) -> None:
    plan(dataset)
    card = reads.plans(grant())[0]
    assert card.nodes == 4
    assert card.by_level == {"area": 1, "measure": 2, "project": 1}
    assert card.plan.in_force is not None
    assert (card.plan.in_force.label, card.plan.in_force.imported, card.plan.in_force.adopted_on) == (
        "First",
        True,
        None,
    )
    tree = reads.tree(grant(), "town")
    assert list(tree.nodes) == ["tp3", "u3.1", "u3.2", "u3.2.1"]
    assert tree.nodes["u3.2.1"].path == ("tp3", "u3.2")
    assert tree.nodes["tp3"].children == ("u3.1", "u3.2")
    assert tree.below("tp3") and set(tree.below("tp3")) == {"u3.1", "u3.2", "u3.2.1"}


def test_a_draft_is_seen_by_planners_in_consultation_by_everybody(dataset: Make) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"title": {"en": "Greener spaces"}})
    assert reads.tree(grant(PLANNER), "town", draft).nodes["u3.1"].title == {"en": "Greener spaces"}
    assert [v.key for v in reads.versions(grant(), "town")] == ["first"]
    with pytest.raises(NotFound):
        reads.tree(grant(), "town", draft)
    with pytest.raises(NotFound):
        reads.diff(grant(), "town", None, draft)
    verbs.consult(PLANNER, plan="town", draft=draft, until=verbs.today() + timedelta(days=30))
    assert reads.tree(grant(), "town", draft).nodes["u3.1"].title == {"en": "Greener spaces"}
    assert reads.node(grant(), "town", "u3.1").title == {"en": "Green spaces"}
    with pytest.raises(Conflict, match="consultation"):
        verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"order": 9})
    verbs.reopen(PLANNER, plan="town", draft=draft)
    verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"order": 9})


def test_adoption_brings_a_draft_into_force_and_keeps_the_version_before(dataset: Make) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    because = Ref("proposal", "p-abc")
    verbs.change_node(
        PLANNER, plan="town", draft=draft, node="u3.1", fields={"title": {"en": "Parks"}}, because=because
    )
    verbs.add_node(
        PLANNER,
        plan="town",
        draft=draft,
        node="u3.3",
        fields={"title": {"en": "Night losses"}, "level": "measure", "parent": "tp3", "order": 5},
    )
    verbs.remove_node(PLANNER, plan="town", draft=draft, node="u3.2.1", note="done")
    assert reads.taken_up(grant(), [because]) == []
    verbs.consult(PLANNER, plan="town", draft=draft)
    with pytest.raises(Invalid, match="not come yet"):
        verbs.adopt(PLANNER, plan="town", version=draft, body="Council", on=verbs.today() + timedelta(days=1))
    with pytest.raises(Invalid, match="which body"):
        verbs.adopt(PLANNER, plan="town", version=draft, body="  ", on=verbs.today())
    assert verbs.adopt(PLANNER, plan="town", version=draft, body="Council", on=verbs.today(), gazette="UL 5/26") == 2
    with pytest.raises(Conflict, match="status adopted"):
        verbs.adopt(PLANNER, plan="town", version=draft, body="Council", on=verbs.today())

    now, before = reads.tree(grant(), "town"), reads.tree(grant(), "town", "first")
    assert list(now.nodes) == ["tp3", "u3.1", "u3.2", "u3.3"]
    assert now.version.adopting_body == "Council"
    assert now.version.parent == "first"
    assert list(before.nodes) == ["tp3", "u3.1", "u3.2", "u3.2.1"]
    assert before.nodes["u3.1"].title == {"en": "Green spaces"}
    assert before.version.status == "amended"
    diff = reads.diff(grant(), "town", "first", draft)
    assert {each.key: each.kind for each in diff.nodes} == {"u3.1": "changed", "u3.3": "added", "u3.2.1": "removed"}
    assert diff.of("changed")[0].fields == ("title",)
    assert diff.of("changed")[0].grounds[0].ref == because
    assert diff.of("removed")[0].grounds[0].note == "done"
    backwards = reads.diff(grant(), "town", draft, "first")
    assert {each.key: each.kind for each in backwards.nodes} == {
        "u3.1": "changed",
        "u3.3": "removed",
        "u3.2.1": "added",
    }
    taken = reads.taken_up(grant(), [because])
    assert [(t.node, t.version.key, t.version.adopted_on) for t in taken] == [("u3.1", draft, verbs.today())]
    assert [(v.key, kind) for v, kind in reads.versions_of_node(grant(), "town", "u3.1")] == [
        (draft, "changed"),
        ("first", "added"),
    ]
    assert [(v.key, kind) for v, kind in reads.versions_of_node(grant(), "town", "u3.2.1")] == [
        (draft, "removed"),
        ("first", "added"),
    ]


def test_an_adoption_never_takes_back_another_silently(dataset: Make) -> None:
    plan(dataset)
    one = verbs.begin_draft(PLANNER, plan="town", label="one")
    two = verbs.begin_draft(PLANNER, plan="town", label="two")
    verbs.change_node(PLANNER, plan="town", draft=one, node="u3.1", fields={"title": {"en": "From one"}})
    verbs.change_node(PLANNER, plan="town", draft=two, node="u3.1", fields={"note": "From two"})
    verbs.change_node(PLANNER, plan="town", draft=two, node="u3.2", fields={"title": {"en": "Water, two"}})
    _adopt(one)
    verbs.consult(PLANNER, plan="town", draft=two)
    with pytest.raises(Conflict, match="too: 1") as refused:
        verbs.adopt(PLANNER, plan="town", version=two, body="Council", on=verbs.today())
    assert [problem.where for problem in refused.value.problems] == ["u3.1"]
    verbs.reopen(PLANNER, plan="town", draft=two)
    verbs.undo(PLANNER, plan="town", draft=two, node="u3.1")
    assert _adopt(two) == 3
    nodes = reads.tree(grant(), "town").nodes
    assert nodes["u3.1"].title == {"en": "From one"}
    assert nodes["u3.2"].title == {"en": "Water, two"}
    assert [v.key for v in reads.versions(grant(), "town") if v.in_force] == [two]


def test_only_planners_change_plans(dataset: Make, reader: Callable[..., object]) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    for by in (reader(), reader("citizen"), reader("official"), reader("operator")):
        for refused in (
            lambda by=by: verbs.begin_draft(by, plan="town", label="x"),
            lambda by=by: verbs.change_node(by, plan="town", draft=draft, node="u3.1", fields={"order": 1}),
            lambda by=by: verbs.add_node(by, plan="town", draft=draft, node="x", fields={"title": {"en": "x"}}),
            lambda by=by: verbs.remove_node(by, plan="town", draft=draft, node="u3.1"),
            lambda by=by: verbs.undo(by, plan="town", draft=draft, node="u3.1"),
            lambda by=by: verbs.link(by, plan="town", draft=draft, source="u3.1", target="u3.2", type="implements"),
            lambda by=by: verbs.set_indicator(
                by, plan="town", draft=draft, node="u3.1", indicator="i", role="measures"
            ),
            lambda by=by: verbs.consult(by, plan="town", draft=draft),
            lambda by=by: verbs.reopen(by, plan="town", draft=draft),
            lambda by=by: verbs.withdraw(by, plan="town", draft=draft, reason="x"),
            lambda by=by: verbs.adopt(by, plan="town", version=draft, body="x", on=verbs.today()),
            lambda by=by: verbs.repeal(by, plan="town", version="first", body="x", on=verbs.today()),
            lambda by=by: verbs.review(by, plan="town", node="u3.1", judgement="on_track", decision="keep"),
        ):
            with pytest.raises(Forbidden):
                refused()


def test_a_plan_hangs_together_in_every_draft(dataset: Make) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    with pytest.raises(Conflict, match="hang together") as refused:
        verbs.change_node(PLANNER, plan="town", draft=draft, node="tp3", fields={"parent": "u3.2.1"})
    assert {problem.where for problem in refused.value.problems} == {"tp3", "u3.2", "u3.2.1"}
    with pytest.raises(Conflict, match="hang together"):
        verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"parent": "nowhere"})
    with pytest.raises(Conflict, match="stand below"):
        verbs.remove_node(PLANNER, plan="town", draft=draft, node="tp3")
    with pytest.raises(Conflict, match="already, in the plan “town”"):
        verbs.add_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"title": {"en": "Again"}})
    assert reads.diff(grant(PLANNER), "town", None, draft).empty
    with pytest.raises(Conflict, match="changes nothing"):
        verbs.consult(PLANNER, plan="town", draft=draft)


def test_links_that_lead_back_are_refused(dataset: Make) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")

    def link(source: str, target: str, type: str, on: bool = True) -> None:
        verbs.link(PLANNER, plan="town", draft=draft, source=source, target=target, type=type, on=on)

    link("u3.1", "u3.2", "contributes")
    link("u3.2", "u3.2.1", "contributes")
    link("u3.2.1", "u3.1", "implements")
    with pytest.raises(Conflict, match="hang together"):
        link("u3.2.1", "u3.1", "contributes")
    with pytest.raises(Conflict, match="hang together"):
        link("u3.1", "u3.1", "relates_to")
    link("u3.1", "u3.2", "relates_to")
    with pytest.raises(Conflict, match="hang together"):
        link("u3.2", "u3.1", "relates_to")
    with pytest.raises(Conflict, match="already"):
        link("u3.1", "u3.2", "contributes")
    with pytest.raises(Invalid, match="no links of the type"):
        link("u3.1", "tp3", "eats")
    with pytest.raises(NotFound):
        link("u3.1", "nowhere", "contributes")
    _adopt(draft)
    assert {link.key for link in reads.node(grant(), "town", "u3.1").links} == {
        "u3.1--contributes--u3.2",
        "u3.2.1--implements--u3.1",
        "u3.1--relates_to--u3.2",
    }
    draft = verbs.begin_draft(PLANNER, plan="town", label="2027")
    verbs.remove_node(PLANNER, plan="town", draft=draft, node="u3.1")
    assert {link.key for link in reads.diff(grant(PLANNER), "town", None, draft).links_removed} == {
        "u3.1--contributes--u3.2",
        "u3.2.1--implements--u3.1",
        "u3.1--relates_to--u3.2",
    }
    verbs.undo(PLANNER, plan="town", draft=draft, node="u3.1")
    assert reads.diff(grant(PLANNER), "town", None, draft).empty
    link("u3.1", "u3.2", "contributes", on=False)
    _adopt(draft)
    assert len(reads.node(grant(), "town", "u3.1").links) == 2
    assert len(reads.node(grant(), "town", "u3.1", "2026").links) == 3


def test_all_mistakes_of_a_node_are_told_at_once_and_odd_letters_are_kept_out(dataset: Make) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    with pytest.raises(Invalid) as refused:
        verbs.change_node(
            PLANNER,
            plan="town",
            draft=draft,
            node="u3.1",
            fields={
                "title": {},
                "level": "galaxy",
                "order": "first",
                "strategic": "maybe",
                "office": "nowhere",
                "colour": "red",
                "note": "x" * 5001,
                "text": {"en": 5},
                "status": "half done!",
            },
        )
    assert {problem.where.rpartition(" ")[2] for problem in refused.value.problems} == {
        "title",
        "level",
        "order",
        "strategic",
        "office",
        "colour",
        "note",
        "text",
        "status",
    }
    verbs.change_node(
        PLANNER,
        plan="town",
        draft=draft,
        node="u3.1",
        fields={
            "title": {"en": " <script>alert(1)</script>\x00 "},
            "note": "Robert'); DROP TABLE plans_node;--\x07\r\n🌊",
        },
    )
    node = reads.node(grant(PLANNER), "town", "u3.1", draft)
    assert node.title == {"en": "<script>alert(1)</script>"}
    assert node.note == "Robert'); DROP TABLE plans_node;--\n🌊"
    for key in ("", "Ž", "a b", "../x", "versions", "x" * 101, "diff"):
        with pytest.raises(Invalid, match="cannot be the key"):
            verbs.add_node(PLANNER, plan="town", draft=draft, node=key, fields={"title": {"en": "x"}})


def test_a_draft_of_a_large_plan_costs_one_row(
    dataset: Make, django_assert_max_num_queries: Callable[..., object]
) -> None:
    from krog.plans import models

    plan(dataset, nodes=700)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    assert models.Node.objects.count() == 700
    verbs.change_node(PLANNER, plan="town", draft=draft, node="n500", fields={"title": {"en": "Changed"}})
    assert models.Node.objects.count() == 701
    given_ = grant(PLANNER)
    with django_assert_max_num_queries(4):
        assert len(reads.tree(given_, "town", draft).nodes) == 700
    with django_assert_max_num_queries(5):
        assert [each.key for each in reads.diff(given_, "town", None, draft).nodes] == ["n500"]
    _adopt(draft)
    assert models.Node.objects.count() == 701


def test_withdrawn_and_repealed(dataset: Make) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    with pytest.raises(Invalid, match="why"):
        verbs.withdraw(PLANNER, plan="town", draft=draft, reason=" ")
    verbs.withdraw(PLANNER, plan="town", draft=draft, reason="The council asked for another")
    with pytest.raises(Conflict):
        verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"order": 1})
    verbs.repeal(PLANNER, plan="town", version="first", body="Council", on=verbs.today())
    tree = reads.tree(grant(), "town")
    assert tree.plan.in_force is None
    assert tree.version.status == "repealed"


_OPERATIONS = st.lists(
    st.tuples(
        st.sampled_from(["change", "add", "remove", "undo", "move", "link"]),
        st.integers(0, 6),
        st.integers(0, 6),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12),
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=_OPERATIONS)
def test_what_the_difference_says_leads_from_one_version_to_the_other(
    dataset: Make, operations: list[tuple[str, int, int, str]]
) -> None:
    with transaction.atomic():
        _apply_and_compare(dataset, operations)
        transaction.set_rollback(True)


def _apply_and_compare(dataset: Make, operations: list[tuple[str, int, int, str]]) -> None:
    plan(dataset)
    draft = verbs.begin_draft(PLANNER, plan="town", label="draft")
    names = ["tp3", "u3.1", "u3.2", "u3.2.1", "new1", "new2", "new3"]
    for what, a, b, text in operations:
        node, other = names[a], names[b]
        try:
            match what:
                case "change":
                    verbs.change_node(PLANNER, plan="town", draft=draft, node=node, fields={"title": {"en": text}})
                case "add":
                    verbs.add_node(PLANNER, plan="town", draft=draft, node=node, fields={"title": {"en": text}})
                case "remove":
                    verbs.remove_node(PLANNER, plan="town", draft=draft, node=node)
                case "undo":
                    verbs.undo(PLANNER, plan="town", draft=draft, node=node)
                case "move":
                    verbs.change_node(PLANNER, plan="town", draft=draft, node=node, fields={"parent": other})
                case "link":
                    verbs.link(PLANNER, plan="town", draft=draft, source=node, target=other, type="contributes")
        except (Conflict, NotFound, Invalid):
            pass
    given_ = grant(PLANNER)
    before, after = reads.tree(given_, "town"), reads.tree(given_, "town", draft)
    diff = reads.diff(given_, "town", None, draft)
    made = {key: node.content() for key, node in before.nodes.items()}
    for each in diff.nodes:
        if each.after is None:
            made.pop(each.key)
        else:
            made[each.key] = each.after.content()
    assert made == {key: node.content() for key, node in after.nodes.items()}
    links = {link for node in before.nodes.values() for link in node.links}
    assert (links | set(diff.links_added)) - set(diff.links_removed) == {
        link for node in after.nodes.values() for link in node.links
    }
    if diff.empty:
        return
    _adopt(draft)
    adopted = reads.tree(given_, "town")
    assert {k: n.content() for k, n in adopted.nodes.items()} == {k: n.content() for k, n in after.nodes.items()}
    assert {k: n.links for k, n in adopted.nodes.items()} == {k: n.links for k, n in after.nodes.items()}
    again = reads.diff(given_, "town", "first", draft)
    assert [(e.key, e.kind, e.fields) for e in again.nodes] == [(e.key, e.kind, e.fields) for e in diff.nodes]
