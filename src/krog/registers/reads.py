"""Reads of registers: registers, their records filtered, sorted and paged, GeoJSON, history; all behind a grant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext as _

from krog.base.errors import NotFound, Problem, invalid
from krog.base.grant import Access, Grant
from krog.base.ids import Ref
from krog.catalogue import door
from krog.journal import reads as journal
from krog.journal.shapes import Entry
from krog.people.permissions import is_staff
from krog.registers import geometry, models, schema, shapes, validity

#: Most records that one read gives.
MOST = 10_000

#: How a filter may compare, by the ending of its name: `capacity.min=5`.
_COMPARE = {"": "", "min": "__gte", "max": "__lte"}


def _register(grant: Grant, row: models.Register, count: int | None = None) -> shapes.Register:
    access = grant.datasets[row.dataset]
    fields = [field for field in schema.read_fields(row.fields) if access.shows(field.name)]
    return shapes.Register(
        key=row.key,
        title=row.title,
        description=row.description,
        dataset=row.dataset,
        geometry=row.geometry if access.shows("geometry") else "none",
        fields=tuple(fields),
        title_field=row.title_field,
        counter=row.counter,
        count=count,
        role=row.role,
    )


def _visible(grant: Grant, fields: Iterable[str]) -> Q:
    """The records that a grant lets through; `fields` are those that a dataset's public_rows may name."""
    columns = {"key": "key", **{name: f"values__{name}" for name in fields}}
    return Q(retired=False, register__retired=False) & door.where(grant, columns, dataset="register__dataset")


def registers(grant: Grant, dataset: str | None = None) -> list[shapes.Register]:
    """The registers that the reader may see, by key, each with how many of its records he may see."""
    rows = list(models.Register.objects.filter(retired=False, dataset__in=grant.keys).order_by("key"))
    if dataset is not None:
        rows = [row for row in rows if row.dataset == dataset]
    names = {name for row in rows for name in row.fields}
    counted = dict(
        models.Record.objects.filter(_visible(grant, names)).values_list("register_id").annotate(n=Count("id"))
    )
    return [_register(grant, row, counted.get(row.pk, 0)) for row in rows]


def register_of(grant: Grant, role: str) -> shapes.Register | None:
    """The register that plays a role in this city, if there is one and the reader may see it."""
    row = models.Register.objects.filter(role=role, retired=False, dataset__in=grant.keys).order_by("key").first()
    return _register(grant, row) if row is not None else None


def register(grant: Grant, key: str) -> shapes.Register:
    """One register, or NotFound."""
    return _register(grant, _home(grant, key))


def _home(grant: Grant, key: str) -> models.Register:
    rows = models.Register.objects.filter(key=key, retired=False, dataset__in=grant.keys)
    row = rows.first() if "\x00" not in key else None
    if row is None:
        raise no_register(key)
    return row


def no_register(key: str) -> NotFound:
    """There is none, or none that this reader may know of."""
    return NotFound(
        _("There is no register “%(key)s”.") % {"key": key[:60]},
        "register",
        todo=_("The list of registers names them all."),
    )


def no_record(key: str) -> NotFound:
    """There is none, or none that this reader may know of."""
    return NotFound(_("There is no record “%(key)s” here.") % {"key": key[:60]}, "record")


def record_of(grant: Grant, row: models.Record) -> shapes.Record:
    """The record as this grant shows it; for verbs of this noun, which have the row at hand."""
    access = grant.datasets[row.register.dataset]
    names = [name for name in row.register.fields if access.shows(name)]
    titled = row.register.title_field in names
    return shapes.Record(
        key=row.key,
        register=row.register.key,
        title=row.title if titled else row.key,
        values={name: row.values[name] for name in names if name in row.values},
        geometry=geometry.to_geojson(row.shape) if access.shows("geometry") else None,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        version=row.version,
        changed=row.changed,
        retired=row.retired,
    )


def records(
    grant: Grant,
    register: str,
    *,
    filters: Mapping[str, str] | None = None,
    text: str = "",
    sort: str = "",
    bbox: str = "",
    limit: int = 50,
    offset: int = 0,
) -> shapes.Page:
    """Records of a register. `filters` name declared fields, for numbers and days also `field.min` and `field.max`;
    `text` is looked for in titles and texts; `sort` is a field, with `-` before it from the greatest;
    `bbox` is west,south,east,north in degrees. Everything that is wrong is named at once (Invalid)."""
    home = _home(grant, register)
    access = grant.datasets[home.dataset]
    fields = {field.name: field for field in schema.read_fields(home.fields) if access.shows(field.name)}
    rows = models.Record.objects.filter(_visible(grant, home.fields), register=home).select_related("register")
    found: list[Problem] = []
    rows = _filtered(rows, fields, filters or {}, found)
    rows = _searched(rows, text, access, home)
    rows = _sorted(rows, fields, sort, found)
    if bbox:
        rows = _boxed(rows, bbox, access, found)
    if found:
        raise invalid(found, _("The records cannot be chosen like this."))
    limit, offset = min(max(limit, 0), MOST), min(max(offset, 0), 2**31)
    items = [record_of(grant, row) for row in rows[offset : offset + limit]]
    total = offset + len(items) if items and len(items) < limit else rows.count()
    return shapes.Page(items, total, limit, offset)


_Rows = QuerySet[models.Record]


def _filtered(
    rows: _Rows, fields: Mapping[str, schema.Field], filters: Mapping[str, str], found: list[Problem]
) -> _Rows:
    for number, (name, text) in enumerate(filters.items()):
        field_name, _dot, ending = name.partition(".")
        field = fields.get(field_name)
        if field is None or ending not in _COMPARE or (ending and field.type not in ("number", "integer", "date")):
            found.append(Problem(_("There is no such filter."), name[:60], ", ".join(_filter_names(fields))))
            continue
        try:
            value = schema.parse_written(field, text)
        except (ValueError, OverflowError):
            found.append(Problem(schema.not_allowed(text), name, schema.allowed_for(field)))
            continue
        # A transform and not `values__name`: a field's name must never be read as a comparison.
        alias = f"filter_{number}"
        rows = rows.alias(**{alias: KeyTransform(field.name, "values")}).filter(**{f"{alias}{_COMPARE[ending]}": value})
    return rows


def _filter_names(fields: Mapping[str, schema.Field]) -> list[str]:
    ranged = [name for name, field in fields.items() if field.numeric or field.type == "date"]
    return [*fields, *(f"{name}.{ending}" for name in ranged for ending in ("min", "max"))]


def _searched(rows: _Rows, text: str, access: Access, home: models.Register) -> _Rows:
    words = text.casefold().replace("\x00", " ").split()[:8]
    # The search text is made of all fields; where some are hidden, it would tell what they say.
    column = "search" if all(access.shows(name) for name in home.fields) else "key"
    for word in words:
        rows = rows.filter(**{f"{column}__contains": word})
    return rows


def _sorted(rows: _Rows, fields: Mapping[str, schema.Field], sort: str, found: list[Problem]) -> _Rows:
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name in ("key", "changed"):
        return rows.order_by(f"{'-' if down else ''}{name}", "key")
    if not name:
        return rows.order_by("title", "key")
    if name not in fields:
        allowed = ", ".join(["key", "changed", *fields])
        found.append(Problem(_("The records cannot be sorted by this."), "sort", allowed))
        return rows
    order = F("sorted_by").desc(nulls_last=True) if down else F("sorted_by").asc(nulls_last=True)
    return rows.alias(sorted_by=KeyTransform(name, "values")).order_by(order, "key")


def _boxed(rows: _Rows, bbox: str, access: Access, found: list[Problem]) -> _Rows:
    try:
        west, south, east, north = geometry.read_box(bbox)
    except ValueError:
        found.append(Problem(schema.not_allowed(bbox), "bbox", _("west,south,east,north in degrees (WGS84)")))
        return rows
    if not access.shows("geometry"):
        return rows.none()
    return rows.filter(min_lon__lte=east, max_lon__gte=west, min_lat__lte=north, max_lat__gte=south)


def record(grant: Grant, register: str, key: str) -> shapes.Record:
    """One record, or NotFound; a retired one is shown to staff only."""
    home = _home(grant, register)
    seen = _visible(grant, home.fields)
    if is_staff(grant.reader):
        seen |= Q(retired=True, register__dataset__in=grant.keys)
    rows = models.Record.objects.filter(seen, register=home, key=key).select_related("register")
    row = rows.first() if "\x00" not in key else None
    if row is None:
        raise no_record(key)
    return record_of(grant, row)


def history(grant: Grant, register: str, key: str, limit: int = 50) -> list[Entry]:
    """What was changed of a record, newest first. Only staff learn who did it and why; hidden fields stay hidden."""
    home = _home(grant, register)
    record(grant, register, key)
    access = grant.datasets[home.dataset]
    staff = is_staff(grant.reader)
    return [
        replace(
            entry,
            before=_shown(access, entry.before),
            after=_shown(access, entry.after),
            who=entry.who if staff else "",
            reason=entry.reason if staff else "",
        )
        for entry in journal.history(Ref("record", key), limit)
    ]


def _shown(access: Access, content: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A journal's payload flattened to one line per field, without what this access hides."""
    if content is None:
        return None
    flat = {name: value for name, value in (content.get("values") or {}).items() if access.shows(name)}
    if access.shows("geometry") and content.get("geometry"):
        flat["geometry"] = content["geometry"]
    return {**flat, **{name: content[name] for name in ("valid_from", "valid_to") if content.get(name)}}


def feature(record: shapes.Record) -> dict[str, Any]:
    """A record as a GeoJSON feature."""
    times = {"valid_from": validity.write(record.valid_from), "valid_to": validity.write(record.valid_to)}
    properties = {**record.values, **{name: text for name, text in times.items() if text}}
    return {"type": "Feature", "id": record.key, "geometry": record.geometry, "properties": properties}


def collection(records: Sequence[shapes.Record]) -> dict[str, Any]:
    """Records as a GeoJSON feature collection."""
    return {"type": "FeatureCollection", "features": [feature(each) for each in records]}


def counter(grant: Grant, register: str) -> int:
    """A number that moves with every change of the register or its records: for what is computed from it."""
    found = models.Register.objects.filter(key=register, retired=False, dataset__in=grant.keys)
    number = found.values_list("counter", flat=True).first()
    if number is None:
        raise no_register(register)
    return number
