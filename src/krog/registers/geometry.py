"""Geometries of records: GeoJSON outside, WKB in WGS84 inside, both two-dimensional."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import shapely
from django.utils.translation import gettext as _
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from krog.base.errors import Problem
from krog.registers import crs

#: GeoJSON types that each declared kind of geometry takes.
KINDS = {
    "point": ("Point", "MultiPoint"),
    "line": ("LineString", "MultiLineString"),
    "polygon": ("Polygon", "MultiPolygon"),
    "none": (),
}
MAX_POINTS = 100_000


def read(kind: str, geojson: Any) -> tuple[BaseGeometry | None, list[Problem]]:
    """The geometry in WGS84 of a GeoJSON geometry object, or every mistake in it. A member `crs` says that its
    coordinates are east and north of D96/TM (EPSG:3794) or D48/GK (EPSG:3912)."""
    allowed = ", ".join(KINDS[kind])
    if geojson is None:
        return None, []
    if kind == "none":
        return None, [Problem(_("Records of this register have no place."), "geometry")]
    if not isinstance(geojson, Mapping) or geojson.get("type") not in KINDS[kind]:
        return None, [Problem(_("This is not a geometry of the register's kind."), "geometry", allowed)]
    try:
        found = shapely.force_2d(shape(dict(geojson)))
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, shapely.errors.ShapelyError):
        return None, [Problem(_("The coordinates cannot be read."), "geometry", "[14.3475, 46.2741]")]
    if found.is_empty or shapely.get_num_coordinates(found) > MAX_POINTS:
        return None, [Problem(_("The geometry is empty or has too many points."), "geometry", f"1 – {MAX_POINTS}")]
    try:
        found = crs.to_wgs84(found, system := crs.system_of(geojson.get("crs")))
    except ValueError as error:
        known = ", ".join(f"{one.name} (EPSG:{one.code})" for one in crs.SYSTEMS.values())
        outside = _("The place is outside the area of its coordinate system.")
        if str(error).startswith(tuple(one.name for one in crs.SYSTEMS.values())):
            return None, [Problem(outside, "geometry", str(error))]
        return None, [Problem(_("There is no such coordinate system here."), "geometry", f"WGS84, {known}")]
    west, south, east, north = found.bounds
    if not all(map(math.isfinite, found.bounds)) or not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        allowed = _("longitude -180 to 180, latitude -90 to 90")
        metres = system == crs.WGS84 and max(map(abs, found.bounds)) > 10_000
        todo = _("Coordinates in metres need their system: D96/TM (3794) or D48/GK (3912).") if metres else ""
        return None, [Problem(_("The place is not on Earth."), "geometry", allowed, todo)]
    if kind == "polygon" and not found.is_valid:
        return None, [Problem(_("The outline crosses itself."), "geometry", todo=str(shapely.is_valid_reason(found)))]
    return found, []


def to_wkb(found: BaseGeometry) -> bytes:
    return bytes(shapely.to_wkb(found))


def to_geojson(wkb: bytes | memoryview | None) -> dict[str, Any] | None:
    """The GeoJSON geometry of stored WKB, with lists as JSON has them."""
    if wkb is None:
        return None
    found = mapping(shapely.from_wkb(bytes(wkb)))
    return {"type": found["type"], "coordinates": _lists(found["coordinates"])}


def _lists(value: Any) -> Any:
    return [_lists(part) for part in value] if isinstance(value, list | tuple) else value


def flat(geojson: Any) -> Any:
    """A GeoJSON geometry with only longitude and latitude in every position, as it is stored; one with a `crs` that
    cannot be read stays as it is, so that it can be told what is wrong."""
    if not isinstance(geojson, Mapping) or "coordinates" not in geojson:
        return geojson
    if "crs" in geojson:
        kind = next((kind for kind, types in KINDS.items() if geojson.get("type") in types), "none")
        found, wrong = read(kind, geojson)
        return dict(geojson) if wrong or found is None else to_geojson(to_wkb(found))
    return {"type": geojson.get("type"), "coordinates": _flat(geojson["coordinates"])}


def _flat(value: Any) -> Any:
    if isinstance(value, list | tuple) and value and not isinstance(value[0], list | tuple):
        return list(value[:2])
    return [_flat(part) for part in value] if isinstance(value, list | tuple) else value


def read_box(text: str) -> tuple[float, float, float, float]:
    """`minlon,minlat,maxlon,maxlat` as addresses write it; ValueError where it is not one."""
    west, south, east, north = (float(part) for part in text.split(","))
    if not all(map(math.isfinite, (west, south, east, north))) or west > east or south > north:
        raise ValueError(text)
    return west, south, east, north


def to_wkt(geojson: Mapping[str, Any]) -> str:
    """A GeoJSON geometry as well-known text, for tables."""
    return str(shape(dict(geojson)).wkt)


def bounds(geojson: Mapping[str, Any]) -> tuple[float, float, float, float]:
    """West, south, east and north of a GeoJSON geometry."""
    west, south, east, north = shape(dict(geojson)).bounds
    return west, south, east, north


def in_system(geojson: Mapping[str, Any] | None, code: str) -> dict[str, Any] | None:
    """A GeoJSON geometry in WGS84 as coordinates of another system (EPSG number); None where it has none there."""
    if geojson is None:
        return None
    found = crs.from_wgs84(shape(dict(geojson)), code)
    return None if found is None else to_geojson(to_wkb(found))
