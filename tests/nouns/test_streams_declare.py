"""Declaring what measures: in bulk, with journal, refused with every mistake at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from krog.base.declaration import Change
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.catalogue import door
from krog.journal import reads as journal
from krog.people.permissions import SYSTEM
from krog.streams import providers, reads, verbs
from tests import sensing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_values", "english")]


@pytest.fixture()
def water(db: None) -> None:
    sensing.dataset("mlaka-water", noun="streams")
    sensing.declare(inflow=sensing.stream(), delivery_1=sensing.stream(role="delivery", sensor=""))


def test_declared_streams_are_read_with_what_they_hang_on(
    water: None, django_assert_num_queries: Callable[..., Any]
) -> None:
    grant = door.open(SYSTEM, "desk", kind="streams")
    with django_assert_num_queries(1):
        found = reads.datastream(grant, "inflow")
    assert (found.thing.key, found.observed_property.unit) == ("shaft", "m3/h")
    assert found.sensor is not None
    assert found.sensor.accuracy == "± 2 %"
    assert found.thing.true_place["en"] == "Italy, 2004"
    assert reads.datastream(grant, "delivery-1").sensor is None


def test_only_digital_officers_declare(water: None, reader: Callable[..., Reader]) -> None:
    for who in (reader(), reader("operator"), reader("official")):
        with pytest.raises(Forbidden, match="digital_officer"):
            verbs.declare(who, kind="thing", changes=[Change("well", sensing.thing())])
    verbs.declare(reader("digital_officer"), kind="thing", changes=[Change("well", sensing.thing())])
    assert reads.thing(door.open(SYSTEM, "desk", kind="streams"), "well").operator == "komunala-kranj"


def test_every_mistake_is_named_and_nothing_is_changed(water: None) -> None:
    wrong = sensing.stream(unit="litres", minimum=5.0, maximum=5.0, interval_s=-1, observed_property="")
    with pytest.raises(Invalid) as caught:
        verbs.declare(
            SYSTEM,
            kind="datastream",
            changes=[Change("good", sensing.stream()), Change("Bad Key", sensing.stream()), Change("bad", wrong)],
        )
    told = str(caught.value)
    for part in ("litres", "not below maximum", "interval_s", "observed_property is missing", "'Bad Key'"):
        assert part in told
    assert set(reads.ingest_index()) == {"inflow", "delivery-1"}


def test_a_stream_names_only_things_that_exist(water: None) -> None:
    with pytest.raises(Invalid, match="no thing 'nowhere'"):
        verbs.declare(SYSTEM, kind="datastream", changes=[Change("lost", sensing.stream(thing="nowhere"))])


def test_a_thing_in_use_is_not_retired_before_its_streams(water: None) -> None:
    with pytest.raises(Conflict, match="delivery-1, inflow"):
        verbs.declare(SYSTEM, kind="thing", changes=[Change("shaft", None)])
    verbs.declare(SYSTEM, kind="datastream", changes=[Change("inflow", None), Change("delivery-1", None)])
    verbs.declare(SYSTEM, kind="thing", changes=[Change("shaft", None)])
    with pytest.raises(NotFound):
        reads.datastream(door.open(SYSTEM, "desk", kind="streams"), "inflow")


def test_every_change_is_in_the_journal_with_before_and_after(water: None) -> None:
    verbs.declare(SYSTEM, kind="datastream", changes=[Change("inflow", sensing.stream(maximum=90.0), "new pump")])
    newest = journal.history(Ref("datastream", "inflow"))[0]
    assert newest.changed == [("maximum", 200.0, 90.0)]
    assert newest.reason == "new pump"


def test_the_ingest_index_follows_every_change(water: None) -> None:
    before = reads.ingest_epoch()
    index = reads.ingest_index()["inflow"]
    assert (index.organisation, index.maximum, index.dataset) == ("komunala-kranj", 200.0, "mlaka-water")
    verbs.declare(SYSTEM, kind="thing", changes=[Change("shaft", sensing.thing(operator="arso"))])
    assert reads.ingest_epoch() > before
    assert reads.ingest_index()["inflow"].organisation == "arso"


def test_what_is_read_back_can_be_declared_again_unchanged(water: None) -> None:
    for declaration in providers.DECLARATIONS:
        state = declaration.read()
        declaration.write(SYSTEM, [Change(key, fields) for key, fields in state.items()])
        assert declaration.read() == state
        assert all(not declaration.check or not declaration.check(fields) for fields in state.values())
