"""Who does what: organisations with their offices, and the page of a territory."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.cases import reads as cases
from krog.catalogue import door
from krog.people import reads
from krog.people.permissions import is_staff
from krog.streams import reads as measured
from krog.web import downloads
from krog.web.components.people import words
from krog.web.components.tables import offers
from krog.web.navigation import CENTRE_TITLES
from krog.web.request import Request


@offers(
    ("offices", later("Offices"), downloads.office_list),
    ("organisations", later("Organisations"), downloads.organisation_list),
)
def offices(request: Request) -> HttpResponse:
    """Organisations with their offices and how to reach them."""
    grant = door.open(request.reader, "portal", kind="people")
    by_organisation: dict[str, list[object]] = {}
    found = reads.offices(grant)
    names, staff = reads.leaders(grant, found), is_staff(request.reader)
    for office in found:
        by_organisation.setdefault(office.organisation, []).append(
            {
                "office": office,
                "centre": CENTRE_TITLES.get(office.centre, ""),
                "head": names.get(office.head, ""),
                "deputy": names.get(office.deputy, "") if staff else "",
            }
        )
    groups = [(o, by_organisation[o.key]) for o in reads.organisations(grant) if o.key in by_organisation]
    return render(request, "portal/people/offices.html", {"groups": groups, "staff": staff})


def territory(request: Request, key: str) -> HttpResponse:
    """A territory: where it stands in each hierarchy on a day, what lies in it and what belongs to it."""
    grant = door.open(request.reader, "portal", kind="people")
    found = reads.territory(grant, key)
    day = words.day_of(request.GET.get("on", ""))
    places = reads.places(grant, key, on=day)
    context = {
        "territory": found,
        "level": words.LEVELS.get(found.level, ""),
        "day": day,
        "places": [words.place(place) for place in places],
        "belongs": _belongs(request, key),
    }
    return render(request, "portal/people/territory.html", context)


def _belongs(request: Request, key: str) -> list[tuple[str, int, str]]:
    """What belongs to a territory and to all that lies within it: the words, how many, and the list of them."""
    within = reads.within(door.open(request.reader, "portal", kind="people"), key)
    streams = measured.datastreams(door.open(request.reader, "portal", kind="streams"), territories=within, limit=0)
    reports = cases.public_cases(
        door.open(request.reader, "portal", kind="cases"), open_only=True, places=reads.titles(within), limit=0
    )
    found = (
        (_("Datastreams"), streams.total or 0, f"{reverse('portal-streams-list')}?territory={key}"),
        (_("Reports that are not closed yet"), reports.total, f"{reverse('portal-cases-list')}?open=1&territory={key}"),
    )
    return [(title, count, href) for title, count, href in found if count]


@offers(downloads.territory_list)
def territories(request: Request) -> HttpResponse:
    """All territories by level, the largest first."""
    grant = door.open(request.reader, "portal", kind="people")
    groups = words.by_level(reads.territories(grant))
    return render(request, "portal/people/territories.html", {"groups": groups})


urlpatterns = [
    path("offices/", offices, name="portal-people-offices"),
    path("territories/", territories, name="portal-people-territories"),
    path("territories/<slug:key>", territory, name="portal-people-territory"),
]
