"""Records of a register stand in a table too: read by its fields, written back, mistakes told with line and key."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from krog.base.declaration import Change
from krog.base.grant import ANONYMOUS
from krog.catalogue import door
from krog.engine.cities.apply import apply
from krog.engine.cities.check import check
from krog.engine.cities.compare import compare, state
from krog.engine.cities.export import export
from krog.engine.cities.kinds import collect
from krog.people.permissions import SYSTEM
from krog.registers import reads, roles
from krog.registers.schema import check_values, read_fields
from tests.unit.cities.fakes import folder

pytestmark = pytest.mark.django_db(transaction=True)

CITY = 'key = "town"\nname = "Town"\nlanguages = ["sl"]\n'
DATA = """
[[dataset]]
key = "trees"
title = { sl = "Drevesa" }
noun = "registers"
access = "public"
doubts = [{ sl = "Leto sajenja je ocena." }]
"""
FIELDS = """
name = { type = "text", required = true }
height = { type = "number", unit = "m" }
planted = { type = "integer" }
checked = { type = "date" }
protected = { type = "boolean" }
web = { type = "url" }
kind = { type = "choice", choices = ["oak", "lime"] }
"""


def register(geometry: str = "point", more: str = "", fields: str = FIELDS) -> str:
    head = f'[[register]]\nkey = "trees"\ntitle = {{ sl = "Drevesa" }}\ndataset = "trees"\ngeometry = "{geometry}"\n'
    return f'{head}title_field = "name"\n{more}[register.fields]{fields}'


def town(path: Path, table: str, declared: str | None = None) -> Path:
    return folder(
        path,
        city_toml=CITY,
        datasets_toml=DATA,
        registers_toml=declared or register(),
        registers__trees_csv=table,
    )


def found(path: Path) -> list[str]:
    with translation.override("en"):
        return [str(each) for each in check(path)]


ROWS = """key,name,height,planted,checked,protected,web,kind,lon,lat,valid_from
tree-1,"Lipa, stara",12.5,1890,2026-05-12,da,https://example.org/1,lime,14.35,46.24,2020-01-01
tree-2,Hrast,9,,,false,,oak,,,
"""


def test_spaces_around_texts_are_no_change(tmp_path: Path) -> None:
    path = town(tmp_path, 'key,name\na," Lipa, stara "\n')
    apply(path, SYSTEM)
    assert state(collect()["record"])["a"]["values"]["name"] == "Lipa, stara"
    assert not apply(path, SYSTEM).written


def test_cells_become_values_of_the_declared_types(tmp_path: Path) -> None:
    apply(town(tmp_path, ROWS), SYSTEM)
    records = state(collect()["record"])
    assert records["tree-1"] == {
        "register": "trees",
        "values": {
            "name": "Lipa, stara", "height": 12.5, "planted": 1890, "checked": "2026-05-12", "protected": True,
            "web": "https://example.org/1", "kind": "lime",
        },
        "geometry": {"type": "Point", "coordinates": [14.35, 46.24]},
        "valid_from": "2020-01-01",
        "valid_to": "",
    }  # fmt: skip
    assert records["tree-2"]["values"] == {"name": "Hrast", "height": 9.0, "protected": False, "kind": "oak"}
    assert records["tree-2"]["geometry"] is None
    assert compare(tmp_path).changes == ()


@pytest.mark.parametrize(
    ("table", "where", "what"),
    [
        ("key,name,hight\na,A,3\n", "registers/trees.csv:1", "There is no column 'hight'. Allowed: key, "),
        ("key,name,name\na,A,B\n", "registers/trees.csv:1", "The column 'name' stands twice."),
        ("key;name\na;A\n", "registers/trees.csv:1", "divided by semicolons"),
        ("key,name\na,A,B\n", "registers/trees.csv:2", "The row has 3 cells"),
        ("key,name,planted\na,A,1890\nb,B,old\n", "registers/trees.csv:3 record b", "“old” is not allowed."),
        ("key,name,protected\na,A,maybe\n", "registers/trees.csv:2 record a", "“maybe” is not allowed."),
        ("key,name,kind\na,A,pine\n", "registers/trees.csv:2 record a", "oak, lime"),
        ("key,name,height\na,,3\n", "registers/trees.csv:2 record a", "A value is missing."),
        ("key,name\n,A\n", "registers/trees.csv:2 record", "The key is missing"),
        ("key,name\na,A\na,B\n", "registers/trees.csv:3 record a", "stands twice"),
        ("key,name,lon\na,A,14\n", "registers/trees.csv:2 lat", "lat is missing"),
        ("key,name,lon,lat\na,A,east,46\n", "registers/trees.csv:2 lon", "is not a number"),
        ("key,name,lon,lat\na,A,451000,121000\n", "registers/trees.csv:2 record a", "D96/TM"),
    ],
)
def test_each_mistake_in_a_table_has_its_line(tmp_path: Path, table: str, where: str, what: str) -> None:
    told = found(town(tmp_path, table))
    assert any(each.startswith(where) and what in each for each in told), told


def test_a_place_where_the_register_has_none_is_a_mistake(tmp_path: Path) -> None:
    told = found(town(tmp_path, "key,name,lon,lat\na,A,14,46\n", register("none")))
    assert "no place" in told[0]


def test_a_table_of_no_register_is_a_mistake(tmp_path: Path) -> None:
    path = folder(tmp_path, city_toml=CITY, registers__gone_csv="key,name\na,A\n")
    assert any("There is no register 'gone'" in each for each in found(path))


def test_an_export_writes_a_table_where_records_have_no_place(tmp_path: Path) -> None:
    apply(town(tmp_path / "a", "key,name\nb,B\na,A\n", register("none")), SYSTEM)
    export(tmp_path / "copy")
    assert (tmp_path / "copy/registers/trees.csv").read_text() == "key,name\na,A\nb,B\n"
    assert not (tmp_path / "copy/registers/trees.geojson").exists()
    assert export(tmp_path / "a").written == {}


def test_a_table_of_points_stays_a_table_until_a_place_needs_more(tmp_path: Path) -> None:
    apply(town(tmp_path / "a", ROWS), SYSTEM)
    assert export(tmp_path / "a").written == {}
    kinds = collect()
    several = {"type": "MultiPoint", "coordinates": [[14.0, 46.0], [14.1, 46.0]]}
    kinds["record"].write(SYSTEM, [Change("tree-2", {**state(kinds["record"])["tree-2"], "geometry": several})])
    done = export(tmp_path / "a")
    assert set(done.written) == {"registers/trees.geojson"}
    assert done.removed == ("registers/trees.csv",)
    assert compare(tmp_path / "a").changes == ()


words = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\"'\\|,;0"), min_size=1, max_size=30
).filter(str.strip)
VALUES = st.fixed_dictionaries(
    {"name": words.map(str.strip)},
    optional={
        "height": st.floats(-(2**53), 2**53),
        "planted": st.integers(-(2**53), 2**53),
        "checked": st.dates().map(str),
        "protected": st.booleans(),
        "kind": st.sampled_from(["oak", "lime"]),
    },
)


@settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(records=st.lists(VALUES, min_size=1, max_size=4), point=st.tuples(st.floats(-180, 180), st.floats(-90, 90)))
def test_records_come_back_from_a_table_as_they_were(records: list[dict[str, Any]], point: tuple[float, float]) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = town(Path(place) / "a", "key,name\n")
        apply(path, SYSTEM)
        kind = collect()["record"]
        where = {"type": "Point", "coordinates": list(point)}
        kind.write(
            SYSTEM,
            [
                Change(f"r{n}", {"register": "trees", "values": values, "geometry": where if n else None})
                for n, values in enumerate(records)
            ],
        )
        before = state(kind)
        assert "registers/trees.csv" in {*export(path).written, *export(path).unchanged}
        assert found(path) == []
        assert compare(path).changes == ()
        assert {item.key: item.whole for item in compare(path).reading.of("record")} == before


ROLE = {
    name: {"type": needed.types[0], **({"choices": [*needed.choices, "other"]} if "choice" in needed.types else {})}
    for name, needed in roles.ROLES["services"].items()
}


def test_a_register_of_a_role_must_have_the_fields_that_code_asks_for() -> None:
    assert roles.problems("services", ROLE) == []
    lacking = {name: about for name, about in ROLE.items() if name != "owner"}
    assert [p.what for p in roles.problems("services", lacking)] == ["role services needs the field owner."]
    wrong = {**ROLE, "personal_data": {"type": "text"}, "alive": {"type": "choice", "choices": ["yes"]}}
    assert [p.where for p in roles.problems("services", wrong)] == ["fields.personal_data.type", "fields.alive.choices"]
    assert "services, systems" in roles.problems("boss", ROLE)[0].allowed
    assert check_values(read_fields(ROLE), {"title": "a", "alive": "yes"})[1] == []


def test_a_role_that_is_not_whole_is_told_with_file_and_line(tmp_path: Path) -> None:
    told = found(town(tmp_path, "key,name\n", register("none", 'role = "services"\n')))
    assert told[0].startswith("registers.toml:7 register trees, role")


def test_fields_of_a_role_are_not_hidden_by_the_dictionary_of_the_dataset(tmp_path: Path) -> None:
    fields = "\n" + "\n".join(
        f'{name} = {{ type = "{about["type"]}"'
        + (f", choices = {list(about['choices'])}".replace("'", '"') if "choices" in about else "")
        + " }"
        for name, about in ROLE.items()
    )
    one = register("none", 'role = "services"\n', fields).replace('title_field = "name"', 'title_field = "title"')
    path = town(tmp_path, "key,title\na,A\n", one)
    assert found(path) == []
    shown = "\n".join(f'{name} = {{ type = "text" }}' for name in ROLE if name != "status")
    (path / "datasets.toml").write_text(f"{DATA}[dataset.fields]\n{shown}\n")
    told = found(path)
    assert len(told) == 1
    assert "role services needs the field status among the fields of dataset trees" in told[0]


def test_one_register_plays_a_role_and_is_found_by_it(tmp_path: Path) -> None:
    fields = "\n" + "\n".join(
        f'{name} = {{ type = "{about["type"]}"'
        + (f", choices = {list(about['choices'])}".replace("'", '"') if "choices" in about else "")
        + " }"
        for name, about in ROLE.items()
    )
    one = register("none", 'role = "services"\n', fields).replace('title_field = "name"', 'title_field = "title"')
    path = town(tmp_path, "key,title\na,A\n", one)
    apply(path, SYSTEM)
    grant = door.open(ANONYMOUS, "portal", kind="registers")
    services = reads.register_of(grant, "services")
    assert services is not None
    assert services.key == "trees"
    assert reads.register_of(grant, "systems") is None
    twice = one + "\n" + one.replace('key = "trees"', 'key = "bushes"')
    told = found(town(tmp_path, "key,title\na,A\n", twice))
    assert any("given to bushes, trees" in each for each in told), told
