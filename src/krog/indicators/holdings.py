"""Which indicators and asked values somebody answers for (`owner`), and the verbs that name who."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Case, F, QuerySet, When
from django.utils.translation import gettext as _

from krog.base.errors import Conflict
from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.indicators import models
from krog.indicators.shapes import RequestState
from krog.journal import verbs as journal
from krog.people.holdings import Holding, Responsible
from krog.people.permissions import require_over


def _rows(grant: Grant) -> QuerySet[models.Indicator]:
    return models.Indicator.objects.filter(retired=False, dataset__in=grant.keys)


def answer(by: Reader, changes: Mapping[str, Responsible], reason: str = "") -> dict[str, Responsible]:
    """Names who answers for indicators; the holder is the owner, who is asked for its values. For planners, digital
    officers and the head of the office that had one. Whoever confirms the values stays a second person."""
    with transaction.atomic():
        before: dict[str, Responsible] = {}
        entries, changed = [], []
        for row in models.Indicator.objects.select_for_update().filter(retired=False, key__in=list(changes)):
            require_over(by, row.office, "planner", "digital_officer", what="say who answers for an indicator")
            was, new = Responsible(row.organisation, row.office, row.owner), changes[row.key]
            if was == new:
                continue
            if new.holder and new.holder == row.confirmer:
                raise Conflict(
                    _("Who confirms the values of an indicator cannot be the one who enters them."),
                    f"{row.key} holder",
                    todo=_("Choose somebody else, or change who confirms first."),
                )
            before[row.key] = was
            row.organisation, row.office, row.owner = new.organisation, new.office, new.holder
            changed.append(row)
            entries.append((Ref("indicator", row.key), vars(was), vars(new)))
        models.Indicator.objects.bulk_update(changed, ["organisation", "office", "owner"], batch_size=100)
        journal.record_all(by, "indicators.answer", entries, reason=reason)
    return before


def _confirmed(grant: Grant) -> QuerySet[models.Indicator]:
    return _rows(grant).exclude(confirmer="")


def answer_confirming(by: Reader, changes: Mapping[str, Responsible], reason: str = "") -> dict[str, Responsible]:
    """Names the second person of indicators: the holder; organisation and office are those of the indicator."""
    with transaction.atomic():
        before: dict[str, Responsible] = {}
        entries, changed = [], []
        for row in models.Indicator.objects.select_for_update().filter(retired=False, key__in=list(changes)):
            require_over(by, row.office, "planner", "digital_officer", what="say who confirms values")
            new = changes[row.key].holder
            if row.confirmer == new:
                continue
            if new and new == row.owner:
                raise Conflict(
                    _("Who enters the values of an indicator cannot be the one who confirms them."),
                    f"{row.key} holder",
                    todo=_("Choose somebody else."),
                )
            before[row.key] = Responsible(row.organisation, row.office, row.confirmer)
            entries.append((Ref("indicator", row.key), {"confirmer": row.confirmer}, {"confirmer": new}))
            row.confirmer = new
            changed.append(row)
        models.Indicator.objects.bulk_update(changed, ["confirmer"], batch_size=100)
        journal.record_all(by, "indicators.answer", entries, reason=reason)
    return before


def _asked(grant: Grant) -> QuerySet[models.Request]:
    rows = models.Request.objects.filter(indicator__retired=False, indicator__dataset__in=grant.keys)
    return rows.exclude(state=RequestState.CONFIRMED)


def _through_the_indicator(by: Reader, changes: Mapping[str, Responsible], reason: str = "") -> dict[str, Responsible]:
    """An asked value is answered by whom its indicator names; it has nobody of its own."""
    return {}


#: Whom an asked value waits for: the second person once it is entered, else the owner.
_WAITS_FOR = Case(When(state=RequestState.ENTERED, then=F("indicator__confirmer")), default=F("indicator__owner"))

_COLUMNS = {"title": "title", "dataset": "dataset", "organisation": "organisation", "office": "office"}

HOLDINGS = (Holding("indicator", "indicators", _rows, {**_COLUMNS, "holder": "owner"}, answer),)

#: What a person also holds through indicators: to confirm values, and values that wait.
PERSONAL = (
    Holding("confirming", "indicators", _confirmed, {**_COLUMNS, "holder": "confirmer"}, answer_confirming),
    Holding(
        "value",
        "indicators",
        _asked,
        {
            **{name: f"indicator__{column}" for name, column in _COLUMNS.items()},
            "holder": _WAITS_FOR,
            "due": "due",
        },
        _through_the_indicator,
    ),
)
