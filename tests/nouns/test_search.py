"""Search over everything: bent and mistyped words find; what may not be seen is neither found nor counted."""

from __future__ import annotations

import pytest

from krog.base.grant import ANONYMOUS, Reader
from krog.catalogue import door
from krog.engine import finding
from krog.journal import verbs as journal
from krog.people.permissions import SYSTEM
from krog.registers import verbs as registers
from krog.search import reads, words
from tests import registry
from tests.sensing import dataset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

OFFICIAL = Reader(kind="account", id=1, roles=frozenset({"anonymous", "official"}), organisation="mok")


def _town() -> None:
    registry.town()
    names = {
        "p1": "Svetilka na Šolski ulici",
        "p2": "Parkirišče Huje",
        "p3": "Ekološki otok K2.2",
        "p4": "Nogometno igrišče",
    }
    registers.declare_records(SYSTEM, changes=[registry.record(key, name=name) for key, name in names.items()])


def _index() -> None:
    journal.seal()
    finding.follow()


def _found(text: str, who: Reader = ANONYMOUS) -> list[str]:
    return [hit.key for hit in reads.find(door.everything(who, "portal"), text).hits]


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ("svetilke", "p1"),
        ("luč ne sveti", "p1"),
        ("lampa", "p1"),
        ("SOLSKA ulica", "p1"),
        ("parkirisce", "p2"),
        ("parkirsče", "p2"),
        ("parcheggio", "p2"),
        ("prakirišče", "p2"),
        ("K2.2", "p3"),
        ("ekoloski otok", "p3"),
        ("igrisca", "p4"),
        ("kje je nogomtno igrišče", "p4"),
    ],
)
def test_questions_as_people_type_them_find_first_what_was_meant(asked: str, key: str) -> None:
    _town()
    _index()
    assert _found(asked)[:1] == [key]


@pytest.mark.parametrize("asked", ["", "  ", "%", '" OR *', "' --", "xqzwv", "\x00", "a" * 5000])
def test_what_finds_nothing_is_no_error(asked: str) -> None:
    _town()
    _index()
    assert _found(asked) == []


def test_what_a_reader_may_not_see_is_neither_found_nor_counted() -> None:
    dataset("mlaka-points", noun="registers", access="official")
    registry.declare()
    registers.declare_records(SYSTEM, changes=[registry.record("p1", name="Skriti zaklad")])
    _index()
    inside = reads.find(door.everything(OFFICIAL, "desk"), "zaklad")
    assert [hit.key for hit in inside.hits] == ["p1"]
    outside = reads.find(door.everything(ANONYMOUS, "portal"), "zaklad")
    assert (outside.hits, outside.counts) == ([], {})


def test_hidden_fields_are_not_found_and_a_closed_policy_closes_the_index_at_once() -> None:
    _town()
    _index()
    assert _found("nogometno") == ["p4"]
    dataset("mlaka-points", noun="registers", access="public", fields={"name": {"access": "restricted"}})
    door.forget()
    assert _found("nogometno") == []
    _index()
    assert _found("nogometno") == _found("nogometno", OFFICIAL) == []


def test_the_index_follows_every_change_through_the_journal() -> None:
    _town()
    _index()
    registers.change_record(SYSTEM, key="p4", seen=1, values={"name": "Kopališče"})
    _index()
    assert (_found("nogometno"), _found("kopalisce")) == ([], ["p4"])
    registers.retire_record(SYSTEM, key="p4", seen=2, reason="gone")
    _index()
    assert _found("kopalisce") == []
    assert finding.follow() == 0
    assert finding.rebuild() == 0


@pytest.mark.parametrize(
    ("a", "b", "far"),
    [("cesta", "cesta", 0), ("cesta", "csta", 1), ("cesta", "cseta", 1), ("cesta", "mesto", 2), ("a", "abcd", 3)],
)
def test_a_swap_of_neighbours_is_one_mistake(a: str, b: str, far: int) -> None:
    assert words.distance(a, b, 2) == far
