"""The Open API of people: territories, organisations and offices; never persons."""

from __future__ import annotations

from datetime import date
from typing import Any

from ninja import Router

from krog.base.grant import Grant, Reader
from krog.catalogue import door
from krog.people import reads, shapes
from krog.web.request import Request

router = Router(tags=["people"])
territories = Router(tags=["territories"])


def _grant(request: Request) -> Grant:
    reader: Reader = request.reader
    return door.open(reader, "api", kind="people")


def _territory(found: shapes.Territory) -> dict[str, Any]:
    return {
        "key": found.key,
        "title": dict(found.title),
        "level": found.level,
        "parent": found.parent,
        "lon": found.lon,
        "lat": found.lat,
        "source": found.source,
        "valid_from": found.valid_from or None,
        "valid_to": found.valid_to or None,
    }


@router.get("/organisations", summary="Organisations of the city")
def organisations(request: Request) -> list[dict[str, Any]]:
    return [
        {"key": o.key, "title": dict(o.title), "kind": o.kind, "url": o.url, "parent": o.parent}
        for o in reads.organisations(_grant(request))
    ]


@router.get("/offices", summary="Offices, with the centre that each serves and how to reach them")
def offices(request: Request, centre: str | None = None) -> list[dict[str, Any]]:
    return [
        {
            "key": o.key,
            "title": dict(o.title),
            "organisation": o.organisation,
            "centre": o.centre,
            "email": o.email,
            "phone": o.phone,
        }
        for o in reads.offices(_grant(request), centre)
    ]


@territories.get("/", summary="Territories that exist on a day (today), by level")
def list_territories(request: Request, level: str | None = None, on: date | None = None) -> list[dict[str, Any]]:
    return [_territory(t) for t in reads.territories(_grant(request), level, on=on)]


@territories.get("/{key}", summary="One territory, its outline where it is known, and its place in each hierarchy")
def territory(request: Request, key: str, on: date | None = None) -> dict[str, Any]:
    grant = _grant(request)
    found = reads.territory(grant, key)
    places = {
        place.hierarchy.key: {
            "title": dict(place.hierarchy.title),
            "within": [one.key for one in place.above],
            "parts": [one.key for one in place.parts],
        }
        for place in reads.places(grant, key, on=on)
    }
    return {**_territory(found), "outline": found.outline, "hierarchies": places}
