"""A series of an indicator changed as a table says: values are only ever added, and what a person enters still waits
for the second person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.declaration import Change as Declared
from krog.base.errors import Conflict, Forbidden, Invalid, KrogError, NotFound, Problem, invalid
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.indicators import models, periods
from krog.indicators.shapes import RequestState, Status
from krog.indicators.verbs import ask, declare_values, enter
from krog.indicators.verbs.declaring import VALUE_DEFAULTS, value_fields, values_of_files
from krog.journal import verbs as journal
from krog.people.permissions import may, require
from krog.tables.comparing import Change, alike

#: What a table may say a value counts for.
TABLE_STATUSES = (Status.OFFICIAL, Status.PROVISIONAL, Status.ESTIMATED, Status.CONFIRMED)
_EXAMPLES = {"year": "2026", "month": "2026-11", "day": "2026-11-20"}
_NAMES = ("value", "status", "source", "note")


def require_edit(by: Reader, *, indicator: str) -> models.Indicator:
    """The indicator; Forbidden for whoever may not bring its values, Invalid where they are computed."""
    row = models.Indicator.objects.filter(key=indicator, retired=False).first()
    if row is None:
        raise NotFound(_("There is no indicator “%(key)s”.") % {"key": indicator[:60]}, "indicator")
    if row.kind == "computed":
        raise Forbidden(_("These values are computed; nobody brings them."), "indicator",
                        todo=_("Change the data or the formula that they come from."))  # fmt: skip
    if row.kind == "entered":
        if not may(by, "planner", "digital_officer"):
            require(by, "official", office=row.office or None, what=_("bring these values"))
    else:
        require(by, "planner", "digital_officer", what=_("bring these values"))
    return row


def accept_values(by: Reader, *, indicator: str, changes: Sequence[Change], reason: str) -> list[dict[str, Any]]:
    """Adds the chosen values: an imported one supersedes what stood, an entered one waits for the second person.
    Refused as a whole, with every period that is not right."""
    row = require_edit(by, indicator=indicator)
    if not reason.strip():
        raise Invalid(_("Say what these values are based on."), "reason")
    found = [problem for change in changes for problem in _wrong(row, change)]
    if found:
        raise invalid(found[:50], _("Some values are not right; nothing was changed."))
    with transaction.atomic():
        models.Indicator.objects.select_for_update().get(pk=row.pk)
        return _entered(by, row, changes) if row.kind == "entered" else _imported(by, row, changes, reason)


def _wrong(row: models.Indicator, change: Change) -> list[Problem]:
    where = _("row %(line)s") % {"line": change.line}
    found = []
    try:
        right = periods.kind_of(change.key) == row.period
    except KrogError:
        right = False
    if not right:
        found.append(Problem(_("“%(period)s” is no period of this indicator.") % {"period": change.key[:40]},
                             f"{where} period", _EXAMPLES[row.period]))  # fmt: skip
    new = {cell.name: cell.new for cell in change.cells}
    if change.kind == "added" and new.get("value") is None:
        found.append(Problem(_("A value is missing."), f"{where} value"))
    if change.kind == "added" and not str(new.get("source") or "").strip():
        found.append(Problem(_("Say where the value is from."), f"{where} source"))
    if "value" in new and new["value"] is None and change.kind != "added":
        found.append(Problem(_("A value is not taken away; write what is right instead."), f"{where} value"))
    if new.get("status") and new["status"] not in TABLE_STATUSES and row.kind != "entered":
        found.append(Problem(_("A table cannot say this status."), f"{where} status", ", ".join(TABLE_STATUSES)))
    return found


def _imported(by: Reader, row: models.Indicator, changes: Sequence[Change], reason: str) -> list[dict[str, Any]]:
    present = values_of_files([f"{row.key}.{change.key}" for change in changes])
    declared, done, moved = [], [], []
    for change in changes:
        key = f"{row.key}.{change.key}"
        old = present.get(key)
        before = value_fields(old) if old is not None else None
        if (before is None) != (change.kind == "added") or not all(
            alike((before or {}).get(cell.name), cell.old) for cell in change.cells if before is not None
        ):
            moved.append(Problem(_("Somebody has changed it since."), change.key))
            continue
        new = {cell.name: cell.new if cell.new is not None else "" for cell in change.cells if cell.name in _NAMES}
        fields = {**VALUE_DEFAULTS, "origin": "imported", "status": str(Status.OFFICIAL), **(before or {}), **new,
                  "indicator": row.key, "period": change.key}  # fmt: skip
        declared.append(Declared(key, fields, reason.strip()[:1000]))
        done.append({"key": change.key, "before": before, "after": fields})
    if moved:
        raise Conflict(_("Somebody has changed these values since you looked; nothing was changed."), "upload",
                       problems=tuple(moved[:50]), todo=_("Look at the difference again."))  # fmt: skip
    declare_values(by, changes=declared)
    return done


def _entered(by: Reader, row: models.Indicator, changes: Sequence[Change]) -> list[dict[str, Any]]:
    done = []
    known = set(models.Request.objects.filter(indicator=row).values_list("period", flat=True))
    for change in changes:
        new = {cell.name: cell.new for cell in change.cells}
        if "value" not in new:
            raise Invalid(_("Only the value of a period can be entered again, with its source."), change.key)
        if change.key not in known:
            ask(by, indicator=row.key, period=change.key)
        source = str(new.get("source") or change.values.get("source") or "")
        number = enter(by, request=f"{row.key}.{change.key}", value=float(new["value"]), source=source,
                       note=str(new.get("note") or ""), sure=True)  # fmt: skip
        done.append({"key": change.key, "value": number})
    return done


def undo_values(by: Reader, *, indicator: str, done: Sequence[Mapping[str, Any]], reason: str) -> int:
    """Takes the values back by newer rows; Conflict with the periods that somebody has changed or confirmed since."""
    row = require_edit(by, indicator=indicator)
    with transaction.atomic():
        models.Indicator.objects.select_for_update().get(pk=row.pk)
        if row.kind == "entered":
            return _withdrawn(by, row, done, reason)
        present = values_of_files([f"{row.key}.{each['key']}" for each in done])
        moved = []
        for each in done:
            old = present.get(f"{row.key}.{each['key']}")
            if old is None or value_fields(old) != each["after"]:
                moved.append(Problem(_("Somebody has changed it since."), str(each["key"])))
        _refuse(moved)
        declare_values(by, changes=[Declared(f"{row.key}.{e['key']}", e["before"], reason[:1000]) for e in done])
    return len(done)


def _withdrawn(by: Reader, row: models.Indicator, done: Sequence[Mapping[str, Any]], reason: str) -> int:
    requests = {r.period: r for r in models.Request.objects.select_for_update().filter(indicator=row)}
    moved = []
    for each in done:
        request = requests.get(str(each["key"]))
        if request is None or request.state != RequestState.ENTERED or request.value_id != each["value"]:
            moved.append(Problem(_("It has been confirmed, rejected or entered again since."), str(each["key"])))
    _refuse(moved)
    for each in done:
        request = requests[str(each["key"])]
        old = models.Value.objects.get(pk=each["value"])
        new = models.Value.objects.create(
            indicator=row, period=old.period, start=old.start, end=old.end, value=old.value, status=Status.REJECTED,
            origin=old.origin, source=old.source, note=reason[:2000], recorded=times.now(), entered_by=old.entered_by,
            confirmed_by=old.entered_by,
        )  # fmt: skip
        request.state, request.value, request.reason = RequestState.REJECTED, new, reason[:2000]
        request.save(update_fields=["state", "value", "reason"])
        journal.record(by, "indicators.undo-upload", Ref("indicator-request", request.key),
                       before={"value": old.value}, reason=reason[:1000])  # fmt: skip
    return len(done)


def _refuse(moved: Sequence[Problem]) -> None:
    if moved:
        raise Conflict(_("Not undone: these values have been changed since; nothing was changed."), "upload",
                       problems=tuple(moved[:50]), todo=_("Change them by hand."))  # fmt: skip
