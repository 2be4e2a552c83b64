"""What a city's files declare, brought into one table: existing rows are read once and all are written in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models as db
from django.db import transaction

from krog.base.declaration import Change
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.journal import verbs as journal

#: Rows in one statement.
BATCH = 200

Row = TypeVar("Row", bound=db.Model)


@dataclass(frozen=True)
class Declared(Generic[Row]):
    """One thing that was declared: its row as it is now, what it was before (None for a new one), and the change."""

    row: Row
    before: Mapping[str, Any] | None
    change: Change


def declare(
    by: Reader,
    model: type[Row],
    changes: Sequence[Change],
    *,
    verb: str,
    noun: str,
    retired: tuple[str, Any] = ("retired", True),
    state: Callable[[Row], Mapping[str, Any]] | None = None,
    prepare: Callable[[Row], None] = lambda row: None,
) -> list[Declared[Row]]:
    """Creates, changes and retires the rows of a table with a `key`, in one transaction with the journal.

    `retired` is the field that says that a thing was taken out of the files, and its value then. `state` gives what the
    journal keeps of a row before the change (without it: the fields that change), `prepare` derives what is not
    declared. A thing that is not there and is taken out stays away. The permission is asked by the verb that calls.
    """
    name, gone = retired
    manager = model._default_manager
    done: list[Declared[Row]] = []
    with transaction.atomic():
        found = manager.filter(key__in=[change.key for change in changes])
        rows = {str(row.key): row for row in found}  # type: ignore[attr-defined]
        made: list[Row] = []
        changed: list[Row] = []
        for change in changes:
            row = rows.get(change.key)
            before: Mapping[str, Any] | None = None
            if row is not None:
                before = (
                    state(row) if state else {field: getattr(row, field) for field in change.fields or {name: gone}}
                )
                changed.append(row)
            elif change.fields is None:
                continue
            else:
                row = rows[change.key] = model(key=change.key)
                made.append(row)
            for field, value in (change.fields or {}).items():
                setattr(row, field, value)
            setattr(row, name, gone if change.fields is None else not gone)
            prepare(row)
            done.append(Declared(row, before, change))
        manager.bulk_create(made, batch_size=BATCH)
        if changed:
            columns = [field.name for field in model._meta.concrete_fields if field.name not in ("id", "key")]
            manager.bulk_update(changed, columns, batch_size=BATCH)
        entries = [(Ref(noun, each.change.key), each.before, each.change.fields) for each in done]
        journal.record_all(by, verb, entries, reason=changes[0].reason if changes else "")
    return done
