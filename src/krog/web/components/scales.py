"""Axes: which ticks are nice, where a value lies, how a tick is written. Pure, no drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from krog.base import times
from krog.web.components import formats

_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Scale:
    """A straight map from values `low…high` to positions `start…end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def nice_step(span: float, count: int) -> float:
    """The step of 1, 2, 2.5 or 5 times a power of ten that divides `span` into at most about `count` parts."""
    rough = span / max(count, 1)
    power: float = 10.0 ** math.floor(math.log10(rough))
    # The slack lets 2.0000001 through as 2: spans are differences of floats.
    return next(step * power for step in _STEPS if step * power >= rough * 0.9999999)


def value_ticks(low: float, high: float, count: int = 5, zero: bool = False) -> list[float]:
    """Round values that enclose `low…high`; with `zero` the axis begins (or ends) there."""
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    # Differences that a float cannot hold, or nobody could read, are none.
    if high - low <= max(abs(low), abs(high), 1.0) * 1e-9:
        pad = abs(low) * 0.1 if abs(low) > 1e-6 else 1.0
        low, high = low - (0 if zero and low == 0 else pad), high + pad
    step = nice_step(high - low, count)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def tick_decimals(ticks: Sequence[float]) -> int:
    """How many places all ticks of an axis need."""
    step = min((b - a for a, b in pairwise(ticks)), default=1.0)
    for places in range(7):
        if abs(round(step, places) - step) < step * 1e-6:
            return places
    return 6


def year_ticks(low: float, high: float, count: int = 8) -> list[float]:
    """Whole years, at a step of 1, 2, 5, 10, …; at least the first and the last."""
    span = max(high - low, 1)
    step = next(s for s in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000) if span / s <= count)
    first = math.ceil(low / step) * step
    return [float(year) for year in range(first, math.floor(high) + 1, step)]


@dataclass(frozen=True)
class TimeTick:
    """A tick of a time axis: the moment (microseconds) and what is written there."""

    time: int
    text: str


_TIME_STEPS: tuple[timedelta, ...] = tuple(
    timedelta(minutes=m) for m in (1, 5, 10, 15, 30, 60, 120, 180, 360, 720)
) + tuple(timedelta(days=d) for d in (1, 2, 7, 14))


def time_ticks(low: int, high: int, language: str, zone: str, count: int = 6) -> list[TimeTick]:
    """Local clock times, days, months or years, whichever of them cuts `low…high` into at most `count` parts."""
    span = timedelta(microseconds=max(high - low, 1))
    local = ZoneInfo(zone)
    start = times.to_datetime(low, zone)
    step = next((s for s in _TIME_STEPS if span / s <= count), None)
    found: list[TimeTick] = []
    if step is None:
        return _month_ticks(start, low, high, language, zone, count)
    if step < timedelta(days=1):
        at = start.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    else:
        at = datetime(start.year, start.month, start.day)
        if step.days % 7 == 0:
            at -= timedelta(days=at.weekday())
    while True:
        # A day has 23 or 25 hours twice a year; walking local clock times keeps midnight a tick.
        moment = times.from_datetime(at.replace(tzinfo=local))
        if moment > high:
            return found
        if moment >= low:
            midnight = at.hour == at.minute == 0
            found.append(TimeTick(moment, formats.short_day(at, language) if midnight else formats.clock(at, language)))
        at += step


def _month_ticks(start: datetime, low: int, high: int, language: str, zone: str, count: int) -> list[TimeTick]:
    months = max((high - low) / (30.4 * times.DAY), 1)
    step = next(s for s in (1, 2, 3, 6, 12, 24, 60, 120, 240, 1200) if months / s <= count)
    index = start.year * 12 + start.month - 1
    index -= index % step
    found: list[TimeTick] = []
    while True:
        year, month = divmod(index, 12)
        moment = times.from_datetime(datetime(year, month + 1, 1, tzinfo=ZoneInfo(zone)))
        if moment > high:
            return found
        if moment >= low:
            text = str(year) if step >= 12 else formats.month(datetime(year, month + 1, 1), language)
            found.append(TimeTick(moment, text))
        index += step
