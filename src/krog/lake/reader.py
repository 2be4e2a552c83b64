"""One place to read observations: hot store and lake joined without seam.

Streams are datastream numbers, times UTC microseconds, ranges `start <= time < end`, values in the stream's unit. No
read shows an observation that a later one corrects. The lake's engine is loaded only when a read reaches further back
than the hot store does.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import islice

from krog.lake.hot import HotReads
from krog.lake.hot.reads import FOREVER
from krog.lake.shapes import Aside, Bucket, Cursor, Latest, Observation, Summary, weaker
from krog.lake.store import hot_reads

MOST = 100_000


def latest(streams: Sequence[int]) -> dict[int, Latest]:
    """The newest observation of each stream that has any; one indexed read, however many there are."""
    return hot_reads().latest(streams)


def summary(streams: Sequence[int]) -> dict[int, Summary]:
    """First and last time, count, smallest and largest value of each stream that has observations."""
    return hot_reads().summary(streams)


def observations(
    streams: Sequence[int],
    start: int | None = None,
    end: int | None = None,
    *,
    limit: int = 1000,
    newest_first: bool = True,
    after: Cursor | None = None,
) -> list[Observation]:
    """Observations of the streams in order of (time, id), at most `limit`; pass the `cursor` of the last one as `after`
    for the next page."""
    begin, until = _range(start, end)
    limit = min(limit, MOST)
    hot = hot_reads()
    found: list[list[Observation]] = []
    with hot.reading():
        for stream, cold_end, above in _seam(hot, streams, begin, until):
            if cold_end is not None:
                found.append(
                    hot.page(stream, begin, cold_end, limit=limit, newest_first=newest_first, after=after, above=above)
                )
            found.append(
                hot.page(
                    stream,
                    begin if cold_end is None else cold_end,
                    until,
                    limit=limit,
                    newest_first=newest_first,
                    after=after,
                )
            )
            if cold_end is not None and not (newest_first and len(found[-1]) >= limit):
                from krog.lake import cold

                found.append(
                    cold.page(
                        _version(hot),
                        stream,
                        begin,
                        cold_end,
                        limit=limit,
                        newest_first=newest_first,
                        after=after,
                        without=hot.superseded(),
                    )
                )
    merged = heapq.merge(*found, key=lambda each: each.cursor, reverse=newest_first)
    return list(islice(merged, limit))


def series(streams: Sequence[int], start: int, end: int, interval_us: int) -> dict[int, list[Bucket]]:
    """Mean, smallest, largest and count of the numbers in intervals that begin at `start`; empty intervals are left
    out. Streams without numbers in the range have an empty list."""
    hot = hot_reads()
    found: dict[int, list[Bucket]] = {}
    with hot.reading():
        for stream, cold_end, above in _seam(hot, streams, start, end):
            parts = hot.buckets(stream, start, end, interval_us, above if cold_end is not None else -1)
            if cold_end is not None:
                from krog.lake import cold

                parts += cold.buckets(_version(hot), stream, start, end, interval_us, without=hot.superseded())
            found[stream] = _buckets(parts)
    return found


def count(streams: Sequence[int], start: int | None = None, end: int | None = None) -> int:
    """How many observations the streams have in the range."""
    begin, until = _range(start, end)
    hot = hot_reads()
    total = 0
    with hot.reading():
        for stream, cold_end, above in _seam(hot, streams, begin, until):
            total += hot.count(stream, begin, until, above if cold_end is not None else -1)
            if cold_end is not None:
                from krog.lake import cold

                total += cold.count(_version(hot), stream, begin, until, without=hot.superseded())
    return total


def since(after: int, limit: int = 10_000) -> list[Observation]:
    """Observations in the order in which they were accepted, beginning after the id `after`: for rules and feeds that
    keep their own mark. Reaches as far back as the hot store."""
    return hot_reads().since(after, limit)


def last_id() -> int:
    """The id of the observation accepted last (0 if none): where a new reader of `since` may begin."""
    return hot_reads().last_id()


def aside(
    *,
    state: str | None = "open",
    reason: str | None = None,
    key: str | None = None,
    keys: Sequence[str] | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Aside]:
    """Messages that were not accepted, newest first; `key` or `keys` limit to streams, `before` (an id) begins
    the next page."""
    return hot_reads().aside(state=state, reason=reason, key=key, keys=keys, before=before, limit=limit)


def aside_by_id(ids: Sequence[int]) -> list[Aside]:
    """These entries of the loss ledger, those that exist."""
    return hot_reads().aside_by_id(ids)


def aside_counts(state: str = "open", keys: Sequence[str] | None = None) -> dict[str, int]:
    """How many entries of the loss ledger have this state, by reason."""
    return hot_reads().aside_counts(state, keys)


def counters(streams: Sequence[int]) -> dict[int, dict[str, int]]:
    """Per stream how many messages had which fate other than accepted, by reason (stream 0: of no known stream)."""
    return hot_reads().counters(streams)


def totals() -> dict[str, int]:
    """The same over all streams, with `accepted`."""
    return hot_reads().totals()


def _range(start: int | None, end: int | None) -> tuple[int, int]:
    return FOREVER[0] if start is None else start, FOREVER[1] if end is None else end


def _seam(hot: HotReads, streams: Sequence[int], start: int, end: int) -> list[tuple[int, int | None, int]]:
    """(stream, cold end, above) for each stream: None where the hot store alone answers the range, else the time up
    to which the lake answers, joined by hot rows with an id over `above` that it does not have yet."""
    wanted = list(dict.fromkeys(streams))
    gone = hot.gone(wanted)
    above = max((mark.high for mark in hot.marks()), default=-1)
    return [
        (stream, min(gone[stream] + 1, end) if stream in gone and start <= gone[stream] else None, above)
        for stream in wanted
    ]


def _version(hot: HotReads) -> int:
    return max(mark.version for mark in hot.marks())


def _buckets(parts: list[tuple[int, int, float, float, float, int]]) -> list[Bucket]:
    joined: dict[int, tuple[int, float, float, float, int]] = {}
    for time, number, total, low, high, origin in parts:
        if time in joined:
            n, s, a, b, o = joined[time]
            joined[time] = (n + number, s + total, min(a, low), max(b, high), weaker(o, origin))
        else:
            joined[time] = (number, total, low, high, origin)
    return [Bucket(time, n, s / n, a, b, o) for time, (n, s, a, b, o) in sorted(joined.items())]
