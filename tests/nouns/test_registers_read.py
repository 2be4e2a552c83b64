"""Reading registers: filters, order, pages, boxes; and what the grant hides stays hidden everywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from krog.base.errors import Invalid, NotFound
from krog.base.grant import ANONYMOUS, Reader
from krog.catalogue import door
from krog.people.permissions import SYSTEM
from krog.registers import reads, verbs
from tests import registry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def _grant(who: Reader = ANONYMOUS) -> reads.Grant:
    return door.open(who, "api", kind="registers")


def _fill() -> None:
    place = {"type": "Point", "coordinates": [14.0, 46.0]}
    verbs.declare_records(
        SYSTEM,
        changes=[
            registry.record("a", name="Čebelica", people=5, capacity=1.5, since="2020-01-01", open=True),
            registry.record("b", name="Bor", people=50, capacity=10, since="2010-01-01", open=False, kind="school"),
            registry.record("c", name="Cesta <script>", people=12, capacity=2.5, since="2015-06-01", geometry=place),
            registry.record("d", name="Dom", people=None, capacity=None, since=None, open=None, geometry=None),
        ],
    )


@pytest.fixture()
def points(db: None) -> None:
    registry.town()
    _fill()


def _keys(**asked: object) -> list[str]:
    return [r.key for r in reads.records(_grant(), "points", **asked).items]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ({"filters": {"kind": "school"}}, ["b"]),
        ({"filters": {"open": "true"}}, ["a", "c"]),
        ({"filters": {"people": "12"}}, ["c"]),
        ({"filters": {"people.min": "12"}}, ["b", "c"]),
        ({"filters": {"capacity.max": "2.5", "capacity.min": "1"}}, ["a", "c"]),
        ({"filters": {"since.min": "2015-06-01"}}, ["a", "c"]),
        ({"filters": {"name": "Bor' OR '1'='1"}}, []),
        ({"filters": {"name": "Bor"}}, ["b"]),
        ({"text": "čeb"}, ["a"]),
        ({"text": "ČEBELICA"}, ["a"]),
        ({"text": "<script>"}, ["c"]),
        ({"text": "100%"}, []),
        ({"bbox": "14.3,46.2,14.4,46.3"}, ["a", "b"]),
        ({"bbox": "13.9,45.9,14.0,46.0"}, ["c"]),
    ],
)
def test_records_are_chosen(points: None, asked: dict[str, object], keys: list[str]) -> None:
    assert sorted(_keys(**asked)) == keys
    assert reads.records(_grant(), "points", **asked).total == len(keys)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sort", "keys"),
    [
        ("people", "acbd"),
        ("-people", "bcad"),
        ("since", "bcad"),
        ("-since", "acbd"),
        ("key", "abcd"),
        ("-key", "dcba"),
        ("-capacity", "bcad"),
        ("-open", "cabd"),
    ],
)
def test_records_are_sorted_and_those_without_a_value_come_last(points: None, sort: str, keys: str) -> None:
    assert "".join(_keys(sort=sort)) == keys


def test_pages_hold_every_record_once(points: None) -> None:
    seen = [key for offset in range(0, 6, 2) for key in _keys(sort="kind", limit=2, offset=offset)]
    assert sorted(seen) == ["a", "b", "c", "d"]
    assert reads.records(_grant(), "points", limit=2, offset=2**70).total == 4
    assert reads.records(_grant(), "points", limit=10**9).limit == reads.MOST


def test_every_wrong_wish_is_named(points: None) -> None:
    with pytest.raises(Invalid) as caught:
        reads.records(
            _grant(),
            "points",
            sort="colour; DROP TABLE",
            bbox="1,2,3",
            filters={"colour": "red", "people": "many", "name.min": "A", "people__gt": "1", "since.max": "yesterday"},
        )
    assert {p.where for p in caught.value.problems} == {
        "colour",
        "people",
        "name.min",
        "people__gt",
        "since.max",
        "sort",
        "bbox",
    }
    for box in ("a,b,c,d", "1,2,0,4", "nan,1,2,3", ""):
        if box:
            with pytest.raises(Invalid):
                _keys(bbox=box)


def test_hidden_fields_are_hidden_from_values_filters_order_search_and_history(db: None) -> None:
    fields = {name: {"access": "official" if name in ("people", "name") else "public"} for name in registry.FIELDS}
    registry.town(fields=fields)
    _fill()
    found = reads.record(_grant(), "points", "b")
    assert ("people" in found.values, found.title) == (False, "b")
    assert reads.records(_grant(), "points", text="Bor").total == 0
    assert reads.records(_grant(SYSTEM), "points", text="Bor").total == 1
    assert reads.register(_grant(), "points").field("people") is None
    for wish in ({"filters": {"people": "50"}}, {"sort": "people"}):
        with pytest.raises(Invalid):
            reads.records(_grant(), "points", **wish)  # type: ignore[arg-type]
    assert all("people" not in (e.after or {}) for e in reads.history(_grant(), "points", "b"))
    assert found.geometry is None
    assert reads.records(_grant(), "points", bbox="-180,-90,180,90").total == 0


def test_the_public_sees_only_the_rows_that_are_published(db: None) -> None:
    registry.town(public_rows={"field": "open", "op": "=", "value": True})
    _fill()
    assert sorted(_keys()) == ["a", "c"]
    assert reads.registers(_grant())[0].count == 2
    with pytest.raises(NotFound):
        reads.record(_grant(), "points", "b")
    with pytest.raises(NotFound):
        reads.history(_grant(), "points", "b")
    assert reads.records(_grant(SYSTEM), "points").total == 4


def test_a_restricted_register_does_not_exist_for_others(db: None, reader: Callable[..., Reader]) -> None:
    registry.town(access="restricted", roles=["operator"])
    _fill()
    for who in (ANONYMOUS, reader("official"), reader("citizen")):
        assert reads.registers(_grant(who)) == []
        for ask in (
            lambda g: reads.register(g, "points"),
            lambda g: reads.records(g, "points"),
            lambda g: reads.record(g, "points", "a"),
            lambda g: reads.counter(g, "points"),
        ):
            with pytest.raises((NotFound, Invalid)):
                ask(_grant(who))
    assert reads.records(_grant(reader("operator")), "points").total == 4


def test_geojson_carries_key_place_and_values(points: None) -> None:
    found = reads.collection(reads.records(_grant(), "points", sort="key", limit=1).items)
    assert found["features"][0]["id"] == "a"
    assert found["features"][0]["geometry"] == registry.POINT
    assert found["features"][0]["properties"]["valid_from"] == "2020-01-01"


def test_strange_keys_are_simply_not_there(points: None) -> None:
    for key in ("a/b", "a\x00", "' OR 1=1", "x" * 5000, "<script>"):
        with pytest.raises(NotFound):
            reads.record(_grant(), "points", key)
        with pytest.raises(NotFound):
            reads.register(_grant(), key)


def test_a_list_is_few_queries(points: None, django_assert_num_queries: Callable[..., object]) -> None:
    grant = _grant()
    with django_assert_num_queries(3):  # type: ignore[attr-defined]
        reads.records(grant, "points")
    with django_assert_num_queries(2):  # type: ignore[attr-defined]
        reads.registers(grant)
