"""Places in the coordinate systems of the country: published points, axis order, refusals, there and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

from krog.base.grant import ANONYMOUS
from krog.catalogue import door
from krog.people.permissions import SYSTEM
from krog.registers import crs, geometry, reads, verbs
from krog.registers.providers import RecordFile
from tests import registry

pytestmark = pytest.mark.usefixtures("english")


def _metres(lon: float, lat: float, to: tuple[float, float]) -> float:
    return math.hypot((lon - to[0]) * 111_320 * math.cos(math.radians(lat)), (lat - to[1]) * 111_320)


def test_d96_agrees_with_the_published_centre_of_its_area() -> None:
    # EPSG:3794, centre coordinates: 14.995 E 46.15 N = e 499613.77, n 112247.58.
    found = crs.to_wgs84(Point(499613.77, 112247.58), "3794")
    assert _metres(found.x, found.y, (14.995, 46.15)) < 0.02


@pytest.mark.parametrize(
    ("published", "point"),
    [
        # EPSG:3929 (upper Soča valley) and EPSG:3930 (Gorica): the surveying authority's similarity transformations.
        ((-378.752, 493.395, 1.0000126775, 0.000984675), (395_000, 130_000)),
        ((-380.322, 494.216, 1.000015768, 0.0012011048), (395_000, 90_000)),
    ],
)
def test_d48_agrees_with_the_published_transformations_to_d96_within_its_accuracy(
    published: tuple[float, float, float, float], point: tuple[float, float]
) -> None:
    east, north, scale, degrees = published
    turn, (y, x) = math.radians(degrees), point
    e = east + y * scale * math.cos(turn) + x * scale * math.sin(turn)
    n = north - y * scale * math.sin(turn) + x * scale * math.cos(turn)
    there = crs.from_wgs84(crs.to_wgs84(Point(*point), "3912"), "3794")
    assert there is not None
    assert math.hypot(there.x - e, there.y - n) < crs.SYSTEMS["3912"].accuracy_m


@given(e=st.floats(373_000, 624_000), n=st.floats(31_000, 195_000), code=st.sampled_from(["3794", "3912"]))
def test_there_and_back_is_the_same_point(e: float, n: float, code: str) -> None:
    back = crs.from_wgs84(crs.to_wgs84(Point(e, n), code), code)
    assert back is not None
    assert math.hypot(back.x - e, back.y - n) < 0.02


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({"coordinates": [125_742, 449_702], "crs": "EPSG:3794"}, "D96/TM (EPSG:3794): e 372000 – 625000"),
        ({"coordinates": [5_449_702, 5_125_742], "crs": "3912"}, "D48/GK (EPSG:3912)"),
        ({"coordinates": [14.35, 46.27], "crs": "3794"}, "D96/TM (EPSG:3794)"),
        ({"coordinates": [449_702, 125_742], "crs": "EPSG:31255"}, "There is no such coordinate system"),
        ({"coordinates": [449_702, 125_742]}, "need their system: D96/TM (3794)"),
        ({"coordinates": [float("nan"), 1.0], "crs": "3794"}, "outside the area"),
    ],
)
def test_what_cannot_be_a_place_there_says_what_was_expected(place: dict[str, object], expected: str) -> None:
    found, wrong = geometry.read("point", {"type": "Point", **place})
    assert found is None
    assert expected in " ".join(map(str, wrong))


def test_a_file_may_give_places_in_d96_and_means_the_same_as_one_in_degrees() -> None:
    place = {
        "type": "Point",
        "coordinates": [499613.77, 112247.58],
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3794"}},
    }
    lon, lat = RecordFile("a", geometry=place).geometry["coordinates"]  # type: ignore[index]
    assert _metres(lon, lat, (14.995, 46.15)) < 0.02
    wrong = {**place, "coordinates": [1, 2]}
    assert RecordFile("a", geometry=wrong).geometry == wrong


@pytest.mark.django_db
def test_a_record_is_entered_in_d96_and_read_in_either() -> None:
    registry.town()
    place = {"type": "Point", "coordinates": [449_702.0, 125_742.0], "crs": "3794"}
    verbs.add_record(SYSTEM, register="points", key="p", values=registry.values(), geometry=place)
    found = reads.record(door.open(ANONYMOUS, "api", kind="registers"), "points", "p")
    assert found.geometry is not None
    lon, lat = found.geometry["coordinates"]
    assert 14.3 < lon < 14.4 and 46.2 < lat < 46.3
    assert geometry.in_system(found.geometry, "3794") == {"type": "Point", "coordinates": [449_702.0, 125_742.0]}
    assert geometry.in_system({"type": "Point", "coordinates": [9.19, 45.46]}, "3794") is None
