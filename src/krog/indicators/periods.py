"""Periods of values: "2026-11-20" a day, "2026-11" a month, "2026-Q4" a quarter, "2023" a year, in the city's zone.

A period's *buckets* are the stretches of time that a term of a formula reads: (label, start, end) in UTC
microseconds, made from the city's clock with summer time, so that formulas never convert time zones themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from krog.base import times
from krog.base.errors import Invalid

KINDS = ("day", "month", "quarter", "year")
FORMS = {
    "day": re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    "month": re.compile(r"^[0-9]{4}-[0-9]{2}$"),
    "quarter": re.compile(r"^[0-9]{4}-Q[1-4]$"),
    "year": re.compile(r"^[0-9]{4}$"),
}


@dataclass(frozen=True)
class Bucket:
    """A stretch of time that counts for `label`: from `start` up to before `end`."""

    label: str
    start: int
    end: int


def kind_of(period: str) -> str:
    """day, month, quarter or year; Invalid where the text is no period."""
    for kind, form in FORMS.items():
        if form.match(period):
            try:
                first_day(period)
            except ValueError:
                break
            return kind
    raise Invalid(f"{period[:40]!r} is not a period.", "period", "2026-11-20, 2026-11, 2026-Q4 or 2026")


def first_day(period: str) -> date:
    """The first day of a period; ValueError where there is no such day."""
    if "Q" in period:
        return date(int(period[:4]), int(period[-1]) * 3 - 2, 1)
    parts = [int(part) for part in period.split("-")]
    return date(*[*parts, 1, 1][:3])


def after(period: str) -> str:
    """The period that follows."""
    day = first_day(period)
    if len(period) == 10:
        return (day + timedelta(days=1)).isoformat()
    if "Q" in period:
        return of_day((day + timedelta(days=93)).replace(day=1), "quarter")
    if len(period) == 7:
        return (day.replace(day=1) + timedelta(days=32)).isoformat()[:7]
    return f"{day.year + 1:04d}"


def before(period: str) -> str:
    """The period that comes before."""
    return of_day(first_day(period) - timedelta(days=1), kind_of(period))


def of_day(day: date, kind: str) -> str:
    """The period of a kind that holds a day."""
    if kind == "quarter":
        return f"{day.year:04d}-Q{(day.month + 2) // 3}"
    return day.isoformat()[: {"day": 10, "month": 7, "year": 4}[kind]]


def of_moment(moment: int, kind: str, zone: str) -> str:
    """The period of a kind that holds a moment (UTC microseconds)."""
    return of_day(times.local_date(moment, zone), kind)


def bounds(period: str, zone: str) -> tuple[int, int]:
    """Start and end (not included) of a period in UTC microseconds."""
    return times.start_of_day(first_day(period), zone), times.start_of_day(first_day(after(period)), zone)


def between(first: str, last: str) -> Iterator[str]:
    """All periods from `first` to `last`, both included."""
    while first <= last:
        yield first
        first = after(first)


def buckets(period: str, grain: str, local_hour: tuple[int, int] | None, zone: str) -> list[Bucket]:
    """What a term of the time grain `grain` (day, month, year) reads in a period, within hours of the city's clock."""
    day, end = first_day(period), first_day(after(period))
    found = []
    if local_hour is None:
        while day < end:
            label = of_day(day, grain)
            start, stop = bounds(label, zone)
            found.append(Bucket(label, start, stop))
            day = first_day(after(label))
        return found
    while day < end:
        start, stop = _clock(day, local_hour[0], zone), _clock(day, local_hour[1], zone)
        if start < stop:
            found.append(Bucket(of_day(day, grain), start, stop))
        day += timedelta(days=1)
    return found


def _clock(day: date, hour: int, zone: str) -> int:
    """The moment at which the city's clock shows `hour` on `day` (24: midnight at its end)."""
    if hour == 24:
        return times.start_of_day(day + timedelta(days=1), zone)
    return times.from_datetime(datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)))


_DUE = re.compile(r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")
_AFTER = re.compile(r"^\+[0-9]{1,3}d$")


def is_day(text: str) -> bool:
    """Whether `text` is a day there is, YYYY-MM-DD."""
    try:
        return bool(FORMS["day"].match(text)) and bool(first_day(text))
    except ValueError:
        return False


def is_due(text: str) -> bool:
    """Whether `text` is a day of every year, month-day ("03-31"), or so many days after a period ("+20d")."""
    if _AFTER.match(text):
        return True
    if not _DUE.match(text):
        return False
    try:
        date(2023, int(text[:2]), int(text[3:]))
    except ValueError:
        return False
    return True


def due_day(period: str, due: str) -> date:
    """The day by which the value of a period is wanted: that day of the year after its last day, or so many days after
    it; without `due` a month after the period."""
    last = first_day(after(period)) - timedelta(days=1)
    if not due:
        return last + timedelta(days=31)
    if due.startswith("+"):
        return last + timedelta(days=int(due[1:-1]))
    found = date(last.year, int(due[:2]), int(due[3:]))
    return found if found > last else found.replace(year=last.year + 1)


def position(period: str) -> float:
    """Where a period's middle lies on an axis of years: 2023 is 2023.0, the day 2023-07-02 is about 2023.5.

    A year stands at its own number (as plans print it), months and days at their place within the year.
    """
    if len(period) == 4:
        return float(period)
    day = first_day(period)
    length = (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
    middle = (first_day(after(period)) - day).days / 2
    return day.year + ((day - date(day.year, 1, 1)).days + middle) / length
