"""What keeps many records fast: declared indexes are used, the tree of bounds and the words follow every change."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from krog.base.declaration import Change
from krog.base.errors import Invalid
from krog.base.grant import ANONYMOUS, Grant
from krog.catalogue import door
from krog.people.permissions import SYSTEM
from krog.registers import indexes, models, ordered, reads, verbs
from tests import registry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def _grant() -> Grant:
    return door.open(ANONYMOUS, "api", kind="registers")


def _indexed() -> None:
    registry.town()
    fields = {name: {**about, "indexed": name in ("kind", "people")} for name, about in registry.FIELDS.items()}
    registry.declare(fields=fields)


def _many(count: int = 400) -> None:
    dice = random.Random(3)
    changes = []
    for number in range(count):
        place = {"type": "Point", "coordinates": [14 + dice.random(), 46 + dice.random()]}
        kind = dice.choice(["home", "school"])
        people = None if number % 7 == 0 else dice.randrange(50)
        changes.append(
            registry.record(f"r{number:04d}", kind=kind, people=people, name=f"Hiša {number}", geometry=place)
        )
    verbs.declare_records(SYSTEM, changes=changes)


def _plan(make: Callable[[], object], sorts: bool = False) -> str:
    """How the database answers what `make` asks of the records; `sorts`: it may put a few rows in order itself."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        make()
    asked = next(q["sql"] for q in seen.captured_queries if 'FROM "registers_record"' in q["sql"])
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("EXPLAIN QUERY PLAN " + asked.replace("%", "%%"), [])
        else:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("ANALYZE registers_record")
            cursor.execute(f"SET LOCAL enable_sort = {'on' if sorts else 'off'}")
            cursor.execute("EXPLAIN " + asked.replace("%", "%%"), [])
        return "\n".join(str(row) for row in cursor.fetchall())


def test_a_declared_index_serves_filters_and_both_orders_and_goes_when_nobody_declares_it() -> None:
    _indexed()
    _many()
    grant = _grant()
    by = f"{indexes.PREFIX}people"
    assert by in _plan(lambda: reads.records(grant, "points", sort="people", limit=10))
    assert by in _plan(lambda: reads.records(grant, "points", sort="-people", limit=10))
    assert by in _plan(lambda: reads.records(grant, "points", filters={"people": "7"}, sort="people"), sorts=True)
    assert "registers_record_listed" in _plan(lambda: reads.records(grant, "points", limit=10))
    registry.declare()
    with connection.cursor() as cursor:
        assert not [name for name in indexes._have(cursor) if name.startswith(indexes.PREFIX)]
    assert len(reads.records(grant, "points", sort="people", limit=1000).items) == 400


@pytest.mark.parametrize("sort", ["", "key", "-changed", "people", "-people", "kind", "-name"])
def test_pages_in_any_order_hold_every_record_once(sort: str) -> None:
    _indexed()
    _many(95)
    grant = _grant()
    pages = [reads.records(grant, "points", sort=sort, limit=10, offset=at) for at in range(0, 110, 10)]
    seen = [record.key for page in pages for record in page.items]
    assert len(seen) == len(set(seen)) == 95
    assert {page.total for page in pages} == {95}
    if sort.endswith("people"):
        people = [r.values.get("people") for page in pages for r in page.items]
        known = [each for each in people if each is not None]
        assert people[: len(known)] == sorted(known, reverse=sort.startswith("-"))


def _boxed(box: str) -> set[str]:
    return {record.key for record in reads.records(_grant(), "points", bbox=box, limit=1000).items}


def test_a_box_holds_exactly_the_records_whose_bounds_meet_it_after_every_change() -> None:
    _indexed()
    _many(200)
    west, south, east, north = 14.2, 46.3, 14.55, 46.71
    rows = models.Record.objects.filter(min_lon__lte=east, max_lon__gte=west, min_lat__lte=north, max_lat__gte=south)
    inside = set(rows.values_list("key", flat=True))
    assert inside and _boxed(f"{west},{south},{east},{north}") == inside
    one = min(inside)
    away = {"type": "Point", "coordinates": [15.5, 45.5]}
    verbs.change_record(SYSTEM, key=one, seen=1, geometry=away)
    assert _boxed(f"{west},{south},{east},{north}") == inside - {one}
    assert _boxed("15.4,45.4,15.6,45.6") == {one}
    verbs.change_record(SYSTEM, key=one, seen=2, geometry=None)
    assert _boxed("15.4,45.4,15.6,45.6") == set()
    verbs.retire_record(SYSTEM, key=min(inside - {one}), seen=1, reason="gone")
    assert len(_boxed(f"{west},{south},{east},{north}")) == len(inside) - 2


def test_words_are_found_as_soon_as_they_are_written_and_not_after_they_are_gone() -> None:
    _indexed()
    _many(20)

    def found(text: str) -> list[str]:
        return [record.key for record in reads.records(_grant(), "points", text=text).items]

    assert found("hiša 13") == ["r0013"]
    verbs.change_record(SYSTEM, key="r0013", seen=1, values={"name": 'Vodohran "Čez" 100%'})
    assert found("hiša 13") == []
    assert found("vodohran") == found('"čez"') == found("100%") == found("če") == ["r0013"]
    assert found('" OR *') == []


def test_a_count_is_counted_once_for_each_state_of_the_register() -> None:
    _indexed()
    _many(30)
    grant = _grant()
    assert reads.records(grant, "points", limit=10).total == 30
    with CaptureQueriesContext(connection) as seen:
        assert reads.records(grant, "points", limit=10).total == 30
        assert next(r.count for r in reads.registers(grant) if r.key == "points") == 30
    # The first `registers` has counted under the same name: nothing counts twice.
    assert not [query for query in seen.captured_queries if "COUNT(*)" in query["sql"]]
    verbs.retire_record(SYSTEM, key="r0003", seen=1, reason="gone")
    assert reads.records(grant, "points", limit=10).total == 29
    assert [r.count for r in reads.registers(grant)] == [29]


def test_many_records_are_declared_in_pieces_and_still_all_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    _indexed()
    monkeypatch.setattr(verbs, "CHUNK", 7)
    _many(20)
    assert reads.records(_grant(), "points").total == 20
    wrong = [registry.record(f"n{number}", people="many" if number == 19 else 3) for number in range(20)]
    with pytest.raises(Invalid, match="n19 people"):
        verbs.declare_records(SYSTEM, changes=wrong)
    assert reads.records(_grant(), "points").total == 20
    assert ordered.count(models.Record.objects.filter(key="n1"), 0) == 0


def _related() -> None:
    registry.town()
    fields: dict[str, Any] = {
        "name": {"type": "text"},
        "point": {"type": "record", "register": "points"},
        "for": {"type": "choices", "choices": {"a": {"en": "All"}, "b": None, "c": None}},
    }
    registry.declare("visits", fields=fields)


def _visit(key: str, **values: Any) -> Change:
    return Change(key, {"register": "visits", "values": values, "geometry": None})


def test_a_record_names_records_that_exist_and_several_choices() -> None:
    _related()
    verbs.declare_records(SYSTEM, changes=[_visit("v1", point="p1", **{"for": ["c", "a"]}), registry.record("p1")])
    found = reads.record(_grant(), "visits", "v1")
    assert found.values == {"point": "p1", "for": ["a", "c"]}
    assert reads.titles(_grant(), [("points", "p1"), ("points", "nobody")]) == {("points", "p1"): "Dom krajanov"}
    keys = [[r.key for r in reads.records(_grant(), "visits", filters={"for": each}).items] for each in ("a", "b")]
    assert keys == [["v1"], []]
    with pytest.raises(Invalid, match="no record “p2”"):
        verbs.declare_records(SYSTEM, changes=[_visit("v2", point="p2")])
    with pytest.raises(Invalid) as caught:
        verbs.add_record(SYSTEM, register="visits", values={"point": "v1", "for": ["d"]})
    assert {problem.where for problem in caught.value.problems} == {"for", "point"}
