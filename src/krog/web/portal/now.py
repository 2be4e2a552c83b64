"""Now: the newest values of all public datastreams, by the thing that measures them, updating by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from krog.base.grant import Reader
from krog.base.text import say
from krog.catalogue import door
from krog.people import reads as people
from krog.rules import reads as rules
from krog.rules.shapes import Alert
from krog.streams import reads as streams
from krog.streams.shapes import Thing
from krog.web.components import formats, maps, stream_view
from krog.web.components.paging import offset_of, pager
from krog.web.components.stream_view import Line
from krog.web.portal import address
from krog.web.request import Request

#: Datastreams on one page; browsers follow all of them live.
LIMIT = 120

_LOOKS = ("bad", "warn", "ok", "none")


@dataclass(frozen=True)
class Group:
    """A thing with its lines and its worst state: an open alert, silence, working, no values."""

    thing: Thing
    lines: Sequence[Line]
    state: str
    word: str
    alerts: Sequence[Alert] = ()


def grouped(lines: Sequence[Line], open_alerts: Iterable[Alert]) -> list[Group]:
    """Lines by thing, those with an alert first."""
    words = {"bad": _("alert"), "warn": _("silent"), "ok": _("working"), "none": _("no values yet")}
    by_stream: dict[str, list[Alert]] = {}
    for alert in open_alerts:
        for part in alert.readings:
            # An alert over a difference belongs to the meter that it starts from, not to all that are taken off.
            if part.weight > 0:
                by_stream.setdefault(part.stream, []).append(alert)
    found = []
    for group in stream_view.groups(lines):
        raised = [alert for line in group.lines for alert in by_stream.get(line.stream.key, ())]
        looks = {line.look for line in group.lines}
        state = "bad" if raised else next(look for look in _LOOKS if look in looks)
        found.append(Group(group.thing, group.lines, state, words[state], tuple(raised)))
    return sorted(found, key=lambda each: _LOOKS.index(each.state) if each.state == "bad" else 1)


def map_of(title: str, groups: Sequence[Group]) -> maps.Map | None:
    """The things that have a place, with their state and leading value; None where none has a place."""
    language = get_language() or "sl"
    features = []
    for group in groups:
        thing = group.thing
        if thing.lon is None or thing.lat is None:
            continue
        first = next((line for line in group.lines if line.latest.value is not None), None)
        value = ""
        if first is not None and first.latest.value is not None:
            value = formats.amount(first.latest.value, first.stream.unit, language)
        features.append(maps.feature(
            thing.key, maps.point(thing.lon, thing.lat), title=str(say(thing.title, language)), state=group.state,
            word=group.word, text=value, href=address.of("things", thing.key),
        ))  # fmt: skip
    shown = {feature["properties"]["state"]: feature["properties"]["word"] for feature in features}
    legend = [(look, shown[look]) for look in _LOOKS if look in shown]
    return maps.Map(title, features, legend) if features else None


def now(request: Request) -> HttpResponse:
    """The page; `place` keeps to one territory."""
    reader: Reader = request.reader
    grant, offset = door.open(reader, "portal", kind="streams"), offset_of(request)
    page = streams.datastreams(grant, limit=LIMIT, offset=offset)
    lines = stream_view.lines(page.items, streams.latest_of(grant, page.items), "portal-streams-detail")
    open_alerts = rules.alerts(door.open(reader, "portal", kind="rules"), open_only=True, limit=50).items
    groups = grouped(lines, open_alerts)
    names = {one.key: one.title for one in people.territories(door.open(reader, "portal", kind="people"))}
    return render(request, "portal/now.html", {
        "groups": [(group, names.get(group.thing.territory)) for group in groups],
        "alerts": [(alert, address.of("rules", alert.rule)) for alert in open_alerts],
        "map": map_of(_("Where it is measured"), groups),
        "page": pager(request, shown=len(page.items), total=page.total or 0, limit=LIMIT, offset=offset),
        "silent": sum(line.look == "warn" for line in lines), "working": sum(line.look == "ok" for line in lines),
    })  # fmt: skip
