"""The Open API of streams: datastreams, things, observations by range and page, series for charts."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from ninja import Query, Router

from krog.base import times
from krog.base.errors import Invalid
from krog.base.grant import Grant
from krog.base.settings import settings
from krog.base.times import iso
from krog.catalogue import door
from krog.streams import reads
from krog.streams.shapes import Datastream, Latest, Observation, Thing
from krog.web.request import Request

router = Router(tags=["streams"])
things_router = Router(tags=["streams"])

Limit = Annotated[int, Query(ge=1, le=1000)]
Offset = Annotated[int, Query(ge=0, le=10_000_000)]
Word = Annotated[str | None, Query(max_length=200)]


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "api", kind="streams")


def moment(text: str | None, where: str) -> int | None:
    """A time of an address: ISO 8601 with an offset or Z, or a local day; None for none."""
    if not text:
        return None
    try:
        if len(text) == 10:
            return times.parse(text, settings().timezone)
        # An unescaped + of an offset arrives as a space.
        return times.parse(text.replace(" ", "+") if "T" in text else text)
    except (ValueError, OverflowError):
        raise Invalid(f"{text[:60]!r} is not a time.", where, "2026-05-12, 2026-05-12T07:30:00Z or …+02:00") from None


def next_link(request: Request, **changed: Any) -> str:
    """The address of the next page: this one with some questions changed."""
    asked = {name: value for name, value in request.GET.items() if name not in changed}
    return f"{settings().url}{request.path}?{urlencode({**asked, **changed})}"


def _thing(thing: Thing) -> dict[str, Any]:
    return {
        "key": thing.key,
        "title": thing.title,
        "description": thing.description,
        "location": {"type": "Point", "coordinates": [thing.lon, thing.lat]} if thing.lon is not None else None,
        "territory": thing.territory,
        "operator": thing.operator,
        "owner": thing.owner,
        "demo_place": thing.demo_place,
        "true_place": thing.true_place,
        "source": thing.source,
        "href": f"/things/{thing.key}",
    }


def _latest(latest: Latest) -> dict[str, Any]:
    found: dict[str, Any] = {"state": latest.state.value, "count": latest.count}
    if latest.time is not None:
        found |= {"time": iso(latest.time), "origin": latest.origin.word if latest.origin is not None else None}
        found |= (
            {"withheld": True}
            if latest.withheld
            else {"value": latest.result, "minimum": latest.least, "maximum": latest.most}
        )
    return found


def _stream(stream: Datastream, latest: Latest, *, whole: bool) -> dict[str, Any]:
    found = {
        "key": stream.key,
        "title": stream.title,
        "unit": stream.unit,
        "dataset": stream.dataset,
        "role": stream.role,
        "interval_s": stream.interval_s,
        "numeric": stream.numeric,
        "thing": _thing(stream.thing) if whole else stream.thing.key,
        "latest": _latest(latest),
        "href": f"/streams/{stream.key}",
        "observations": f"/api/v1/streams/{stream.key}/observations",
    }
    if not whole:
        return {**found, "observed_property": stream.observed_property.key}
    about, sensor = stream.observed_property, stream.sensor
    return {
        **found,
        "minimum": stream.minimum,
        "maximum": stream.maximum,
        "observed_property": {"key": about.key, "title": about.title, "definition": about.definition},
        "sensor": None
        if sensor is None
        else {
            "key": sensor.key,
            "title": sensor.title,
            "model": sensor.model,
            "accuracy": sensor.accuracy,
            "accuracy_value": sensor.accuracy_value,
            "accuracy_unit": sensor.accuracy_unit,
        },
    }


@router.get("/")
def list_streams(
    request: Request,
    dataset: Word = None,
    thing: Word = None,
    observed_property: Word = None,
    role: Word = None,
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Datastreams that the reader may see, with their newest value."""
    grant = _grant(request)
    page = reads.datastreams(
        grant,
        dataset=dataset,
        thing=thing,
        observed_property=observed_property,
        role=role,
        text=q,
        limit=limit,
        offset=offset,
    )
    newest = reads.latest_of(grant, page.items)
    found: dict[str, Any] = {"items": [_stream(s, newest[s.key], whole=False) for s in page.items], "total": page.total}
    if offset + len(page.items) < (page.total or 0) and page.items:
        found["nextLink"] = next_link(request, offset=offset + limit)
    return found


@router.get("/{key}")
def get_stream(request: Request, key: str) -> dict[str, Any]:
    """One datastream with its thing, sensor, observed property and newest value."""
    grant = _grant(request)
    stream = reads.datastream(grant, key)
    return _stream(stream, reads.latest_of(grant, [stream])[key], whole=True)


def _observation(row: Observation, unit: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "time": iso(row.time),
        "value": row.result,
        "unit": unit,
        "origin": row.origin.word,
        "quality": row.quality,
        "recorded": iso(row.recorded),
        "supersedes": row.supersedes,
    }


@router.get("/{key}/observations")
def list_observations(
    request: Request,
    key: str,
    start: Word = None,
    end: Word = None,
    order: Annotated[str, Query(pattern="^(newest|oldest)$")] = "newest",
    limit: Limit = 100,
    after: Annotated[str, Query(max_length=50)] = "",
) -> dict[str, Any]:
    """Observations with start <= time < end, newest first; `nextLink` leads to the next page and loses nothing while
    new ones arrive."""
    grant = _grant(request)
    stream = reads.datastream(grant, key)
    page = reads.observations(
        grant, key, moment(start, "start"), moment(end, "end"), limit=limit, newest_first=order == "newest", after=after
    )
    found: dict[str, Any] = {"items": [_observation(row, stream.unit) for row in page.items]}
    if page.after:
        found["nextLink"] = next_link(request, after=page.after)
    return found


@router.get("/{key}/series")
def get_series(
    request: Request,
    key: str,
    start: Word = None,
    end: Word = None,
    step_s: Annotated[int | None, Query(ge=60, le=31_536_000)] = None,
) -> dict[str, Any]:
    """Means, smallest and largest values of equal steps, the last 24 hours if no range is given; steps without values
    are left out. Without `step_s` the finest step that gives at most 800 points (0: every reading)."""
    until = moment(end, "end") or times.now()
    begin = moment(start, "start")
    begin = until - times.DAY if begin is None else begin
    step = None if step_s is None else step_s * times.SECOND
    if step and (until - begin) // step > 10_000:
        raise Invalid("This would be more than 10000 steps.", "step_s", f"at least {(until - begin) // 10**10 + 1}")
    series = reads.series(_grant(request), key, begin, until, step)
    return {
        "start": iso(series.start),
        "end": iso(series.end),
        "step_s": series.step // times.SECOND,
        "origin": series.origin.word if series.origin is not None else None,
        "items": [
            {"time": iso(p.time), "mean": p.mean, "minimum": p.least, "maximum": p.most, "count": p.count}
            for p in series.points
        ],
    }


@things_router.get("/")
def list_things(request: Request, territory: Word = None, limit: Limit = 100, offset: Offset = 0) -> dict[str, Any]:
    """Things of which the reader may see at least one datastream."""
    page = reads.things(_grant(request), territory=territory, limit=limit, offset=offset)
    found: dict[str, Any] = {"items": [_thing(thing) for thing in page.items], "total": page.total}
    if offset + len(page.items) < (page.total or 0) and page.items:
        found["nextLink"] = next_link(request, offset=offset + limit)
    return found


@things_router.get("/{key}")
def get_thing(request: Request, key: str) -> dict[str, Any]:
    """One thing with its datastreams."""
    grant = _grant(request)
    found = _thing(reads.thing(grant, key))
    page = reads.datastreams(grant, thing=key, limit=1000)
    newest = reads.latest_of(grant, page.items)
    return {**found, "datastreams": [_stream(s, newest[s.key], whole=False) for s in page.items]}
