"""Which datasets somebody answers for (`steward`), and the verb that names who."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F, QuerySet

from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.catalogue import door, models
from krog.journal import verbs as journal
from krog.people.holdings import Holding, Responsible
from krog.people.permissions import is_staff, require_over


def _rows(grant: Grant) -> QuerySet[models.Dataset]:
    rows = models.Dataset.objects.filter(retired=False)
    return rows if is_staff(grant.reader) else rows.none()


def answer(by: Reader, changes: Mapping[str, Responsible], reason: str = "") -> dict[str, Responsible]:
    """Names who answers for datasets; the holder is the steward. For digital officers and the head of its office."""
    with transaction.atomic():
        before: dict[str, Responsible] = {}
        entries, changed = [], []
        for row in models.Dataset.objects.select_for_update().filter(retired=False, key__in=list(changes)):
            require_over(by, row.office, "digital_officer", what="say who answers for a dataset")
            was, new = Responsible(row.organisation, row.office, row.steward), changes[row.key]
            if was == new:
                continue
            before[row.key] = was
            row.organisation, row.office, row.steward = new.organisation, new.office, new.holder
            changed.append(row)
            entries.append((Ref("dataset", row.key), vars(was), vars(new)))
        models.Dataset.objects.bulk_update(changed, ["organisation", "office", "steward"], batch_size=100)
        journal.record_all(by, "catalogue.answer", entries, reason=reason)
        # What an organisation's own keys may read hangs on the organisation.
        if not models.PolicyEpoch.objects.update(number=F("number") + 1):
            models.PolicyEpoch.objects.create(number=1)
        transaction.on_commit(door.forget)
    return before


HOLDINGS = (
    Holding(
        "dataset",
        "catalogue",
        _rows,
        {
            "title": "title",
            "dataset": "key",
            "organisation": "organisation",
            "office": "office",
            "holder": "steward",
        },
        answer,
    ),
)
