"""A register as a table: its columns with what they mean, and a record as a row and back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import shapely
from django.utils.translation import gettext as _

from krog.base.text import say
from krog.base.units import symbol
from krog.registers import geometry, validity
from krog.registers.schema import Field
from krog.registers.shapes import Record, Register
from krog.tables.columns import MARK, Column, mark_of

#: A shape longer than this does not fit into a cell: the cell says only which one it is, and it stays as it is.
LONGEST_WKT = 30_000


def columns(
    register: Register, language: str, *, unit: Callable[[str], str] = symbol, marked: bool = False
) -> tuple[Column, ...]:
    """The columns of the register that the reader may see; `marked` adds each record's mark, for the way back."""
    found = [
        Column(
            "key",
            _("Key"),
            meaning=_("The record's lasting name; leave it empty in new rows."),
            also=("key",),
            width=24,
        )
    ]
    found += [_column(field, register, language, unit) for field in register.fields]
    found += [
        Column("valid_from", _("Valid from"), "date", meaning=_("The first day it holds in the world.")),
        Column("valid_to", _("Valid to"), "date", meaning=_("The day it ends; empty while it holds.")),
    ]
    if register.geometry == "point":
        found += [
            Column("lon", _("Longitude"), "number", "°", _("East, WGS84, for example 14.3475."), also=("lon", "x")),
            Column("lat", _("Latitude"), "number", "°", _("North, WGS84, for example 46.2741."), also=("lat", "y")),
        ]
    elif register.has_geometry:
        found.append(Column("wkt", _("Shape (WKT)"), meaning=_("Well-known text in WGS84: longitude, then latitude.")))
    if marked:
        found.append(
            Column(MARK, _("Mark"), meaning=_("Krog sees by it whether a row has changed. Leave it."), hidden=True)
        )
    return tuple(found)


def _column(field: Field, register: Register, language: str, unit: Callable[[str], str]) -> Column:
    titles = [text for text in (field.title or {}).values() if text]
    return Column(
        name=field.name,
        title=str(say(field.title, language)) if field.title else field.name.replace("_", " "),
        # Several choices stand in one cell, with | between them; the key of a record is a text.
        type="text" if field.type in ("choices", "record") else field.type,
        unit=unit(field.unit) if field.unit else "",
        required=field.required,
        meaning=_("A value is needed.") if field.required else "",
        choices={v: str(say(t, language)) if t else v for v, t in (field.choices or {}).items()},
        also=tuple(titles),
        width=30 if field.name == register.title_field else 0,
    )


def values_of(record: Record, geometry_kind: str) -> dict[str, Any]:
    """A record as a row by the columns' names, without its mark."""
    row = {
        "key": record.key,
        **{n: "|".join(map(str, v)) if isinstance(v, list) else v for n, v in record.values.items()},
        "valid_from": validity.write(record.valid_from) or None,
        "valid_to": validity.write(record.valid_to) or None,
    }
    place = record.geometry
    if place and geometry_kind == "point" and place["type"] == "Point":
        row["lon"], row["lat"] = place["coordinates"][:2]
    elif place and geometry_kind in ("line", "polygon"):
        wkt = geometry.to_wkt(place)
        row["wkt"] = wkt if len(wkt) <= LONGEST_WKT else f"… {hashlib.sha256(wkt.encode()).hexdigest()[:16]}"
    return row


def row_of(record: Record, register: Register, shown: tuple[Column, ...]) -> Mapping[str, Any]:
    """A record as a row, with its mark where the columns have one."""
    row = values_of(record, register.geometry)
    return {**row, MARK: mark_of(shown, row)} if shown and shown[-1].name == MARK else row


def geometry_of(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The GeoJSON geometry that a row says; None for none, ValueError where the text is no shape."""
    if row.get("lon") is not None or row.get("lat") is not None:
        return {"type": "Point", "coordinates": [row.get("lon"), row.get("lat")]}
    if not row.get("wkt"):
        return None
    try:
        found = geometry.to_geojson(shapely.to_wkb(shapely.from_wkt(str(row["wkt"]))))
    except shapely.errors.ShapelyError as error:
        raise ValueError(str(error)) from None
    return found
