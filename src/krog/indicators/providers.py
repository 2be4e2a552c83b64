"""What indicators provide to others: the kinds indicator, target and value of a city's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from krog.base.declaration import Change, Declaration, Fields
from krog.base.errors import Invalid
from krog.base.grant import Reader
from krog.base.origin import ORIGINS
from krog.indicators import models, periods, verbs
from krog.indicators.shapes import Status
from krog.indicators.verbs import declaring

#: What a value of a file may count for; the others come from running or asking.
FILE_STATUSES = (Status.OFFICIAL, Status.CONFIRMED, Status.ESTIMATED, Status.CALCULATED)


class IndicatorFile(msgspec.Struct, forbid_unknown_fields=True):
    """`baseline` is { period, value, note, raw }, `formula` as in `krog.indicators.formula`, `order` its place.

    `unit` is UCUM, or (not where it is computed) the source's own text with `unit_note` saying what it means. `same_as`
    shares the values of another indicator; `series_of` and `area` make it another area's series of one. `theme` is the
    key of a node of the plan. `due` is a day of the year after ("03-31") or of days after the period ("+20d").
    """

    key: str
    code: str = ""
    title: dict[str, str] = {}
    definition: dict[str, str] = {}
    unit: str = ""
    decimals: int = 0
    direction: str = "none"
    period: str = "year"
    kind: str = "entered"
    aggregation: str = ""
    dataset: str = ""
    organisation: str = ""
    office: str = ""
    owner: str = ""
    confirmer: str = ""
    formula: dict[str, Any] = {}
    baseline: dict[str, Any] = {}
    raw: str = ""
    parse_status: str = "ok"
    parse_note: str = ""
    same_as: str = ""
    due: str = ""
    source: str = ""
    order: int = 0
    unit_note: str = ""
    aliases: list[str] = []
    area: str = ""
    series_of: str = ""
    theme: str = ""
    level: str = ""
    frameworks: list[str] = []


class TargetFile(msgspec.Struct, forbid_unknown_fields=True):
    """`raw` is the text as printed; `value_to` the upper end of a range, `tolerance` what "keep" allows to either side.

    `plan` is the plan or document that sets it; `baseline` as in the indicator, where this target has its own;
    `comparator` the indicator that an index is made against; `clarification` how an unclear text was cleared up.
    `date` may be empty where the source prints no year.
    """

    key: str
    indicator: str = ""
    date: str = ""
    type: str = "absolute"
    op: str = ""
    value: float | None = None
    value_to: float | None = None
    unit: str = ""
    raw: str = ""
    parse_status: str = "ok"
    note: str = ""
    plan: str = ""
    baseline: dict[str, Any] = {}
    tolerance: float | None = None
    comparator: str = ""
    clarification: str = ""


class ValueFile(msgspec.Struct, forbid_unknown_fields=True):
    """One row of `values/<indicator>.csv`; its key is `<indicator>.<period>`. Without a value it says that there is
    none (`note`: why). `on` is the day that the value holds for."""

    key: str
    indicator: str = ""
    period: str = ""
    value: float | None = None
    status: str = "official"
    origin: str = "imported"
    source: str = ""
    note: str = ""
    on: str = ""


def _read_indicators() -> Mapping[str, Fields]:
    rows = models.Indicator.objects.filter(retired=False).order_by("order", "key")
    return {row.key: declaring.indicator_fields(row) for row in rows}


def _read_targets() -> Mapping[str, Fields]:
    rows = models.Target.objects.filter(retired=False).select_related("indicator").order_by("indicator__key", "date")
    return {row.key: declaring.target_fields(row) for row in rows}


def _read_values() -> Mapping[str, Fields]:
    return {key: declaring.value_fields(row) for key, row in declaring.values_of_files().items()}


def _write_indicators(by: Reader, changes: Sequence[Change]) -> None:
    verbs.declare_indicators(by, changes=changes)


def _write_targets(by: Reader, changes: Sequence[Change]) -> None:
    verbs.declare_targets(by, changes=changes)


def _write_values(by: Reader, changes: Sequence[Change]) -> None:
    verbs.declare_values(by, changes=changes)


def _check_indicator(fields: Fields) -> Sequence[str]:
    return [str(problem) for problem in declaring.indicator_problems("", fields)]


def _check_tables(fields: Fields, things: Mapping[str, Mapping[str, Fields]]) -> Sequence[str]:
    """A table of a formula is a register, or a dataset of facts."""
    known = set(things.get("register", {})) | set(things.get("dataset", {}))
    terms = (fields.get("formula") or {}).get("terms", {})
    named = {str(term["table"]) for term in terms.values() if isinstance(term, dict) and term.get("table")}
    return [f"formula: there is no register or table {name!r}" for name in sorted(named - known)]


def _check_target(fields: Fields) -> Sequence[str]:
    return [str(problem) for problem in declaring.target_problems("", fields)]


def _check_target_unit(fields: Fields, things: Mapping[str, Mapping[str, Fields]]) -> Sequence[str]:
    parent = things.get("indicator", {}).get(str(fields.get("indicator", "")), {})
    return [str(problem) for problem in declaring.target_unit_problems("", fields, str(parent.get("unit", "")))]


def _check_value(fields: Fields) -> Sequence[str]:
    found = []
    try:
        periods.kind_of(str(fields.get("period", "")))
    except Invalid as error:
        found.append(str(error))
    if fields.get("status", "official") not in FILE_STATUSES:
        found.append(f"status {fields['status']!r} is not one of {', '.join(FILE_STATUSES)}")
    if fields.get("origin", "imported") not in ORIGINS:
        found.append(f"origin {fields['origin']!r} is not one of {', '.join(ORIGINS)}")
    if fields.get("on") and not periods.is_day(str(fields["on"])):
        found.append(f"on {fields['on']!r} is no day, for example 2026-11-20")
    if not fields.get("source"):
        found.append("source is empty: say which document or table the value is from")
    return found


DECLARATIONS: tuple[Declaration, ...] = (
    Declaration(
        "indicator",
        "indicators.toml",
        IndicatorFile,
        _read_indicators,
        _write_indicators,
        refs={
            "dataset": "dataset",
            "organisation": "organisation",
            "office": "office",
            "owner": "account",
            "confirmer": "account",
            "same_as": "indicator",
            "series_of": "indicator",
            "formula.terms.*.dataset": "dataset",
            "formula.terms.*.indicator": "indicator",
            "formula.terms.*.filter.streams": "datastream",
        },
        check=_check_indicator,
        check_among=_check_tables,
        own_units=True,
        quoted=True,
    ),
    Declaration(
        "target",
        "indicators.toml",
        TargetFile,
        _read_targets,
        _write_targets,
        refs={"indicator": "indicator", "comparator": "indicator"},
        check=_check_target,
        check_among=_check_target_unit,
        own_units=True,
    ),
    Declaration(
        "value",
        "values/<indicator>.csv",
        ValueFile,
        _read_values,
        _write_values,
        refs={"indicator": "indicator"},
        check=_check_value,
        key="{indicator}.{period}",
    ),
)
