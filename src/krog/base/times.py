"""Times: stored as UTC microseconds since 1970 (int), shown in the city's time zone."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """This moment in UTC microseconds."""
    return time.time_ns() // 1000


def from_datetime(moment: datetime) -> int:
    """UTC microseconds of an aware datetime; a naive one is a ValueError."""
    if moment.tzinfo is None:
        raise ValueError(f"The time {moment.isoformat()} has no time zone.")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(moment: int, zone: str = "UTC") -> datetime:
    """The aware datetime of UTC microseconds in `zone` (IANA name)."""
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone))


def parse(text: str, zone: str | None = None) -> int:
    """UTC microseconds of an ISO 8601 time. Without an offset it is taken in `zone`, or is a ValueError."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return from_datetime(moment)


def iso(moment: int) -> str:
    """ISO 8601 in UTC with a trailing Z; microseconds only where there are any."""
    whole = to_datetime(moment)
    return whole.replace(tzinfo=None).isoformat() + "Z"


def local_date(moment: int, zone: str) -> date:
    """The local calendar day of a moment."""
    return to_datetime(moment, zone).date()


def start_of_day(day: date, zone: str) -> int:
    """UTC microseconds at which the local day begins."""
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)))
