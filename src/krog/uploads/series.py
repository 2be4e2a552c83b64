"""The series of an indicator as a table that comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from krog.base.grant import Grant, Reader
from krog.base.units import symbol
from krog.catalogue import door
from krog.indicators import bulk
from krog.indicators import reads as indicators
from krog.tables.columns import MARK, Column
from krog.tables.comparing import Change
from krog.uploads.shapes import Kind


def _grant(by: Reader) -> Grant:
    return door.open(by, "desk", kind="indicators")


def columns(by: Reader, target: str, language: str) -> Sequence[Column]:
    """Period, value, status, source, note; the mark of each row."""
    about = indicators.indicator(_grant(by), target)
    statuses = {
        "official": _("official"), "confirmed": _("confirmed"), "provisional": _("provisional"),
        "estimated": _("estimated"), "calculated": _("calculated"),
    }  # fmt: skip
    return (
        Column("period", _("Period"), required=True, meaning=_("A year 2026, a month 2026-11 or a day 2026-11-20.")),
        Column("value", _("Value"), "number", symbol(about.unit), meaning=_("A changed value supersedes the old one.")),
        Column("status", _("Status"), "choice", choices=statuses, fixed=about.kind == "entered"),
        Column("source", _("Source"), meaning=_("Where the value is from; needed for new ones."), width=40),
        Column("note", _("Note"), width=40),
        Column(MARK, _("Mark"), meaning=_("Krog sees by it whether a row has changed. Leave it."), hidden=True),
    )


def current(by: Reader, target: str) -> Mapping[str, Mapping[str, Any]]:
    """The value of each period that counts."""
    return {
        v.period: {"period": v.period, "value": v.value, "status": str(v.status), "source": v.source or None,
                   "note": v.note or None}
        for v in indicators.values(_grant(by), target)
    }  # fmt: skip


def _mark(by: Reader, target: str) -> str:
    rows = indicators.values(_grant(by), target)
    return f"{len(rows)}.{max((row.id for row in rows), default=0)}"


def _accept(by: Reader, target: str, changes: Sequence[Change], reason: str) -> list[dict[str, Any]]:
    return bulk.accept_values(by, indicator=target, changes=changes, reason=reason)


def _undo(by: Reader, target: str, done: Sequence[Mapping[str, Any]], reason: str) -> int:
    return bulk.undo_values(by, indicator=target, done=done, reason=reason)


def _require(by: Reader, target: str) -> None:
    bulk.require_edit(by, indicator=target)


def _tidy(by: Reader, target: str, row: dict[str, Any]) -> dict[str, Any]:
    """Spreadsheets turn 2026-11 into the day 2026-11-01, and 2026 into a number."""
    kind = indicators.indicator(_grant(by), target).period
    period = str(row.get("period") or "").strip()
    length = {"year": 4, "month": 7, "day": 10}[kind]
    if len(period) == 10 and period[length:] in ("", "-01", "-01-01"):
        period = period[:length]
    return {**row, "period": period or None}


KIND = Kind(
    "indicator", _require, columns, current, _mark, _accept, _undo, key="period", needed=("period", "value"),
    removes=False, tidy=_tidy,
)  # fmt: skip
