"""Pages of the catalogue in the portal: what data there is, whose it is, what it means, how to get it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext_lazy, ngettext

from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.catalogue import door, reads
from krog.catalogue.shapes import Dataset
from krog.people import reads as people
from krog.registers import reads as registers
from krog.streams import reads as streams
from krog.web import downloads
from krog.web.components.tables import offers
from krog.web.request import Request

#: What the nouns are called where data is listed, in the order of the filter.
NOUNS: Mapping[str, Any] = {
    "streams": gettext_lazy("Measurements"),
    "registers": gettext_lazy("Registers"),
    "indicators": gettext_lazy("Indicators"),
    "plans": gettext_lazy("Plans"),
    "rules": gettext_lazy("Rules and alerts"),
    "cases": gettext_lazy("Reports and cases"),
    "voice": gettext_lazy("Proposals and consultations"),
    "people": gettext_lazy("Offices and people"),
    "catalogue": gettext_lazy("Catalogue"),
}

ACCESS: Mapping[str, tuple[str, Any]] = {
    "public": ("ok", gettext_lazy("open to everybody")),
    "official": ("none", gettext_lazy("for people who work for the city")),
    "restricted": ("none", gettext_lazy("for named roles only")),
}

#: How the data came to be, in words.
LINEAGE: Mapping[str, Any] = {
    "streams": gettext_lazy(
        "Sensors send their readings to the city. Each one is checked on arrival (known datastream, unit, range, "
        "time), written down before it is acknowledged, and kept unchanged; what cannot be accepted is set aside with "
        "a reason. Every reading carries its origin: measured, replayed or simulated."
    ),
    "registers": gettext_lazy(
        "The responsible office keeps the records. Every change stays in the history with its time, and the last one "
        "can be undone."
    ),
    "indicators": gettext_lazy(
        "Values are computed by a published formula, or entered by one person and confirmed by another. Every value "
        "says what it was made of."
    ),
    "plans": gettext_lazy("The plan as it was adopted; each version keeps its date and the body that adopted it."),
    "rules": gettext_lazy("The responsible offices write the rules; every alert names the readings that raised it."),
    "cases": gettext_lazy("Reports of citizens and alerts of rules, handled by the responsible office."),
    "voice": gettext_lazy("Proposals as people wrote them, with the city's answers."),
    "people": gettext_lazy("The city declares its organisations, offices and those responsible in its own files."),
    "catalogue": gettext_lazy("The catalogue describes itself: every dataset of the city stands in it."),
}

_LISTS = {
    "indicators": "portal-indicators-list",
    "plans": "portal-plans-list",
    "voice": "portal-voice-calls",
    "people": "portal-people-offices",
    "catalogue": "portal-catalogue-list",
    "cases": "portal-cases-report",
    "rules": "portal-rules-list",
}


@dataclass(frozen=True)
class Item:
    """Something that a dataset holds."""

    title: Any
    href: str
    note: str = ""


@dataclass(frozen=True)
class FieldRow:
    """A line of the data dictionary."""

    name: str
    title: Any
    type: str
    unit: str
    look: str
    access: Any


def _grant(request: Request, kind: str = "catalogue") -> Grant:
    return door.open(request.reader, "portal", kind=kind)


@offers(downloads.dataset_list)
def listing(request: Request) -> HttpResponse:
    """The datasets of the city, by what they hold."""
    noun, text = request.GET.get("noun", ""), request.GET.get("q", "")[:100]
    found = reads.datasets(_grant(request), noun=noun if noun in NOUNS else None, text=text)
    owners = {each.key: each.title for each in people.organisations(_grant(request, "people"))}
    order = list(NOUNS)
    found.sort(key=lambda d: (order.index(d.noun) if d.noun in order else len(order), d.key))
    return render(
        request,
        "portal/catalogue/list.html",
        {
            "rows": [(d, NOUNS.get(d.noun, d.noun), owners.get(d.organisation), *ACCESS[d.access]) for d in found],
            "nouns": list(NOUNS.items()),
            "noun": noun,
            "q": text,
        },
    )


def detail(request: Request, key: str) -> HttpResponse:
    """One dataset: owner, licence, openness, dictionary, what is in it, downloads, how it came to be."""
    dataset = reads.dataset(_grant(request), key)
    look, access = ACCESS[dataset.access]
    items, total = _inside(request, dataset)
    return render(
        request,
        "portal/catalogue/detail.html",
        {
            "dataset": dataset,
            "noun": NOUNS.get(dataset.noun, dataset.noun),
            "look": look,
            "access": access,
            "fields": [_field(name, about, dataset) for name, about in dataset.fields.items()],
            "frequency": frequency_words(dataset.frequency),
            "items": items,
            "total": total,
            "more": _address(_LISTS.get(dataset.noun, "")),
            "lineage": LINEAGE.get(dataset.noun, ""),
            "readable": key in _grant(request, dataset.noun),
            **_whose(request, dataset),
        },
    )


def _field(name: str, about: Mapping[str, Any], dataset: Dataset) -> FieldRow:
    look, access = ACCESS[about.get("access", dataset.access)]
    return FieldRow(
        name,
        about.get("title") or name,
        TYPES.get(about.get("type", ""), about.get("type", "")),
        about.get("unit", ""),
        look,
        access,
    )


TYPES: Mapping[str, Any] = {
    "text": gettext_lazy("text"),
    "number": gettext_lazy("number"),
    "integer": gettext_lazy("whole number"),
    "date": gettext_lazy("day"),
    "time": gettext_lazy("time"),
    "boolean": gettext_lazy("yes or no"),
    "choice": gettext_lazy("choice"),
    "url": gettext_lazy("link"),
    "code": gettext_lazy("code"),
    "point": gettext_lazy("point on the map"),
    "line": gettext_lazy("line on the map"),
    "polygon": gettext_lazy("area on the map"),
}


def _whose(request: Request, dataset: Dataset) -> dict[str, Any]:
    grant = _grant(request, "people")
    owner = next((o.title for o in people.organisations(grant) if o.key == dataset.organisation), None)
    try:
        office = people.office(grant, dataset.office) if dataset.office else None
    except NotFound:
        office = None
    try:
        steward = people.person(grant, dataset.steward).name if dataset.steward else ""
    except NotFound:
        steward = ""
    return {"owner": owner, "office": office, "steward": steward}


def _inside(request: Request, dataset: Dataset) -> tuple[list[Item], int]:
    """What of the dataset the reader may see, at most fifty, and how much there is."""
    grant = _grant(request, dataset.noun)
    if dataset.noun == "streams":
        page = streams.datastreams(grant, dataset=dataset.key, limit=50)
        items = [Item(s.title, reverse("portal-streams-detail", args=[s.key]), s.key) for s in page.items]
        return items, page.total or 0
    if dataset.noun == "registers":
        found = registers.registers(grant, dataset=dataset.key)
        return [
            Item(
                r.title,
                reverse("portal-registers-detail", args=[r.key]),
                ngettext("%(n)d record", "%(n)d records", r.count or 0) % {"n": r.count or 0},
            )
            for r in found
        ], len(found)
    return [], 0


def _address(name: str) -> str:
    try:
        return reverse(name) if name else ""
    except NoReverseMatch:
        return ""


def frequency_words(period: str) -> str:
    """An ISO 8601 period in words: `PT1M` → every minute; what is none as it is."""
    match = re.fullmatch(r"P(?:(\d{1,4})([YMWD])|T(\d{1,4})([HMS]))", period)
    if not match:
        return period
    count, unit = (int(match[1]), match[2]) if match[1] else (int(match[3]), f"T{match[4]}")
    words = {
        "TS": ngettext("every second", "every %(n)d seconds", count),
        "TM": ngettext("every minute", "every %(n)d minutes", count),
        "TH": ngettext("every hour", "every %(n)d hours", count),
        "D": ngettext("every day", "every %(n)d days", count),
        "W": ngettext("every week", "every %(n)d weeks", count),
        "M": ngettext("every month", "every %(n)d months", count),
        "Y": ngettext("every year", "every %(n)d years", count),
    }[unit]
    return words % {"n": count}


urlpatterns = [
    path("datasets/", listing, name="portal-catalogue-list"),
    path("datasets/<str:key>", detail, name="portal-catalogue-detail"),
]
