"""Over which stretches of time a rule looks: a sliding window every so often, or the same hours of each day. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import Any
from zoneinfo import ZoneInfo

from krog.base import times

_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")

Span = tuple[int, int]


@dataclass(frozen=True)
class Sliding:
    """The last `minutes`, looked at every `every_s` seconds."""

    minutes: int
    every_s: int = 60

    @property
    def reach(self) -> int:
        """How far one window reaches, in microseconds."""
        return self.minutes * times.MINUTE

    def ends(self, after: int, until: int) -> Iterator[Span]:
        """The windows that end later than `after` and not later than `until`, in order."""
        step = self.every_s * times.SECOND
        end = (after // step + 1) * step
        while end <= until:
            yield end - self.reach, end
            end += step


@dataclass(frozen=True)
class Daily:
    """The hours `start` to `stop` (local clock) of each day; when `stop` is not later, it is that of the next day."""

    start: clock
    stop: clock
    zone: str

    @property
    def reach(self) -> int:
        """How far one window reaches at most, in microseconds."""
        return times.DAY

    def ends(self, after: int, until: int) -> Iterator[Span]:
        """The windows that end later than `after` and not later than `until`, in order."""
        day = times.local_date(after, self.zone) - timedelta(days=2)
        while True:
            start, end = self._of(day)
            if end > until:
                return
            if end > after:
                yield start, end
            day += timedelta(days=1)

    def _of(self, day: date) -> Span:
        zone = ZoneInfo(self.zone)
        last = day if self.stop > self.start else day + timedelta(days=1)
        return (
            times.from_datetime(datetime.combine(day, self.start, zone)),
            times.from_datetime(datetime.combine(last, self.stop, zone)),
        )


Window = Sliding | Daily


def window_problems(window: Mapping[str, Any]) -> list[str]:
    """What is wrong with a window as declared, as sentences."""
    kind = window.get("kind")
    if kind == "sliding":
        allowed = {"kind", "minutes", "every_s"}
        numbers = [window.get("minutes"), window.get("every_s", 60)]
        found = (
            []
            if all(isinstance(n, int) and n > 0 for n in numbers)
            else ["window.minutes and window.every_s are whole numbers above 0"]
        )
    elif kind == "daily":
        allowed = {"kind", "from", "to"}
        found = [
            f"window.{name} is a time of day such as 02:00"
            for name in ("from", "to")
            if not _CLOCK.match(str(window.get(name, "")))
        ]
    else:
        return [f"window.kind {kind!r} is not one of sliding, daily"]
    return found + [
        f"window.{name} is not known; allowed are {', '.join(sorted(allowed))}"
        for name in sorted(set(window) - allowed)
    ]


def window(declared: Mapping[str, Any], zone: str) -> Window:
    """The window as declared; raises ValueError with what is wrong."""
    if problems := window_problems(declared):
        raise ValueError("; ".join(problems))
    if declared["kind"] == "sliding":
        return Sliding(int(declared["minutes"]), int(declared.get("every_s", 60)))
    return Daily(clock.fromisoformat(declared["from"]), clock.fromisoformat(declared["to"]), zone)
