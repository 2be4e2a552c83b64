"""Asks people for the values that are due from them, and reminds those who are late."""

from __future__ import annotations

import logging

from krog.base import times
from krog.base.errors import KrogError
from krog.base.settings import settings
from krog.catalogue import door
from krog.indicators import periods, reads, verbs
from krog.indicators.shapes import RequestState
from krog.people.permissions import SYSTEM

log = logging.getLogger("krog.compute")

#: So long before a value is due its owner is asked; a late one is reminded once a week.
AHEAD = 30 * times.DAY
REMIND_EVERY = 7 * times.DAY


def ask_due(now: int | None = None) -> int:
    """Asks for the last ended period of every entered indicator, once; returns how many mails were written."""
    moment, zone = times.now() if now is None else now, settings().timezone
    grant = door.open(SYSTEM, "compute", kind="indicators")
    asked, written = reads.asked_periods(grant), 0
    known = reads.periods_known(grant, kind="entered")
    for each in reads.indicators(grant, kind="entered", limit=10_000).items:
        period = periods.before(periods.of_moment(moment, each.period, zone))
        due = times.start_of_day(periods.due_day(period, each.due), zone)
        if not each.owner or f"{each.key}.{period}" in asked or moment < due - AHEAD:
            continue
        if (each.key, period) in known or (each.same_as, period) in known:
            continue
        try:
            verbs.ask(SYSTEM, indicator=each.key, period=period)
            written += 1
        except KrogError as error:
            log.warning("Nobody could be asked for %s of %s: %s", period, each.key, error)
    return written + _remind(moment)


def _remind(now: int) -> int:
    """Reminds of what is late."""
    grant = door.open(SYSTEM, "compute", kind="indicators")
    open_ones = (RequestState.ASKED, RequestState.ENTERED, RequestState.REJECTED)
    late = [r for r in reads.requests(grant, states=open_ones, limit=1000).items if r.late(now)]
    reminded = 0
    for request in late:
        if max(request.reminded or 0, request.asked) + REMIND_EVERY > now:
            continue
        try:
            verbs.remind(SYSTEM, request=request.key)
            reminded += 1
        except KrogError as error:
            log.warning("Nobody could be reminded of %s: %s", request.key, error)
    return reminded
