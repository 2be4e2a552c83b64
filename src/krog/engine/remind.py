"""Reminds of what is overdue, and tells the heads of offices of what stays so; each once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from krog.base import times
from krog.base.errors import KrogError
from krog.cases import reads as cases
from krog.cases import verbs as case_verbs
from krog.catalogue import door
from krog.engine import digest
from krog.engine.schedule import Schedule
from krog.indicators import reads as indicators
from krog.indicators import verbs as indicator_verbs
from krog.indicators.shapes import RequestState
from krog.people.permissions import SYSTEM

log = logging.getLogger("krog.work")

#: So long after it was due the head of the office is told of a value that is still missing (its owner is reminded each
#: week); of a case, what its kind declares (`escalate_hours`).
VALUE_ESCALATES = 14 * times.DAY

_WAITING = (RequestState.ASKED, RequestState.ENTERED, RequestState.REJECTED)


def remind() -> int:
    """Everything that is overdue by now; how many reminders and escalations there were. Safe to repeat."""
    grant = door.open(SYSTEM, "compute", kind="cases")
    done = _each(cases.overdue(grant), lambda key: case_verbs.remind(SYSTEM, key=key))
    done += _each(cases.long_overdue(grant), lambda key: case_verbs.escalate(SYSTEM, key=key))
    found = indicators.requests(door.open(SYSTEM, "compute", kind="indicators"), states=_WAITING, limit=1000).items
    late = [one.key for one in found if one.escalated is None and one.due + VALUE_ESCALATES < times.now()]
    return done + _each(late, lambda key: indicator_verbs.escalate(SYSTEM, request=key))


def _each(keys: Iterable[str], act: Callable[[str], bool]) -> int:
    """Does it for each; what cannot be done does not hold up the others."""
    done = 0
    for key in keys:
        try:
            done += bool(act(key))
        except KrogError as error:
            log.warning("Nobody could be told that %s is overdue: %s", key, error)
    return done


def _remind() -> None:
    remind()


def _digest() -> None:
    digest.send()


SCHEDULES = (Schedule("remind", 300.0, _remind), Schedule("digest", 600.0, _digest))
