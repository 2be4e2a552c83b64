"""Maps: the same places as a list, bounds around what is shown, words of people as data only."""

from __future__ import annotations

import json
import re

from krog.web.components import maps
from krog.web.components.drawing import Legend

MLAKA = maps.feature("m1", maps.point(14.3475, 46.2741), title="Mlaka", state="ok", word="in order", text="2 m³/h")


def test_a_map_is_also_a_list_in_the_same_order() -> None:
    other = maps.feature("m2", None, title="Without a place", href="/sl/streams/m2")
    shown = maps.Map("Meters", [MLAKA, other])
    assert [place.title for place in shown.places] == ["Mlaka", "Without a place"]
    assert shown.places[1].href == "/sl/streams/m2"
    assert shown.places[0].word == "in order"


def test_one_place_does_not_zoom_to_a_doorstep() -> None:
    bounds = maps.around([MLAKA])
    assert bounds is not None
    west, south, east, north = bounds
    assert east - west > 0.02
    assert north - south > 0.015
    assert west < 14.3475 < east


def test_bounds_enclose_lines_and_areas() -> None:
    area = {"type": "Polygon", "coordinates": [[[14.0, 46.0], [14.4, 46.0], [14.4, 46.3], [14.0, 46.0]]]}
    bounds = maps.around([{"geometry": area}])
    assert bounds is not None
    assert bounds[0] < 14.0 < 14.4 < bounds[2]
    assert bounds[1] < 46.0 < 46.3 < bounds[3]


def test_an_empty_map_leaves_the_bounds_to_the_ground() -> None:
    assert maps.Map("Nothing", {"type": "FeatureCollection", "features": []}).bounds_text == ""
    assert maps.Map("Given", [], bounds=(14.1, 46.1, 14.5, 46.4)).bounds_text == "14.10000,46.10000,14.50000,46.40000"


def test_features_travel_as_data_that_cannot_break_out() -> None:
    evil = maps.feature("x", None, title="</script><script>alert(1)</script>")
    text = maps.Map("t", [evil]).json_script
    assert text.count("</script>") == 1
    data = re.sub(r"^<script[^>]*>|</script>$", "", text)
    assert json.loads(data)["features"][0]["properties"]["title"].startswith("</script>")


def test_a_legend_may_be_pairs() -> None:
    assert maps.Map("t", [], [("ok", "in order"), Legend("bad", "broken")]).keys == (
        Legend("ok", "in order"), Legend("bad", "broken"),
    )  # fmt: skip
