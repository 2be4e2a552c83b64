"""Where an indicator stands to its targets: pure, from baseline, targets and values; no verdict where they carry none.

The order of questions: can the target be read; is there a value; is it a fact (replayed and simulated data get no
verdict); then by the target's type. Reasons are codes, worded by the pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from krog.indicators import periods
from krog.indicators.shapes import Baseline, Evaluation, Indicator, Target, Value, Verdict
from krog.methods import linear_trend, target_pace
from krog.methods.linear_trend import Trend

#: A single night or day says little: days are judged by the mean of the last so many.
DAYS_JUDGED = 28
#: "Keep" allows this share of the baseline to either side, unless the target says more.
KEEP_SHARE = 0.02


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


def evaluate(indicator: Indicator, target: Target, values: Sequence[Value]) -> Evaluation:
    """Where the indicator stands to `target`, by its current values (one for each period)."""
    empty = Evaluation(target, Verdict.NOT_EVALUABLE)
    if not target.readable:
        return replace(empty, reasons=(f"target-{target.parse_status}",))
    goal, goal_to, lacking = _goal(target, indicator.baseline)
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
    return _verdict(indicator, target, known, values, here)


def pick(evaluations: Sequence[Evaluation], year: int) -> Evaluation | None:
    """The one that a list shows: of the next target from `year` on, else of the last."""
    ordered = sorted(evaluations, key=lambda e: e.target.date)
    return next((e for e in ordered if e.target.date >= str(year)), ordered[-1] if ordered else None)


def _goal(target: Target, baseline: Baseline | None) -> tuple[float | None, float | None, tuple[str, ...]]:
    """The target as a level (or range) in the indicator's unit, or what is lacking for that."""
    kind, value = target.type, target.value
    if kind == "direction_only":
        return None, None, ()
    if kind == "milestone_bool":
        return 1.0, None, ()
    start = baseline.value if baseline else None
    if kind == "keep":
        if value is not None or start is not None:
            return value if value is not None else start, None, ()
        return None, None, ("no-baseline",)
    if value is None:
        return None, None, ("target-without-value",)
    if kind == "range":
        return value, target.value_to, () if target.value_to is not None else ("target-without-value",)
    if kind in ("relative_to_baseline", "delta_cumulative"):
        if start is None:
            return None, None, ("no-baseline",)
        return (start * (1 + value / 100) if kind == "relative_to_baseline" else start + value), None, ()
    return value, None, ()


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
    found, known = trend(values), points(values)
    year = float(target.date)
    if found is None or year <= here.year or year - here.year > 1.5 * (known[-1][0] - known[0][0]):
        return {}
    return {"forecast": found.at(year), "band": found.band(year)}


def _meets(op: str, value: float, goal: float) -> bool:
    return {"<": value < goal, "<=": value <= goal, ">": value > goal, ">=": value >= goal}.get(op, value == goal)


def _op(indicator: Indicator, target: Target) -> str:
    """The comparison that meets the target: its own, else by the direction that is wanted."""
    if target.op and target.op != "=":
        return target.op
    base = indicator.baseline.value if indicator.baseline else None
    if target.type == "delta_cumulative" and target.value is not None and base is not None:
        return ">=" if target.value >= 0 else "<="
    return {"up": ">=", "down": "<="}.get(indicator.direction, "=")


def _verdict(
    indicator: Indicator, target: Target, known: Evaluation, values: Sequence[Value], here: Level
) -> Evaluation:
    """The verdict of a target that can be read, on values that are facts."""

    def say(verdict: Verdict, *reasons: str, method: str = "") -> Evaluation:
        return replace(known, verdict=verdict, reasons=reasons, methods=(method,) if method else ())

    over = here.year >= float(target.date)
    if target.type == "direction_only":
        return _direction(indicator, target, say, values)
    goal = known.goal
    if goal is None:
        return say(Verdict.NOT_EVALUABLE, "target-without-value")
    if target.type == "keep":
        kept = abs(here.value - goal) <= abs(goal) * KEEP_SHARE
        return say(Verdict.ON_TRACK if kept else Verdict.OFF_TRACK, "kept" if kept else "not-kept")
    if target.type == "range":
        inside = goal <= here.value <= (known.goal_to if known.goal_to is not None else goal)
        done = Verdict.ACHIEVED if over else Verdict.ON_TRACK
        return say(done if inside else Verdict.OFF_TRACK, "in-range" if inside else "out-of-range")
    met = _meets(_op(indicator, target), here.value, goal)
    if over or (met and target.type == "milestone_bool"):
        return say(Verdict.ACHIEVED if met else Verdict.OFF_TRACK, "met" if met else "missed")
    if target.type == "milestone_bool":
        return say(Verdict.NOT_EVALUABLE, "not-yet")
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
        op, method = _op(indicator, target), linear_trend.NAME
        if _meets(op, known.forecast, goal):
            return say(Verdict.ON_TRACK, "trend-meets", method=method)
        near = known.band is not None and any(_meets(op, edge, goal) for edge in known.band)
        if near:
            return say(Verdict.AT_RISK, "trend-near", method=method)
        return say(Verdict.OFF_TRACK, "trend-misses", method=method)
    if met:
        return say(Verdict.ON_TRACK, "met-now")
    return say(Verdict.NOT_EVALUABLE, "no-path")


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
