"""Reads of registers: registers, their records filtered, sorted and paged, GeoJSON, history; all behind a grant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from krog.base.errors import NotFound, Problem, invalid
from krog.base.grant import Access, Grant
from krog.base.ids import Ref
from krog.journal import reads as journal
from krog.journal.shapes import Entry
from krog.people.permissions import is_staff
from krog.registers import geometry, indexes, models, ordered, schema, shapes, validity

#: Most records that one read gives.
MOST = 10_000

#: Chosen records are counted up to here.
MOST_COUNTED = 10_000

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


def registers(grant: Grant, dataset: str | None = None) -> list[shapes.Register]:
    """The registers that the reader may see, by key, each with how many of its records he may see."""
    rows = list(models.Register.objects.filter(retired=False, dataset__in=grant.keys).order_by("key"))
    if dataset is not None:
        rows = [row for row in rows if row.dataset == dataset]
    counted = ordered.counts([(row, _seen_of(grant, row)) for row in rows])
    return [_register(grant, row, counted[row.pk]) for row in rows]


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


def record_of(grant: Grant, row: models.Record, home: models.Register | None = None) -> shapes.Record:
    """The record as this grant shows it; for verbs of this noun, which have the row at hand."""
    home = home or row.register
    access = grant.datasets[home.dataset]
    names = [name for name in home.fields if access.shows(name)]
    titled = home.title_field in names
    return shapes.Record(
        key=row.key,
        register=home.key,
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
    exact: bool = False,
) -> shapes.Page:
    """Records of a register. `filters` name declared fields, for numbers and days also `field.min` and `field.max`;
    `text` is looked for in titles and texts; `sort` is a field, with `-` before it from the greatest;
    `bbox` is west,south,east,north in degrees. Everything that is wrong is named at once (Invalid).
    Of chosen ones no more than MOST_COUNTED are counted (see `Page.more`), unless it shall be `exact`."""
    home, rows, order = chosen(grant, register, filters or {}, text, sort, bbox)
    limit, offset = min(max(limit, 0), MOST), min(max(offset, 0), 2**31)
    found = ordered.page(rows, order, limit, offset, home.counter)
    items = [record_of(grant, row, home) for row in found]
    short = len(items) < limit and (items or not offset)
    if short:
        return shapes.Page(items, offset + len(items), limit, offset)
    most = MOST_COUNTED if not exact and (filters or text or bbox) else None
    total = ordered.count(rows, home.counter, most)
    more = most is not None and total > most
    return shapes.Page(items, max(total, offset + len(items) + 1) if more else total, limit, offset, more)


_Rows = QuerySet[models.Record]


def chosen(
    grant: Grant, register: str, filters: Mapping[str, str], text: str, sort: str, bbox: str
) -> tuple[models.Register, _Rows, ordered.Order]:
    """The register, those of its records that are wanted, and in which order; for this noun's own modules."""
    home = _home(grant, register)
    access = grant.datasets[home.dataset]
    fields = {field.name: field for field in schema.read_fields(home.fields) if access.shows(field.name)}
    rows = models.Record.objects.filter(_seen_of(grant, home), register_id=home.pk, retired=False)
    found: list[Problem] = []
    rows = _filtered(rows, fields, filters, found)
    rows = _searched(rows, text, access, home)
    order = _order(fields, sort, found)
    if bbox:
        rows = _boxed(rows, bbox, access, found)
    if found:
        raise invalid(found, _("The records cannot be chosen like this."))
    return home, rows, order


def _seen_of(grant: Grant, home: models.Register) -> Q:
    """Of a register that the reader may see, the rows that he may see; without joins, so that indexes serve."""
    found = Q()
    for rule in grant.datasets[home.dataset].rows:
        if rule.field not in (*home.fields, "key"):
            return Q(pk__in=[])
        column = "key" if rule.field == "key" else f"values__{rule.field}"
        test = Q(**{f"{column}__in": rule.value}) if rule.op == "in" else Q(**{column: rule.value})
        found &= ~test if rule.op == "!=" else test
    return found


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
        if field.type == "choices":
            rows = rows.filter(indexes.holding(field, value))
            continue
        alias = f"filter_{number}"
        rows = rows.alias(**{alias: indexes.Value(field)}).filter(**{f"{alias}{_COMPARE[ending]}": value})
    return rows


def _filter_names(fields: Mapping[str, schema.Field]) -> list[str]:
    ranged = [name for name, field in fields.items() if field.numeric or field.type == "date"]
    return [*fields, *(f"{name}.{ending}" for name in ranged for ending in ("min", "max"))]


def _searched(rows: _Rows, text: str, access: Access, home: models.Register) -> _Rows:
    words = text.casefold().replace("\x00", " ").split()[:8]
    # The search text is made of all fields; where some are hidden, it would tell what they say.
    whole = all(access.shows(name) for name in home.fields)
    for word in words:
        rows = rows.filter(indexes.worded(word) if whole else Q(key__contains=word))
    return rows


def _order(fields: Mapping[str, schema.Field], sort: str, found: list[Problem]) -> ordered.Order:
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if not name:
        return ordered.Order("title")
    if name in ("key", "changed"):
        return ordered.Order(name, down)
    if name not in fields:
        allowed = ", ".join(["key", "changed", *fields])
        found.append(Problem(_("The records cannot be sorted by this."), "sort", allowed))
    return ordered.Order("value", down, fields.get(name))


def _boxed(rows: _Rows, bbox: str, access: Access, found: list[Problem]) -> _Rows:
    try:
        box = geometry.read_box(bbox)
    except ValueError:
        found.append(Problem(schema.not_allowed(bbox), "bbox", _("west,south,east,north in degrees (WGS84)")))
        return rows
    if not access.shows("geometry"):
        return rows.none()
    return rows.filter(indexes.within(*box))


def record(grant: Grant, register: str, key: str) -> shapes.Record:
    """One record, or NotFound; a retired one is shown to staff only."""
    home = _home(grant, register)
    seen = _seen_of(grant, home) & Q(retired=False)
    if is_staff(grant.reader):
        seen |= Q(retired=True)
    row = models.Record.objects.filter(seen, register=home, key=key).first() if "\x00" not in key else None
    if row is None:
        raise no_record(key)
    return record_of(grant, row, home)


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


def titles(grant: Grant, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What records are called, by register and key, in one query; those that the reader may not see are left out."""
    pairs = [(home, key) for home, key in wanted if "\x00" not in key]
    if not pairs:
        return {}
    homes = {row.key: row for row in models.Register.objects.filter(
        key__in={home for home, _key in pairs}, retired=False, dataset__in=grant.keys
    )}  # fmt: skip
    seen = Q(pk__in=[])
    for home, row in homes.items():
        seen |= Q(register_id=row.pk, key__in=[key for at, key in pairs if at == home]) & _seen_of(grant, row)
    names = {row.pk: row for row in homes.values()}
    found = models.Record.objects.filter(seen, retired=False).values_list("register_id", "key", "title")
    return {
        (names[pk].key, key): title if grant.datasets[names[pk].dataset].shows(names[pk].title_field) else key
        for pk, key, title in found
    }


def feature(record: shapes.Record) -> dict[str, Any]:
    """A record as a GeoJSON feature."""
    times = {"valid_from": validity.write(record.valid_from), "valid_to": validity.write(record.valid_to)}
    properties = {**record.values, **{name: text for name, text in times.items() if text}}
    return {"type": "Feature", "id": record.key, "geometry": record.geometry, "properties": properties}


def collection(records: Sequence[shapes.Record]) -> dict[str, Any]:
    """Records as a GeoJSON feature collection."""
    return {"type": "FeatureCollection", "features": [feature(each) for each in records]}


def extent(grant: Grant, register: str) -> tuple[float, float, float, float] | None:
    """West, south, east and north of a register's records, once for each state of it; None where none has a place."""
    home = _home(grant, register)
    if not grant.datasets[home.dataset].shows("geometry"):
        return None
    return ordered.extent(
        models.Record.objects.filter(_seen_of(grant, home), register_id=home.pk, retired=False), home.counter
    )


def counter(grant: Grant, register: str) -> int:
    """A number that moves with every change of the register or its records: for what is computed from it."""
    found = models.Register.objects.filter(key=register, retired=False, dataset__in=grant.keys)
    number = found.values_list("counter", flat=True).first()
    if number is None:
        raise no_register(register)
    return number
