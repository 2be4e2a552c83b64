"""Shifts what was recorded to now: the same weekday and hour, for a year's recording also the same season."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from krog.base import times
from krog.sources.replay.recordings import WEEK, Recording


class Shifted:
    """A recording laid over the time around `now`, repeated as often as needed."""

    def __init__(self, recording: Recording, now: int):
        self.series = recording.series
        self.period = recording.period
        self._times = [moment for moment, _ in self.series]
        self.shift = _shift(self._times[0], now, self.period)

    def between(self, start: int, end: int) -> Iterator[tuple[int, float]]:
        """The readings with start ≤ time < end, in order. A single reading is given once, at `start`."""
        if not self.period:
            yield start, self.series[-1][1]
            return
        first = self._times[0] + self.shift
        cycle = (start - first) // self.period
        while True:
            base = self.shift + cycle * self.period
            for moment, value in self.series:
                if moment - self._times[0] >= self.period:
                    break
                if moment + base >= end:
                    return
                if moment + base >= start:
                    yield moment + base, value
            cycle += 1

    def at(self, moment: int) -> float:
        """The newest reading at or before a moment."""
        if not self.period:
            return self.series[-1][1]
        offset = (moment - self._times[0] - self.shift) % self.period
        return self.series[max(0, bisect_right(self._times, self._times[0] + offset) - 1)][1]


def _shift(first: int, now: int, period: int) -> int:
    """Whole weeks from the recording's time to ours; after a year's recording the season fits to half a week."""
    if period < 52 * WEEK:
        return (now - first) // WEEK * WEEK
    began, here = times.to_datetime(first), times.to_datetime(now)
    same = began.replace(year=here.year)
    return round((times.from_datetime(same) - first) / WEEK) * WEEK
