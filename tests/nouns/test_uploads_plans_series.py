"""Drafts of plans and series of indicators come back as tables too."""

from __future__ import annotations

import pytest

from krog.base.declaration import Change
from krog.base.errors import Conflict, Forbidden, Invalid
from krog.catalogue import door
from krog.indicators import reads as indicators
from krog.indicators import verbs as indicator_verbs
from krog.people.permissions import SYSTEM
from krog.plans import reads as plans
from krog.plans import verbs as plan_verbs
from krog.tables import workbook, writing
from krog.tables.columns import MARK, Table, mark_of
from krog.uploads import reads, verbs
from krog.uploads.kinds import KINDS
from tests.nouns import plans_fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def _file(kind, by, target, edit, extra=(), form="xlsx"):
    about = KINDS[kind]
    columns = about.columns(by, target, "en")
    rows = [{**row, MARK: mark_of(columns, row)} for row in about.current(by, target).values()]
    for row in rows:
        row.update(edit.get(row[about.key], {}))
    write = workbook.pieces if form == "xlsx" else writing.csv_pieces
    pieces = list(write(Table("t", "T", columns), [*rows, *extra], "en", "Europe/Ljubljana"))
    return b"".join(pieces) if form == "xlsx" else "".join(pieces).encode()


def _bring(kind, by, target, data):
    upload, found = verbs.bring(by, kind=kind, target=target, data=data, file_name="t.xlsx", language="en")
    assert found.mistakes == []
    return upload, reads.difference(door.open(by, "desk", datasets=[]), upload)


def test_a_draft_is_changed_by_a_table_and_put_back(account, dataset):
    plans_fixture.plan(dataset)
    by = account("petra", "planner")
    draft = plan_verbs.begin_draft(by, plan="town", label="2026")
    target = f"town/{draft}"
    _none, same = _bring("plan", by, target, _file("plan", by, target, {}))
    assert (same.changes, same.same) == ((), 4)
    new = {"key": "u3.3", "parent": "tp3", "level": "measure", "title.sl": "Reka", "links": "relates_to:u3.1"}
    data = _file("plan", by, target, {"u3.2": {"title.en": "Water", "horizon": "2027"}}, [new])
    upload, found = _bring("plan", by, target, data)
    assert {(c.kind, c.key) for c in found.changes} == {("changed", "u3.2"), ("added", "u3.3")}
    assert verbs.accept(by, upload=upload.key, lines=None, removed={"u3.2.1"}, reason="council") == 2
    tree = plans.tree(door.open(by, "desk"), "town", draft)
    assert tree.nodes["u3.2"].title == {"en": "Water"}
    assert [link.key for link in tree.nodes["u3.3"].links] == ["u3.3--relates_to--u3.1"]
    assert "u3.3" not in plans.tree(door.open(by, "desk"), "town").nodes
    assert verbs.undo(by, upload=upload.key) == 2
    tree = plans.tree(door.open(by, "desk"), "town", draft)
    assert tree.nodes["u3.2"].title == {"en": "Drinking water"}
    assert "u3.3" not in tree.nodes


def test_a_plan_that_would_not_hang_together_is_refused(account, dataset):
    plans_fixture.plan(dataset)
    by = account("petra", "planner")
    target = f"town/{plan_verbs.begin_draft(by, plan='town', label='2026')}"
    upload, _found = _bring("plan", by, target, _file("plan", by, target, {"tp3": {"parent": "u3.2.1"}}))
    with pytest.raises(Conflict):
        verbs.accept(by, upload=upload.key, lines=None, removed=set(), reason="x")
    with pytest.raises(Forbidden):
        KINDS["plan"].require(account("ana", "official"), target)


@pytest.fixture()
def series(dataset, account):
    dataset("figures", noun="indicators")
    about = {"title": {"en": "Jobs"}, "kind": "imported", "dataset": "figures", "period": "year"}
    indicator_verbs.declare_indicators(SYSTEM, changes=[Change("jobs", about)])
    value = {"indicator": "jobs", "period": "2024", "value": 100.0, "status": "official", "origin": "imported",
             "source": "SURS", "note": ""}  # fmt: skip
    indicator_verbs.declare_values(SYSTEM, changes=[Change("jobs.2024", value)])
    return account("petra", "planner")


def _values(by):
    return {v.period: v.value for v in indicators.values(door.open(by, "desk", kind="indicators"), "jobs")}


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_series_is_only_added_to_and_the_upload_is_undone_by_newer_rows(series, form):
    new = {"period": "2025", "value": 120.5, "status": "official", "source": "SURS"}
    upload, found = _bring(
        "indicator", series, "jobs", _file("indicator", series, "jobs", {"2024": {"value": 101.0}}, [new], form)
    )
    assert {(c.kind, c.key) for c in found.changes} == {("changed", "2024"), ("added", "2025")}
    assert verbs.accept(series, upload=upload.key, lines=None, removed=set(), reason="new table") == 2
    assert _values(series) == {"2024": 101.0, "2025": 120.5}
    assert verbs.undo(series, upload=upload.key) == 2
    assert _values(series) == {"2024": 100.0}


def test_values_without_source_or_of_no_period_are_named(series):
    extra = [{"period": "2025", "value": 1.0}, {"period": "letos", "value": 1.0, "source": "x"}]
    upload, _found = _bring("indicator", series, "jobs", _file("indicator", series, "jobs", {}, extra))
    with pytest.raises(Invalid) as refused:
        verbs.accept(series, upload=upload.key, lines=None, removed=set(), reason="x")
    assert len(refused.value.problems) == 2
    assert _values(series) == {"2024": 100.0}
