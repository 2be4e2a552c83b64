"""Territories stand in several hierarchies that overlap, each link for its time."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.base.grant import ANONYMOUS, Grant
from krog.engine.cities.apply import apply
from krog.engine.cities.check import check
from krog.people import reads
from krog.people.models import Territory, TerritoryPart
from krog.people.permissions import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

GRANT = Grant(ANONYMOUS, "portal")

CITY = 'key = "test"\nname = "Test"\ntitle = { en = "Test" }\nlanguages = ["en"]\n'

TERRITORIES = """
[[territory]]
key = "slovenia"
title = { en = "Slovenia" }
level = "state"

[[territory]]
key = "gorenjska"
title = { en = "Gorenjska" }
level = "region"
parent = "slovenia"

[[territory]]
key = "mo-kranj"
title = { en = "Kranj" }
level = "municipality"
parent = "gorenjska"

[[territory]]
key = "mlaka"
title = { en = "Mlaka" }
level = "settlement"
parent = "mo-kranj"

[[territory]]
key = "golnik"
title = { en = "Golnik" }
level = "settlement"
parent = "mo-kranj"

[[territory]]
key = "ks-kokrica"
title = { en = "Kokrica" }
level = "local_community"
parent = "mo-kranj"

[[territory]]
key = "school-east"
title = { en = "School East" }
level = "school_district"

[[territory]]
key = "school-west"
title = { en = "School West" }
level = "school_district"

[[hierarchy]]
key = "communities"
title = { en = "Local communities" }

[[hierarchy]]
key = "schools"
title = { en = "School districts" }
"""

PARTS = """territory,hierarchy,within,valid_from,valid_to
mlaka,communities,ks-kokrica,,
mlaka,schools,school-east,,2020-09-01
mlaka,schools,school-west,2020-09-01,
golnik,schools,school-west,,
"""


def folder(where: Path, parts: str = PARTS, territories: str = TERRITORIES) -> Path:
    (where / "territories").mkdir()
    (where / "city.toml").write_text(CITY, "utf-8")
    (where / "territories.toml").write_text(territories, "utf-8")
    (where / "territories" / "parts.csv").write_text(parts, "utf-8")
    return where


@pytest.fixture()
def land(tmp_path: Path) -> None:
    apply(folder(tmp_path), SYSTEM)


def test_a_settlement_lies_in_each_hierarchy_at_once(land: None) -> None:
    assert reads.ancestors(GRANT, "mlaka", on=date(2026, 1, 1)) == {
        "administrative": ("mo-kranj", "gorenjska", "slovenia"),
        "communities": ("ks-kokrica",),
        "schools": ("school-west",),
    }
    assert [place.hierarchy.key for place in reads.places(GRANT, "mlaka")] == [
        "administrative",
        "communities",
        "schools",
    ]


def test_a_day_has_the_hierarchy_that_held_on_it(land: None) -> None:
    last, first = date(2020, 8, 31), date(2020, 9, 1)
    assert reads.ancestors(GRANT, "mlaka", on=last)["schools"] == ("school-east",)
    assert reads.ancestors(GRANT, "mlaka", on=first)["schools"] == ("school-west",)
    assert [one.key for one in reads.parts(GRANT, "school-west", "schools", on=last)] == ["golnik"]
    assert [one.key for one in reads.parts(GRANT, "school-west", "schools", on=first)] == ["golnik", "mlaka"]


def test_what_lies_within_is_found_at_any_depth(land: None) -> None:
    assert reads.within(GRANT, "gorenjska") == {"gorenjska", "mo-kranj", "mlaka", "golnik", "ks-kokrica"}
    assert reads.within(GRANT, "gorenjska", "schools") == {"gorenjska"}
    assert reads.within(GRANT, "nowhere") == {"nowhere"}


def test_what_no_longer_exists_has_no_place_but_is_found(land: None) -> None:
    Territory.objects.filter(key="ks-kokrica").update(valid_to="2024-01-01")
    assert "communities" in reads.ancestors(GRANT, "mlaka", on=date(2023, 12, 31))
    assert "communities" not in reads.ancestors(GRANT, "mlaka", on=date(2024, 1, 1))
    assert "ks-kokrica" not in [one.key for one in reads.territories(GRANT)]
    assert reads.territory(GRANT, "ks-kokrica").valid_to == "2024-01-01"


def test_a_territory_within_its_own_part_is_told_with_file_and_line(tmp_path: Path) -> None:
    circle = PARTS + "ks-kokrica,communities,mo-kranj,,\nmo-kranj,communities,mlaka,,\n"
    found = [str(one) for one in check(folder(tmp_path, circle))]
    assert len(found) == 3 and all("goes in a circle in the hierarchy communities" in one for one in found)
    assert "territories/parts.csv:2" in found[0] and "mlaka → ks-kokrica → mo-kranj → mlaka" in found[0]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("golnik,schools,nowhere,,", "There is no territory 'nowhere'"),
        ("golnik,nothing,school-east,,", "There is no hierarchy 'nothing'"),
        ("golnik,schools,golnik,,", "within is the territory itself"),
        ("golnik,schools,school-east,1. 9. 2020,", "is not a day such as"),
        ("golnik,schools,school-east,2020-09-01,2020-09-01", "valid_to is the first day"),
        ("golnik,,school-east,,", "hierarchy is missing"),
    ],
)
def test_a_wrong_part_is_told_with_its_line(tmp_path: Path, row: str, what: str) -> None:
    found = [str(one) for one in check(folder(tmp_path, PARTS + row + "\n"))]
    assert any(what in one and "territories/parts.csv:6" in one for one in found), found


def test_an_unknown_level_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    wrong = TERRITORIES.replace('"school_district"', '"school"', 1)
    assert any(
        "level 'school' is not one of state, region" in str(one) for one in check(folder(tmp_path, PARTS, wrong))
    )


KEYS = st.sampled_from("abcdef")


@given(st.lists(st.tuples(KEYS, KEYS)))
def test_reading_ends_and_up_and_down_agree_whatever_is_stored(links: list[tuple[str, str]]) -> None:
    """Also with circles, which only something else than `apply` could have written."""
    TerritoryPart.objects.all().delete()
    Territory.objects.all().delete()
    Territory.objects.bulk_create(Territory(key=key, level="zone") for key in "abcdef")
    TerritoryPart.objects.bulk_create(
        TerritoryPart(key=f"{a}-{b}", territory=a, within=b, hierarchy="h") for a, b in sorted(set(links))
    )
    above = {key: reads.ancestors(GRANT, key).get("h", ()) for key in "abcdef"}
    for key in "abcdef":
        below = reads.within(GRANT, key, "h") - {key}
        assert below == {other for other in "abcdef" if key in above[other]}


def test_the_page_shows_every_hierarchy_and_the_day_asked_for(client, land: None) -> None:
    now = client.get("/en/territories/mlaka").content.decode()
    assert "School West" in now and "Kokrica" in now and "Gorenjska" in now and "School East" not in now
    then = client.get("/en/territories/mlaka?on=2020-01-01").content.decode()
    assert "School East" in then and "School West" not in then and "As it was on" in then
    assert client.get("/en/territories/mlaka?on=nonsense").status_code == 200


def test_the_list_groups_by_level_and_is_cheap(client, land: None, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(12):
        page = client.get("/en/territories/").content.decode()
    assert page.index("Regions") < page.index("Settlements") < page.index("School districts")


def test_programs_get_the_hierarchies_too(client, land: None) -> None:
    found = client.get("/api/v1/territories/mlaka?on=2020-01-01").json()
    assert found["hierarchies"]["schools"] == {
        "title": {"en": "School districts"},
        "within": ["school-east"],
        "parts": [],
    }
