"""What every noun lets a city declare has one shape: fields with defaults, known references, a state to compare."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from msgspec import NODEFAULT, inspect

from krog.base.declaration import Declaration
from krog.engine.cities.check import check
from krog.engine.cities.kinds import collect, slot_names
from krog.engine.cities.readers import read
from krog.engine.cities.values import defaults, fields_of
from krog.engine.cities.writers import said

KINDS = collect()
CITIES = sorted(path.parent for path in (Path(__file__).parents[2] / "cities").glob("*/city.toml"))
SUFFIXES = (".toml", ".csv", ".geojson", ".md")

each_kind = pytest.mark.parametrize("declaration", list(KINDS), ids=lambda one: one.kind)


@pytest.mark.parametrize("city", CITIES, ids=lambda path: path.name)
def test_every_city_in_the_project_has_no_mistakes(city: Path) -> None:
    assert [str(found) for found in check(city)] == []


def test_every_noun_declares_something() -> None:
    nouns = {one.shape.__module__.split(".")[1] for one in KINDS}
    assert nouns == {
        "engine", "people", "catalogue", "streams", "registers", "indicators", "plans", "rules", "cases", "voice",
    }  # fmt: skip


@each_kind
def test_every_field_but_the_key_has_a_default(declaration: Declaration) -> None:
    info = inspect.type_info(declaration.shape)
    assert isinstance(info, inspect.StructType)
    assert [field.name for field in info.fields if field.required] == ["key"]


@each_kind
def test_a_field_that_may_be_nothing_is_nothing_by_default(declaration: Declaration) -> None:
    for name, field in fields_of(declaration.shape).items():
        kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
        if any(isinstance(kind, inspect.NoneType) for kind in kinds):
            assert field.default is None, name
        else:
            assert field.default is not NODEFAULT or field.default_factory is not NODEFAULT, name


@each_kind
def test_lists_and_tables_are_empty_by_default(declaration: Declaration) -> None:
    for name, value in defaults(declaration).items():
        if isinstance(value, list):
            assert value == [], name
        if isinstance(value, dict):
            assert not any(value.values()), name


@each_kind
def test_references_name_known_kinds_and_fields(declaration: Declaration) -> None:
    for way, kind in declaration.refs.items():
        assert kind in KINDS.by_kind, way
        assert way.partition(".")[0] in fields_of(declaration.shape), way


@each_kind
def test_the_file_is_of_a_kind_that_can_be_read_and_names_known_fields(declaration: Declaration) -> None:
    assert declaration.file.endswith(SUFFIXES)
    if not declaration.file.endswith(".md"):
        assert set(slot_names(declaration.file)) <= set(fields_of(declaration.shape))


def test_a_table_holds_one_kind() -> None:
    tables = [one.file for one in KINDS if not one.file.endswith(".toml")]
    assert len(tables) == len(set(tables))


@pytest.mark.django_db
@each_kind
def test_the_state_has_exactly_the_fields_of_the_shape(declaration: Declaration) -> None:
    """On an empty database there is nothing; what Kranj puts there is compared in tests/nouns/test_cities_kranj.py."""
    assert dict(declaration.read()) == {}
    assert said(declaration, defaults(declaration)) == {}


@pytest.mark.parametrize("city", CITIES, ids=lambda path: path.name)
def test_what_is_replayed_is_declared(city: Path) -> None:
    recipe = tomllib.loads((city / "replay.toml").read_text("utf-8"))
    fed = {one["datastream"] for one in recipe.get("recorded", [])}
    for zone in recipe.get("water", []):
        fed |= {zone["inflow"], *zone["deliveries"]}
    declared = {item.key for item in read(city, KINDS).of("datastream")}
    assert fed == declared


@pytest.mark.parametrize("city", CITIES, ids=lambda path: path.name)
def test_every_rule_of_a_city_is_tried_on_what_fires_it_and_on_what_does_not(city: Path) -> None:
    rules = read(city, KINDS).of("rule")
    tried = {rule.key: {sample["fires"] for sample in rule.fields.get("samples", [])} for rule in rules}
    assert tried
    assert {key for key, kinds in tried.items() if kinds != {True, False}} == set()
