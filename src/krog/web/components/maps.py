"""Maps: features over the municipality's own quiet ground, with legend and the same places as a list."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import json_script
from django.utils.safestring import SafeString

from krog.base.settings import settings
from krog.web.components.drawing import Legend

#: Around a single place: about 1.5 km each way, so that one dot does not zoom to a doorstep.
_PAD = 0.014


@dataclass(frozen=True)
class Place:
    """A row of the list beside the map."""

    id: str
    title: str
    href: str = ""
    state: str = ""
    word: str = ""
    text: str = ""
    where: str = ""


def feature(
    id: str,
    geometry: Mapping[str, Any] | None,
    *,
    title: str,
    href: str = "",
    state: str = "",
    word: str = "",
    text: str = "",
    **more: Any,
) -> dict[str, Any]:
    """A GeoJSON feature as maps show it: `state` is ok, warn, bad or none, `word` says it, `text` adds a line."""
    properties = {"title": title, "href": href, "state": state, "word": word, "text": text, **more}
    return {"type": "Feature", "id": id, "geometry": geometry, "properties": properties}


def point(lon: float, lat: float) -> dict[str, Any]:
    """A GeoJSON point."""
    return {"type": "Point", "coordinates": [lon, lat]}


@dataclass(frozen=True)
class Map:
    """What `<c-map>` shows. `features` is a GeoJSON FeatureCollection or a sequence of features (see `feature`),
    `legend` (state, words) pairs, `bounds` west south east north (else around the features),
    `base` another address of the ground than the portal's outline and settlements.

    Many features do not stand in the page: `source` is then the address of their GeoJSON, asked with the `bbox` of what
    is in view, and `href` the address of each with `{id}` in it; the list beside tells what is in view."""

    title: str
    features: Mapping[str, Any] | Sequence[Mapping[str, Any]] = ()
    legend: Sequence[Legend | tuple[str, str]] = ()
    bounds: tuple[float, float, float, float] | None = None
    base: str = ""
    source: str = ""
    href: str = ""

    @property
    def tiles(self) -> str:
        """Raster tiles to draw below everything, where the city has set some."""
        return str(settings().map_tiles)

    @property
    def credit(self) -> str:
        """Whose tiles these are."""
        return str(settings().map_credit)

    @property
    def ground(self) -> str:
        """Address of what lies under the features."""
        return self.base or reverse("portal-ground")

    @property
    def collection(self) -> dict[str, Any]:
        found = self.features.get("features", []) if isinstance(self.features, Mapping) else self.features
        return {"type": "FeatureCollection", "features": list(found)}

    @property
    def id(self) -> str:
        return "map-" + hashlib.sha256(self.title.encode()).hexdigest()[:8]

    @property
    def json_script(self) -> SafeString:
        """The features as data in the page; no second request, and nothing that a content policy must allow."""
        return json_script(self.collection, f"{self.id}-features")

    @property
    def keys(self) -> tuple[Legend, ...]:
        return tuple(item if isinstance(item, Legend) else Legend(*item) for item in self.legend)

    @property
    def places(self) -> tuple[Place, ...]:
        """The features as the list beside the map, in their order."""
        found = []
        for one in self.collection["features"]:
            about = one.get("properties") or {}
            found.append(
                Place(
                    id=str(one.get("id", about.get("id", ""))),
                    title=str(about.get("title", "")),
                    href=str(about.get("href", "") or ""),
                    state=str(about.get("state", "") or ""),
                    word=str(about.get("word", "") or ""),
                    text=str(about.get("text", "") or ""),
                    where=str(about.get("where", "") or ""),
                )
            )
        return tuple(found)

    @property
    def bounds_text(self) -> str:
        found = self.bounds or around(self.collection["features"])
        return ",".join(f"{side:.5f}" for side in found) if found else ""


def around(features: Iterable[Mapping[str, Any]]) -> tuple[float, float, float, float] | None:
    """West, south, east and north of what is drawn, with some air; None where nothing is."""
    corners = [corner for one in features for corner in _corners((one.get("geometry") or {}).get("coordinates"))]
    if not corners:
        return None
    xs, ys = [c[0] for c in corners], [c[1] for c in corners]
    return aired((min(xs), min(ys), max(xs), max(ys)))


def aired(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Bounds with some air around them, so that nothing lies on the edge and one place does not fill the map."""
    west, south, east, north = bounds
    pad_x = max((east - west) * 0.1, 0 if east - west > _PAD else _PAD)
    pad_y = max((north - south) * 0.1, 0 if north - south > _PAD else _PAD * 0.7)
    return (west - pad_x, south - pad_y, east + pad_x, north + pad_y)


def _corners(coordinates: Any) -> list[tuple[float, float]]:
    if not coordinates:
        return []
    if isinstance(coordinates[0], int | float):
        return [(float(coordinates[0]), float(coordinates[1]))]
    return [corner for part in coordinates for corner in _corners(part)]


def parse(text: str) -> dict[str, Any]:
    """GeoJSON text as it comes from storage."""
    found: dict[str, Any] = json.loads(text)
    return found
