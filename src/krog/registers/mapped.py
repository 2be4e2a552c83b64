"""What a map draws of a register: each record where they are few enough, else how many lie together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from django.db.models import Avg, Count, F, IntegerField
from django.db.models.functions import Cast, Floor
from shapely.geometry import mapping

from krog.base.grant import Grant
from krog.registers import geometry, reads

#: Most records that a map draws one by one, and most lines and areas.
MOST_POINTS = 10_000
MOST_SHAPES = 3_000

#: Cells across a map that shows how many lie together.
CELLS = 40


@dataclass(frozen=True)
class Drawn:
    """GeoJSON features of records (`id`, `title`; what is no point also its `box`), or of cells with their `count`;
    `complete` where every chosen record is drawn one by one."""

    features: list[dict[str, Any]]
    complete: bool


def drawn(
    grant: Grant, register: str, *, filters: Mapping[str, str] | None = None, text: str = "", bbox: str = ""
) -> Drawn:
    """The chosen records in a box (west,south,east,north; everywhere where there is none) as a map draws them."""
    home, rows, _order = reads.chosen(grant, register, filters or {}, text, "", bbox)
    access = grant.datasets[home.dataset]
    if not access.shows("geometry") or home.geometry == "none":
        return Drawn([], True)
    titled = access.shows(home.title_field)
    rows = rows.filter(min_lon__isnull=False)
    points = home.geometry == "point"
    most = MOST_POINTS if points else MOST_SHAPES
    columns = ("key", "title", "min_lon", "min_lat", "max_lon", "max_lat") + (() if points else ("shape",))
    found = list(rows.values_list(*columns)[: most + 1])
    if len(found) > most:
        return Drawn(_cells(rows, bbox), False)
    return Drawn([_feature(row, titled) for row in found], True)


def _feature(row: tuple[Any, ...], titled: bool) -> dict[str, Any]:
    key, title, west, south, east, north = row[:6]
    about: dict[str, Any] = {"id": key, "title": title if titled else key}
    if len(row) == 6 or (west, south) == (east, north):
        place: dict[str, Any] = {"type": "Point", "coordinates": [(west + east) / 2, (south + north) / 2]}
    else:
        # Finer than a pixel of a map that shows it whole is not seen, and outlines are heavy.
        fine = max(east - west, north - south) / 800
        simple = shapely.set_precision(shapely.simplify(shapely.from_wkb(bytes(row[6])), fine), 0)
        place = dict(mapping(simple))
        about["box"] = [west, south, east, north]
    return {"type": "Feature", "geometry": place, "properties": about}


def _cells(rows: Any, bbox: str) -> list[dict[str, Any]]:
    """How many records lie in each cell of a grid, at the middle of those that lie in it."""
    if bbox:
        west, _south, east, _north = geometry.read_box(bbox)
        # A power of two, so that the grid stays where it is while the map is moved.
        step = 2.0 ** math.floor(math.log2(max(east - west, 1e-6) / CELLS))
    else:
        step = 2.0**-8
    grid = {
        "x": Cast(Floor(F("min_lon") / step), IntegerField()),
        "y": Cast(Floor(F("min_lat") / (step * 0.7)), IntegerField()),
    }
    cells = rows.order_by().values(**grid).annotate(n=Count("pk"), lon=Avg("min_lon"), lat=Avg("min_lat"))
    return [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(cell["lon"], 5), round(cell["lat"], 5)]},
            "properties": {"id": f"{cell['x']}/{cell['y']}", "count": cell["n"]},
        }
        for cell in cells
    ]
