"""The ground of every map: the municipality's outline and its settlements, as GeoJSON."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse
from django.urls import path
from django.utils.translation import get_language

from krog.base.text import say
from krog.catalogue import door
from krog.engine.cities import city
from krog.people import reads as people
from krog.people.shapes import Territory
from krog.web.request import Request

#: Browsers keep the ground for an hour: outlines of a city seldom move.
KEEP_S = 3600
#: Levels that the ground shows; the other hierarchies would lie over them.
GROUND = ("municipality", "settlement")


def features(territories: list[Territory], language: str, seat: str) -> list[dict[str, Any]]:
    """Outlines first, then settlements; the seat of the municipality is written largest."""
    found: list[dict[str, Any]] = []
    for one in territories:
        if one.level not in GROUND:
            continue
        kind = "outline" if one.level == "municipality" else one.level
        about = {"kind": kind, "title": str(say(one.title, language)), "rank": 1 if one.key == seat else 2}
        if one.outline:
            found.append({"type": "Feature", "id": one.key, "geometry": one.outline, "properties": about})
        if kind != "outline" and one.lon is not None and one.lat is not None:
            point = {"type": "Point", "coordinates": [one.lon, one.lat]}
            found.append({"type": "Feature", "id": f"{one.key}-name", "geometry": point, "properties": about})
    return sorted(found, key=lambda f: f["properties"]["kind"] != "outline")


def ground(request: Request) -> JsonResponse:
    """Outline and settlements in the language of the address."""
    grant = door.open(request.reader, "portal", kind="people")
    shown = features(people.territories(grant), get_language() or "sl", city.current().key)
    response = JsonResponse({"type": "FeatureCollection", "features": shown}, content_type="application/geo+json")
    response["Cache-Control"] = f"public, max-age={KEEP_S}"
    return response


urlpatterns = [path("ground.geojson", ground, name="portal-ground")]
