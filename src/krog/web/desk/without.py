"""Without a responsible person: everything that nobody answers for, given to somebody in bulk."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from krog.base.errors import KrogError
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.catalogue import door
from krog.engine import responsibility
from krog.people.holdings import Responsible, Wanted
from krog.plans import holdings as nodes
from krog.web import navigation
from krog.web.components.paging import here, offset_of, pager
from krog.web.components.people import responsible as words
from krog.web.portal import case_words
from krog.web.request import Request

LIMIT = 50


class _Filter:
    """What the address asks for: noun, centre, office and area of the plan; anything unknown asks for nothing."""

    def __init__(self, asked: Any, reader: Reader, everybody: words.Who):
        self.noun = asked.get("noun", "") if asked.get("noun") in words.NOUNS else ""
        self.centre = asked.get("centre", "") if asked.get("centre") in navigation.CENTRE_TITLES else ""
        self.office = asked.get("office", "") if asked.get("office") in {o.key for o in everybody.offices} else ""
        grant = door.open(reader, "desk", kind="plans")
        self.areas = nodes.areas(grant) if self.noun == "node" else []
        self.area = asked.get("area", "") if asked.get("area") in {key for key, *_rest in self.areas} else ""
        offices = None
        if self.office:
            offices = frozenset({self.office})
        elif self.centre:
            offices = frozenset(one.key for one in everybody.offices if one.centre == self.centre)
        keys = {"node": nodes.beneath(grant, self.area)} if self.area else None
        self.wanted = responsibility.without(
            Wanted(nouns=(self.noun,) if self.noun else (), offices=offices, keys=keys)
        )

    @property
    def on(self) -> bool:
        return bool(self.noun or self.centre or self.office)


@require_safe
def listing(request: Request) -> HttpResponse:
    """The page: filters, the things, and the form that gives them to somebody."""
    reader, offset = request.reader, offset_of(request)
    everybody = words.who(reader)
    asked = _Filter(request.GET, reader, everybody)
    counts = responsibility.count(reader, asked.wanted)
    total = sum(counts.values())
    found = responsibility.found(reader, asked.wanted, limit=LIMIT, offset=offset)
    context = {
        "asked": asked,
        "counts": [
            (words.NOUNS[noun], counts[noun], here(request, noun=noun, offset=None)) for noun in counts if counts[noun]
        ],
        "total": total,
        "rows": words.rows(found, everybody),
        "page": pager(request, shown=len(found), total=total, limit=LIMIT, offset=offset),
        "nouns": [(key, title) for key, title in words.NOUNS.items() if key not in ("confirming", "value")],
        "centres": navigation.CENTRE_TITLES.items(),
        "areas": [(key, f"{number} {case_words.said(title)}".strip()) for key, number, title in asked.areas],
        "offices": [(one.key, everybody.office(one.key)) for one in everybody.offices],
        "organisations": [(one.key, everybody.organisation(one.key)) for one in everybody.organisations],
        "persons": everybody.persons,
        "undo": request.GET.get("undo", "")[:20],
    }
    return render(request, "desk/people/without.html", context)


def _back(request: Request, **more: str) -> HttpResponse:
    query = "&".join(
        f"{name}={value}"
        for name, value in {
            **{name: request.POST.get(name, "") for name in ("noun", "centre", "office", "area")},
            **more,
        }.items()
        if value and value.replace("-", "").replace("_", "").replace(".", "").isalnum()
    )
    return HttpResponseRedirect(f"{reverse('desk-people-without')}{'?' + query if query else ''}")


@require_POST
def assign(request: Request) -> HttpResponse:
    """Names who answers for what was ticked, or for all that was found."""
    reader = request.reader
    to = Responsible(
        request.POST.get("to_organisation", ""), request.POST.get("to_office", ""), request.POST.get("to_holder", "")
    )
    try:
        if request.POST.get("all"):
            wanted = _Filter(request.POST, reader, words.who(reader)).wanted
            done = responsibility.assign(reader, to=to, wanted=wanted, reason=request.POST.get("reason", ""))
        else:
            things = [text.partition("/") for text in request.POST.getlist("thing")]
            refs = [Ref(noun, key) for noun, _slash, key in things if noun in words.NOUNS]
            done = responsibility.assign(reader, to=to, refs=refs, reason=request.POST.get("reason", ""))
    except KrogError as error:
        messages.error(request, " ".join(filter(None, (error.what, error.where, error.todo))))
        return _back(request)
    said = ngettext("%(count)s thing has somebody who answers now.", "%(count)s things have somebody now.", done.count)
    messages.success(request, said % {"count": done.count})
    return _back(request, undo=done.key)


@require_POST
def undo(request: Request, key: str) -> HttpResponse:
    """Takes an assignment back."""
    try:
        back, left = responsibility.undo(request.reader, assignment=key)
    except KrogError as error:
        messages.error(request, error.what)
        return _back(request)
    said = _("Taken back: %(count)s.") % {"count": back}
    if left:
        said += " " + _("Changed by somebody since, and left as they are: %(count)s.") % {"count": left}
    messages.success(request, said)
    return _back(request)


def _waiting(reader: Reader) -> dict[str, tuple[int, bool]]:
    """How many things nobody answers for, for those who can change that."""
    if not reader.roles & {"planner", "digital_officer", "administrator"}:
        return {}
    return {"without": (responsibility.nobody(), False)}


if _waiting not in navigation.COUNTERS:
    navigation.COUNTERS.append(_waiting)

urlpatterns = [
    path("people/without/", listing, name="desk-people-without"),
    path("people/without/assign", assign, name="desk-people-assign"),
    path("people/without/undo/<slug:key>", undo, name="desk-people-undo"),
]
