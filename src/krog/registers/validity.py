"""When a record held in the world: written as a local day or a UTC time, stored as microseconds."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_noop

from krog.base import times
from krog.base.settings import settings

ALLOWED = gettext_noop("a day such as 2026-05-12, or a time in UTC such as 2026-05-12T07:30:00Z")


def read(text: str) -> int | None:
    """Microseconds of how a file or a form writes it, None for nothing; ValueError where it is neither day nor time."""
    text = text.strip()
    if not text:
        return None
    if len(text) == 10:
        return times.start_of_day(date.fromisoformat(text), settings().timezone)
    moment = times.parse(text)
    if abs(moment) > 250_000_000_000 * times.SECOND:
        raise ValueError(text)
    return moment


def write(moment: int | None) -> str:
    """How a file writes it: the local day where it begins one, else the time in UTC."""
    if moment is None:
        return ""
    day = times.local_date(moment, settings().timezone)
    return day.isoformat() if times.start_of_day(day, settings().timezone) == moment else times.iso(moment)


def is_canonical(text: str) -> bool:
    """Whether this is exactly how `write` would write it, so that export gives back what was applied."""
    try:
        return write(read(text)) == text
    except (ValueError, OverflowError):
        return False
