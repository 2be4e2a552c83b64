"""Who does what: organisations with their offices, and the page of a territory."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path

from krog.catalogue import door
from krog.people import reads
from krog.web.navigation import CENTRE_TITLES
from krog.web.request import Request


def offices(request: Request) -> HttpResponse:
    """Organisations with their offices and how to reach them."""
    grant = door.open(request.reader, "portal", kind="people")
    by_organisation: dict[str, list[object]] = {}
    for office in reads.offices(grant):
        by_organisation.setdefault(office.organisation, []).append(
            {"office": office, "centre": CENTRE_TITLES.get(office.centre, "")}
        )
    groups = [(o, by_organisation[o.key]) for o in reads.organisations(grant) if o.key in by_organisation]
    return render(request, "portal/people/offices.html", {"groups": groups})


def territory(request: Request, key: str) -> HttpResponse:
    """A territory: where it lies, what it belongs to, what lies in it."""
    grant = door.open(request.reader, "portal", kind="people")
    found = reads.territory(grant, key)
    everything = reads.territories(grant)
    parent = next((t for t in everything if t.key == found.parent), None)
    children = [t for t in everything if t.parent == found.key]
    return render(request, "portal/people/territory.html", {"territory": found, "parent": parent, "children": children})


urlpatterns = [
    path("offices/", offices, name="portal-people-offices"),
    path("territories/<slug:key>", territory, name="portal-people-territory"),
]
