"""The first page of the portal: what a person comes to do, what is new at his place, how the city is doing."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant, Reader
from krog.base.text import say
from krog.cases import reads as cases
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.indicators import reads as indicators
from krog.people import reads as people
from krog.people.shapes import Territory
from krog.rules import reads as rules
from krog.streams import reads as streams
from krog.voice import reads as voice
from krog.web import usage
from krog.web.components import formats, maps, stream_view
from krog.web.portal import address, centres, figures, finder, finds, ground, now, today
from krog.web.request import Request

#: More streams than these are not asked on the first page; the page of measurements has them all.
STREAMS = 200


def home(request: Request) -> HttpResponse:
    """Tasks and search; without a question also today, figures and map."""
    asked = " ".join(request.GET.get("q", "").split())[: finder.LONGEST]
    reader: Reader = request.reader
    context: dict[str, Any] = {"asked": asked, "tasks": finder.tasks()}
    if asked:
        context |= finds.page(request, asked)
        usage.asked(request, "search", found=bool(context["groups"]))
        return render(request, "portal/found.html", context)
    return render(request, "portal/home.html", {**context, **_today(reader, request.GET.get("place", ""))})


def _today(reader: Reader, wanted: str) -> dict[str, Any]:
    territories = people.territories(door.open(reader, "portal", kind="people"))
    grant = door.open(reader, "portal", kind="streams")
    found = streams.datastreams(grant, limit=STREAMS).items
    known = {one.key: one for one in territories if one.level == "settlement"}
    place = known.get(wanted) or known.get(today.default_place(territories, found))
    lines = stream_view.lines(found, streams.latest_of(grant, found), "portal-streams-detail")
    here = frozenset(s.key for s in found if place is not None and s.thing.territory == place.key)
    rules_grant = door.open(reader, "portal", kind="rules")
    open_alerts = rules.alerts(rules_grant, open_only=True, limit=20).items
    titles = {d.key: d.title for d in catalogue.datasets(door.open(reader, "portal", kind="catalogue"), noun="streams")}
    cases_grant = door.open(reader, "portal", kind="cases")
    open_cases = cases.public_cases(cases_grant, open_only=True, limit=50).items
    handled = {alert.case.lower() for alert in open_alerts if alert.case}
    settled = _settled(cases_grant, handled - {case.reference.lower() for case in open_cases})
    asked = voice.calls(door.open(reader, "portal", kind="voice"))
    standings = indicators.standings(door.open(reader, "portal", kind="indicators"))
    return {
        "place": place, "places": sorted(known.values(), key=_name),
        "items": [
            *today.alerts(open_alerts, here, settled, rules.rules(rules_grant)),
            *today.cases(open_cases, place, handled),
            *today.calls(asked, voice.today().toordinal()), *today.values(lines, titles, here),
        ],
        "sentences": figures.sentences(standings.values()), "indicators": len(standings),
        "loop": loop(), "areas": centres.areas(), "map": _map(now.grouped(lines, open_alerts)),
    }  # fmt: skip


def _name(place: Territory) -> str:
    return formats.order(str(say(place.title, get_language() or "sl")))


def _settled(grant: Grant, keys: Collection[str]) -> set[str]:
    """Those of the cases that are closed."""
    found = set()
    for key in keys:
        try:
            if cases.status(grant, key).closed is not None:
                found.add(key)
        except NotFound:
            continue
    return found


def _map(groups: list[now.Group]) -> maps.Map | None:
    return now.map_of(_("Measurements and alerts"), groups)


def loop() -> list[dict[str, str]]:
    """The circle between planning and doing; each step leads to its page."""
    steps = (
        ("portal-plans-list", _("We plan"), _("goals, measures and projects")),
        ("portal-cases-report", _("We do"), _("reports, alerts, who handles them")),
        ("portal-indicators-list", _("We measure"), _("indicators and measurements")),
        ("portal-voice-calls", _("We review"), _("reviews, proposals, adoption by the council")),
    )
    found = [{"href": address.named(name), "title": title, "about": about} for name, title, about in steps]
    return [step for step in found if step["href"]]


urlpatterns = [
    path("", home, name="portal-home"),
    path("now/", now.now, name="portal-now"),
    *ground.urlpatterns,
]
