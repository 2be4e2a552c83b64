"""Writes of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F

from krog.base.declaration import Change
from krog.base.grant import Reader
from krog.catalogue import door, models
from krog.journal import declaring
from krog.people.permissions import require


def declare_datasets(by: Reader, *, changes: Sequence[Change]) -> None:
    """Creates, changes and retires datasets; every cached grant ends within a second."""
    require(by, "digital_officer", what="declare datasets")
    with transaction.atomic():
        declaring.declare(by, models.Dataset, changes, verb="catalogue.declare-dataset", noun="dataset")
        if not models.PolicyEpoch.objects.update(number=F("number") + 1):
            models.PolicyEpoch.objects.create(number=1)
        transaction.on_commit(door.forget)
