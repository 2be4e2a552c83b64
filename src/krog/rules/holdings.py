"""Which rules somebody answers for, and the verb that names who."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from krog.base.errors import Conflict
from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.journal import verbs as journal
from krog.people.holdings import Holding, Responsible
from krog.people.permissions import require_over
from krog.rules import models

_NAMES = ("organisation", "office", "holder")


def _rows(grant: Grant) -> QuerySet[models.Rule]:
    return models.Rule.objects.filter(retired=False, dataset__in=grant.keys)


def answer(by: Reader, changes: Mapping[str, Responsible], reason: str = "") -> dict[str, Responsible]:
    """Names who answers for rules. For digital officers, planners and the head of the office that had one."""
    with transaction.atomic():
        before: dict[str, Responsible] = {}
        entries, changed = [], []
        for row in models.Rule.objects.select_for_update().filter(retired=False, key__in=list(changes)):
            require_over(by, row.office, "digital_officer", "planner", what="say who answers for a rule")
            was, new = Responsible(row.organisation, row.office, row.holder), changes[row.key]
            if was == new:
                continue
            if row.mode == "act" and not new.office:
                raise Conflict(_("A rule that opens cases needs the office that handles them."), f"{row.key} office")
            before[row.key] = was
            for name in _NAMES:
                setattr(row, name, getattr(new, name))
            changed.append(row)
            entries.append((Ref("rule", row.key), vars(was), vars(new)))
        models.Rule.objects.bulk_update(changed, _NAMES, batch_size=100)
        journal.record_all(by, "rules.answer", entries, reason=reason)
    return before


HOLDINGS = (
    Holding(
        "rule",
        "rules",
        _rows,
        {
            "title": "title",
            "dataset": "dataset",
            "organisation": "organisation",
            "office": "office",
            "holder": "holder",
        },
        answer,
    ),
)
