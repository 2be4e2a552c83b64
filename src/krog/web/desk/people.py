"""People in the desk: who is who, who is away and stands in, my own mails, and handing over when somebody leaves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from krog.base.errors import Forbidden, KrogError
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.catalogue import door
from krog.engine import departure
from krog.people import absences, verbs
from krog.people import reads as people
from krog.people.permissions import may
from krog.people.shapes import Absence, Person
from krog.web.components.people import responsible as words
from krog.web.navigation import CENTRE_TITLES
from krog.web.request import Request

#: How many weeks ahead the page says who is away.
WEEKS = 12


def _may_enter(reader: Reader, person: Person) -> bool:
    """Whether the form is worth showing; the verb asks again."""
    own = reader.kind == "account" and reader.id == person.id
    return own or may(reader, "administrator") or bool(reader.leads & person.offices)


def _weeks(found: list[Absence]) -> list[tuple[str, str, list[Absence]]]:
    """The weeks to come in which somebody is away, from Monday to Sunday (ISO days), with those who are."""
    today = date.fromisoformat(absences.today())
    monday = today - timedelta(days=today.weekday())
    weeks = []
    for number in range(WEEKS):
        first = (monday + timedelta(weeks=number)).isoformat()
        last = (monday + timedelta(weeks=number, days=6)).isoformat()
        if away := [one for one in found if one.since <= last and one.until >= first]:
            weeks.append((first, last, away))
    return weeks


def _absences(request: Request, everybody: words.Who, only: Person | None = None) -> dict[str, Any]:
    reader: Reader = request.reader
    grant = door.open(reader, "desk", kind="people")
    found = people.absences(grant, account=only.key if only else None)
    mine = [one for one in everybody.persons if _may_enter(reader, one)]
    keys = {one.key for one in mine}
    return {
        "weeks": [] if only else _weeks(found),
        "absences": [(one, one.account in keys) for one in found],
        "mine": [only] if only and only in mine else [] if only else mine,
        "persons": everybody.persons,
        "only": only,
    }


@require_safe
def listing(request: Request) -> HttpResponse:
    """Offices with head, deputy and people; who is away, and the form that enters it."""
    everybody = words.who(request.reader)
    offices = [
        {
            "office": one,
            "title": everybody.office(one.key),
            "organisation": everybody.organisation(one.organisation),
            "centre": CENTRE_TITLES.get(one.centre, ""),
            "head": everybody.name(one.head) if one.head else "",
            "deputy": everybody.name(one.deputy) if one.deputy else "",
            "people": [person for person in everybody.persons if one.key in person.offices],
        }
        for one in everybody.offices
    ]
    return render(request, "desk/people/list.html", {"offices": offices, **_absences(request, everybody)})


def _me(request: Request, everybody: words.Who) -> Person:
    reader: Reader = request.reader
    mine = [one for one in everybody.persons if reader.kind == "account" and one.id == reader.id]
    if not mine:
        raise Forbidden(_("You are not signed in with an account."), todo=_("Sign in first."))
    return mine[0]


@require_safe
def me(request: Request) -> HttpResponse:
    """My absences, whom I stand in for, and the digest."""
    everybody = words.who(request.reader)
    person = _me(request, everybody)
    instead = absences.standing().for_whom(person.key).values()
    context = {"person": person, "instead": list(instead), **_absences(request, everybody, person)}
    return render(request, "desk/people/me.html", context)


@require_POST
def want_digest(request: Request) -> HttpResponse:
    """Switches the digest of Mondays on or off."""
    person = _me(request, words.who(request.reader))
    verbs.want_digest(request.reader, account=person.key, wanted=bool(request.POST.get("wanted")))
    messages.success(request, _("Saved."))
    return HttpResponseRedirect(reverse("desk-people-me"))


@require_POST
def absent(request: Request) -> HttpResponse:
    """Enters an absence."""
    given = {name: request.POST.get(name, "") for name in ("account", "since", "until", "substitute")}
    try:
        absences.enter_absence(request.reader, **given)
        messages.success(request, _("The absence is entered; tasks and mail reach the substitute meanwhile."))
    except KrogError as error:
        messages.error(request, " ".join(filter(None, (error.what, error.todo))))
    return HttpResponseRedirect(reverse("desk-people-list") + "#absences")


@require_POST
def ended(request: Request, number: int) -> HttpResponse:
    """Calls an absence off."""
    try:
        absences.end_absence(request.reader, absence=number)
        messages.success(request, _("The absence is called off."))
    except KrogError as error:
        messages.error(request, " ".join(filter(None, (error.what, error.todo))))
    return HttpResponseRedirect(reverse("desk-people-list") + "#absences")


@require_safe
def one(request: Request, key: str) -> HttpResponse:
    """All that a person holds; administrators hand it over and close the account."""
    everybody = words.who(request.reader)
    person = people.person(door.open(request.reader, "desk", kind="people"), key)
    held = departure.holds(request.reader, key)
    context = {
        "person": person,
        "rows": words.rows(held, everybody),
        "persons": [each for each in everybody.persons if each.key != key],
        "may": may(request.reader, "administrator") and request.reader.id != person.id,
    }
    return render(request, "desk/people/one.html", context)


@require_POST
def depart(request: Request, key: str) -> HttpResponse:
    """Hands everything over and closes the account."""
    rows = {}
    for name, to in request.POST.items():
        noun, slash, thing = name.partition("/")
        if slash and to and noun in words.NOUNS:
            rows[Ref(noun, thing)] = str(to)
    try:
        done = departure.depart(
            request.reader,
            account=key,
            rest=request.POST.get("rest", ""),
            rows=rows,
            reason=request.POST.get("reason", ""),
        )
    except KrogError as error:
        messages.error(request, " ".join(filter(None, (error.what, error.todo))))
        return HttpResponseRedirect(reverse("desk-people-one", args=[key]))
    said = _("The account is closed. Handed over: %(count)s.") % {"count": done.count}
    messages.success(request, said)
    return HttpResponseRedirect(reverse("desk-people-list"))


urlpatterns = [
    path("people/", listing, name="desk-people-list"),
    path("people/me/", me, name="desk-people-me"),
    path("people/me/digest", want_digest, name="desk-people-digest"),
    path("people/absent", absent, name="desk-people-absent"),
    path("people/absent/<int:number>/end", ended, name="desk-people-ended"),
    path("people/of/<str:key>/", one, name="desk-people-one"),
    path("people/of/<str:key>/depart", depart, name="desk-people-depart"),
]
