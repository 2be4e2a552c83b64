"""Adding, changing, retiring and undoing a record: who may, what is refused, what the history says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import ANONYMOUS, Reader
from krog.catalogue import door
from krog.people.permissions import SYSTEM
from krog.registers import reads, verbs
from tests import registry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

Make = Callable[..., Reader]


@pytest.fixture()
def ana(reader: Make) -> Reader:
    registry.town()
    return reader("official", name="Ana", offices={"vodovod"})


def _grant(who: Reader) -> reads.Grant:
    return door.open(who, "desk", kind="registers")


def test_the_office_that_keeps_it_adds_a_record(ana: Reader, reader: Make) -> None:
    made = verbs.add_record(ana, register="points", values=registry.values(), geometry=registry.POINT, reason="survey")
    assert (made.key, made.title, made.version) == ("points-dom-krajanov", "Dom krajanov", 1)
    again = verbs.add_record(ana, register="points", values=registry.values(), geometry=registry.POINT)
    assert again.key == "points-dom-krajanov-1"
    for who in (ANONYMOUS, reader("citizen"), reader("official", offices={"promet"}), reader("planner")):
        with pytest.raises(Forbidden):
            verbs.add_record(who, register="points", values=registry.values())


@pytest.mark.django_db(transaction=True)
def test_two_who_add_the_same_at_the_same_moment_both_succeed(ana: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    start, keys, free = threading.Barrier(2), [], verbs._free_key

    def slow(*given: Any) -> str:
        found = free(*given)
        time.sleep(0.2)
        return found

    def add() -> None:
        start.wait()
        try:
            keys.append(verbs.add_record(ana, register="points", values=registry.values()).key)
        finally:
            connection.close()

    monkeypatch.setattr(verbs, "_free_key", slow)
    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(keys) == ["points-dom-krajanov", "points-dom-krajanov-1"]


def test_every_wrong_field_is_named(ana: Reader) -> None:
    with pytest.raises(Invalid) as caught:
        verbs.add_record(
            ana,
            register="points",
            key="Not A Key",
            values={"kind": "palace", "colour": 1},
            valid_from="soon",
            geometry={"type": "Point", "coordinates": [0, 91]},
        )
    assert {p.where for p in caught.value.problems} == {"key", "kind", "colour", "name", "valid_from", "geometry"}
    with pytest.raises(Invalid, match="ends before"):
        verbs.add_record(
            ana, register="points", values=registry.values(), valid_from="2020-02-01", valid_to="2020-01-01"
        )
    with pytest.raises(NotFound):
        verbs.add_record(ana, register="nowhere", values={})


def test_a_taken_key_is_refused(ana: Reader) -> None:
    verbs.add_record(ana, register="points", key="dom", values=registry.values())
    with pytest.raises(Invalid, match="taken"):
        verbs.add_record(ana, register="points", key="dom", values=registry.values())


def test_a_change_touches_only_what_it_names(ana: Reader) -> None:
    made = verbs.add_record(ana, register="points", key="dom", values=registry.values(), geometry=registry.POINT)
    values = {"people": 20, "web": None}
    changed = verbs.change_record(ana, key="dom", seen=made.version, values=values, reason="counted")
    assert (changed.values["people"], changed.values["capacity"], "web" in changed.values) == (20, 2.5, False)
    assert changed.geometry == registry.POINT
    newest = reads.history(_grant(ana), "points", "dom")[0]
    assert (newest.who, newest.reason) == ("Ana", "counted")
    assert set(newest.changed) == {("people", 12, 20), ("web", "https://example.org/dom", None)}


def test_a_change_that_changes_nothing_leaves_no_trace(ana: Reader) -> None:
    made = verbs.add_record(ana, register="points", key="dom", values=registry.values())
    same = verbs.change_record(ana, key="dom", seen=made.version, values={"people": 12})
    assert same.version == made.version
    assert len(reads.history(_grant(ana), "points", "dom")) == 1


def test_two_people_do_not_overwrite_each_other(ana: Reader) -> None:
    made = verbs.add_record(ana, register="points", key="dom", values=registry.values())
    verbs.change_record(ana, key="dom", seen=made.version, values={"people": 20})
    with pytest.raises(Conflict, match="Somebody else"):
        verbs.change_record(ana, key="dom", seen=made.version, values={"people": 30})
    assert reads.record(_grant(ana), "points", "dom").values["people"] == 20


def test_a_wrong_change_leaves_everything_as_it_was(ana: Reader) -> None:
    made = verbs.add_record(ana, register="points", key="dom", values=registry.values())
    with pytest.raises(Invalid, match="not changed"):
        verbs.change_record(ana, key="dom", seen=made.version, values={"name": None, "people": -0.5})
    assert reads.record(_grant(ana), "points", "dom") == made


def test_the_last_change_is_undone_and_the_undoing_too(ana: Reader) -> None:
    made = verbs.add_record(ana, register="points", key="dom", values=registry.values(), geometry=registry.POINT)
    moved = verbs.change_record(
        ana,
        key="dom",
        seen=made.version,
        values={"people": 20},
        geometry={"type": "Point", "coordinates": [14.0, 46.0]},
    )
    back = verbs.undo_record(ana, key="dom", seen=moved.version)
    assert (back.values, back.geometry) == (made.values, made.geometry)
    forth = verbs.undo_record(ana, key="dom", seen=back.version)
    assert (forth.values, forth.geometry) == (moved.values, moved.geometry)


def test_a_retired_record_is_gone_for_the_public_and_can_come_back(ana: Reader, reader: Make) -> None:
    made = verbs.add_record(ana, register="points", key="dom", values=registry.values())
    with pytest.raises(Invalid, match="without a reason"):
        verbs.retire_record(ana, key="dom", seen=made.version, reason=" ")
    with pytest.raises(Forbidden):
        verbs.retire_record(reader("citizen"), key="dom", seen=made.version, reason="no")
    gone = verbs.retire_record(ana, key="dom", seen=made.version, reason="torn down")
    assert gone.retired
    with pytest.raises(NotFound):
        reads.record(_grant(ANONYMOUS), "points", "dom")
    with pytest.raises(Conflict, match="taken out of use"):
        verbs.change_record(ana, key="dom", seen=gone.version, values={"people": 1})
    back = verbs.undo_record(ana, key="dom", seen=gone.version)
    assert (back.retired, back.values) == (False, made.values)


def test_undoing_the_addition_retires_the_record(ana: Reader) -> None:
    made = verbs.add_record(ana, register="points", key="dom", values=registry.values())
    assert verbs.undo_record(ana, key="dom", seen=made.version).retired


def test_the_public_history_names_nobody(ana: Reader) -> None:
    made = verbs.add_record(ana, register="points", key="dom", values=registry.values())
    verbs.change_record(ana, key="dom", seen=made.version, values={"people": 20}, reason="Mrs Novak called")
    entries = reads.history(_grant(ANONYMOUS), "points", "dom")
    assert [(e.who, e.reason) for e in entries] == [("", ""), ("", "")]
    assert entries[0].changed == [("people", 12, 20)]


def test_nobody_changes_what_he_may_not_see(ana: Reader, reader: Make) -> None:
    registry.dataset("secrets", noun="registers", access="restricted", roles=["operator"])
    registry.declare("vault", data="secrets")
    made = verbs.add_record(SYSTEM, register="vault", key="safe", values=registry.values())
    with pytest.raises(Forbidden):
        verbs.change_record(ana, key="safe", seen=made.version, values={"people": 1})
    assert verbs.change_record(reader("operator"), key="safe", seen=made.version, values={"people": 1}).version == 2
