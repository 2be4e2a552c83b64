"""Coordinates of the country: D96/TM and D48/GK (east, north in metres) to and from WGS84 (longitude, latitude)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

#: What coordinates without a system are in.
WGS84 = "4326"


@dataclass(frozen=True)
class System:
    """A coordinate system: its EPSG number and name, the accuracy against WGS84 in metres as EPSG publishes it, and
    the bounds of what it is used for (west, south, east, north in its own units), axis order east, north."""

    code: str
    name: str
    accuracy_m: float
    bounds: tuple[float, float, float, float]

    @property
    def expected(self) -> str:
        """The ranges of a coordinate, for people."""
        west, south, east, north = self.bounds
        return f"{self.name} (EPSG:{self.code}): e {west:.0f} – {east:.0f}, n {south:.0f} – {north:.0f}"


#: Both systems cover Slovenia with its sea; the bounds have a kilometre of air around what EPSG states.
SYSTEMS: Mapping[str, System] = {
    "3794": System("3794", "D96/TM", 1.0, (372_000, 30_000, 625_000, 196_000)),
    "3912": System("3912", "D48/GK", 1.0, (372_000, 29_500, 626_500, 195_500)),
}

_local = threading.local()


def _transformer(code: str) -> Any:
    """EPSG:`code` to WGS84. A transformer is not shared between threads; pyproj is loaded by those who need it."""
    made = _local.__dict__.setdefault("made", {})
    if code not in made:
        from pyproj import Transformer
        from pyproj.transformer import TransformerGroup

        # The most accurate operation that needs no grid: the same on every machine, with or without the internet.
        group = TransformerGroup(code, WGS84, always_xy=True)
        usable = [one for one in group.transformers if one.accuracy > 0 and "?" not in one.definition]
        best = min(usable, key=lambda one: one.accuracy) if usable else None
        made[code] = best or Transformer.from_crs(code, WGS84, always_xy=True)
    return made[code]


def system_of(named: Any) -> str:
    """The EPSG number of how a form, an address or a GeoJSON `crs` member names a system; ValueError for others."""
    if isinstance(named, Mapping):
        named = (named.get("properties") or {}).get("name", "") if isinstance(named.get("properties"), Mapping) else ""
    text = str(named or "").strip()
    code = text.rsplit(":", 1)[-1]
    if text in ("", "WGS84") or code in (WGS84, "CRS84"):
        return WGS84
    if code not in SYSTEMS:
        raise ValueError(text)
    return code


def to_wgs84(shape: BaseGeometry, code: str) -> BaseGeometry:
    """A geometry in a system of the country as WGS84, rounded to the millimetre; ValueError for what is outside it."""
    if code == WGS84:
        return shape
    west, south, east, north = SYSTEMS[code].bounds
    x0, y0, x1, y1 = shape.bounds
    if not (x0 >= west and y0 >= south and x1 <= east and y1 <= north):
        raise ValueError(SYSTEMS[code].expected)
    transform = _transformer(code).transform
    return shapely.transform(shape, lambda xy: numpy.round(numpy.column_stack(transform(xy[:, 0], xy[:, 1])), 8))


def from_wgs84(shape: BaseGeometry, code: str) -> BaseGeometry | None:
    """A geometry in WGS84 as east and north of a system, rounded to the centimetre; None where it lies outside it."""
    if code == WGS84:
        return shape
    transform = _transformer(code).transform

    def turned(xy: Any) -> Any:
        pairs = transform(xy[:, 0], xy[:, 1], direction="INVERSE")
        return numpy.round(numpy.column_stack(pairs), 2)

    found = shapely.transform(shape, turned)
    west, south, east, north = SYSTEMS[code].bounds
    x0, y0, x1, y1 = found.bounds
    return found if x0 >= west and y0 >= south and x1 <= east and y1 <= north else None
