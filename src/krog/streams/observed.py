"""What datastreams said, read from the lake: newest values with their state, readings by page, series for charts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from krog import lake
from krog.base import times
from krog.base.errors import Invalid
from krog.base.grant import Grant
from krog.base.origin import Origin, weakest
from krog.base.settings import settings
from krog.lake import shapes as lake_shapes
from krog.streams import shapes
from krog.streams.visible import number, numbers

#: Most observations that one read gives.
MOST_OBSERVATIONS = 10_000

#: A value is overdue after this many intervals, and never before a minute has passed.
OVERDUE_AFTER = 3

#: Further from 1970, in microseconds, than any observation.
FOREVER = 2**62


def latest(grant: Grant, keys: Iterable[str], now: int | None = None) -> dict[str, shapes.Latest]:
    """The newest value, state and statistics of each of these datastreams that the reader may see."""
    return _latest(grant, numbers(grant, keys), now)


def latest_of(grant: Grant, streams: Sequence[shapes.Datastream], now: int | None = None) -> dict[str, shapes.Latest]:
    """The same for datastreams that were read with this grant, without asking the database again."""
    known = {s.key: (s.id, s.dataset, s.interval_s) for s in streams if s.dataset in grant}
    return _latest(grant, known, now)


def _latest(grant: Grant, known: Mapping[str, tuple[int, str, int]], now: int | None) -> dict[str, shapes.Latest]:
    moment = times.now() if now is None else now
    numbers = [each[0] for each in known.values()]
    newest, summaries = lake.latest(numbers), lake.summary(numbers)
    found = {}
    for key, (pk, dataset, interval_s) in known.items():
        last, line = newest.get(pk), summaries.get(pk)
        if last is None or line is None:
            found[key] = shapes.Latest(key, shapes.State.NEVER)
            continue
        shown = grant.datasets[dataset].shows("value")
        found[key] = shapes.Latest(
            stream=key,
            state=state(last.time, interval_s, moment),
            value=last.value if shown else None,
            text=last.text if shown else None,
            time=last.time,
            origin=Origin(last.origin),
            seen=last.seen,
            count=line.count,
            first=line.first,
            least=line.minimum if shown else None,
            most=line.maximum if shown else None,
            withheld=not shown,
        )
    return found


def state(last: int | None, interval_s: int, now: int) -> shapes.State:
    """Working or silent, from the time of the last value; a datastream with irregular values is never silent."""
    if last is None:
        return shapes.State.NEVER
    allowed = max(OVERDUE_AFTER * interval_s, 60) * times.SECOND
    return shapes.State.SILENT if interval_s and now - last > allowed else shapes.State.WORKING


def observations(
    grant: Grant,
    key: str,
    start: int | None = None,
    end: int | None = None,
    *,
    limit: int = 100,
    newest_first: bool = True,
    after: str | None = None,
) -> shapes.Page[shapes.Observation]:
    """Observations of one datastream with `start` <= time < `end`; `after` is what the page before gave."""
    pk, dataset, _every = number(grant, key)
    limit = min(max(limit, 1), MOST_OBSERVATIONS)
    rows = lake.observations([pk], start, end, limit=limit + 1, newest_first=newest_first, after=_cursor(after))
    shown = grant.datasets[dataset].shows("value")
    items = [_observation(key, row, shown) for row in rows[:limit]]
    more = len(rows) > limit
    return shapes.Page(items, after=f"{items[-1].time}.{items[-1].id}" if more else None)


def _no_page() -> Invalid:
    return Invalid(_("This is not where a page can begin."), "after", _("what the page before named"))


def _cursor(after: str | None) -> tuple[int, int] | None:
    if not after:
        return None
    time, _dot, number = after.partition(".")
    try:
        found = int(time), int(number)
    except ValueError:
        raise _no_page() from None
    if max(map(abs, found)) >= 2**63:
        raise _no_page()
    return found


def _observation(key: str, row: lake_shapes.Observation, shown: bool) -> shapes.Observation:
    return shapes.Observation(
        id=row.id,
        stream=key,
        time=row.time,
        value=row.value if shown else None,
        text=row.text if shown else None,
        end=row.end,
        quality=row.quality,
        recorded=row.recorded,
        origin=Origin(row.origin),
        supersedes=row.supersedes,
    )


def readings(
    grant: Grant,
    keys: Sequence[str],
    start: int | None = None,
    end: int | None = None,
    limit: int = 1000,
    version: int | None = None,
) -> list[shapes.Observation]:
    """The first readings of several datastreams in order of time; with `version` those that this version of the lake
    holds (by datastream and time), so that what was computed from it can be looked at. Datastreams that the reader may
    not see give nothing."""
    known = numbers(grant, keys)
    by_number = {about[0]: (key, grant.datasets[about[1]].shows("value")) for key, about in known.items()}
    if not by_number:
        return []
    limit = min(max(limit, 1), MOST_OBSERVATIONS)
    if version is None:
        rows = lake.observations(list(by_number), start, end, limit=limit, newest_first=False)
    else:
        # Only this question needs the lake's engine; loading it costs more than all other reads of a page.
        from krog.lake import cold, snapshot

        first, last = -FOREVER if start is None else start, FOREVER if end is None else end
        rows = cold.rows(snapshot.snapshot_at(version), list(by_number), first, last, limit)
    return [_observation(by_number[row.stream][0], row, by_number[row.stream][1]) for row in rows]


#: Steps that a chart may have, and how many points it draws at most.
STEPS = (0, 15 * times.MINUTE, times.HOUR, times.DAY, 7 * times.DAY)
MOST_POINTS = 800

#: Most single readings that a chart draws.
MOST_RAW = 4 * MOST_POINTS


def step_for(span: int, interval_s: int) -> int:
    """The finest step at which a span of time has no more points than a chart can show."""
    every = max(interval_s, 1) * times.SECOND
    for step in STEPS:
        if span // max(step, every) <= MOST_POINTS and (step or interval_s):
            return step
    return STEPS[-1]


def series(grant: Grant, key: str, start: int, end: int, step: int | None = None) -> shapes.Series:
    """A datastream between two moments as a chart needs it: every reading, or means over 15 minutes, an hour, a day or
    a week, by how much time it spans. Intervals without values have no point."""
    pk, dataset, interval_s = number(grant, key)
    if end <= start:
        raise Invalid(_("The range ends before it begins."), "end")
    chosen = step_for(end - start, interval_s) if step is None else step
    if not grant.datasets[dataset].shows("value"):
        return shapes.Series(key, start, end, chosen, (), None)
    rows = lake.observations([pk], start, end, limit=MOST_RAW + 1) if chosen == 0 else []
    if len(rows) > MOST_RAW:
        # More came than the declared interval lets expect: means of all are truer than some of the readings.
        chosen = STEPS[1]
    if chosen == 0:
        points = [shapes.Point(r.time, r.value, r.value, r.value, 1) for r in reversed(rows) if r.value is not None]
        origins = [Origin(row.origin) for row in rows]
    else:
        begin = _aligned(start, chosen)
        buckets = lake.series([pk], begin, end, chosen).get(pk, [])
        points = [shapes.Point(b.time, b.mean, b.minimum, b.maximum, b.count) for b in buckets]
        origins = [Origin(bucket.origin) for bucket in buckets]
    return shapes.Series(key, start, end, chosen, points, _weakest(origins))


def _aligned(start: int, step: int) -> int:
    """Where the first interval begins: days and weeks at a local midnight, shorter ones at a full quarter or hour."""
    if step % times.DAY:
        return start - start % step
    zone = settings().timezone
    return times.start_of_day(times.local_date(start, zone), zone)


def _weakest(origins: Sequence[Origin]) -> Origin | None:
    """The origin that all of these are shown under: their own where it is one, else the weakest among them."""
    different = set(origins)
    if not different:
        return None
    return different.pop() if len(different) == 1 else weakest(sorted(different))
