"""Evaluates the rules over what the streams say: every window since the last one, in order, also after a backfill.

A window is looked at once its readings are there, or when they should long have been; one whose readings are missing
is unknown, and is looked at again when more readings have come.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.settings import settings
from krog.catalogue import door
from krog.engine import act
from krog.engine.schedule import Schedule
from krog.people.permissions import SYSTEM
from krog.rules import reads as rules
from krog.rules import verbs as rule_verbs
from krog.rules.shapes import Position, Rule
from krog.rules.signals import Outcome, Reading, measure
from krog.rules.windows import Daily, Span, Window, window
from krog.streams import reads as streams
from krog.streams.observed import MOST_OBSERVATIONS
from krog.streams.shapes import Datastream, Latest

log = logging.getLogger("krog.work")

#: How far back a rule looks when it is new, or after a silence: nights that are past still count, minutes do not.
HISTORY, SHORT_HISTORY = 400 * times.DAY, 7 * times.DAY
#: A window whose readings have not come this long after its end is looked at with what is there.
GRACE = 5 * times.MINUTE
#: Windows read at once, and at most looked at in one run.
CHUNK, MOST = 100, 1000
#: Unknown windows beyond this many are looked at again only every RETRY.
FEW, RETRY = 45, times.MINUTE
#: What sliding windows found is kept this long; the readings stay in the lake.
KEEP = 8 * times.DAY

_retried: dict[str, int] = {}
_tidied: dict[str, int] = {}


def evaluate(now: int | None = None) -> None:
    """Evaluates all rules that are on, then acts on what they found. One that fails does not stop the others."""
    moment = times.now() if now is None else now
    grant = door.open(SYSTEM, "compute", kind="rules")
    failures: list[Exception] = []
    for rule in rules.rules(grant, modes=("act", "watch")):
        try:
            evaluate_rule(grant, rule, moment)
        except Exception as failure:
            log.exception("The rule %s could not be evaluated.", rule.key)
            failures.append(failure)
    act.act()
    if failures:
        raise failures[0]


def evaluate_rule(grant: Grant, rule: Rule, now: int) -> list[Outcome]:
    """Looks at every window of a rule that is due; returns what it found."""
    data = door.open(SYSTEM, "compute", kind="streams")
    keys = [term.stream for term in rule.terms]
    known = {stream.key: stream for stream in streams.datastreams(data, keys=keys, limit=1000).items}
    if missing := sorted(set(keys) - set(known)):
        raise NotFound(f"The rule {rule.key} looks at {', '.join(missing)}, which is not there.", "rule")
    latest = streams.latest(data, keys, now)
    at, mark = rules.position(grant, rule.key), _mark(latest.values())
    hours = window(rule.window, settings().timezone)
    spans = list(islice(_due(rule, hours, at, latest, known, now, mark), MOST))
    found: list[Outcome] = []
    for first in range(0, len(spans), CHUNK):
        chunk = spans[first : first + CHUNK]
        found += _measure(data, rule, known, chunk)
    if found:
        rule_verbs.evaluated(SYSTEM, rule=rule.key, outcomes=found, data=mark)
    if not isinstance(hours, Daily) and now - _tidied.get(rule.key, 0) > times.HOUR:
        _tidied[rule.key] = now
        rule_verbs.forget_evaluations(SYSTEM, rule=rule.key, before=now - KEEP)
    return found


def _mark(latest: Iterable[Latest]) -> str:
    """Changes whenever a stream of the rule has got a reading, however old."""
    return ".".join(str(each.count) for each in latest)[:200]


def _due(
    rule: Rule,
    hours: Window,
    at: Position,
    latest: Mapping[str, Latest],
    known: Mapping[str, Datastream],
    now: int,
    mark: str,
) -> Iterator[Span]:
    """The windows to look at, in order."""
    history = HISTORY if isinstance(hours, Daily) else SHORT_HISTORY
    firsts = [each.first for each in latest.values() if each.first is not None]
    begin = max(min(firsts, default=now - hours.reach), now - history)
    after = max(at.known_to if at.known_to is not None else begin, now - history)
    seen = at.seen_to if at.seen_to is not None else after
    unknown = list(islice(hours.ends(after, seen), MOST))
    if unknown:
        again = mark != at.data and (len(unknown) <= FEW or now - _retried.get(rule.key, 0) > RETRY)
        if again:
            _retried[rule.key] = now
        else:
            after = seen
    newest = {key: each.time for key, each in latest.items()}
    for start, end in hours.ends(after, now):
        complete = all(
            (newest[key] or 0) >= end - max(stream.interval_s, 0) * times.SECOND for key, stream in known.items()
        )
        if not complete and now < end + GRACE:
            return
        yield start, end


def _measure(data: Grant, rule: Rule, known: Mapping[str, Datastream], spans: Sequence[Span]) -> list[Outcome]:
    """What the rule finds in some windows that follow each other."""
    intervals = {key: stream.interval_s for key, stream in known.items()}
    gap = max((spans[at][0] - spans[at - 1][1] for at in range(1, len(spans))), default=0)
    # Nights lie far apart: only their hours are read. Sliding windows overlap: they are read in one piece.
    pieces = [(start, end) for start, end in spans] if gap > 0 else [(spans[0][0], spans[-1][1])]
    readings: dict[str, list[Reading]] = {key: [] for key in known}
    for start, end in pieces:
        for key, found in _readings(data, list(known), start, end).items():
            readings[key] += found
    moments = {key: [reading.time for reading in found] for key, found in readings.items()}
    outcomes = []
    for start, end in spans:
        inside = {
            key: found[bisect_left(moments[key], start) : bisect_left(moments[key], end)]
            for key, found in readings.items()
        }
        outcomes.append(measure(rule.terms, inside, intervals, start, end, rule.min_coverage))
    return outcomes


def _readings(data: Grant, keys: Sequence[str], start: int, end: int) -> dict[str, list[Reading]]:
    """All readings of the streams between two moments, in order of time, however many there are."""
    found: dict[str, list[Reading]] = {key: [] for key in keys}
    rows = streams.readings(data, keys, start, end, limit=MOST_OBSERVATIONS)
    if len(rows) < MOST_OBSERVATIONS:
        for row in rows:
            if row.value is not None:
                found[row.stream].append(Reading(row.time, row.value, row.origin))
        return found
    for key in keys:
        after: str | None = None
        while True:
            page = streams.observations(data, key, start, end, limit=MOST_OBSERVATIONS, newest_first=False, after=after)
            found[key] += [Reading(r.time, r.value, r.origin) for r in page.items if r.value is not None]
            after = page.after
            if after is None:
                break
    return found


SCHEDULES = (Schedule("evaluate-rules", 5.0, evaluate),)
