"""Declared fields: what a declaration may say and what values must obey, for whatever is thrown at them."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.registers import geometry, schema
from tests import registry

pytestmark = pytest.mark.usefixtures("english")

FIELDS = schema.read_fields(registry.FIELDS)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
anything = st.recursive(scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3))
tables = st.dictionaries(st.sampled_from([*registry.FIELDS, "other", "'; DROP TABLE"]), anything, max_size=8)


@given(tables)
def test_values_are_either_clean_or_every_bad_field_is_named(values: dict[str, Any]) -> None:
    clean, found = schema.check_values(FIELDS, values)
    bad = {problem.where for problem in found}
    given_fields = {name for name, value in values.items() if not schema.is_empty(value)}
    known = {field.name for field in FIELDS}
    assert {name for name in values if name not in known} <= bad
    assert given_fields & known == (bad & given_fields & known) | set(clean)
    assert not bad & set(clean)
    json.dumps(clean, allow_nan=False)


@given(tables)
def test_clean_values_stay_as_they_are(values: dict[str, Any]) -> None:
    clean, _ = schema.check_values(FIELDS, values)
    again, found = schema.check_values(FIELDS, clean)
    assert again == clean
    assert {problem.where for problem in found} <= {"name"}


@given(st.text() | st.integers() | st.floats() | st.lists(st.text()))
def test_anything_but_a_table_is_refused(values: Any) -> None:
    clean, found = schema.check_values(FIELDS, values)
    assert (clean, bool(found)) == ({}, True)


@given(st.floats(-(2**53), 2**53))
def test_numbers_come_through_exactly(value: float) -> None:
    clean, found = schema.check_values(FIELDS, {"name": "x", "capacity": value})
    assert (clean["capacity"], found) == (value, [])


@pytest.mark.parametrize("value", [2**53 + 2, 1e300, -1e17])
def test_numbers_on_which_engines_do_not_agree_are_refused(value: float) -> None:
    clean, found = schema.check_values(FIELDS, {"name": "x", "capacity": value})
    assert "capacity" not in clean
    assert [problem.where for problem in found] == ["capacity"]


@given(st.dates())
def test_days_come_through_exactly(day: date) -> None:
    clean, found = schema.check_values(FIELDS, {"name": "x", "since": day.isoformat()})
    assert (clean["since"], found) == (day.isoformat(), [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("capacity", "2,5"),
        ("capacity", True),
        ("capacity", math.nan),
        ("capacity", math.inf),
        ("capacity", 10**400),
        ("people", 2.5),
        ("people", "12"),
        ("people", 2**60),
        ("since", "12. 5. 2026"),
        ("since", "2026-02-30"),
        ("since", "2026-05-12T10:00"),
        ("open", "yes"),
        ("open", 1),
        ("kind", "palace"),
        ("kind", "HOME"),
        ("web", "javascript:alert(1)"),
        ("web", "https://"),
        ("web", 'https://x/"><script>'),
        ("web", "ftp://x.si"),
        ("name", 5),
        ("name", "a\x00b"),
        ("name", "x" * 5001),
        ("name", "\ud800"),
        ("nothing", "x"),
    ],
)
def test_what_a_field_does_not_take(name: str, value: Any) -> None:
    clean, found = schema.check_values(FIELDS, {"name": "x", name: value})
    assert [problem.where for problem in found] == [name]
    assert name not in clean
    assert found[0].allowed


def test_all_mistakes_at_once() -> None:
    _, found = schema.check_values(FIELDS, {"capacity": "much", "kind": "palace", "colour": "red"})
    assert {problem.where for problem in found} == {"colour", "name", "kind", "capacity"}


@pytest.mark.parametrize(
    ("declared", "part"),
    [
        ({"Name": {}}, "cannot name"),
        ({"a__b": {}}, "cannot name"),
        ({"gte": {}}, "already has a meaning"),
        ({"a": {"type": "colour"}}, "no type"),
        ({"a": {"type": "choice"}}, "needs its choices"),
        ({"a": {"type": "choice", "choices": []}}, "at least one"),
        ({"a": {"choices": ["x"]}}, "Only the types choice"),
        ({"a": {"unit": "m"}}, "Only numbers"),
        ({"a": {"type": "number", "unit": "litre"}}, "no unit"),
        ({"a": {"size": 3}}, "has no size"),
        ({"a": "text"}, "is a table"),
        (["a"], "Fields are a table"),
        ({"a": {"required": "yes"}}, "true or false"),
    ],
)
def test_what_a_declaration_may_not_say(declared: Any, part: str) -> None:
    assert part in " ".join(map(str, schema.check_fields(declared)))


def test_a_good_declaration_has_no_mistakes() -> None:
    assert schema.check_fields(registry.FIELDS, "name") == []
    assert "no field 'size'" in str(schema.check_fields(registry.FIELDS, "size")[0])


@given(
    st.sampled_from(["point", "line", "polygon", "none"]),
    anything
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["Point", "LineString", "Polygon", "Circle"]), "coordinates": anything}
    ),
)
def test_no_geometry_breaks_the_reader(kind: str, geojson: Any) -> None:
    found, problems = geometry.read(kind, geojson)
    assert found is None or not problems
    if geojson is not None and found is None:
        assert problems


lon, lat = st.floats(-180, 180), st.floats(-90, 90)


@given(lon, lat, st.floats(-100, 9000))
def test_places_come_through_exactly_without_their_height(east: float, north: float, height: float) -> None:
    point = {"type": "Point", "coordinates": [east, north, height]}
    found, problems = geometry.read("point", point)
    assert problems == []
    assert found is not None
    assert geometry.to_geojson(geometry.to_wkb(found)) == geometry.flat(point)


@pytest.mark.parametrize(
    ("kind", "geojson"),
    [
        ("point", {"type": "Point", "coordinates": [46.27, 114.3]}),
        ("point", {"type": "Point", "coordinates": []}),
        ("point", {"type": "Point", "coordinates": ["14", None]}),
        ("none", registry.POINT),
        ("point", {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}),
        ("polygon", {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}),
    ],
)
def test_what_a_place_may_not_be(kind: str, geojson: Any) -> None:
    found, problems = geometry.read(kind, geojson)
    assert found is None
    assert problems
