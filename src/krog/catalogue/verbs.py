"""Writes of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from krog.base.declaration import Change
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.catalogue import door, models
from krog.journal import verbs as journal
from krog.people.permissions import require


def declare_datasets(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires datasets; every cached grant ends within a second."""
    require(by, "digital_officer", what="declare datasets")
    with transaction.atomic():
        existing = {row.key: row for row in models.Dataset.objects.filter(key__in=[c.key for c in changes])}
        entries = []
        for change in changes:
            row = existing.get(change.key)
            before = None if row is None else {n: getattr(row, n) for n in (change.fields or {"retired": True})}
            if row is None:
                if change.fields is None:
                    continue
                row = models.Dataset(key=change.key)
            row.retired = change.fields is None
            for name, value in (change.fields or {}).items():
                setattr(row, name, value)
            row.save()
            entries.append((Ref("dataset", change.key), before, change.fields))
        journal.record_all(by, "catalogue.declare-dataset", entries, reason=changes[0].reason if changes else "")
        if not models.PolicyEpoch.objects.update(number=F("number") + 1):
            models.PolicyEpoch.objects.create(number=1)
        transaction.on_commit(door.forget)
