"""Forgets the files of uploads whose time is over."""

from __future__ import annotations

from krog.engine.schedule import Schedule
from krog.uploads import verbs


def expire() -> None:
    """Once an hour is enough: they are kept for thirty days."""
    verbs.expire()


SCHEDULES: tuple[Schedule, ...] = (Schedule("expire-uploads", 3600.0, expire),)
