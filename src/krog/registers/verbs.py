"""Writes of registers: declaring registers and records in bulk; adding, changing, retiring, undoing one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.declaration import Change
from krog.base.errors import Conflict, Invalid, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import KEY_ALLOWED, Ref, is_key, slug
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.journal import reads as journal_reads
from krog.journal import verbs as journal
from krog.people.permissions import SYSTEM, may, require
from krog.registers import geometry, indexes, models, reads, roles, schema, shapes, validity


def declare_registers(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires registers. Records that do not obey changed fields stay as they are and must be put
    right with their next change."""
    require(by, "digital_officer", what="declare registers")
    found = []
    for change in changes:
        if not is_key(change.key):
            found.append(Problem(f"{change.key!r} cannot be a key.", "register", KEY_ALLOWED))
        if change.fields is not None:
            found += [Problem(str(problem), f"register {change.key}") for problem in check_register(change.fields)]
    if found:
        raise invalid(found, "This register cannot be declared; nothing was changed.")
    names = ("title", "description", "dataset", "geometry", "fields", "title_field", "role")
    with transaction.atomic():
        rows = {row.key: row for row in models.Register.objects.filter(key__in=[c.key for c in changes])}
        entries = []
        for change in changes:
            row = rows.get(change.key)
            before = None if row is None else {name: getattr(row, name) for name in names}
            if row is None:
                if change.fields is None:
                    continue
                row = models.Register(key=change.key)
            row.retired = change.fields is None
            row.counter += 1
            for name, value in (change.fields or {}).items():
                setattr(row, name, value)
            row.save()
            if change.fields is not None:
                _rename(row, before)
            entries.append((Ref("register", change.key), before, change.fields))
        declared = models.Register.objects.filter(retired=False).values_list("fields", flat=True)
        indexes.keep(field for fields in declared for field in schema.read_fields(fields))
        journal.record_all(by, "registers.declare-register", entries, reason=changes[0].reason if changes else "")


def _rename(register: models.Register, before: Mapping[str, Any] | None) -> None:
    """Makes the titles of records anew where another field became their title."""
    if before is None or (before["title_field"], before["fields"]) == (register.title_field, register.fields):
        return
    rows = models.Record.objects.filter(register=register).order_by("pk").only("key", "values", "title", "search")
    last = 0
    while changed := list(rows.filter(pk__gt=last)[:CHUNK]):
        for row in changed:
            _describe(row, register)
        models.Record.objects.bulk_update(changed, ["title", "search"], batch_size=200)
        last = changed[-1].pk


def check_register(fields: Mapping[str, Any]) -> list[Problem]:
    """Every mistake in a declared register."""
    found = schema.check_fields(fields.get("fields", {}), fields.get("title_field", ""))
    kind = fields.get("geometry", "none")
    if kind not in schema.GEOMETRIES:
        found.append(Problem(f"There is no geometry {kind!r}.", "geometry", ", ".join(schema.GEOMETRIES)))
    found += roles.problems(fields.get("role") or "", fields.get("fields", {}))
    if not fields.get("dataset"):
        found.append(Problem("Every register belongs to a dataset.", "dataset", "the key of a dataset"))
    return found


@dataclass(frozen=True)
class _New:
    """What a record is to become, checked."""

    values: dict[str, Any]
    wkb: bytes | None
    bounds: tuple[float | None, float | None, float | None, float | None]
    valid_from: int | None
    valid_to: int | None


def _check(register: models.Register, wanted: Mapping[str, Any]) -> tuple[_New, list[Problem]]:
    """The checked record of `wanted` = {values, geometry, valid_from, valid_to}, and every mistake in it."""
    values, found = schema.check_values(schema.read_fields(register.fields), wanted.get("values") or {})
    shape, wrong = geometry.read(register.geometry, wanted.get("geometry"))
    found += wrong
    moments: dict[str, int | None] = {}
    for name in ("valid_from", "valid_to"):
        try:
            moments[name] = validity.read(str(wanted.get(name) or ""))
        except (ValueError, OverflowError):
            found.append(Problem(schema.not_allowed(wanted[name]), name, _(validity.ALLOWED)))
    first, last = moments.get("valid_from"), moments.get("valid_to")
    if first is not None and last is not None and last <= first:
        found.append(Problem(_("It ends before it begins."), "valid_to"))
    bounds = shape.bounds if shape is not None else (None,) * 4
    return _New(values, geometry.to_wkb(shape) if shape is not None else None, bounds, first, last), found


def _put(row: models.Record, register: models.Register, new: _New, *, retired: bool = False) -> None:
    row.values, row.shape, row.valid_from, row.valid_to = new.values, new.wkb, new.valid_from, new.valid_to
    row.min_lon, row.min_lat, row.max_lon, row.max_lat = new.bounds
    row.retired, row.changed = retired, times.now()
    _describe(row, register)


def _describe(row: models.Record, register: models.Register) -> None:
    row.title = str(row.values.get(register.title_field) or row.key)[:200]
    words = [row.key, *(text for value in row.values.values() for text in _texts(value))]
    row.search = " ".join(words).casefold()[:10_000]


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []


def state(row: models.Record) -> dict[str, Any]:
    """A record as files and the journal write it."""
    return {
        "register": row.register.key,
        "values": row.values,
        "geometry": geometry.to_geojson(row.shape),
        "valid_from": validity.write(row.valid_from),
        "valid_to": validity.write(row.valid_to),
    }


#: Records that are declared together: what is held in memory at a time, however many there are.
CHUNK = 1000


def declare_records(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires records of any registers in one transaction; every mistake of each is named."""
    require(by, "digital_officer", what="declare records")
    with transaction.atomic():
        registers = {row.key: row for row in models.Register.objects.filter(retired=False)}
        found: list[Problem] = []
        touched: set[int] = set()
        for start in range(0, len(changes), CHUNK):
            touched |= _declare(by, changes[start : start + CHUNK], registers, found)
        # Asked when all stand, because records of one declaration may name each other.
        found += _unknown_records(changes, registers)
        if found:
            raise invalid(found, "These records cannot be declared; nothing was changed.")
        models.Register.objects.filter(pk__in=touched).update(counter=F("counter") + 1)
        if len(changes) >= CHUNK:
            indexes.learn()


def _declare(
    by: Reader, changes: Sequence[Change], registers: Mapping[str, models.Register], found: list[Problem]
) -> set[int]:
    """Declares some records; returns the registers that they belong to. Writes nothing once a mistake was found."""
    known = models.Record.objects.filter(key__in=[c.key for c in changes]).select_related("register")
    rows = {row.key: row for row in known}
    create: list[models.Record] = []
    update: list[models.Record] = []
    entries: list[tuple[Ref, Mapping[str, Any] | None, Mapping[str, Any] | None]] = []
    for change in changes:
        row = rows.get(change.key)
        before = state(row) if row is not None and not row.retired else None
        if change.fields is None:
            if row is not None:
                row.retired, row.changed = True, times.now()
        else:
            wanted = {**(before or {}), **change.fields}
            register = registers.get(str(wanted.get("register")))
            if register is None or not is_key(change.key):
                found.append(_no_place(change.key, wanted))
                continue
            new, wrong = _check(register, wanted)
            found += [Problem(p.what, f"{change.key} {p.where}", p.allowed, p.todo) for p in wrong]
            if wrong:
                continue
            row = row or models.Record(key=change.key, version=0)
            row.register = register
            _put(row, register, new)
        if row is None:
            continue
        row.version += 1
        (update if row.pk else create).append(row)
        entries.append((Ref("record", change.key), before, None if row.retired else state(row)))
    if found:
        return set()
    models.Record.objects.bulk_create(create, batch_size=500)
    names = [f.name for f in models.Record._meta.concrete_fields if f.name not in ("id", "key")]
    models.Record.objects.bulk_update(update, names, batch_size=100)
    journal.record_all(by, "registers.declare-record", entries, reason=changes[0].reason)
    return {row.register_id for row in (*create, *update)}


def _unknown_records(changes: Sequence[Change], registers: Mapping[str, models.Register]) -> list[Problem]:
    """The records named by fields of declared records that do not exist."""
    named: dict[tuple[str, str], str] = {}
    for change in changes:
        home = registers.get(str((change.fields or {}).get("register")))
        for field in schema.read_fields(home.fields) if home else ():
            value = ((change.fields or {}).get("values") or {}).get(field.name)
            if field.type == "record" and isinstance(value, str):
                named.setdefault((field.register, value.strip()), f"{change.key} {field.name}")
    return [
        Problem(_no_named(key), named[home, key], _in_register(home)) for home, key in _missing_records(list(named))
    ]


def _missing_records(named: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of these (register, key) those that are no record in use."""
    missing = []
    for start in range(0, len(named), CHUNK):
        part = named[start : start + CHUNK]
        rows = models.Record.objects.filter(key__in=[key for _home, key in part], retired=False)
        have = set(rows.values_list("register__key", "key"))
        missing += [each for each in part if each not in have]
    return missing


def _no_named(key: str) -> str:
    return _("There is no record “%(key)s” here.") % {"key": key[:60]}


def _in_register(home: str) -> str:
    return _("the key of a record of the register “%(register)s”") % {"register": home}


def _check_one(register: models.Register, wanted: Mapping[str, Any]) -> tuple[_New, list[Problem]]:
    """`_check` for a record on its own, with the records that it names."""
    new, found = _check(register, wanted)
    named = {
        (field.register, new.values[field.name]): field.name
        for field in schema.read_fields(register.fields)
        if field.type == "record" and field.name in new.values
    }
    found += [
        Problem(_no_named(key), named[home, key], _in_register(home)) for home, key in _missing_records(list(named))
    ]
    return new, found


def _no_place(key: str, wanted: Mapping[str, Any]) -> Problem:
    if not is_key(key):
        return Problem(f"{key[:60]!r} cannot be a key.", "record", KEY_ALLOWED)
    return Problem(f"There is no register {wanted.get('register')!r}.", f"{key} register")


#: Who changes records, if he works in the office that keeps the dataset.
_KEEPERS = ("official", "operator", "clerk")


def editable(by: Reader) -> frozenset[str]:
    """The datasets whose records the reader may change: staff of the office that keeps each, digital officers all."""
    every = catalogue.datasets(door.open(SYSTEM, "desk", kind="registers"), noun="registers")
    return frozenset(
        each.key for each in every if may(by, "digital_officer") or may(by, *_KEEPERS, office=each.office or None)
    )


def _require_edit(by: Reader, register: models.Register) -> None:
    door.open(by, "desk", datasets=[register.dataset])
    if may(by, "digital_officer"):
        return
    about = catalogue.dataset(door.open(SYSTEM, "desk", datasets=[register.dataset]), register.dataset)
    require(by, *_KEEPERS, office=about.office or None, what="change these records")


def add_record(
    by: Reader,
    *,
    register: str,
    values: Mapping[str, Any],
    key: str = "",
    geometry: Mapping[str, Any] | None = None,
    valid_from: str = "",
    valid_to: str = "",
    reason: str = "",
) -> shapes.Record:
    """Adds a record; without a key one is made of its title. Raises Invalid with every field that is not right."""
    home = models.Register.objects.filter(key=register, retired=False).first()
    if home is None:
        raise reads.no_register(register)
    _require_edit(by, home)
    wanted = {"values": values, "geometry": geometry, "valid_from": valid_from, "valid_to": valid_to}
    new, found = _check_one(home, wanted)
    if key and (not is_key(key) or key in ("records", "map.geojson")):
        found.append(Problem(schema.not_allowed(key), "key", KEY_ALLOWED))
    if found:
        raise invalid(found, _("The record was not added; some of its fields are not right."))
    with transaction.atomic():
        # Locked, so that two who add at the same moment do not find the same key free.
        models.Register.objects.select_for_update().get(pk=home.pk)
        row = models.Record(key=key or _free_key(home, new.values), register=home)
        if models.Record.objects.filter(key=row.key).exists():
            taken = Problem(_("This key is taken."), "key", todo=_("Choose another key."))
            raise invalid([taken], _("The record was not added."))
        _put(row, home, new)
        row.save()
        _moved(home)
        journal.record(by, "registers.add-record", Ref("record", row.key), after=state(row), reason=reason)
    return _shown(by, row)


def _free_key(register: models.Register, values: Mapping[str, Any]) -> str:
    title = slug(str(values.get(register.title_field) or ""))[:70]
    first = f"{register.key[:20]}-{title}" if title else register.key[:90]
    taken = set(models.Record.objects.filter(key__startswith=first).values_list("key", flat=True))
    if title and first not in taken:
        return first
    return next(key for n in range(1, len(taken) + 3) if (key := f"{first}-{n}") not in taken)


def change_record(
    by: Reader, *, key: str, seen: int, values: Mapping[str, Any] | None = None, reason: str = "", **wanted: Any
) -> shapes.Record:
    """Changes a record: the fields named in `values` (None empties one), and where given `geometry`, `valid_from`,
    `valid_to`. `seen` is the version that the change was made on; if it has moved on since, Conflict."""
    if unknown := set(wanted) - {"geometry", "valid_from", "valid_to"}:
        raise TypeError(f"change_record has no {sorted(unknown)}")
    with transaction.atomic():
        row = _locked(by, key, seen)
        before = state(row)
        after = {**before, **wanted, "values": {**row.values, **(values or {})}}
        new, found = _check_one(row.register, after)
        if found:
            raise invalid(found, _("The record was not changed; some of its fields are not right."))
        _put(row, row.register, new)
        if state(row) != before:
            _save(by, row, "registers.change-record", before, state(row), reason)
    return _shown(by, row)


def retire_record(by: Reader, *, key: str, seen: int, reason: str) -> shapes.Record:
    """Takes a record out of use; its history stays, and the retirement can be undone. A reason is needed."""
    if not reason.strip():
        raise Invalid(_("A record is not taken out of use without a reason."), "reason")
    with transaction.atomic():
        row = _locked(by, key, seen)
        before = state(row)
        row.retired, row.changed = True, times.now()
        _save(by, row, "registers.retire-record", before, None, reason)
    return _shown(by, row)


def undo_record(by: Reader, *, key: str, seen: int, reason: str = "") -> shapes.Record:
    """Takes back the last change: what stood before it stands again (a record that was added is retired)."""
    with transaction.atomic():
        row = _locked(by, key, seen, retired=True)
        last = next(iter(journal_reads.history(Ref("record", key), limit=1)), None)
        if last is None or (last.before is None and last.after is None):
            raise Conflict(_("What stood before the last change is not kept any more."), "record")
        before = None if row.retired else state(row)
        if last.before is None:
            row.retired, row.changed = True, times.now()
        else:
            new, found = _check(row.register, last.before)
            if found:
                raise invalid(found, _("What stood before does not obey the register's fields any more."))
            _put(row, row.register, new)
        _save(by, row, "registers.undo", before, None if row.retired else state(row), reason)
    return _shown(by, row)


def _locked(by: Reader, key: str, seen: int, *, retired: bool = False) -> models.Record:
    rows = models.Record.objects.select_for_update(of=("self",)).select_related("register")
    row = rows.filter(key=key, register__retired=False).first() if "\x00" not in key else None
    if row is None:
        raise reads.no_record(key)
    _require_edit(by, row.register)
    if row.retired and not retired:
        raise Conflict(_("This record has been taken out of use."), "record", todo=_("Undo that first."))
    if row.version != seen:
        raise Conflict(
            _("Somebody else has changed this record since you opened it; nothing of yours was saved."),
            "record",
            todo=_("Look at what it says now, and make your change again if it is still needed."),
        )
    return row


def _save(
    by: Reader,
    row: models.Record,
    verb: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    reason: str,
) -> None:
    row.version += 1
    row.save()
    _moved(row.register)
    journal.record(by, verb, Ref("record", row.key), before=before, after=after, reason=reason.strip()[:1000])


def _moved(register: models.Register) -> None:
    models.Register.objects.filter(pk=register.pk).update(counter=F("counter") + 1)


def _shown(by: Reader, row: models.Record) -> shapes.Record:
    return reads.record_of(door.open(by, "desk", datasets=[row.register.dataset]), row)
