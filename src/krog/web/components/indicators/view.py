"""How an indicator is shown, the same in portal and desk: sentence, chart, where the number comes from, rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from krog.base.origin import Origin, weakest
from krog.base.settings import settings
from krog.catalogue import reads as catalogue
from krog.catalogue.shapes import Dataset
from krog.indicators import evaluation, formula, periods
from krog.indicators.shapes import Evaluation, Indicator, Provenance, Standing, Status, Value
from krog.methods import linear_trend, target_pace
from krog.web.components import charts, formats
from krog.web.components.indicators import words

#: A chart of days shows so many.
DAYS_SHOWN = 90


@dataclass(frozen=True)
class Row:
    """An indicator in a list."""

    standing: Standing
    href: str
    mark: str
    word: Any
    why: str
    target: str
    target_date: str
    unclear: str


def row(standing: Standing) -> Row:
    """One indicator as a list shows it."""
    about, found = standing.indicator, standing.evaluation
    mark, word = words.verdict(found, standing.latest is not None)
    unclear = found.target if found and not found.target.readable else None
    return Row(
        standing=standing,
        href=reverse("portal-indicators-detail", args=[about.key]),
        mark=mark,
        word=word,
        why=" ".join(str(reason) for reason in words.reasons(found)) if found and mark == "none" else "",
        target=words.quoted(unclear.raw) if unclear else words.target(found.target, about.unit) if found else "",
        target_date=found.target.date if found else "",
        unclear=str(words.PARSED.get(unclear.parse_status, "")) if unclear else "",
    )


def sentence(about: Indicator, values: Sequence[Value], next_target: Evaluation | None) -> str:
    """What the newest value means, in one sentence of plain arithmetic; empty where nothing can be said."""
    known = [v for v in values if v.value is not None]
    if not known:
        return _("There is no value yet.")
    last = known[-1]
    assert last.value is not None
    if about.yes_no:
        return _done(last)
    if about.period == "day":
        return _against_days(about, known)
    base = about.baseline
    first = (
        (base.period, base.value)
        if base and base.value is not None and base.period < last.period
        else ((known[0].period, known[0].value) if len(known) > 1 else None)
    )
    if first is None or first[1] is None:
        return ""
    years = periods.position(last.period) - periods.position(first[0])
    pace = (last.value - first[1]) / years
    facts = {"first": first[0], "last": last.period, "pace": words.number(abs(pace), _pace_decimals(about, pace))}
    if next_target is None or next_target.goal is None or next_target.target.date <= last.period:
        if pace > 0:
            return _("From %(first)s to %(last)s it rose by %(pace)s a year.") % facts
        return _("From %(first)s to %(last)s it fell by %(pace)s a year.") % facts
    goal = next_target.goal
    facts |= {"date": next_target.target.date, "goal": words.amount(goal, about.unit, about.decimals)}
    if pace == 0 or (goal - last.value) / pace < 0:
        return _("At the same change as from %(first)s to %(last)s "
                 "the target for %(date)s will not be reached.") % facts  # fmt: skip
    facts["year"] = str(math.ceil(periods.position(last.period) + (goal - last.value) / pace - 1e-9))
    return _("At the same change as from %(first)s to %(last)s (%(pace)s a year) the target for %(date)s will be "
             "reached in %(year)s.") % facts  # fmt: skip


def _done(last: Value) -> str:
    """Whether what is done or not was done, and when."""
    when = words.period(last.on or last.period)
    if last.value:
        return _("It was done: %(when)s.") % {"when": when}
    return _("It was not done yet: %(when)s.") % {"when": when}


def _pace_decimals(about: Indicator, pace: float) -> int:
    return about.decimals if abs(pace) >= 1 else max(about.decimals, 2)


def _against_days(about: Indicator, known: Sequence[Value]) -> str:
    """The newest day against the mean of the days before it."""
    last, before = known[-1], known[-1 - evaluation.DAYS_JUDGED : -1]
    if len(before) < 3 or last.value is None:
        return ""
    mean = sum(v.value or 0.0 for v in before) / len(before)
    facts = {
        "count": len(before), "mean": words.amount(mean, about.unit, about.decimals),
        "difference": words.amount(abs(last.value - mean), about.unit, about.decimals),
    }  # fmt: skip
    if round(abs(last.value - mean), about.decimals) == 0:
        return _("As much as the mean of the %(count)s days before (%(mean)s).") % facts
    if last.value > mean:
        return _("%(difference)s more than the mean of the %(count)s days before (%(mean)s).") % facts
    return _("%(difference)s less than the mean of the %(count)s days before (%(mean)s).") % facts


def chart(about: Indicator, values: Sequence[Value], evaluations: Sequence[Evaluation], finding: str) -> charts.Chart:
    """Observed line, baseline, targets, expected path and forecast; for days the target is a line across."""
    title = finding or words.said(about.title)
    origins = [value.origin for value in values if not value.origin.is_fact]
    origin = weakest(origins) if origins else None
    if about.period in ("day", "month"):
        return _chart_of_days(about, values[-DAYS_SHOWN:], evaluations, title, origin)
    series = [charts.Series(words.said(about.title), _points(values), origin=origin)]
    series += _ahead(about, values, evaluations)
    base = about.baseline
    return charts.line(
        title, _alt(about, values), series,
        baseline=(periods.position(base.period), base.value) if base and base.value is not None else None,
        targets=[(float(e.target.date), e.goal, "") for e in evaluations if e.goal is not None],
        unit=about.unit, x="year", language=words.language(), decimals=about.decimals or None,
    )  # fmt: skip


def _points(values: Sequence[Value]) -> list[tuple[float, float | None]]:
    return [(periods.position(value.period), value.value) for value in values]


def _alt(about: Indicator, values: Sequence[Value]) -> str:
    known = [v for v in values if v.value is not None]
    if not known:
        return _("No values yet.")
    ends = {
        "title": words.said(about.title), "first": words.period(known[0].period),
        "last": words.period(known[-1].period),
        "a": words.amount(known[0].value, about.unit, about.decimals),
        "b": words.amount(known[-1].value, about.unit, about.decimals),
    }  # fmt: skip
    return _("%(title)s: from %(a)s (%(first)s) to %(b)s (%(last)s).") % ends


def _ahead(about: Indicator, values: Sequence[Value], evaluations: Sequence[Evaluation]) -> list[charts.Series]:
    """The forecast by the trend and the path that the targets need: two different lines, from facts only."""
    here = evaluation.level(about, values)
    trend = evaluation.trend(values)
    coming = sorted((e for e in evaluations if e.goal is not None and here and float(e.target.date) > here.year),
                    key=lambda e: e.target.date)  # fmt: skip
    found = []
    if here and trend and coming and not any(not v.origin.is_fact for v in values):
        reach = [e for e in coming if e.forecast is not None]
        if reach:
            years = [here.year, *sorted({float(e.target.date) for e in reach})]
            bands = [(year, band) for year in years if (band := trend.band(year))]
            found.append(charts.Series(
                _("at the same trend"), [(year, trend.at(year)) for year in years], "forecast",
                band=[(year, low, high) for year, (low, high) in bands],
            ))  # fmt: skip
    base = about.baseline
    if coming:
        if base and base.value is not None:
            start = (periods.position(base.period), base.value)
        elif here:
            start = (here.year, here.value)
        else:
            return found
        path = target_pace.path(start, (float(coming[0].target.date), coming[0].goal or 0.0), [start[0]])
        path += [(float(e.target.date), e.goal or 0.0) for e in coming]
        found.append(charts.Series(_("path to the target"), path, "expected"))
    return found


def _chart_of_days(
    about: Indicator, values: Sequence[Value], evaluations: Sequence[Evaluation], title: str, origin: Origin | None
) -> charts.Chart:
    points: list[tuple[float, float | None]] = [(float(value.start), value.value) for value in values]
    limits = [
        (e.goal, _("target %(year)s: %(value)s") % {"year": e.target.date, "value": words.target(e.target, about.unit)})
        for e in evaluations if e.goal is not None and e.target.readable
    ]  # fmt: skip
    return charts.line(
        title, _alt(about, values), [charts.Series(words.said(about.title), points, origin=origin)], limits=limits,
        unit=about.unit, x="time", language=words.language(), decimals=about.decimals, zero=True,
        zone=settings().timezone,
    )  # fmt: skip


def read_formula(about: Indicator, value: Value | None = None) -> formula.Formula | None:
    """The formula that a value was computed with, else the indicator's own."""
    document = value.provenance.formula if value and value.provenance else about.formula
    if not document:
        return None
    return formula.read(document, about.period)


def chain(about: Indicator, value: Value | None, datasets: Mapping[str, Dataset]) -> list[dict[str, Any]]:
    """Where the number comes from: indicator, dataset with its version, readings, who or what made it."""
    first = {"label": _("indicator"), "text": words.said(about.title), "code": about.code}
    if value is None:
        return [first, {"label": _("value"), "text": _("There is none yet.")}]
    moment = formats.moment(value.recorded, words.language(), settings().timezone)
    made = value.provenance
    if made is None:
        steps = [first, {"label": _("source"), "text": value.source or about.source or _("not given")}]
        if value.entered_by or value.origin == Origin.ENTERED:
            steps.append({"label": _("entered"), "text": _("by the responsible office")})
            if value.status == Status.CONFIRMED:
                steps.append({"label": _("confirmed"), "text": _("by a second person")})
        else:
            steps.append({"label": _("taken over"), "text": str(words.STATUSES[value.status])})
        return [*steps, {"label": _("recorded"), "text": moment}]
    checked = read_formula(about, value)
    first["text"] = words.formula(checked) if checked else first["text"]
    steps = [first]
    steps += _read_from(made, datasets)
    if made.lake_version is None:
        rows = ngettext("%(count)s row", "%(count)s rows", made.rows) % {"count": words.number(made.rows, 0)}
    else:
        rows = ngettext("%(count)s reading", "%(count)s readings", made.rows) % {"count": words.number(made.rows, 0)}
    href = reverse("portal-indicators-value", args=[about.key, value.id])
    label = _("raw readings") if made.lake_version is not None else _("what went into it")
    steps.append({"label": label, "text": rows, "href": href})
    steps.append({"label": _("computed"), "text": moment})
    return steps


def _read_from(made: Provenance, datasets: Mapping[str, Dataset]) -> list[dict[str, Any]]:
    """The datasets and tables in their versions, and the other indicators, that a value was made from."""
    found: dict[str, dict[str, Any]] = {}
    for each in made.inputs:
        if other := each.get("indicator"):
            when = words.period(str(each["period"])) if each.get("period") else _("no value")
            found[f"indicator {other}"] = {
                "label": _("indicator"), "text": f"{other}, {when}",
                "code": f"#{each['version']}" if each["version"] else "",
                "href": reverse("portal-indicators-detail", args=[other]),
            }  # fmt: skip
            continue
        key = str(each["dataset"])
        title = words.said(datasets[key].title) if key in datasets else key
        found.setdefault(key, {
            "label": _("dataset"), "text": title, "code": f"{key}@v{each['version']}",
            "href": f"/{words.language()}/datasets/{key}" if key in datasets else "",
        })  # fmt: skip
    return list(found.values())


def datasets_of(grant: Any, about: Indicator) -> dict[str, Dataset]:
    """The datasets that a computed indicator reads, those that the reader may see, by key."""
    terms = (about.formula or {}).get("terms", {})
    wanted = {str(term.get("dataset") or term.get("table")) for term in terms.values()}
    return {one.key: one for one in catalogue.datasets(grant) if one.key in wanted} if wanted else {}


def methods(evaluations: Sequence[Evaluation]) -> list[str]:
    """The published methods that the verdicts and the forecast were made with."""
    names = {name for e in evaluations for name in e.methods}
    found = []
    if target_pace.NAME in names:
        found.append(_("Pace: the change so far against the change needed on a straight path; after Eurostat from "
                       "0.95 of it on track, from 0.6 at risk."))  # fmt: skip
    if linear_trend.NAME in names or any(e.forecast is not None for e in evaluations):
        found.append(_("Trend: straight line by least squares, with the band in which four of five single values are "
                       "expected."))  # fmt: skip
    return found
