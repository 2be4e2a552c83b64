"""Where an indicator stands to its targets: pure, from baseline, targets and values; no verdict where they carry none.

The order of questions: can the target be read; is there a value; does the target have a level, and does that level lie
in the direction that is wanted; is the value a fact (replayed and simulated data get no verdict) and young enough; then
by the target's type. Reasons are codes, worded by the pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from krog.base.origin import weakest
from krog.base.units import convert, convertible
from krog.indicators import periods
from krog.indicators.shapes import Evaluation, Indicator, Target, Value, Verdict
from krog.methods import linear_trend, target_pace
from krog.methods.linear_trend import Trend

#: A single night or day says little: days are judged by the mean of the last so many.
DAYS_JUDGED = 28
#: "Keep" allows this share of the baseline to either side, unless the target says more.
KEEP_SHARE = 0.02
#: A value this many years old says nothing about where the city stands today.
OLDEST_YEARS = 5
INDEX = "{index}"


@dataclass(frozen=True)
class Level:
    """What is judged: a value at a place on the axis of years."""

    year: float
    value: float
    period: str


def points(values: Sequence[Value]) -> list[tuple[float, float]]:
    """The known values as points (year, value), in order of time."""
    known = sorted((v for v in values if v.value is not None), key=lambda v: v.period)
    return [(periods.position(v.period), v.value) for v in known if v.value is not None]


def trend(values: Sequence[Value]) -> Trend | None:
    """The linear trend of at least three known values, of one kind of period."""
    found = points(values)
    return linear_trend.fit(found) if len(found) >= 3 else None


def level(indicator: Indicator, values: Sequence[Value]) -> Level | None:
    """The newest known value; for days the mean of the last 28, placed at the newest."""
    known = sorted((v for v in values if v.value is not None), key=lambda v: v.period)
    if not known:
        return None
    last = known[-1]
    some = known[-DAYS_JUDGED:] if indicator.period == "day" else known[-1:]
    numbers = [v.value for v in some if v.value is not None]
    return Level(periods.position(last.period), sum(numbers) / len(numbers), last.period)


def indexed(values: Sequence[Value], comparator: Sequence[Value]) -> list[Value]:
    """100 × each value by the comparator's of the same period; periods without both, or with 0 below, are left out."""
    others = {each.period: each for each in comparator if each.value}
    return [
        replace(v, value=100 * v.value / other.value, origin=weakest([v.origin, other.origin]))
        for v in values
        if v.value is not None and (other := others.get(v.period)) is not None and other.value
    ]


def evaluate(
    indicator: Indicator,
    target: Target,
    values: Sequence[Value],
    *,
    comparator: Sequence[Value] = (),
    year: int | None = None,
) -> Evaluation:
    """Where the indicator stands to `target`, by its current values (one for each period).

    `comparator` are the values that an index is made against. `year` is the present one: a value too old for it gives
    no verdict (None: age is not looked at).
    """
    empty = Evaluation(target, Verdict.NOT_EVALUABLE, unit=indicator.unit)
    if not target.readable:
        return replace(empty, reasons=(f"target-{target.parse_status}",))
    if target.baseline:
        indicator = replace(indicator, baseline=target.baseline)
    if target.type == "index" and target.comparator:
        indicator = replace(indicator, unit=INDEX, baseline=target.baseline)
        before, values = values, indexed(values, comparator)
        empty = replace(empty, unit=INDEX)
        if any(v.value is not None for v in before) and not values:
            return replace(empty, reasons=("no-comparator",), goal=target.value)
    goal, goal_to, lacking = _goal(indicator, target)
    here = level(indicator, values)
    if here is None:
        verdict = Verdict.NO_DATA if not lacking else Verdict.NOT_EVALUABLE
        return replace(empty, verdict=verdict, reasons=lacking or ("no-values",), goal=goal, goal_to=goal_to)
    known = replace(empty, observed=here.value, period=here.period, goal=goal, goal_to=goal_to)
    if lacking:
        return replace(known, reasons=lacking)
    known = replace(known, **_forecast(target, values, here), **_pace(indicator, goal, target, here))
    if any(not v.origin.is_fact for v in values if v.value is not None):
        return replace(known, reasons=("demo-data",))
    done = target.type == "milestone_bool" and here.value == 1
    if year is not None and not done and not _over(target, here):
        if target.date and int(target.date) < year:
            return replace(known, reasons=("no-value-at-date",))
        if year - int(here.period[:4]) > OLDEST_YEARS:
            return replace(known, reasons=("old-value",))
    return _verdict(indicator, target, known, values, here)


def pick(evaluations: Sequence[Evaluation], year: int) -> Evaluation | None:
    """The one that a list shows: of the next target from `year` on, those without a year last; else of the last."""
    ordered = sorted(evaluations, key=lambda e: e.target.date or "9999")
    return next((e for e in ordered if (e.target.date or "9999") >= str(year)), ordered[-1] if ordered else None)


def _over(target: Target, here: Level) -> bool:
    """Whether the value is of the target's date or later: of its whole year, or of the last period in it."""
    if not target.date:
        return False
    return periods.after(here.period)[:4] > target.date


def _goal(indicator: Indicator, target: Target) -> tuple[float | None, float | None, tuple[str, ...]]:
    """The target as a level (or range) in the indicator's unit, or what is lacking for that."""
    kind, baseline = target.type, indicator.baseline
    if kind == "direction_only":
        return None, None, ()
    if kind == "milestone_bool":
        return 1.0, None, ()
    value, value_to = target.value, target.value_to
    if target.unit and target.unit != indicator.unit and kind not in ("relative_to_baseline", "index"):
        if not convertible(target.unit, indicator.unit):
            return None, None, ("unit-differs",)
        value = None if value is None else convert(value, target.unit, indicator.unit)
        value_to = None if value_to is None else convert(value_to, target.unit, indicator.unit)
    start = baseline.value if baseline else None
    if kind == "keep":
        if value is not None or start is not None:
            return value if value is not None else start, None, ()
        return None, None, ("no-baseline",)
    if value is None:
        return None, None, ("target-without-value",)
    if kind == "range":
        return value, value_to, () if value_to is not None else ("target-without-value",)
    if kind in ("relative_to_baseline", "delta_cumulative"):
        if start is None:
            return None, None, ("no-baseline",)
        if kind == "relative_to_baseline" and start == 0:
            return None, None, ("baseline-zero",)
        value = start + abs(start) * value / 100 if kind == "relative_to_baseline" else start + value
    return value, None, _contradicts(indicator, target, start, value)


def _contradicts(indicator: Indicator, target: Target, start: float | None, goal: float) -> tuple[str, ...]:
    """A goal on the other side of the baseline than the wanted direction is not guessed at."""
    if target.op or start is None or goal == start:
        return ()
    against = {"up": goal < start, "down": goal > start}.get(indicator.direction, False)
    return ("direction-contradicts",) if against else ()


def _pace(indicator: Indicator, goal: float | None, target: Target, here: Level) -> dict[str, Any]:
    """Progress, expected value and ratio of paces, where baseline and goal give a path."""
    base = indicator.baseline
    if goal is None or base is None or base.value is None or target.type in ("keep", "range", "milestone_bool"):
        return {}
    found = target_pace.pace(
        baseline=(periods.position(base.period), base.value),
        target=(float(target.date), goal),
        observed=(here.year, here.value),
    )
    if found is None:
        return {}
    return {
        "progress": found.progress,
        "expected": found.expected,
        "ratio": found.ratio,
        "methods": (target_pace.NAME,),
    }


def _forecast(target: Target, values: Sequence[Value], here: Level) -> dict[str, Any]:
    """Where the trend leads by the target's date, no further ahead than the values reach back."""
    if not target.date or target.type == "milestone_bool":
        return {}
    found, known = trend(values), points(values)
    year = float(target.date)
    if found is None or year <= here.year or year - here.year > 1.5 * (known[-1][0] - known[0][0]):
        return {}
    return {"forecast": found.at(year), "band": found.band(year)}


def _meets(op: str, value: float, goal: float) -> bool:
    return {"<": value < goal, "<=": value <= goal, ">": value > goal, ">=": value >= goal}.get(op, value == goal)


def _op(indicator: Indicator, target: Target, goal: float) -> str:
    """The comparison that meets the target: its own, else by the direction that is wanted, else by the side of the
    baseline that the goal lies on; empty where nothing says."""
    if target.op:
        return target.op
    wanted = {"up": ">=", "down": "<="}.get(indicator.direction)
    base = indicator.baseline.value if indicator.baseline else None
    if wanted or base is None or base == goal:
        return wanted or ""
    return ">=" if goal > base else "<="


def _verdict(
    indicator: Indicator, target: Target, known: Evaluation, values: Sequence[Value], here: Level
) -> Evaluation:
    """The verdict of a target that can be read, on values that are facts."""

    def say(verdict: Verdict, *reasons: str, method: str = "") -> Evaluation:
        return replace(known, verdict=verdict, reasons=reasons, methods=(method,) if method else ())

    over = _over(target, here)
    if target.type == "direction_only":
        return _direction(indicator, target, say, values)
    goal = known.goal
    if goal is None:
        return say(Verdict.NOT_EVALUABLE, "target-without-value")
    done = Verdict.ACHIEVED if over else Verdict.ON_TRACK
    if target.type == "keep":
        kept = _kept(target, here.value, goal)
        return say(done if kept else Verdict.OFF_TRACK, "kept" if kept else "not-kept")
    if target.type == "range":
        inside = goal <= here.value <= (known.goal_to if known.goal_to is not None else goal)
        return say(done if inside else Verdict.OFF_TRACK, "in-range" if inside else "out-of-range")
    if target.type == "milestone_bool":
        if here.value == 1:
            return say(Verdict.ACHIEVED, "done")
        return say(Verdict.OFF_TRACK, "missed") if over else say(Verdict.NOT_EVALUABLE, "not-yet")
    op = _op(indicator, target, goal)
    if not op:
        return say(Verdict.NOT_EVALUABLE, "no-direction")
    met = _meets(op, here.value, goal)
    if over:
        return say(Verdict.ACHIEVED if met else Verdict.OFF_TRACK, "met" if met else "missed")
    if known.ratio is not None and known.expected is not None:
        method = target_pace.NAME
        if met:
            return say(Verdict.ON_TRACK, "met-early", method=method)
        if known.ratio >= target_pace.ON_TRACK:
            return say(Verdict.ON_TRACK, "pace-enough", method=method)
        if known.ratio >= target_pace.AT_RISK:
            return say(Verdict.AT_RISK, "pace-slow", method=method)
        return say(Verdict.OFF_TRACK, "pace-away" if known.ratio < 0 else "pace-far-too-slow", method=method)
    if known.forecast is not None:
        method = linear_trend.NAME
        if _meets(op, known.forecast, goal):
            return say(Verdict.ON_TRACK, "trend-meets", method=method)
        near = known.band is not None and any(_meets(op, edge, goal) for edge in known.band)
        if near:
            return say(Verdict.AT_RISK, "trend-near", method=method)
        return say(Verdict.OFF_TRACK, "trend-misses", method=method)
    if met:
        return say(Verdict.ON_TRACK, "met-now")
    return say(Verdict.NOT_EVALUABLE, "no-path")


def _kept(target: Target, value: float, goal: float) -> bool:
    """Within the tolerance to either side; "at least" and "at most" look at one side only."""
    allowed = target.tolerance if target.tolerance is not None else abs(goal) * KEEP_SHARE
    if target.op in (">", ">="):
        return value >= goal - allowed
    if target.op in ("<", "<="):
        return value <= goal + allowed
    return abs(value - goal) <= allowed


def _direction(indicator: Indicator, target: Target, say: Any, values: Sequence[Value]) -> Evaluation:
    """A target that only names a direction: judged by the sign of the trend, if that differs from chance."""
    found = trend(values)
    way = found.direction if found else None
    wanted = {">": 1, ">=": 1, "<": -1, "<=": -1}.get(target.op) or {"up": 1, "down": -1}.get(indicator.direction)
    if wanted is None:
        return _as(say, Verdict.NOT_EVALUABLE, "no-direction")
    if way is None:
        return _as(say, Verdict.NOT_EVALUABLE, "too-few-values")
    if way == 0:
        return _as(say, Verdict.AT_RISK, "no-clear-trend", linear_trend.NAME)
    right = way == wanted
    return _as(
        say,
        Verdict.ON_TRACK if right else Verdict.OFF_TRACK,
        "trend-right" if right else "trend-wrong",
        linear_trend.NAME,
    )


def _as(say: Any, verdict: Verdict, reason: str, method: str = "") -> Evaluation:
    found: Evaluation = say(verdict, reason, method=method)
    return found
