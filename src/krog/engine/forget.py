"""Forgets what nobody may keep: proposals whose author never confirmed the address; and marks that have run out."""

from __future__ import annotations

from krog.catalogue import usage
from krog.engine.schedule import Schedule
from krog.people.permissions import SYSTEM
from krog.voice import verbs


def forget() -> None:
    """Deletes unconfirmed proposals after 30 days."""
    verbs.forget_unconfirmed(SYSTEM)


def forget_marks() -> None:
    """Deletes the marks of forms that were finished more than a day ago."""
    usage.forget_spent()


SCHEDULES = (
    Schedule("forget-unconfirmed", 3600.0, forget),
    Schedule("forget-form-marks", 3600.0, forget_marks),
)
