"""Pages of streams in the portal: measuring points, a thing, a datastream with chart, statistics and readings."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.text import say
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.people import reads as people
from krog.streams import reads
from krog.streams.shapes import Datastream
from krog.web import downloads
from krog.web.components import formats, maps, stream_view
from krog.web.components.paging import Pager, here, offset_of, pager
from krog.web.components.people.words import inside
from krog.web.components.tables import offers
from krog.web.request import Request

LIMIT = 100
READINGS = 25


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "portal", kind="streams")


@offers(downloads.stream_list)
def listing(request: Request) -> HttpResponse:
    """Datastreams grouped by the thing that they stand on, with state and newest value; the things on a map."""
    grant = _grant(request)
    text, offset = request.GET.get("q", "")[:100], offset_of(request)
    here, within = inside(request)
    asked = {name: request.GET.get(name, "")[:100].replace("\x00", "") for name in ("property", "place", "operator")}
    sort = request.GET.get("sort", "")
    page = reads.datastreams(
        grant, text=text, territories=within, observed_property=asked["property"] or None,
        territory=asked["place"] or None,
        operator=asked["operator"] or None, sort=sort, limit=LIMIT, offset=offset,
    )  # fmt: skip
    lines = stream_view.lines(page.items, reads.latest_of(grant, page.items), "portal-streams-detail")
    grouped = stream_view.groups(lines)
    return render(
        request,
        "portal/streams/list.html",
        {
            "groups": grouped,
            "q": text,
            "territory": here,
            "filters": _filters(request, grant, asked),
            "filtered": bool(text or here or any(asked.values())),
            "sort": sort if sort in reads.SORTED else "",
            "orders": (("", _("measuring point")), ("property", _("what is measured")), ("place", _("place"))),
            "part": (page.total or 0) > len(page.items),
            "map": stream_view.thing_map(
                _("Where it is measured"), stream_view.groups(sorted(lines, key=lambda line: line.stream.thing.key))
            ),
            "page": pager(request, shown=len(page.items), total=page.total or 0, limit=LIMIT, offset=offset),
            "silent": sum(line.look == "warn" for line in lines),
            "working": sum(line.look == "ok" for line in lines),
        },
    )


def _filters(request: Request, grant: Grant, asked: dict[str, str]) -> list[dict[str, Any]]:
    """The choices of the list, those that leave something to choose."""
    found = reads.chosen_by(grant)
    of_people = door.open(request.reader, "portal", kind="people")
    language = stream_view.language()
    places = {one.key: str(say(one.title, language)) for one in people.territories(of_people)}
    names = {one.key: str(say(one.title, language)) for one in people.organisations(of_people)}
    properties = [(one.key, str(say(one.title, language))) for one in found.properties]
    every = (
        ("property", _("What is measured"), properties),
        ("place", _("Place"), [(key, places.get(key, key)) for key in found.territories]),
        ("operator", _("Operator"), [(key, names.get(key, key)) for key in found.operators]),
    )
    return [
        {"name": name, "title": title, "value": asked[name],
         "options": sorted(options, key=lambda one: formats.order(one[1]))}
        for name, title, options in every
        if len(options) > 1 or asked[name]
    ]  # fmt: skip


def thing(request: Request, key: str) -> HttpResponse:
    """One thing: where it stands, whose it is, what it measures."""
    grant = _grant(request)
    found = reads.thing(grant, key)
    page = reads.datastreams(grant, thing=key, limit=LIMIT)
    lines = stream_view.lines(page.items, reads.latest_of(grant, page.items), "portal-streams-detail")
    grouped = stream_view.groups(lines)
    return render(
        request,
        "portal/streams/thing.html",
        {
            "thing": found,
            "lines": lines,
            "map": stream_view.thing_map(_("Where it stands"), grouped),
            **_whose(grant, found.operator, found.owner, found.territory),
        },
    )


@offers(downloads.reading_list)
def detail(request: Request, key: str) -> HttpResponseBase:
    """One datastream: live value, chart by range, statistics, readings, what measures it, where it comes from."""
    grant = _grant(request)
    stream = reads.datastream(grant, key)
    latest = reads.latest_of(grant, [stream])[key]
    name = request.GET.get("range", "24h")
    start, end = stream_view.span(name, latest.first, times.now())
    series = reads.series(grant, key, start, end)
    after = request.GET.get("after", "")
    readings = reads.observations(grant, key, start, end, limit=READINGS, after=after)
    line = stream_view.lines([stream], {key: latest}, "portal-streams-detail")[0]
    api = f"/api/v1/streams/{key}"
    return render(
        request,
        "portal/streams/detail.html",
        {
            "stream": stream,
            "thing": stream.thing,
            "latest": latest,
            "line": line,
            "range": name,
            "ranges": [
                (code, words, here(request, range=code, after=None))
                for code, (_length, words, _long) in stream_view.RANGES.items()
            ],
            "range_words": stream_view.RANGES[name][2],
            "chart": stream_view.chart(stream, series, name),
            "step_words": stream_view.step_words(series.step),
            "statistics": stream_view.statistics(series),
            "readings": readings.items,
            "dataset": _dataset(grant, stream.dataset),
            "pager": Pager(
                previous=here(request, after=None) if after else "",
                next=here(request, after=readings.after) if readings.after else "",
            ),
            "api": api,
            "json": f"{api}/observations?start={times.iso(start)}&end={times.iso(end)}",
            "all": here(request, range="all", after=None),
            "map": _place(stream),
            **_whose(grant, stream.thing.operator, stream.thing.owner, stream.thing.territory),
        },
    )


def _place(stream: Datastream) -> maps.Map | None:
    thing = stream.thing
    if thing.lon is None or thing.lat is None:
        return None
    title = str(say(thing.title, stream_view.language()))
    feature = maps.feature(
        thing.key,
        maps.point(thing.lon, thing.lat),
        title=title,
        text=_("invented place") if thing.demo_place else "",
        href=reverse("portal-streams-thing", args=[thing.key]),
    )
    return maps.Map(_("Where it stands"), [feature])


def _whose(grant: Grant, operator: str, owner: str, territory: str) -> dict[str, Any]:
    """Titles of the operator, the data owner and the territory of a thing, as far as they are declared."""
    titles = {each.key: each.title for each in people.organisations(grant)} if operator or owner else {}
    try:
        place = people.territory(grant, territory) if territory else None
    except NotFound:
        place = None
    return {"operator": titles.get(operator), "owner": titles.get(owner), "territory": place}


def _dataset(grant: Grant, key: str) -> Any:
    try:
        return catalogue.dataset(grant, key)
    except NotFound:
        return None


urlpatterns = [
    path("streams/", listing, name="portal-streams-list"),
    path("streams/<str:key>", detail, name="portal-streams-detail"),
    path("things/<str:key>", thing, name="portal-streams-thing"),
]
