"""Many rows of a draft change at once; what two people did is merged field by field, and nothing is lost silently."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.ids import Ref
from krog.plans import bulk, reads, verbs
from krog.plans.bulk import Row
from krog.plans.fields import EMPTY
from krog.plans.merging import flat, merge, nested, with_changes
from tests.nouns.plans_fixture import PLANNER, english, grant, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures(english.__name__)]
Make = Callable[..., str]
OTHER = replace(PLANNER, id=8, name="Oto Other")


def _draft(dataset: Make, **fields: Any) -> str:
    plan(dataset, **fields)
    return verbs.begin_draft(PLANNER, plan="town", label="2026")


def _change(draft: str, *rows: Row, by: Any = PLANNER, **more: Any) -> bulk.Outcome:
    return bulk.change_rows(by, plan="town", draft=draft, rows=rows, **more)


def _nodes(draft: str) -> Any:
    return reads.tree(grant(PLANNER), "town", draft).nodes


def test_many_rows_change_in_one_step_and_are_taken_back_in_one(dataset: Make) -> None:
    draft = _draft(dataset)
    done = _change(
        draft,
        Row("u3.1", {"title.sl": "Parki", "horizon": "2030"}),
        Row("u3.2", {"strategic": True, "order": 9}),
        Row("u3.9", {"title.en": "Trees", "level": "measure", "parent": "tp3"}, act="add"),
        Row("u3.2.1", act="remove"),
        note="as the council asked",
    )
    assert done.saved and done.changed == ("u3.1", "u3.2", "u3.9", "u3.2.1")
    nodes = _nodes(draft)
    assert nodes["u3.1"].title == {"en": "Green spaces", "sl": "Parki"}
    assert (nodes["u3.1"].horizon, nodes["u3.2"].strategic, nodes["u3.9"].parent) == ("2030", True, "tp3")
    assert "u3.2.1" not in nodes
    assert [g.note for c in reads.diff(grant(PLANNER), "town", None, draft).nodes for g in c.grounds] == [
        "as the council asked"
    ] * 4
    assert done.before["u3.1"] == {"title.sl": "", "horizon": ""}
    assert done.after["u3.1"] == {"title.sl": "Parki", "horizon": "2030"}
    said = reads.history(grant(PLANNER), "town", "u3.2")[0]
    assert (said.verb, said.after) == ("plans.draft-bulk", {"order": 9, "strategic": True})
    back = bulk.undo_rows(PLANNER, plan="town", draft=draft, batch=done.batch)
    assert back.saved and not back.clashes
    assert reads.diff(grant(PLANNER), "town", None, draft).nodes == ()


def test_what_was_linked_to_a_removed_node_comes_back_with_it(dataset: Make) -> None:
    draft = _draft(dataset)
    verbs.link(PLANNER, plan="town", draft=draft, source="u3.1", target="u3.2.1", type="synergy")
    gone = _change(draft, Row("u3.2.1", act="remove"))
    assert _nodes(draft)["u3.1"].links == ()
    bulk.undo_rows(PLANNER, plan="town", draft=draft, batch=gone.batch)
    assert [link.target for link in _nodes(draft)["u3.1"].links] == ["u3.2.1"]


def test_one_wrong_row_stops_all_and_every_mistake_is_told_by_row_and_field(dataset: Make) -> None:
    draft = _draft(dataset)
    told = _change(
        draft,
        Row("u3.1", {"horizon": "2030"}),
        Row("u3.2", {"level": "galaxy", "office": "nowhere", "number": "x" * 51}),
        Row("nobody", {"horizon": "2030"}),
        Row("Big Key", {"title.en": "x"}, act="add"),
        Row("u3.2.1", {"title.en": ""}),
        Row("tp3", {"colour": "green"}),
        Row("u4", {"number": "4"}, act="add"),
    )
    assert not told.saved and told.batch == 0
    assert {problem.where for problem in told.problems} == {
        "u3.2 level",
        "u3.2 office",
        "u3.2 number",
        "nobody",
        "Big Key key",
        "u3.2.1 title",
        "tp3 colour",
        "u4 title",
    }
    assert _nodes(draft)["u3.1"].horizon == ""
    with pytest.raises(Conflict):
        bulk.refuse(told)
    partly = _change(draft, Row("u3.1", {"horizon": "2030"}), Row("nobody", {"horizon": "2030"}), partly=True)
    assert partly.saved and partly.changed == ("u3.1",) and len(partly.problems) == 1


def test_rows_that_would_break_the_tree_are_refused_together(dataset: Make) -> None:
    draft = _draft(dataset)
    loop = _change(draft, Row("u3.1", {"parent": "u3.2"}), Row("u3.2", {"parent": "u3.1"}), partly=True)
    assert not loop.saved
    assert {problem.where for problem in loop.problems} == {"u3.1 parent", "u3.2 parent"}
    orphan = _change(draft, Row("u3.2", act="remove"))
    assert not orphan.saved and orphan.problems[0].where == "u3.2.1 parent"
    assert _change(draft, Row("u3.2.1", act="remove"), Row("u3.2", act="remove")).saved
    with pytest.raises(Invalid, match="two rows"):
        _change(draft, Row("u3.1"), Row("u3.1"))
    with pytest.raises(Invalid, match="at once"):
        _change(draft, *(Row(f"n{n}") for n in range(bulk.MOST + 1)))


def test_a_preview_writes_nothing(dataset: Make) -> None:
    draft = _draft(dataset)
    told = _change(draft, Row("u3.1", {"horizon": "2030"}), dry=True)
    assert (told.saved, told.after) == (False, {"u3.1": {"horizon": "2030"}})
    assert _nodes(draft)["u3.1"].horizon == ""


def test_the_second_of_two_sees_the_difference_and_the_rest_is_merged(dataset: Make) -> None:
    draft = _draft(dataset)
    seen = flat(_nodes(draft)["u3.1"].content())
    assert _change(draft, Row("u3.1", {"title.en": "Parks", "horizon": "2035"}, seen), by=OTHER).saved
    second = _change(draft, Row("u3.1", {"title.en": "Gardens", "number": "3.1"}, seen), partly=True)
    assert second.saved and second.after == {"u3.1": {"number": "3.1"}}
    (clash,) = second.clashes
    assert (clash.field, clash.base, clash.yours, clash.theirs, clash.who) == (
        "title.en",
        "Green spaces",
        "Gardens",
        "Parks",
        "Oto Other",
    )
    node = _nodes(draft)["u3.1"]
    assert (node.title["en"], node.number, node.horizon) == ("Parks", "3.1", "2035")
    whole = _change(draft, Row("u3.1", {"title.en": "Gardens", "note": "mine"}, seen))
    assert not whole.saved and len(whole.clashes) == 1
    chosen = _change(draft, Row("u3.1", {"title.en": "Gardens"}, {"title.en": clash.theirs}))
    assert chosen.saved and _nodes(draft)["u3.1"].title["en"] == "Gardens"


def test_a_node_that_another_removed_or_changed_is_not_changed_or_removed_silently(dataset: Make) -> None:
    draft = _draft(dataset)
    seen = flat(_nodes(draft)["u3.2.1"].content())
    _change(draft, Row("u3.2.1", {"horizon": "2035"}), by=OTHER)
    kept = _change(draft, Row("u3.2.1", base=seen, act="remove"))
    assert not kept.saved and [(c.field, c.theirs) for c in kept.clashes] == [("horizon", "2035")]
    removed = _change(draft, Row("u3.2.1", act="remove"), by=OTHER)
    late = _change(draft, Row("u3.2.1", {"note": "important"}, seen))
    assert [(c.field, c.theirs, c.who) for c in late.clashes] == [("", None, "Oto Other")]
    assert _change(draft, Row("u3.2.1", act="remove")).clashes == ()
    bulk.undo_rows(OTHER, plan="town", draft=draft, batch=removed.batch)
    assert _nodes(draft)["u3.2.1"].horizon == "2035"


def test_taking_back_leaves_what_others_did_since(dataset: Make) -> None:
    draft = _draft(dataset)
    mine = _change(draft, Row("u3.1", {"title.en": "Parks", "horizon": "2035"}))
    _change(draft, Row("u3.1", {"title.en": "Gardens"}), by=OTHER)
    back = bulk.undo_rows(PLANNER, plan="town", draft=draft, batch=mine.batch)
    assert [clash.field for clash in back.clashes] == ["title.en"]
    node = _nodes(draft)["u3.1"]
    assert (node.title["en"], node.horizon) == ("Gardens", "")
    with pytest.raises(NotFound):
        bulk.undo_rows(PLANNER, plan="town", draft=draft, batch=mine.batch + 10_000)


def test_who_works_on_the_draft_now_is_known_to_the_others(dataset: Make) -> None:
    draft = _draft(dataset)
    _change(draft, Row("u3.1", {"horizon": "2035"}), by=OTHER)
    verbs.change_node(OTHER, plan="town", draft=draft, node="u3.2", fields={"order": 4})
    (other,) = bulk.lately(PLANNER, plan="town", draft=draft).present
    assert (other.who, set(other.nodes)) == ("Oto Other", {"u3.1", "u3.2"})
    assert bulk.lately(OTHER, plan="town", draft=draft).present == ()


def test_two_planners_of_one_name_are_told_apart(dataset: Make) -> None:
    draft = _draft(dataset)
    twin = replace(PLANNER, id=8)
    mark = bulk.lately(PLANNER, plan="town", draft=draft).mark
    _change(draft, Row("u3.1", {"horizon": "2035"}), by=twin)
    assert [each.who for each in bulk.lately(PLANNER, plan="town", draft=draft).present] == [twin.name]
    assert bulk.changed_since(PLANNER, plan="town", draft=draft, mark=mark) == {"u3.1": {"horizon": ""}}
    assert bulk.changed_since(twin, plan="town", draft=draft, mark=mark) == {}


def test_only_planners_and_only_in_a_draft(dataset: Make, reader: Callable[..., Any]) -> None:
    draft = _draft(dataset)
    for call in (
        lambda: _change(draft, Row("u3.1", {"order": 1}), by=reader("official")),
        lambda: bulk.undo_rows(reader("official"), plan="town", draft=draft, batch=1),
        lambda: bulk.lately(reader("anonymous"), plan="town", draft=draft),
    ):
        with pytest.raises(Forbidden):
            call()
    _change(draft, Row("u3.1", {"order": 7}), because=Ref("proposal", "p1"))
    verbs.consult(PLANNER, plan="town", draft=draft)
    with pytest.raises(Conflict):
        _change(draft, Row("u3.1", {"order": 8}))


def test_a_branch_of_hundreds_of_rows_takes_few_statements(dataset: Make, django_assert_max_num_queries: Any) -> None:
    plan(dataset, nodes=700)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    with django_assert_max_num_queries(80):
        done = _change(draft, *(Row(f"n{n}", {"horizon": "2030"}, {"horizon": ""}) for n in range(700)))
    assert len(done.changed) == 700
    assert all(node.horizon == "2030" for node in _nodes(draft).values())


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_told(dataset: Make) -> None:
    draft = _draft(dataset)
    found: list[bulk.Outcome] = []
    start = threading.Barrier(2)

    def work(by: Any, title: str) -> None:
        start.wait(10)
        try:
            found.append(_change(draft, Row("u3.1", {"title.en": title}, {"title.en": "Green spaces"}), by=by))
        finally:
            connection.close()

    both = [threading.Thread(target=work, args=each) for each in ((PLANNER, "Parks"), (OTHER, "Gardens"))]
    for each in both:
        each.start()
    for each in both:
        each.join(30)
    assert sorted(outcome.saved for outcome in found) == [False, True]
    (lost,) = [outcome for outcome in found if not outcome.saved]
    assert lost.clashes[0].theirs == _nodes(draft)["u3.1"].title["en"]


VALUES = st.sampled_from(["", "a", "b", "c"])
FLAT = st.dictionaries(st.sampled_from(["number", "title.sl", "title.en", "facts.digital", "note"]), VALUES)


@given(FLAT, FLAT, FLAT)
def test_a_merge_never_loses_what_somebody_changed(base: Any, yours: Any, theirs: Any) -> None:
    write, clashes = merge("n", {name: base.get(name, "") for name in yours}, yours, theirs)
    clashing = {each.field for each in clashes}
    assert not clashing & set(write)
    result = {**theirs, **write}
    for name in {*base, *yours, *theirs}:
        was, mine, their, now = (side.get(name, "") for side in (base, yours, theirs, result))
        if name not in yours or mine == was:
            assert now == their
        elif their == was:
            assert now == mine
        elif mine == their:
            assert now == mine and name not in clashing
        else:
            assert name in clashing and now == their
    again, none = merge("n", result, result, result)
    assert (again, none) == ({}, [])


@given(st.dictionaries(st.sampled_from(["sl", "it", "en"]), st.text(min_size=1)), VALUES, st.booleans())
def test_flat_and_nested_content_say_the_same(title: dict[str, str], number: str, strategic: bool) -> None:
    content = {"title": title, "number": number, "strategic": strategic, "facts": {"digital": "yes"}}
    again = nested(flat(content))
    assert again == {name: value for name, value in content.items() if value != {}}
    assert with_changes(dict(EMPTY), flat(content)) == {**EMPTY, **content}
