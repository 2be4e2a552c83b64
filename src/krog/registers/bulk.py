"""Many records of a register changed at once, as a table says, and taken back as one: one transaction, one reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, Invalid, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import KEY_ALLOWED, Ref, is_key, slug
from krog.catalogue import door
from krog.journal import verbs as journal
from krog.registers import models, reads, schema, tables
from krog.registers.verbs import _check, _put, _require_edit, state
from krog.tables.comparing import Change, alike

#: Names of mistakes and rows that one refusal lists.
MOST_NAMED = 50


def require_edit(by: Reader, *, register: str) -> None:
    """Forbidden for whoever may not change the records of this register."""
    _require_edit(by, _home(register))


def _home(register: str) -> models.Register:
    home = models.Register.objects.filter(key=register, retired=False).first()
    if home is None:
        raise reads.no_register(register)
    return home


def accept_rows(by: Reader, *, register: str, changes: Sequence[Change], reason: str) -> list[dict[str, Any]]:
    """Makes the chosen changes of an upload. Refused as a whole (Invalid with every mistake; Conflict with the rows
    that somebody has changed since they were shown). Returns for each record what stood before and after."""
    home = _home(register)
    _require_edit(by, home)
    if not reason.strip():
        raise Invalid(_("Say what these changes are based on."), "reason")
    with transaction.atomic():
        models.Register.objects.select_for_update().get(pk=home.pk)
        rows = _rows(home, [c.key for c in changes if c.key])
        taken = set(models.Record.objects.filter(key__startswith=f"{register[:20]}-").values_list("key", flat=True))
        found: list[Problem] = []
        moved: list[Problem] = []
        create: list[models.Record] = []
        update: list[models.Record] = []
        done: list[dict[str, Any]] = []
        grant = door.open(by, "desk", datasets=[home.dataset])
        for change in changes:
            row = rows.get(change.key) if change.key else None
            where = _("row %(line)s") % {"line": change.line} if change.line else change.key
            now = None
            if row is not None and not row.retired:
                now = tables.values_of(reads.record_of(grant, row), home.geometry)
            if not _as_shown(change, now):
                moved.append(Problem(_("Somebody has changed it since."), change.key or where))
                continue
            before = state(row) if row is not None and now is not None else None
            if change.kind == "removed":
                assert row is not None  # it stands as shown
                row.retired, row.changed = True, times.now()
            else:
                wanted, wrong = _wanted(home, before, now or {}, change)
                new, more = _check(home, wanted)
                wrong += more
                key = change.key or _key(home, new.values, taken)
                if row is None and (not is_key(key) or key == "records"):
                    wrong.append(Problem(schema.not_allowed(key), "key", KEY_ALLOWED))
                elif row is None and change.key and models.Record.objects.filter(key=key).exists():
                    wrong.append(
                        Problem(_("This key is taken by another register."), "key", todo=_("Choose another key."))
                    )
                if wrong:
                    found += [Problem(p.what, f"{where} {p.where}", p.allowed, p.todo) for p in wrong]
                    continue
                taken.add(key)
                row = row or models.Record(key=key, register=home, version=0)
                row.register = home
                _put(row, home, new)
            row.version += 1
            (update if row.pk else create).append(row)
            done.append({"key": row.key, "before": before, "after": None if row.retired else state(row)})
        if moved:
            raise Conflict(
                _("Somebody has changed %(n)s of these records since you looked; nothing was changed.")
                % {"n": len(moved)},
                "upload", problems=tuple(moved[:MOST_NAMED]), todo=_("Look at the difference again."),
            )  # fmt: skip
        if found:
            raise invalid(found[:MOST_NAMED], _("Some rows do not obey the register; nothing was changed."))
        _write(by, home, create, update, done, "registers.upload", reason)
    return done


def undo_rows(by: Reader, *, register: str, done: Sequence[Mapping[str, Any]], reason: str) -> int:
    """Takes back what `accept_rows` did; Conflict with the keys of records that somebody has changed since."""
    home = _home(register)
    _require_edit(by, home)
    with transaction.atomic():
        models.Register.objects.select_for_update().get(pk=home.pk)
        rows = _rows(home, [str(each["key"]) for each in done])
        moved: list[Problem] = []
        update: list[models.Record] = []
        back: list[dict[str, Any]] = []
        for each in done:
            row = rows.get(str(each["key"]))
            now = state(row) if row is not None and not row.retired else None
            if row is None or now != each["after"]:
                moved.append(Problem(_("Somebody has changed it since."), str(each["key"])))
                continue
            if each["before"] is None:
                row.retired, row.changed = True, times.now()
            else:
                new, wrong = _check(home, each["before"])
                if wrong:
                    moved.append(Problem(_("What stood before does not obey the register any more."), row.key))
                    continue
                _put(row, home, new)
            row.version += 1
            update.append(row)
            back.append({"key": row.key, "before": now, "after": each["before"]})
        if moved:
            raise Conflict(
                _("Not undone: %(n)s of these records have been changed since; nothing was changed.")
                % {"n": len(moved)},
                "upload", problems=tuple(moved[:MOST_NAMED]), todo=_("Change these records by hand."),
            )  # fmt: skip
        _write(by, home, [], update, back, "registers.undo-upload", reason)
    return len(back)


def _rows(home: models.Register, keys: Sequence[str]) -> dict[str, models.Record]:
    found: dict[str, models.Record] = {}
    wanted = [key for key in keys if "\x00" not in key]
    for start in range(0, len(wanted), 500):
        part = models.Record.objects.filter(register=home, key__in=wanted[start : start + 500])
        found.update({row.key: row for row in part.select_related("register")})
    return found


def _as_shown(change: Change, now: Mapping[str, Any] | None) -> bool:
    """Whether what stands now is what the difference showed."""
    if change.kind == "added":
        return now is None
    return now is not None and all(alike(now.get(cell.name), cell.old) for cell in change.cells)


def _wanted(
    home: models.Register, before: Mapping[str, Any] | None, now: Mapping[str, Any], change: Change
) -> tuple[dict[str, Any], list[Problem]]:
    new = {cell.name: cell.new for cell in change.cells}
    values = {**((before or {}).get("values") or {}), **{n: v for n, v in new.items() if n in home.fields}}
    for name in new.keys() & home.fields.keys():
        if home.fields[name].get("type") == "choices":
            values[name] = [part.strip() for part in str(new[name] or "").split("|") if part.strip()] or None
    wanted = {**(before or {}), "values": values}
    for name in ("valid_from", "valid_to"):
        if name in new:
            wanted[name] = new[name] or ""
    if new.keys() & {"lon", "lat", "wkt"}:
        try:
            wanted["geometry"] = tables.geometry_of({**now, **new})
        except ValueError as error:
            return wanted, [
                Problem(schema.not_allowed(new.get("wkt")), "wkt", "POINT, LINESTRING, POLYGON …", str(error)[:100])
            ]
    return wanted, []


def _key(home: models.Register, values: Mapping[str, Any], taken: set[str]) -> str:
    base = f"{home.key[:20]}-{slug(str(values.get(home.title_field) or ''))[:70]}".rstrip("-")
    if base != home.key[:20] and base not in taken:
        return base
    number = 1
    while f"{base}-{number}" in taken:
        number += 1
    return f"{base}-{number}"


def _write(
    by: Reader, home: models.Register, create: list[models.Record], update: list[models.Record],
    done: Sequence[Mapping[str, Any]], verb: str, reason: str,
) -> None:  # fmt: skip
    models.Record.objects.bulk_create(create, batch_size=500)
    names = [f.name for f in models.Record._meta.concrete_fields if f.name not in ("id", "key", "register")]
    models.Record.objects.bulk_update(update, names, batch_size=100)
    models.Register.objects.filter(pk=home.pk).update(counter=F("counter") + 1)
    entries = [(Ref("record", str(e["key"])), e["before"], e["after"]) for e in done]
    for start in range(0, len(entries), 2000):
        journal.record_all(by, verb, entries[start : start + 2000], reason=reason.strip()[:1000])
