"""The words and marks for what indicators say in codes, and formulas in words, in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from krog.base.text import say
from krog.indicators import periods
from krog.indicators.formula import OVER, Expression, Formula
from krog.indicators.shapes import YES_NO, Evaluation, Request, Target
from krog.indicators.terms import AnyTerm, Condition, RefTerm, TableTerm, Term
from krog.web.components import formats

#: Verdict -> mark of the status component, words.
VERDICTS: Mapping[str, tuple[str, Any]] = {
    "achieved": ("ok", gettext_lazy("achieved")),
    "on_track": ("ok", gettext_lazy("on track")),
    "at_risk": ("warn", gettext_lazy("at risk")),
    "off_track": ("bad", gettext_lazy("off track")),
    "no_data": ("none", gettext_lazy("no data")),
    "not_evaluable": ("none", gettext_lazy("no verdict")),
}

#: Why a verdict is what it is, or why there is none.
REASONS: Mapping[str, Any] = {
    "target-ambiguous": gettext_lazy("The target can be read in several ways."),
    "target-contradictory": gettext_lazy("The target contradicts itself in the source."),
    "target-missing": gettext_lazy("The source names no target."),
    "target-without-value": gettext_lazy("The target has no number."),
    "no-values": gettext_lazy("There is no value yet."),
    "no-baseline": gettext_lazy("The source names no baseline, so the target has no level."),
    "baseline-zero": gettext_lazy("The baseline is 0, so a share of it says nothing."),
    "unit-differs": gettext_lazy("The target is printed in a unit that does not measure the same."),
    "direction-contradicts": gettext_lazy(
        "The target lies on the other side of the baseline than the wanted direction."
    ),
    "no-comparator": gettext_lazy("The series to compare with has no value of the same period."),
    "old-value": gettext_lazy("The last value is more than five years old."),
    "no-value-at-date": gettext_lazy("The target's date is over and there is no value of it."),
    "done": gettext_lazy("It is done."),
    "demo-data": gettext_lazy("Demonstration data: replayed or simulated values carry no verdict."),
    "kept": gettext_lazy("The value has been kept."),
    "not-kept": gettext_lazy("The value has moved away from where it should stay."),
    "in-range": gettext_lazy("The value lies in the range."),
    "out-of-range": gettext_lazy("The value lies outside the range."),
    "met": gettext_lazy("The target is met."),
    "missed": gettext_lazy("The target was not met by its date."),
    "not-yet": gettext_lazy("It is not done yet; until its date nothing can be said."),
    "met-early": gettext_lazy("The value has reached the target already."),
    "met-now": gettext_lazy("The value meets the target now."),
    "pace-enough": gettext_lazy("The pace so far is enough for the target."),
    "pace-slow": gettext_lazy("The pace so far is slower than the target needs."),
    "pace-far-too-slow": gettext_lazy("The pace so far is far too slow for the target."),
    "pace-away": gettext_lazy("The value moves away from the target."),
    "trend-meets": gettext_lazy("The trend leads to the target."),
    "trend-near": gettext_lazy("The trend misses the target, but it lies within what is likely."),
    "trend-misses": gettext_lazy("The trend misses the target."),
    "no-path": gettext_lazy("Without a baseline or more values nothing can be said before the target's date."),
    "no-direction": gettext_lazy("It is not known which direction is wanted."),
    "too-few-values": gettext_lazy("There are too few values for a trend (at least four)."),
    "no-clear-trend": gettext_lazy("There is no clear trend."),
    "trend-right": gettext_lazy("The trend goes the wanted way."),
    "trend-wrong": gettext_lazy("The trend goes the other way."),
}

STATUSES: Mapping[str, Any] = {
    "calculated": gettext_lazy("calculated"),
    "provisional": gettext_lazy("provisional"),
    "confirmed": gettext_lazy("confirmed"),
    "official": gettext_lazy("official"),
    "estimated": gettext_lazy("estimated"),
    "rejected": gettext_lazy("rejected"),
}

#: State of a request -> mark, words.
REQUESTS: Mapping[str, tuple[str, Any]] = {
    "asked": ("warn", gettext_lazy("waits to be entered")),
    "entered": ("warn", gettext_lazy("waits to be confirmed")),
    "rejected": ("bad", gettext_lazy("rejected, waits to be corrected")),
    "confirmed": ("ok", gettext_lazy("confirmed")),
}

PARSED: Mapping[str, Any] = {
    "ambiguous": gettext_lazy("ambiguous in the source"),
    "contradictory": gettext_lazy("contradictory in the source"),
    "missing": gettext_lazy("not given in the source"),
}

KINDS: Mapping[str, Any] = {
    "computed": gettext_lazy("computed from data"), "entered": gettext_lazy("entered by the office"),
    "imported": gettext_lazy("taken over from documents"),
}  # fmt: skip

LEVELS: Mapping[str, Any] = {
    "input": gettext_lazy("input indicators"), "process": gettext_lazy("process indicators"),
    "output": gettext_lazy("output indicators"), "result": gettext_lazy("result indicators"),
    "impact": gettext_lazy("impact indicators"),
}  # fmt: skip

TARGET_TYPES: Mapping[str, Any] = {
    "absolute": gettext_lazy("a value to reach"), "threshold": gettext_lazy("a limit"),
    "relative_to_baseline": gettext_lazy("a change in % of the baseline"),
    "delta_cumulative": gettext_lazy("a change against the baseline"), "range": gettext_lazy("a range"),
    "keep": gettext_lazy("to be kept"), "direction_only": gettext_lazy("a direction only"),
    "index": gettext_lazy("an index against another series"), "milestone_bool": gettext_lazy("done or not done"),
}  # fmt: skip

UNLIKELY: Mapping[str, Any] = {
    "sign": gettext_lazy("It has the other sign than the last one"),
    "thousandfold": gettext_lazy("It is about a thousand times larger or smaller than the last one; is the unit right"),
    "jump": gettext_lazy("It differs from the last one by more than a half"),
}

#: Why a term of a table or of an indicator gives nothing.
_MISSING: Mapping[str, Any] = {
    "no-version": gettext_lazy("The table %(table)s did not exist yet at the end of the period."),
    "no-rows": gettext_lazy("No row of the table fits (%(term)s)."),
    "no-value": gettext_lazy("The other indicator has no value for it (%(term)s)."),
    "no-indicator": gettext_lazy("The other indicator does not exist any more (%(term)s)."),
    "unit-differs": gettext_lazy("The other indicator is in a unit that does not measure the same (%(term)s)."),
    "period-differs": gettext_lazy("The other indicator has values of shorter periods only (%(term)s)."),
    "not-available": gettext_lazy("The source says that there is no value."),
}

_AGGREGATES: Mapping[str, Any] = {
    "sum": gettext_lazy("sum"), "mean": gettext_lazy("mean"), "min": gettext_lazy("least"),
    "max": gettext_lazy("greatest"), "count": gettext_lazy("number"),
}  # fmt: skip
_OVERS: Mapping[tuple[str, str], Any] = {
    ("sum_over", "stream"): gettext_lazy("sum over all measuring points of"),
    ("mean_over", "stream"): gettext_lazy("mean over all measuring points of"),
    ("min_over", "stream"): gettext_lazy("least of all measuring points of"),
    ("max_over", "stream"): gettext_lazy("greatest of all measuring points of"),
    ("sum_over", "group"): gettext_lazy("sum over all groups of"),
    ("mean_over", "group"): gettext_lazy("mean over all groups of"),
    ("min_over", "group"): gettext_lazy("least of all groups of"),
    ("max_over", "group"): gettext_lazy("greatest of all groups of"),
    ("sum_over", "local_date"): gettext_lazy("sum over the days of"),
    ("mean_over", "local_date"): gettext_lazy("mean over the days of"),
    ("min_over", "local_date"): gettext_lazy("least of the days of"),
    ("max_over", "local_date"): gettext_lazy("greatest of the days of"),
    ("sum_over", "local_month"): gettext_lazy("sum over the months of"),
    ("mean_over", "local_month"): gettext_lazy("mean over the months of"),
    ("min_over", "local_month"): gettext_lazy("least of the months of"),
    ("max_over", "local_month"): gettext_lazy("greatest of the months of"),
}
_COUNTED: Mapping[str, Any] = {
    "stream": gettext_lazy("number of measuring points with"), "group": gettext_lazy("number of groups with"),
    "local_date": gettext_lazy("number of days with"), "local_month": gettext_lazy("number of months with"),
    "local_year": gettext_lazy("number of years with"),
}  # fmt: skip
_GRAINS: Mapping[str, Any] = {
    "local_date": gettext_lazy("for each day"), "local_month": gettext_lazy("for each month"),
    "local_year": gettext_lazy("for each year"),
}  # fmt: skip
_COMPARISONS = {"!=": "≠", "<=": "≤", ">=": "≥", "in": "∈"}
_SIGNS = {"share": " ÷ ", "+": " + ", "-": " − ", "*": " × ", "/": " ÷ ", "safe_div": " ÷ "}


def language() -> str:
    """The language of the page."""
    return get_language() or "en"


def said(text: Any) -> str:
    """A text of content in the page's language."""
    return str(say(text, language()))


def number(value: float | None, decimals: int | None = None) -> str:
    """A number as the page's language writes it."""
    return "–" if value is None else formats.number(value, language(), decimals)


def quoted(text: str) -> str:
    """A text in the quotation marks of the page's language."""
    return f"»{text}«" if language() == "sl" else f"“{text}”"


def amount(value: float | None, unit: str, decimals: int | None = None) -> str:
    """A number with its unit; done or not done in words."""
    if unit == YES_NO and value is not None:
        return _("done") if value else _("not done")
    symbol = formats.unit(unit, language())
    return f"{number(value, decimals)} {symbol}".strip()


def period(text: str) -> str:
    """A period as people write it: 20. 11. 2026, 11. 2026, 2023."""
    day = periods.first_day(text)
    moment = datetime(day.year, day.month, day.day)
    if len(text) == 10:
        return formats.day(moment, language())
    if "Q" in text:
        return _("%(quarter)s. quarter of %(year)s") % {"quarter": text[-1], "year": text[:4]}
    return formats.month(moment, language()) if len(text) == 7 else text


def verdict(evaluation: Evaluation | None, has_value: bool) -> tuple[str, Any]:
    """Mark and word of a standing."""
    if evaluation is None:
        return ("none", _("no target")) if has_value else VERDICTS["no_data"]
    return VERDICTS[evaluation.verdict]


def reasons(evaluation: Evaluation | None) -> list[Any]:
    """The reasons of a verdict as sentences."""
    return [REASONS.get(code, code) for code in evaluation.reasons] if evaluation else []


def target(of: Target, unit: str, decimals: int | None = None) -> str:
    """A target as it was read: `< 1,5 m³/h`, `−25 %`, `keep`."""
    own = of.unit or unit
    sign = {"<=": "≤ ", ">=": "≥ ", "<": "< ", ">": "> "}.get(of.op, "")
    if of.type == "direction_only":
        return _("improve") if not of.op else _("rise") if of.op.startswith(">") else _("fall")
    if of.type == "keep":
        return _("keep") if of.value is None else _("keep at %(value)s") % {"value": amount(of.value, own)}
    if of.type == "milestone_bool":
        return _("done")
    if of.value is None:
        return "–"
    if of.type == "range":
        return f"{number(of.value)}–{amount(of.value_to, own)}"
    plus = "+" if of.type in ("relative_to_baseline", "delta_cumulative") and of.value > 0 else ""
    return f"{sign}{plus}{amount(of.value, '%' if of.type == 'relative_to_baseline' else own)}"


def missing(reasons: Sequence[Mapping[str, Any]], terms: Mapping[str, Term] | None = None) -> list[str]:
    """Why a computed value cannot be known, in sentences."""
    found = []
    for reason in reasons:
        code = reason.get("code")
        if code == "coverage":
            about = {"stream": reason.get("stream"), "have": reason.get("have"), "expected": reason.get("expected")}
            found.append(_("%(stream)s has %(have)s of %(expected)s readings.") % about if about["expected"]
                         else _("%(stream)s has no readings.") % about)  # fmt: skip
        elif code == "division-by-zero":
            found.append(_("It would be a division by zero."))
        elif code in _MISSING:
            found.append(_MISSING[str(code)] % {"term": reason.get("term"), "table": reason.get("table")})
        elif code == "no-streams":
            found.append(_("No measuring point has the role that the formula asks for."))
        else:
            found.append(_("There are no readings."))
    return found


def formula(of: Formula) -> str:
    """The expression in words: `inflow − sum over all measuring points of deliveries`."""
    return _expression(of.expr, of.terms, top=True)


def term_title(name: str, term: AnyTerm) -> str:
    """What a term is called."""
    return said(term.title) or name


def term_sentence(term: AnyTerm) -> str:
    """What a term reads and how it is aggregated."""
    if isinstance(term, RefTerm):
        return _ref_sentence(term)
    return _table_sentence(term) if isinstance(term, TableTerm) else _stream_sentence(term)


def _ref_sentence(term: RefTerm) -> str:
    if term.at:
        return _("the value of the indicator %(key)s for %(period)s") % {
            "key": term.indicator,
            "period": period(term.at),
        }
    if term.lag:
        text = ngettext("the value of the indicator %(key)s one period earlier",
                        "the value of the indicator %(key)s %(count)d periods earlier", term.lag)  # fmt: skip
        return text % {"key": term.indicator, "count": term.lag}
    return _("the value of the indicator %(key)s of the same period") % {"key": term.indicator}


def _table_sentence(term: TableTerm) -> str:
    """How a table's rows are taken: `number of the rows of public-buildings where renovated = true`."""
    if term.agg == "count":
        parts = [_("number of the rows of %(table)s") % {"table": term.table}]
    else:
        about = {"aggregate": _AGGREGATES[term.agg], "field": term.field, "table": term.table}
        parts = [_("%(aggregate)s of %(field)s of the rows of %(table)s") % about]
    if term.where:
        parts.append(_("where %(conditions)s") % {"conditions": _(" and ").join(_condition(c) for c in term.where)})
    if term.time_grain:
        parts.append(str(_GRAINS[term.time_grain]))
    else:
        parts.append(_("as they stood at the end of the period"))
    if term.by:
        parts.append(_("by %(field)s") % {"field": term.by})
    return " ".join(parts)


def _condition(one: Condition) -> str:
    if one.op == "known":
        return _("%(field)s is known") % {"field": one.field}
    value = ", ".join(str(each) for each in one.value) if isinstance(one.value, tuple) else one.value
    if isinstance(value, bool):
        value = _("yes") if value else _("no")
    return f"{one.field} {_COMPARISONS.get(one.op, one.op)} {value}"


def _stream_sentence(term: Term) -> str:
    """How a term is aggregated: `mean of the readings from 2 to 4 o'clock for each day and measuring point`."""
    parts = [_("%(aggregate)s of the readings") % {"aggregate": _AGGREGATES[term.agg]}]
    if term.local_hour:
        parts.append(_("from %(start)s to %(end)s o'clock") % {"start": term.local_hour[0], "end": term.local_hour[1]})
    parts.append(str(_GRAINS[term.time_grain]))
    if term.by_stream:
        parts.append(_("and each measuring point"))
    text = " ".join(parts)
    if term.min_coverage:
        share = _("at least %(share)s %% of the readings must be there") % {"share": round(term.min_coverage * 100)}
        text = f"{text}; {share}"
    return text


def _expression(expr: Expression, terms: Mapping[str, AnyTerm], top: bool = False) -> str:
    if isinstance(expr, str):
        return term_title(expr, terms[expr])
    if not isinstance(expr, tuple):
        return number(float(expr))
    operator = expr[0]
    if operator in OVER:
        return f"{_OVERS[operator, expr[1]]} ({_expression(expr[2], terms)})"
    if operator == "count_over":
        limit = f"{_COMPARISONS.get(expr[2], expr[2])} {amount(float(expr[3]), str(expr[4]))}"
        return f"{_COUNTED[expr[1]]} {limit} ({_expression(expr[5], terms)})"
    if operator == "fill":
        return _expression(expr[1], terms)
    inner = [_expression(each, terms) for each in expr[1:]]
    if operator == "delta_vs_baseline":
        return _("change of %(now)s against %(then)s") % {"now": inner[0], "then": inner[1]}
    if operator in _SIGNS:
        text = _SIGNS[operator].join(inner)
        return text if top else f"({text})"
    word = {"neg": "−", "abs": _("amount of"), "min": _("least of"), "max": _("greatest of")}[operator]
    return f"{word} ({'; '.join(inner)})"


def due(of: Request, now: int) -> str:
    """How late or how far off a request is."""
    days = abs(of.due - now) // 86_400_000_000
    if of.due < now:
        return ngettext("%(count)d day late", "%(count)d days late", days) % {"count": days}
    return ngettext("%(count)d day left", "%(count)d days left", days) % {"count": days}
