"""The areas that the city looks after, one page each: services, what is measured, how it does, what it intends."""

from __future__ import annotations

from collections import Counter

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.catalogue import door
from krog.people import reads as people
from krog.people.providers import CENTRES
from krog.web.components import centre_view
from krog.web.navigation import CENTRE_TITLES
from krog.web.request import Request


def areas() -> list[dict[str, str]]:
    """The eight areas as links, in the order that is the same everywhere."""
    return [
        {
            "href": reverse("portal-centres-detail", args=[key]),
            "title": _(CENTRE_TITLES[key]),
            "about": _(centre_view.ABOUT[key]),
        }
        for key in CENTRES
    ]


def listing(request: Request) -> HttpResponse:
    """All areas, each with how many offices look after it."""
    offices = Counter(
        office.centre for office in people.offices(door.open(request.reader, "portal", kind="people")) if office.centre
    )
    rows = [{**area, "offices": offices[key]} for key, area in zip(CENTRES, areas(), strict=True)]
    return render(request, "portal/centres/list.html", {"areas": rows})


def detail(request: Request, key: str) -> HttpResponse:
    """One area."""
    if key not in CENTRES:
        raise NotFound(_("There is no area “%(key)s”.") % {"key": key[:50]}, "centre", ", ".join(CENTRES))
    return render(
        request,
        "portal/centres/detail.html",
        {
            "title": CENTRE_TITLES[key],
            "about": centre_view.ABOUT[key],
            "centre": centre_view.gather(request.reader, "portal", key, "portal-streams-detail"),
            "areas": areas(),
            "crumbs": [
                {"title": _("Areas of the city"), "href": reverse("portal-centres-list")},
                {"title": _(CENTRE_TITLES[key]), "href": ""},
            ],
        },
    )


urlpatterns = [
    path("centres/", listing, name="portal-centres-list"),
    path("centres/<slug:key>", detail, name="portal-centres-detail"),
]
