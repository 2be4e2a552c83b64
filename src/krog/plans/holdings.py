"""Which nodes of the plans somebody answers for, and the verb that names who."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet

from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.base.text import Text
from krog.journal import verbs as journal
from krog.people.holdings import Holding, Responsible
from krog.people.permissions import require_over
from krog.plans import models

_NAMES = ("organisation", "office", "holder")


def _rows(grant: Grant) -> QuerySet[models.Node]:
    return models.Node.objects.filter(draft=None, until=None, plan__retired=False, plan__dataset__in=grant.keys)


def answer(by: Reader, changes: Mapping[str, Responsible], reason: str = "") -> dict[str, Responsible]:
    """Names who answers for nodes in force, without a new version: that is management, which nobody adopts. Open drafts
    follow where they said the same. For planners, digital officers and the head of the office that had it."""
    with transaction.atomic():
        rows = models.Node.objects.select_for_update(of=("self",)).filter(
            draft=None, until=None, plan__retired=False, key__in=list(changes)
        )
        before: dict[str, Responsible] = {}
        entries, changed = [], []
        drafts: dict[str, list[models.Node]] = {}
        for draft in models.Node.objects.filter(
            draft__status__in=("draft", "consultation"), gone=False, key__in=list(changes)
        ):
            drafts.setdefault(draft.key, []).append(draft)
        for row in rows:
            require_over(by, row.office, "planner", "digital_officer", what="say who answers for a node")
            was, new = Responsible(row.organisation, row.office, row.holder), changes[row.key]
            if was == new:
                continue
            before[row.key] = was
            for name in _NAMES:
                for draft in drafts.get(row.key, ()):
                    if getattr(draft, name) == getattr(was, name):
                        setattr(draft, name, getattr(new, name))
                setattr(row, name, getattr(new, name))
            changed += [row, *drafts.get(row.key, ())]
            entries.append((Ref("node", row.key), vars(was), vars(new)))
        models.Node.objects.bulk_update(changed, _NAMES, batch_size=100)
        journal.record_all(by, "plans.answer", entries, reason=reason)
    return before


HOLDINGS = (
    Holding(
        "node",
        "plans",
        _rows,
        {
            "title": "title",
            "dataset": "plan__dataset",
            "part_of": "plan__key",
            "organisation": "organisation",
            "office": "office",
            "holder": "holder",
        },
        answer,
    ),
)


def areas(grant: Grant) -> list[tuple[str, str, Text]]:
    """The nodes in force that stand at the top of a plan: key, number and title, in the plan's order."""
    rows = _rows(grant).filter(parent="").order_by("plan__key", "order", "key")
    return [(key, number, title) for key, number, title in rows.values_list("key", "number", "title")]


def beneath(grant: Grant, area: str) -> frozenset[str]:
    """A node and all nodes in force below it."""
    below: dict[str, list[str]] = {}
    for key, parent in _rows(grant).values_list("key", "parent"):
        below.setdefault(parent, []).append(key)
    found, step = {area}, [area]
    while step:
        step = [key for one in step for key in below.get(one, ()) if key not in found]
        found.update(step)
    return frozenset(found)
