"""Clearing up a target that its source states unclearly: what it means, who said so, and on what ground."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base.errors import Invalid, NotFound, invalid
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.indicators import models
from krog.indicators.verbs import declaring
from krog.journal import verbs as journal
from krog.people.permissions import require

FIELDS = ("date", "type", "op", "value", "value_to", "parse_status", "clarification")


def clarify_target(
    by: Reader,
    *,
    key: str,
    clarification: str,
    date: str,
    type: str,
    op: str = "",
    value: float | None = None,
    value_to: float | None = None,
) -> None:
    """Records how an unclear target is to be read; from then on it is judged. Its printed text stays as it is.

    `clarification` says who decided, and where it is written. Planners and digital officers only. Raises Invalid.
    """
    require(by, "planner", "digital_officer", what=_("clarify targets"))
    if not clarification.strip():
        raise Invalid(_("Say who cleared it up, and where it is written."), "clarification", _("a sentence"))
    with transaction.atomic():
        row = models.Target.objects.select_for_update(of=("self",)).select_related("indicator").filter(key=key).first()
        if row is None or row.retired:
            raise NotFound(_("There is no target “%(key)s”.") % {"key": key[:100]}, "target")
        before = declaring.target_fields(row)
        wanted: dict[str, Any] = {
            **before,
            "date": date,
            "type": type,
            "op": op,
            "value": value,
            "value_to": value_to,
            "parse_status": "ok",
            "clarification": clarification.strip()[:2000],
        }
        problems = declaring.target_problems(key, wanted)
        problems += declaring.target_unit_problems(key, wanted, row.indicator.unit)
        if problems:
            raise invalid(problems, _("The target cannot be read like this."))
        for name in FIELDS:
            setattr(row, name, wanted[name])
        row.save(update_fields=FIELDS)
        journal.record(
            by,
            "indicators.clarify-target",
            Ref("indicator", row.indicator.key),
            before={name: before[name] for name in FIELDS} | {"target": key},
            after={name: wanted[name] for name in FIELDS} | {"target": key},
            reason=row.clarification,
        )
