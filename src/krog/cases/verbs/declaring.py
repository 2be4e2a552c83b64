"""What a city declares of cases in its files: types and protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models as db
from django.db import transaction

from krog.base.declaration import Change
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.cases import models
from krog.journal import verbs as journal
from krog.people.permissions import require


def _declare(by: Reader, model: type[db.Model], noun: str, changes: Sequence[Change]) -> None:
    require(by, "administrator", what=f"declare {noun}")
    manager: Any = model._default_manager
    with transaction.atomic():
        rows = {row.key: row for row in manager.filter(key__in=[change.key for change in changes])}
        entries: list[tuple[Ref, dict[str, Any] | None, dict[str, Any] | None]] = []
        for change in changes:
            row = rows.get(change.key)
            if row is None and change.fields is None:
                continue
            new = {"retired": True} if change.fields is None else {**change.fields, "retired": False}
            before = None if row is None else {name: getattr(row, name) for name in new}
            row = row or model(key=change.key)
            for name, value in new.items():
                setattr(row, name, value)
            row.save()
            entries.append((Ref(noun, change.key), before, None if change.fields is None else dict(change.fields)))
        journal.record_all(by, f"cases.declare-{noun}", entries, reason=changes[0].reason if changes else "")


def declare_case_types(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires types of cases."""
    _declare(by, models.CaseType, "case_type", changes)


def declare_protocols(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires protocols. Cases keep the ticks of steps by their number."""
    _declare(by, models.Protocol, "protocol", changes)
