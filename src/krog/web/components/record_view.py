"""How records of registers are shown, in portal and desk alike: values in words, filters, columns, map, downloads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from krog.base.grant import Grant
from krog.base.text import say
from krog.catalogue import door
from krog.journal.shapes import Entry
from krog.registers import geometry, reads
from krog.registers.schema import CHOOSING, Field
from krog.registers.shapes import Record, Register
from krog.streams import reads as streams
from krog.web.components import formats, maps, stream_view
from krog.web.components.paging import here
from krog.web.request import Request

#: Names of fields that hold keys of datastreams.
STREAM_FIELDS = ("stream", "streams", "datastream", "datastreams")

#: Questions of the address that are no filters.
QUESTIONS = frozenset({"q", "sort", "offset", "limit", "format", "bbox", "crs"})

#: The system of the country's maps, beside WGS84.
D96 = "3794"


@dataclass(frozen=True)
class Value:
    """A value as a page shows it."""

    name: str
    title: str
    text: str
    unit: str = ""
    href: str = ""
    numeric: bool = False

    @property
    def external(self) -> bool:
        return not self.href.startswith("/")


@dataclass(frozen=True)
class Column:
    """The head of a column: where a click sorts, and how it is sorted now (ascending, descending or "")."""

    title: str
    numeric: bool
    href: str
    sorted: str


@dataclass(frozen=True)
class Filter:
    """A control of the filter form: `options` (value, words) for a choice, else a range of numbers or days."""

    name: str
    title: str
    kind: str
    value: str = ""
    low: str = ""
    high: str = ""
    options: Sequence[tuple[str, str]] = ()


def language() -> str:
    return get_language() or "en"


def title_of(field: Field) -> str:
    """What a field is called on the page."""
    return str(say(field.title, language())) if field.title else field.name.replace("_", " ")


def shown(field: Field, value: Any) -> Value:
    """A value in words: choices by their title, days and numbers as people write them."""
    text, href = str(value), ""
    if value is None:
        text = "–"
    elif field.type == "choice":
        text = choice_title(field, str(value))
    elif field.type == "choices":
        text = ", ".join(choice_title(field, str(one)) for one in value)
    elif field.type == "record":
        href = reverse("portal-registers-record", args=[field.register, text])
    elif field.type == "boolean":
        text = _("yes") if value else _("no")
    elif field.type == "date":
        text = formats.day(datetime.fromisoformat(str(value)), language())
    elif field.numeric:
        text = formats.number(value, language())
    elif field.type == "url":
        href = text
    return Value(field.name, title_of(field), text, formats.unit(field.unit, language()), href, field.numeric)


def choice_title(field: Field, value: str) -> str:
    """The title of a choice in the page's language; the word itself where it has none."""
    title = (field.choices or {}).get(value)
    return str(say(title, language())) if title else value


def values(grant: Grant, register: Register, record: Record) -> list[Value]:
    """All values of a record that are there, in the order of the fields; other records by what they are called, those
    that the reader may not see by their key, without a link."""
    fields = [field for field in register.fields if field.name in record.values]
    named = [(field.register, str(record.values[field.name])) for field in fields if field.type == "record"]
    titles = reads.titles(grant, named)
    found = []
    for field in fields:
        value = shown(field, record.values[field.name])
        if field.type == "record":
            title = titles.get((field.register, value.text))
            value = replace(value, text=title or value.text, href=value.href if title else "")
        found.append(value)
    return found


def metric(record: Record) -> str:
    """Where a point is in D96/TM, in words; "" where it is no point or lies outside the country."""
    found = geometry.in_system(record.geometry, D96) if record.geometry else None
    if found is None or found["type"] != "Point":
        return ""
    e, n = (formats.number(each, language(), 1) for each in found["coordinates"])
    return f"e {e}, n {n}"


def in_table(register: Register, items: Sequence[Record]) -> list[Field]:
    """The fields to show beside the titles of these records: not those that are empty in all, nor the same text in a
    language that the page is not in (`title_en` beside `title`)."""
    names = {field.name for field in register.fields}

    def wanted(field: Field) -> bool:
        base, _under, code = field.name.rpartition("_")
        foreign = base in names and len(code) == 2 and code != language()
        said = not items or any(field.name in each.values for each in items)
        return field.name != register.title_field and said and not foreign

    return [field for field in register.fields if wanted(field)]


def columns(request: Request, fields: Sequence[Field], sort: str) -> list[Column]:
    """The heads of a table of records."""
    found = []
    for field in fields:
        turned = f"-{field.name}" if sort == field.name else field.name
        state = {field.name: "ascending", f"-{field.name}": "descending"}.get(sort, "")
        unit = formats.unit(field.unit, language())
        title = f"{title_of(field)} ({unit})" if unit else title_of(field)
        found.append(Column(title, field.numeric, here(request, sort=turned, offset=None), state))
    return found


def asked(request: Request) -> dict[str, str]:
    """The filters that an address names; empty ones are none."""
    given = {name: str(value)[:200] for name, value in request.GET.items() if name not in QUESTIONS}
    return {name: value for name, value in given.items() if value.strip()}


def filters(register: Register, chosen: Mapping[str, str]) -> list[Filter]:
    """The controls of the filter form: choices, yes or no, ranges of numbers and days."""
    found = []
    for field in register.fields:
        title, value = title_of(field), chosen.get(field.name, "")
        if field.type in CHOOSING:
            options = [(one, choice_title(field, one)) for one in field.choices or {}]
            found.append(Filter(field.name, title, "choice", value, options=options))
        elif field.type == "boolean":
            found.append(Filter(field.name, title, "choice", value, options=[("true", _("yes")), ("false", _("no"))]))
        elif field.numeric or field.type == "date":
            low, high = (chosen.get(f"{field.name}.{end}", "") for end in ("min", "max"))
            found.append(Filter(field.name, title, "date" if field.type == "date" else "number", low=low, high=high))
    return found


def told(register: Register, entries: Sequence[Entry]) -> list[Entry]:
    """The history of a record in words: what was done, and each value as the page shows it."""
    words = {
        "registers.add-record": _("added"),
        "registers.change-record": _("changed"),
        "registers.retire-record": _("taken out of use"),
        "registers.undo": _("last change undone"),
        "registers.declare-record": _("declared in the city's files"),
    }
    return [
        replace(
            entry,
            verb=words.get(entry.verb, entry.verb),
            before=_told(register, entry.before),
            after=_told(register, entry.after),
        )
        for entry in entries
    ]


def _told(register: Register, content: Mapping[str, Any] | None) -> dict[str, str] | None:
    if content is None:
        return None
    titles = {"geometry": _("place"), "valid_from": _("Valid from"), "valid_to": _("Valid to")}
    found = {}
    for name, value in content.items():
        field = register.field(name)
        if field is not None:
            found[title_of(field)] = shown(field, value).text
        elif name == "geometry":
            found[titles[name]] = place_text(value)
        else:
            found[titles.get(name, name)] = str(value)
    return found


def place_text(geojson: Mapping[str, Any]) -> str:
    """A place in words: a point's coordinates, else what it is and of how many points."""
    if geojson["type"] == "Point":
        lon, lat = geojson["coordinates"]
        return f"{formats.number(lat, language(), 5)} N, {formats.number(lon, language(), 5)} E"
    return str(geojson["type"])


def record_map(title: str, records: Sequence[Record], page: str) -> maps.Map | None:
    """Records with a place on a map; `page` names the address of a record."""
    features = [
        maps.feature(r.key, r.geometry, title=r.title, href=reverse(page, args=[r.register, r.key]))
        for r in records
        if r.geometry is not None
    ]
    return maps.Map(title, features, bounds=_close(features)) if features else None


def _close(features: Sequence[Mapping[str, Any]]) -> tuple[float, float, float, float] | None:
    """Bounds drawn closely around several places, so that neighbours do not lie on each other."""
    wide = maps.around(features)
    boxes = [geometry.bounds(feature["geometry"]) for feature in features]
    west, south = min(box[0] for box in boxes), min(box[1] for box in boxes)
    east, north = max(box[2] for box in boxes), max(box[3] for box in boxes)
    if wide is None or len(features) < 2 or (west, south) == (east, north):
        return wide
    pad = max((east - west) * 0.08, (north - south) * 0.08, 0.0004)
    return west - pad, south - pad, east + pad, north + pad


def stream_lines(request: Request, purpose: str, register: Register, record: Record) -> list[stream_view.Line]:
    """The datastreams that a record names, with their newest values, as far as the reader may see them."""
    named = " ".join(str(record.values.get(f.name, "")) for f in register.fields if f.name in STREAM_FIELDS)
    keys = [key for key in re.split(r"[\s|,;]+", named) if key]
    if not keys:
        return []
    grant = door.open(request.reader, purpose, kind="streams")
    found = streams.datastreams(grant, keys=keys[:20]).items
    return stream_view.lines(found, streams.latest_of(grant, found), "portal-streams-detail")


def download(grant: Grant, register: Register, chosen: dict[str, Any]) -> HttpResponseBase:
    """All chosen records as GeoJSON, written as they are read."""
    # What is wrong with the wishes must be told before the first line is sent.
    reads.records(grant, register.key, **chosen, limit=1)
    response = StreamingHttpResponse(_geojson(register, _all(grant, register, chosen)))
    response["Content-Type"] = "application/geo+json"
    response["Content-Disposition"] = f'attachment; filename="{register.key}.geojson"'
    return response


def _all(grant: Grant, register: Register, chosen: dict[str, Any]) -> Iterator[Record]:
    offset, page = 0, 2000
    while True:
        found = reads.records(grant, register.key, **chosen, limit=page, offset=offset).items
        yield from found
        offset += page
        if len(found) < page:
            return


def _geojson(register: Register, records: Iterator[Record]) -> Iterator[str]:
    yield '{"type":"FeatureCollection","features":['
    for number, record in enumerate(records):
        yield ("," if number else "") + json.dumps(reads.feature(record), ensure_ascii=False)
    yield "]}"
