"""Registers and records from files: validated as a whole, applied in bulk, read back as they were written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from krog.base.declaration import Change
from krog.base.errors import Forbidden, Invalid
from krog.base.grant import Reader
from krog.catalogue import door
from krog.people.permissions import SYSTEM
from krog.registers import providers, reads, verbs
from tests import registry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture()
def points(db: None) -> None:
    registry.town()


def test_records_are_declared_and_read(points: None, reader: Callable[..., Reader]) -> None:
    with pytest.raises(Forbidden):
        verbs.declare_records(reader("official"), changes=[registry.record("dom")])
    verbs.declare_records(SYSTEM, changes=[registry.record("dom"), registry.record("sola", name="Šola", kind="school")])
    page = reads.records(door.open(SYSTEM, "desk", kind="registers"), "points")
    assert [(r.title, r.geometry) for r in page.items] == [("Dom krajanov", registry.POINT), ("Šola", registry.POINT)]


def test_every_mistake_of_every_record_is_named_and_nothing_is_changed(points: None) -> None:
    changes = [
        registry.record("good"),
        registry.record("bad", kind="palace", people=1.5),
        registry.record("lost", register="nowhere"),
        registry.record("Bad Key"),
        registry.record("far", geometry={"type": "Point", "coordinates": [0, 99]}),
    ]
    with pytest.raises(Invalid) as caught:
        verbs.declare_records(SYSTEM, changes=changes)
    told = str(caught.value)
    for part in ("bad kind", "bad people", "no register 'nowhere'", "'Bad Key'", "far geometry"):
        assert part in told
    assert reads.records(door.open(SYSTEM, "desk", kind="registers"), "points").total == 0


def test_what_is_read_back_can_be_declared_again_unchanged(points: None) -> None:
    verbs.declare_records(SYSTEM, changes=[registry.record("dom"), registry.record("sola", kind="school")])
    for declaration in providers.DECLARATIONS:
        state = declaration.read()
        assert state
        declaration.write(SYSTEM, [Change(key, fields) for key, fields in state.items()])
        assert declaration.read() == state
        assert all(not declaration.check or not declaration.check(fields) for fields in state.values())


def test_a_record_taken_out_of_the_files_is_retired_and_comes_back(points: None) -> None:
    verbs.declare_records(SYSTEM, changes=[registry.record("dom")])
    verbs.declare_records(SYSTEM, changes=[Change("dom", None)])
    grant = door.open(SYSTEM, "desk", kind="registers")
    assert reads.records(grant, "points").total == 0
    assert reads.record(grant, "points", "dom").retired
    verbs.declare_records(SYSTEM, changes=[registry.record("dom")])
    assert not reads.record(grant, "points", "dom").retired


def test_the_counter_moves_with_every_change(points: None) -> None:
    grant = door.open(SYSTEM, "desk", kind="registers")
    before = reads.counter(grant, "points")
    verbs.declare_records(SYSTEM, changes=[registry.record("dom")])
    assert reads.counter(grant, "points") > before


def test_another_title_field_names_the_records_anew(points: None) -> None:
    verbs.declare_records(SYSTEM, changes=[registry.record("dom")])
    registry.declare(title_field="since")
    assert reads.record(door.open(SYSTEM, "desk", kind="registers"), "points", "dom").title == "2019-05-01"


def test_a_wrong_register_is_refused_with_all_its_mistakes(db: None) -> None:
    with pytest.raises(Invalid) as caught:
        registry.declare(geometry="circle", fields={"gte": {}}, title_field="name", data="")
    told = str(caught.value)
    for part in ("no geometry 'circle'", "'gte'", "no field 'name'", "belongs to a dataset"):
        assert part in told


def test_times_that_export_would_write_otherwise_are_refused_in_files() -> None:
    check = next(d.check for d in providers.DECLARATIONS if d.kind == "record")
    assert check is not None
    assert check({"valid_from": "2020-01-01", "valid_to": "2020-05-01T07:30:00Z"}) == []
    assert len(check({"valid_from": "1. 1. 2020", "valid_to": "2020-05-01T07:30"})) == 2


def test_files_with_empty_values_and_heights_are_taken_as_what_is_stored() -> None:
    made = providers.RecordFile(
        "dom", "points", {"name": "Dom", "kind": None, "web": ""}, {"type": "Point", "coordinates": [14.3, 46.2, 400]}
    )
    assert made.values == {"name": "Dom"}
    assert made.geometry == {"type": "Point", "coordinates": [14.3, 46.2]}


def test_fields_keep_the_order_in_which_they_were_declared(db: None) -> None:
    registry.town()
    names = ["long_name_first", "b", "a", "middle"]
    registry.declare("ordered", fields={name: {"type": "text"} for name in names}, title_field="b")
    grant = door.open(SYSTEM, "export", kind="registers")
    assert [field.name for field in reads.register(grant, "ordered").fields] == names
