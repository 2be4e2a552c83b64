"""Three-way comparison, field by field: the side that changed wins, both is a conflict, what left the files retires."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.engine.cities.compare import ItemChange, compare_kind, in_order
from krog.engine.cities.values import canonical
from tests.unit.cities.fakes import kinds

ROW = kinds()["row"]
PLACE = kinds()["place"]


def row(**fields: Any) -> dict[str, Any]:
    return canonical(ROW, fields)


def one(base: Any, file: Any, desk: Any, take: Any = None) -> ItemChange | None:
    sides = [{} if side is None else {"r": row(**side)} for side in (base, file, desk)]
    changes = compare_kind(ROW, *sides, take)
    assert len(changes) <= 1
    return changes[0] if changes else None


@pytest.mark.parametrize(
    ("base", "file", "desk", "action", "order"),
    [
        (None, {"order": 1}, None, "add", 1),
        ({"order": 1}, {"order": 1}, {"order": 1}, None, None),
        ({"order": 1}, {"order": 2}, {"order": 1}, "change", 2),
        ({"order": 1}, {"order": 1}, {"order": 3}, "keep", None),
        ({"order": 1}, {"order": 2}, {"order": 2}, None, None),
        ({"order": 1}, {"order": 2}, {"order": 3}, "conflict", 3),
        (None, {"order": 2}, {"order": 3}, "conflict", 3),
        (None, {"order": 2}, {"order": 2}, None, None),
        (None, {}, {"order": 3}, "keep", None),
        ({"order": 1}, None, {"order": 1}, "retire", None),
        ({"order": 1}, None, {"order": 2}, "conflict", None),
        ({"order": 1}, None, None, None, None),
        (None, None, {"order": 1}, None, None),
        ({"order": 1}, {"order": 1}, None, "keep", None),
        ({"order": 1}, {"order": 2}, None, "conflict", None),
    ],
)
def test_each_case_of_three_sides(base: Any, file: Any, desk: Any, action: str | None, order: int | None) -> None:
    change = one(base, file, desk)
    assert (change.action if change else None) == action
    if order is not None:
        assert change is not None
        assert change.result is not None
        assert change.result["order"] == order


@pytest.mark.parametrize(
    ("base", "file", "desk", "take", "action"),
    [
        ({"order": 1}, {"order": 2}, {"order": 3}, "files", "change"),
        ({"order": 1}, {"order": 2}, {"order": 3}, "desk", "keep"),
        ({"order": 1}, None, {"order": 2}, "files", "retire"),
        ({"order": 1}, None, {"order": 2}, "desk", "keep"),
        ({"order": 1}, {"order": 2}, None, "files", "add"),
        ({"order": 1}, {"order": 2}, None, "desk", "keep"),
    ],
)
def test_taking_one_side_ends_every_conflict(base: Any, file: Any, desk: Any, take: Any, action: str) -> None:
    change = one(base, file, desk, take)
    assert change is not None
    assert change.action == action


def test_changes_on_different_fields_are_brought_together() -> None:
    change = one({"order": 1, "note": "a"}, {"order": 2, "note": "a"}, {"order": 1, "note": "b"})
    assert change is not None
    assert change.action == "change"
    assert change.result == row(order=2, note="b")


def test_a_conflict_shows_all_three_sides() -> None:
    change = one({"note": "a"}, {"note": "b"}, {"note": "c"})
    assert change is not None
    field = change.fields[0]
    assert (field.name, field.base, field.file, field.desk, field.conflict) == ("note", "a", "b", "c", True)


sides = st.none() | st.fixed_dictionaries({"order": st.integers(0, 2), "note": st.sampled_from(["a", "b"])})


@given(sides, sides, sides, st.sampled_from([None, "files", "desk"]))
def test_applying_twice_changes_nothing_more(base: Any, file: Any, desk: Any, take: Any) -> None:
    change = one(base, file, desk, take)
    if change is not None and change.action == "conflict":
        assert take is None
        return
    if change is None or change.action == "keep":
        after = desk
    else:
        after = None if change.action == "retire" else dict(change.result or {})
    again = one(file, file, after)
    assert again is None or again.action == "keep"


def test_taking_the_files_decides_conflicts_only() -> None:
    change = one({"order": 1, "note": "a"}, {"order": 2, "note": "a"}, {"order": 3, "note": "b"}, "files")
    assert change is not None
    assert change.result == row(order=2, note="b")


@given(sides, sides, sides, st.sampled_from([None, "files", "desk"]))
def test_what_only_the_desk_made_is_never_written_over(base: Any, file: Any, desk: Any, take: Any) -> None:
    change = one(base, file, desk, take)
    if base is None or file is None or desk is None or change is None or change.action != "change":
        return
    for name in row():
        if row(**file)[name] == row(**base)[name]:
            assert (change.result or {})[name] == row(**desk)[name]


def test_parents_come_before_their_children_and_leave_after_them() -> None:
    things = {
        key: canonical(PLACE, {"parent": parent}) for key, parent in (("c", "b"), ("b", "a"), ("a", ""), ("d", "b"))
    }
    assert in_order(PLACE, things) == ["a", "b", "c", "d"]
    changes = compare_kind(PLACE, things, {}, things)
    assert [change.key for change in changes] == ["d", "c", "b", "a"]
    assert {change.action for change in changes} == {"retire"}
