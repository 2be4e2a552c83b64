"""Local time by integer arithmetic: the offsets of a time zone as a short table, daylight saving included."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from krog.base import times

#: Offsets change at most a few times a year; one look a day finds each change, then it is searched to the second.
STEP = times.DAY


def offsets(zone: str, start: int, end: int) -> list[tuple[int, int]]:
    """(from, offset) in microseconds: from that moment on local time is UTC plus offset, until the next entry.

    The first entry begins at `start`; the last holds up to `end`, which comes not before `start`.
    """
    place = ZoneInfo(zone)

    def offset(second: int) -> int:
        found = datetime.fromtimestamp(second, UTC).astimezone(place).utcoffset()
        assert found is not None
        return round(found.total_seconds()) * times.SECOND

    first, last, step = start // times.SECOND, end // times.SECOND, STEP // times.SECOND
    known = offset(first)
    table = [(start, known)]
    here = first
    while here < last:
        there = min(here + step, last)
        if offset(there) != known:
            low, high = here, there
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == known else (low, middle)
            known = offset(high)
            table.append((high * times.SECOND, known))
        here = there
    return table
