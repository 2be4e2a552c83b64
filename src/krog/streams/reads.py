"""Reads of streams: things and datastreams from the database, their observations from the lake, all behind a grant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from krog import lake
from krog.base import times
from krog.base.errors import Invalid, NotFound
from krog.base.grant import Grant
from krog.base.ids import Ref
from krog.base.origin import Origin, weakest
from krog.base.settings import settings
from krog.catalogue import door
from krog.journal import reads as journal
from krog.journal.shapes import Entry
from krog.lake import shapes as lake_shapes
from krog.people.permissions import is_staff, require
from krog.streams import models, shapes

#: Most datastreams and most observations that one read gives.
MOST_STREAMS, MOST_OBSERVATIONS = 1000, 10_000

#: A value is overdue after this many intervals, and never before a minute has passed.
OVERDUE_AFTER = 3

#: Further from 1970, in microseconds, than any observation.
FOREVER = 2**62

#: Columns of the rows that a dataset's public_rows may name.
_COLUMNS = {
    "public": "public",
    "role": "role",
    "key": "key",
    "thing": "thing__key",
    "territory": "thing__territory",
    "observed_property": "observed_property__key",
}


def ingest_index() -> Mapping[str, shapes.IngestStream]:
    """Every datastream in use by its key, for `engine.ingest`; no grant, because nothing of it leaves."""
    rows = models.Datastream.objects.filter(retired=False).values_list(
        "id", "key", "dataset", "unit", "minimum", "maximum", "interval_s", "numeric", "thing__operator"
    )
    return {row[1]: shapes.IngestStream(*row) for row in rows.iterator(chunk_size=5000)}


def ingest_epoch() -> int:
    """A number that moves whenever `ingest_index` may have changed; one row read by primary key."""
    return models.Epoch.objects.values_list("number", flat=True).first() or 0


def _visible(grant: Grant) -> Q:
    """The datastreams that a grant lets through: by dataset, by its row rules, and in public only the public ones."""
    for_public = [key for key, access in grant.datasets.items() if access.public]
    return Q(retired=False) & door.where(grant, _COLUMNS) & (~Q(dataset__in=for_public) | Q(public=True))


def _rows(grant: Grant) -> QuerySet[models.Datastream]:
    joined = models.Datastream.objects.select_related("thing", "sensor", "observed_property")
    return joined.filter(_visible(grant)).order_by("thing__key", "key")


def _no_datastream(key: str) -> NotFound:
    return NotFound(
        _("There is no datastream “%(key)s”.") % {"key": key[:60]},
        "datastream",
        todo=_("The list of measuring points names them all."),
    )


def _thing(row: models.Thing) -> shapes.Thing:
    return shapes.Thing(
        row.key,
        row.title,
        row.description,
        row.lon,
        row.lat,
        row.territory,
        row.operator,
        row.owner,
        row.demo_place,
        row.true_place,
        row.source,
    )


def _sensor(row: models.Sensor) -> shapes.Sensor:
    return shapes.Sensor(row.key, row.title, row.model, row.accuracy, row.accuracy_value, row.accuracy_unit)


def _property(row: models.ObservedProperty) -> shapes.ObservedProperty:
    return shapes.ObservedProperty(row.key, row.title, row.definition, row.unit)


def _datastream(row: models.Datastream) -> shapes.Datastream:
    return shapes.Datastream(
        id=row.pk,
        key=row.key,
        title=row.title,
        unit=row.unit,
        dataset=row.dataset,
        minimum=row.minimum,
        maximum=row.maximum,
        interval_s=row.interval_s,
        numeric=row.numeric,
        role=row.role,
        public=row.public,
        thing=_thing(row.thing),
        sensor=_sensor(row.sensor) if row.sensor else None,
        observed_property=_property(row.observed_property),
    )


def datastreams(
    grant: Grant,
    *,
    dataset: str | None = None,
    thing: str | None = None,
    observed_property: str | None = None,
    role: str | None = None,
    keys: Iterable[str] | None = None,
    text: str = "",
    limit: int = 200,
    offset: int = 0,
) -> shapes.Page[shapes.Datastream]:
    """Datastreams with their thing, sensor and property, by thing and key; `text` is looked for in key and titles."""
    rows = _rows(grant)
    equal = {"dataset": dataset, "thing__key": thing, "observed_property__key": observed_property, "role": role}
    rows = rows.filter(**{column: value for column, value in equal.items() if value is not None})
    if keys is not None:
        rows = rows.filter(key__in=list(keys)[:MOST_STREAMS])
    for word in text.casefold().replace("\x00", " ").split()[:8]:
        rows = rows.filter(search__contains=word)
    limit = min(max(limit, 0), MOST_STREAMS)
    found = [_datastream(row) for row in rows[offset : offset + limit]]
    total = offset + len(found) if found and len(found) < limit else rows.count()
    return shapes.Page(found, total)


def datastream(grant: Grant, key: str) -> shapes.Datastream:
    """One datastream, joined in one query; NotFound where there is none or the reader may not know of it."""
    row = _rows(grant).filter(key=key).first() if "\x00" not in key else None
    if row is None:
        raise _no_datastream(key)
    return _datastream(row)


def _things(grant: Grant) -> QuerySet[models.Thing]:
    mine = models.Datastream.objects.filter(_visible(grant), thing=OuterRef("pk"))
    seen = Q(Exists(mine))
    if is_staff(grant.reader):
        seen |= Q(~Exists(models.Datastream.objects.filter(retired=False, thing=OuterRef("pk"))))
    return models.Thing.objects.filter(seen, retired=False).order_by("key")


def things(
    grant: Grant, *, territory: str | None = None, limit: int = 1000, offset: int = 0
) -> shapes.Page[shapes.Thing]:
    """Things of which the reader may see at least one datastream; staff also see those that have none yet."""
    rows = _things(grant)
    if territory is not None:
        rows = rows.filter(territory=territory)
    limit = min(max(limit, 0), MOST_STREAMS)
    return shapes.Page([_thing(row) for row in rows[offset : offset + limit]], rows.count())


def thing(grant: Grant, key: str) -> shapes.Thing:
    """One thing, or NotFound."""
    row = _things(grant).filter(key=key).first() if "\x00" not in key else None
    if row is None:
        raise NotFound(_("There is no measuring point “%(key)s”.") % {"key": key[:60]}, "thing")
    return _thing(row)


def history(grant: Grant, key: str, limit: int = 50) -> list[Entry]:
    """What was changed of a datastream's declaration: for staff; nobody else learns who works here."""
    datastream(grant, key)
    return journal.history(Ref("datastream", key), limit) if is_staff(grant.reader) else []


# Observations. Everything below asks the database only which datastreams the grant lets through.


def readable(grant: Grant) -> frozenset[str]:
    """Keys of all datastreams whose values the reader may see, in one light query."""
    rows = models.Datastream.objects.filter(_visible(grant)).values_list("key", "dataset")
    return frozenset(key for key, dataset in rows if grant.datasets[dataset].shows("value"))


def _numbers(grant: Grant, keys: Iterable[str]) -> dict[str, tuple[int, str, int]]:
    """Of these keys the visible ones: key → (number, dataset, interval)."""
    wanted = [key for key in dict.fromkeys(keys) if "\x00" not in key]
    if not wanted:
        return {}
    rows = models.Datastream.objects.filter(_visible(grant), key__in=wanted)
    return {row[0]: row[1:] for row in rows.values_list("key", "id", "dataset", "interval_s")}


def keys_of(grant: Grant, keys: Iterable[str]) -> frozenset[str]:
    """Which of these datastreams exist and may be seen."""
    return frozenset(_numbers(grant, keys))


def latest(grant: Grant, keys: Iterable[str], now: int | None = None) -> dict[str, shapes.Latest]:
    """The newest value, state and statistics of each of these datastreams that the reader may see."""
    return _latest(grant, _numbers(grant, keys), now)


def latest_of(grant: Grant, streams: Sequence[shapes.Datastream], now: int | None = None) -> dict[str, shapes.Latest]:
    """The same for datastreams that were read with this grant, without asking the database again."""
    known = {s.key: (s.id, s.dataset, s.interval_s) for s in streams if s.dataset in grant}
    return _latest(grant, known, now)


def _latest(grant: Grant, known: Mapping[str, tuple[int, str, int]], now: int | None) -> dict[str, shapes.Latest]:
    moment = times.now() if now is None else now
    numbers = [each[0] for each in known.values()]
    newest, summaries = lake.latest(numbers), lake.summary(numbers)
    found = {}
    for key, (number, dataset, interval_s) in known.items():
        last, line = newest.get(number), summaries.get(number)
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


def _one(grant: Grant, key: str) -> tuple[int, str, int]:
    found = _numbers(grant, [key]).get(key)
    if found is None:
        raise _no_datastream(key)
    return found


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
    number, dataset, _every = _one(grant, key)
    limit = min(max(limit, 1), MOST_OBSERVATIONS)
    rows = lake.observations([number], start, end, limit=limit + 1, newest_first=newest_first, after=_cursor(after))
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
    known = _numbers(grant, keys)
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
    number, dataset, interval_s = _one(grant, key)
    if end <= start:
        raise Invalid(_("The range ends before it begins."), "end")
    chosen = step_for(end - start, interval_s) if step is None else step
    if not grant.datasets[dataset].shows("value"):
        return shapes.Series(key, start, end, chosen, (), None)
    if chosen == 0:
        rows = lake.observations([number], start, end, limit=4 * MOST_POINTS, newest_first=True)
        points = [shapes.Point(r.time, r.value, r.value, r.value, 1) for r in reversed(rows) if r.value is not None]
        origins = [Origin(row.origin) for row in rows]
    else:
        begin = _aligned(start, chosen)
        buckets = lake.series([number], begin, end, chosen).get(number, [])
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


# What was not accepted: for those who look after the datastreams.

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
    limit = min(max(limit, 1), MOST_STREAMS)
    rows = lake.aside(state=state, reason=reason, key=key, before=before, limit=limit + 1)
    seen = set(_numbers(grant, {row.key for row in rows if row.stream}))
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
    numbers = {stream.id: stream.key for stream in streams if stream.dataset in grant}
    return {numbers[number]: counts for number, counts in lake.counters(list(numbers)).items()}


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
