"""Forgets what nobody may keep: proposals whose author never confirmed the address."""

from __future__ import annotations

from krog.engine.schedule import Schedule
from krog.people.permissions import SYSTEM
from krog.voice import verbs


def forget() -> None:
    """Deletes unconfirmed proposals after 30 days."""
    verbs.forget_unconfirmed(SYSTEM)


SCHEDULES = (Schedule("forget-unconfirmed", 3600.0, forget),)
