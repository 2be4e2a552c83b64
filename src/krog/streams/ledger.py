"""What was not accepted, for those who look after the datastreams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from krog import lake
from krog.base.grant import Grant
from krog.lake import shapes as lake_shapes
from krog.people.permissions import is_staff, require
from krog.streams import shapes
from krog.streams.visible import numbers

#: Most entries that one read gives.
MOST_ENTRIES = 1000

_KEEPERS = ("operator", "digital_officer")


def set_aside(
    grant: Grant,
    *,
    state: str | None = "open",
    reason: str | None = None,
    key: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> shapes.Page[shapes.SetAside]:
    """Messages of the loss ledger, newest first; `before` (an id) begins the next page. Of datastreams that the reader
    may not see he learns that something came, and not what. Forbidden for all but operators and digital officers."""
    require(grant.reader, *_KEEPERS, what="read the loss ledger")
    limit = min(max(limit, 1), MOST_ENTRIES)
    rows = lake.aside(state=state, reason=reason, key=key, before=before, limit=limit + 1)
    seen = set(numbers(grant, {row.key for row in rows if row.stream}))
    items = [_set_aside(row, withheld=bool(row.stream) and row.key not in seen) for row in rows[:limit]]
    return shapes.Page(items, after=str(items[-1].id) if len(rows) > limit else None)


def set_aside_counts(grant: Grant, state: str = "open") -> Mapping[str, int]:
    """How many messages have this state, by reason; for the same readers."""
    require(grant.reader, *_KEEPERS, what="read the loss ledger")
    return lake.aside_counts(state)


def fates(grant: Grant, streams: Sequence[shapes.Datastream]) -> dict[str, Mapping[str, int]]:
    """For each of these datastreams how many messages were not accepted, by reason, ever; for staff."""
    if not is_staff(grant.reader):
        return {}
    keys = {stream.id: stream.key for stream in streams if stream.dataset in grant}
    return {keys[pk]: counts for pk, counts in lake.counters(list(keys)).items()}


def _set_aside(row: lake_shapes.Aside, *, withheld: bool) -> shapes.SetAside:
    return shapes.SetAside(
        id=row.id,
        received=row.received,
        transport=row.transport,
        topic=_printable(row.topic),
        stream=_printable(row.key),
        reason=row.reason,
        detail="" if withheld else _printable(row.detail),
        who=row.who,
        size=row.size,
        payload="" if withheld else _printable(row.payload.decode("utf-8", "replace")),
        withheld=withheld,
        replayable=bool(row.message),
        state=row.state,
        answered=row.answered,
        by=row.by,
        note=row.note,
    )


def _printable(text: str) -> str:
    """Text from anybody; every sign that could steer a terminal, a page or the direction of writing is made visible."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else "\ufffd" for sign in text)
