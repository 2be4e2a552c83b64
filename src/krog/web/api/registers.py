"""The Open API of registers: registers with their fields, records by filter, box and page, one with its history."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from django.http import JsonResponse
from ninja import Query, Router

from krog.base.grant import Grant
from krog.base.times import iso
from krog.catalogue import door
from krog.registers import geometry, reads, validity
from krog.registers.crs import WGS84
from krog.registers.schema import Field
from krog.registers.shapes import Record, Register
from krog.web.api.streams import Limit, Offset, Word, next_link
from krog.web.request import Request

router = Router(tags=["registers"])

#: Questions of the address that are no filters.
_QUESTIONS = frozenset({"q", "sort", "bbox", "limit", "offset", "format", "crs"})


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "api", kind="registers")


def _field(field: Field) -> dict[str, Any]:
    found: dict[str, Any] = {"type": field.type, "title": field.title, "unit": field.unit, "required": field.required}
    if field.register:
        found["register"] = field.register
    return {**found, "choices": field.choices} if field.choices else found


def _register(register: Register) -> dict[str, Any]:
    return {
        "key": register.key,
        "title": register.title,
        "description": register.description,
        "dataset": register.dataset,
        "geometry": register.geometry,
        "title_field": register.title_field,
        "version": register.counter,
        "fields": {field.name: _field(field) for field in register.fields},
        "href": f"/registers/{register.key}",
        "records": f"/api/v1/registers/{register.key}/records",
    }


def _record(record: Record) -> dict[str, Any]:
    return {
        "key": record.key,
        "register": record.register,
        "title": record.title,
        "values": record.values,
        "geometry": record.geometry,
        "valid_from": validity.write(record.valid_from) or None,
        "valid_to": validity.write(record.valid_to) or None,
        "version": record.version,
        "changed": iso(record.changed),
        "retired": record.retired,
        "href": f"/registers/{record.register}/{record.key}",
    }


@router.get("/")
def list_registers(request: Request, dataset: Word = None) -> dict[str, Any]:
    """Registers that the reader may see."""
    found = reads.registers(_grant(request), dataset=dataset)
    return {"items": [{**_register(r), "count": r.count} for r in found], "total": len(found)}


@router.get("/{key}")
def get_register(request: Request, key: str) -> dict[str, Any]:
    """One register with its declared fields."""
    return _register(reads.register(_grant(request), key))


@router.get("/{key}/records")
def list_records(
    request: Request,
    key: str,
    q: Annotated[str, Query(max_length=200)] = "",
    sort: Word = None,
    bbox: Word = None,
    format: Annotated[str, Query(pattern="^(json|geojson)$")] = "json",
    crs: Annotated[str, Query(pattern="^(4326|3794|3912)$")] = "4326",
    limit: Limit = 100,
    offset: Offset = 0,
) -> Any:
    """Records of a register. Any declared field is a filter (`kind=valve`), numbers and days also as a range
    (`diameter.min=80`); `sort` is a field, `-` before it turns the order; `bbox` is west,south,east,north.
    Places are in WGS84; with `crs=3794` in D96/TM, with `crs=3912` in D48/GK (east, north in metres; null where a place
    lies outside the country)."""
    filters = {name: str(value) for name, value in request.GET.items() if name not in _QUESTIONS}
    link: dict[str, Any] = {}
    page = reads.records(
        _grant(request),
        key,
        filters=filters,
        text=q,
        sort=sort or "",
        bbox=bbox or "",
        limit=limit,
        offset=offset,
        exact=True,
    )
    if crs != WGS84:
        items = [replace(one, geometry=geometry.in_system(one.geometry, crs)) for one in page.items]
        page = replace(page, items=items)
        link["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{crs}"}}
    more = offset + len(page.items) < page.total and page.items
    if more:
        link["nextLink"] = next_link(request, offset=offset + limit)
    if format == "geojson":
        collection = {**reads.collection(page.items), "numberMatched": page.total, **link}
        return JsonResponse(collection, content_type="application/geo+json")
    return {"items": [_record(record) for record in page.items], "total": page.total, **link}


@router.get("/{key}/records/{record}")
def get_record(request: Request, key: str, record: str) -> dict[str, Any]:
    """One record with its history; only staff learn who changed it and why."""
    grant = _grant(request)
    found = reads.record(grant, key, record)
    history = [
        {
            "time": iso(entry.time),
            "verb": entry.verb,
            "who": entry.who or None,
            "reason": entry.reason or None,
            "before": entry.before,
            "after": entry.after,
        }
        for entry in reads.history(grant, key, record)
    ]
    return {**_record(found), "history": history}


@router.get("/{key}/{record}", include_in_schema=False)
def get_record_by_address(request: Request, key: str, record: str) -> dict[str, Any]:
    """The record's lasting address `/registers/<register>/<record>` as JSON."""
    return get_record(request, key, record)
