"""Seals the journal: chains the committed entries each second, so that nothing can be changed unseen."""

from __future__ import annotations

from krog.engine.schedule import Schedule
from krog.journal import verbs


def seal() -> None:
    verbs.seal()


SCHEDULES = (Schedule("seal-journal", 1.0, seal),)
