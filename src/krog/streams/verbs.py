"""Writes of streams: declaring observed properties, things, sensors and datastreams, many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models as db
from django.db import transaction
from django.db.models import F

from krog.base.declaration import Change
from krog.base.errors import Conflict, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import KEY_ALLOWED, Ref, is_key
from krog.base.units import UNITS_ALLOWED, is_unit
from krog.journal import verbs as journal
from krog.people.permissions import require
from krog.streams import models

#: The kinds that a city declares, each with its table.
KINDS: Mapping[str, type[db.Model]] = {
    "observed_property": models.ObservedProperty,
    "thing": models.Thing,
    "sensor": models.Sensor,
    "datastream": models.Datastream,
}

#: Fields of a datastream that hold the key of another kind.
LINKS = {"thing": "thing", "sensor": "sensor", "observed_property": "observed_property"}

#: What a datastream hangs on: the field that would be left without its thing.
_HELD_BY = {"thing": "thing__key", "sensor": "sensor__key", "observed_property": "observed_property__key"}


def declare(by: Reader, *, kind: str, changes: Sequence[Change]) -> None:
    """Creates, changes and retires things of one kind, in one transaction with their journal; the ingest process
    reads its index again. What a datastream in use needs cannot be retired (Conflict)."""
    require(by, "digital_officer", what=f"declare {kind.replace('_', ' ')}")
    if not changes:
        return
    manager = KINDS[kind]._default_manager
    with transaction.atomic():
        _refuse_orphans(kind, [change.key for change in changes if change.fields is None])
        rows: dict[str, Any] = {row.key: row for row in manager.filter(key__in=[c.key for c in changes])}  # type: ignore[attr-defined]
        known = _as_declared(kind, rows)
        _refuse_mistakes(kind, changes, known)
        linked = _linked(changes) if kind == "datastream" else {}
        create: list[Any] = []
        update: list[Any] = []
        entries = []
        for change in changes:
            row: Any = rows.get(change.key)
            if row is not None:
                update.append(row)
            elif change.fields is None:
                continue
            else:
                row = rows[change.key] = KINDS[kind](key=change.key)
                create.append(row)
            row.retired = change.fields is None
            for name, value in (change.fields or {}).items():
                if name in linked:
                    setattr(row, f"{name}_id", linked[name].get(value))
                else:
                    setattr(row, name, value)
            if kind == "datastream":
                row.search = " ".join([row.key, *map(str, row.title.values())]).casefold()
            before = known.get(change.key)
            after = None if change.fields is None else {**(before or {}), **change.fields}
            entries.append((Ref(kind, change.key), before, after))
        manager.bulk_create(create, batch_size=500)
        if update:
            names = [f.name for f in KINDS[kind]._meta.concrete_fields if f.name not in ("id", "key")]
            manager.bulk_update(update, names, batch_size=200)
        journal.record_all(by, f"streams.declare-{kind.replace('_', '-')}", entries, reason=changes[0].reason)
        if not models.Epoch.objects.update(number=F("number") + 1):
            models.Epoch.objects.create(number=1)


def declared_fields(kind: str) -> dict[str, str]:
    """Every field that a declaration of this kind has, with the column (or path) that holds it."""
    columns = [f.name for f in KINDS[kind]._meta.concrete_fields if f.name not in ("id", "key", "search", "retired")]
    return {name: f"{name}__key" if kind == "datastream" and name in LINKS else name for name in columns}


def _as_declared(kind: str, rows: Mapping[str, db.Model]) -> dict[str, dict[str, Any]]:
    """The rows as a declaration writes them, before they are changed."""
    fields = declared_fields(kind)
    found = KINDS[kind]._default_manager.filter(key__in=list(rows)).values("key", *fields.values())
    return {
        row["key"]: {name: row[column] or "" if name in LINKS else row[column] for name, column in fields.items()}
        for row in found
    }


def _linked(changes: Sequence[Change]) -> dict[str, dict[str, int]]:
    """The numbers of the things, sensors and properties that the datastreams name."""
    found: dict[str, dict[str, int]] = {}
    for name, kind in LINKS.items():
        keys = {change.fields[name] for change in changes if change.fields and change.fields.get(name)}
        found[name] = dict(KINDS[kind]._default_manager.filter(key__in=keys).values_list("key", "pk"))
    missing = [
        Problem(f"There is no {name.replace('_', ' ')} {change.fields[name]!r}.", f"{change.key} {name}")
        for change in changes
        if change.fields
        for name in LINKS
        if change.fields.get(name) and change.fields[name] not in found[name]
    ]
    if missing:
        raise invalid(missing, "Some datastreams name what does not exist; nothing was changed.")
    return found


def _refuse_mistakes(kind: str, changes: Sequence[Change], known: Mapping[str, Mapping[str, Any]]) -> None:
    found = []
    for change in changes:
        if not is_key(change.key):
            found.append(Problem(f"{change.key!r} cannot be a key.", kind, KEY_ALLOWED))
        if change.fields is not None:
            unknown = set(change.fields) - set(declared_fields(kind))
            found += [Problem(f"There is no field {name!r}.", f"{kind} {change.key}") for name in sorted(unknown)]
            merged = {**known.get(change.key, {}), **change.fields}
            found += [Problem(what, f"{kind} {change.key}") for what in check(kind, merged)]
    if found:
        raise invalid(found, f"This {kind.replace('_', ' ')} cannot be declared; nothing was changed.")


def _refuse_orphans(kind: str, keys: Sequence[str]) -> None:
    if kind not in _HELD_BY or not keys:
        return
    held = models.Datastream.objects.filter(retired=False, **{f"{_HELD_BY[kind]}__in": keys})
    if names := list(held.order_by("key").values_list("key", flat=True)[:5]):
        raise Conflict(
            f"This {kind.replace('_', ' ')} is still used by {', '.join(names)}.",
            kind,
            todo="Retire the datastreams first.",
        )


def check(kind: str, fields: Mapping[str, Any]) -> list[str]:
    """Mistakes that types cannot say, as sentences."""
    found = []
    for name in ("unit", "accuracy_unit"):
        if fields.get(name) and not is_unit(fields[name]):
            found.append(f"{name} {fields[name]!r} is not in the vocabulary of units: {UNITS_ALLOWED}")
    lon, lat = fields.get("lon"), fields.get("lat")
    if (lon is None) != (lat is None):
        found.append("lon and lat come together")
    if lon is not None and lat is not None and not (-180 <= lon <= 180 and -90 <= lat <= 90):
        found.append(f"lon {lon} lat {lat} is not on Earth: longitude -180 to 180, latitude -90 to 90 (WGS84)")
    if kind == "datastream":
        low, high = fields.get("minimum"), fields.get("maximum")
        if low is not None and high is not None and low >= high:
            found.append(f"minimum {low} is not below maximum {high}")
        if (fields.get("interval_s") or 0) < 0:
            found.append("interval_s is a number of seconds, 0 where values come irregularly")
        found += [f"{name} is missing" for name in ("thing", "observed_property", "dataset") if not fields.get(name)]
        if fields.get("numeric", True) and not fields.get("unit"):
            found.append("unit is missing (1 for a count, {class} for a class)")
    return found
