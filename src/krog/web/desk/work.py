"""My work and the centres: the same tabs, rows and actions everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.base.errors import NotFound
from krog.base.grant import Grant, Reader
from krog.cases import reads
from krog.cases.shapes import TABS, Summary
from krog.catalogue import door
from krog.indicators import reads as indicators
from krog.journal import reads as journal
from krog.people import absences, letters
from krog.people import reads as people
from krog.people.providers import CENTRES
from krog.people.shapes import Office, Person
from krog.web import downloads, navigation
from krog.web.components import centre_view
from krog.web.components.paging import here, offset_of, pager
from krog.web.components.tables import offers
from krog.web.portal import case_words as words
from krog.web.request import Request

PAGE = 25
TAB_TITLES = {
    "mine": later("Mine"),
    "unassigned": later("Unassigned"),
    "waiting": later("Waiting for others"),
    "today": later("Due today"),
}
#: What an empty tab says.
EMPTY = {
    "mine": later("You have nothing open. Look at what is unassigned."),
    "unassigned": later("Every case has somebody who handles it."),
    "waiting": later("No case waits for somebody else."),
    "today": later("Nothing is due today."),
}


def _grant(request: Request, kind: str = "cases") -> Grant:
    return door.open(request.reader, "desk", kind=kind)


def everybody(request: Request) -> list[Person]:
    """All people of the city, read once in a request."""
    return people.people(_grant(request, "people"))


def me(reader: Reader, found: Sequence[Person]) -> str:
    """The key of the account that is signed in; "" for a program's key."""
    return next((person.key for person in found if person.id == reader.id and reader.kind == "account"), "")


def row(case: Summary, reader: Reader, account: str, staff: Sequence[Person], names: dict[str, str]) -> dict[str, Any]:
    """A case in a list: its state in words, and what the reader may do in the row."""
    instead = absences.standing().for_whom(account)
    acts = case.office in reader.offices or "administrator" in reader.roles
    return {
        "case": case,
        "mark": words.mark(case.status, case.severity, case.overdue),
        "acts": acts,
        "office": names.get(case.office, case.office),
        "mine": bool(account) and case.assignee == account,
        "for_whom": letters.for_whom(instead[case.assignee]) if case.assignee in instead else "",
        "people": [person for person in staff if case.office in person.offices] if acts else [],
    }


def _tabs(request: Request, chosen: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "key": tab,
            "title": TAB_TITLES[tab],
            "count": counts[tab],
            "current": tab == chosen,
            "href": here(request, tab=tab, offset=None),
        }
        for tab in TABS
    ]


def chosen_tab(request: Request, counts: Mapping[str, int]) -> str:
    """The tab that the address names, else the first that holds something."""
    chosen = request.GET.get("tab", "")
    if chosen in TABS:
        return chosen
    return "mine" if counts["mine"] or not counts["unassigned"] else "unassigned"


def _queue(request: Request, offices: Sequence[str], names: dict[str, str], *, centre: bool) -> dict[str, Any]:
    """Tabs and rows for some offices."""
    reader: Reader = request.reader
    staff, grant, offset = everybody(request), _grant(request), offset_of(request)
    account = me(reader, staff)
    mine = [account, *absences.standing().for_whom(account)] if account else []
    counts = reads.work_counts(grant, me=mine, offices=offices, only_offices=centre)
    chosen = chosen_tab(request, counts)
    page = reads.work(grant, chosen, me=mine, offices=offices, only_offices=centre, limit=PAGE, offset=offset)
    rows = [row(case, reader, account, staff, names) for case in page.items]
    return {
        "tabs": _tabs(request, chosen, counts),
        "counts": counts,
        "rows": rows,
        "empty": EMPTY[chosen],
        "people": staff,
        "page": pager(request, shown=len(page.items), total=page.total, limit=PAGE, offset=offset),
        "map": words.case_map(
            _("Where"), [(case, reverse("desk-cases-detail", args=[case.key])) for case in page.items]
        ),
        "next": request.get_full_path(),
    }


@offers(downloads.work_list)
def work(request: Request) -> HttpResponse:
    """What waits for the person who is signed in."""
    reader: Reader = request.reader
    found = {office.key: office for office in people.offices(_grant(request, "people"))}
    names = {key: words.said(office.title) or key for key, office in found.items()}
    offices = list(found) if "administrator" in reader.roles else sorted(reader.offices)
    waiting = indicators.waiting(_grant(request, "indicators"), offices)
    return render(
        request,
        "desk/work/work.html",
        {
            **_queue(request, offices, names, centre=False),
            "offices": [names[key] for key in offices if key in names],
            "values": waiting,
            "values_href": reverse("desk-indicators-list"),
        },
    )


@offers(downloads.work_list)
def centre(request: Request, key: str) -> HttpResponse:
    """A centre: its cases, then what is now, how it does, what is intended, data and services."""
    if key not in CENTRES:
        raise NotFound(f"There is no centre {key!r}.", "centre", ", ".join(CENTRES))
    everywhere = people.offices(_grant(request, "people"))
    mine = [office for office in everywhere if office.centre == key]
    names = {office.key: words.said(office.title) or office.key for office in everywhere}
    offices = [office.key for office in mine]
    context = _queue(request, offices, names, centre=True)
    return render(
        request,
        "desk/work/centre.html",
        {
            **context,
            "title": navigation.CENTRE_TITLES[key],
            "duty": _duty(mine, context["people"]),
            "centre": centre_view.gather(request.reader, "desk", key, "desk-streams-detail"),
            "public": reverse("portal-centres-detail", args=[key]),
        },
    )


def _duty(offices: Sequence[Office], staff: Sequence[Person]) -> list[dict[str, Any]]:
    """For each office its phone and who answers for it."""
    found = []
    for office in offices:
        there = sorted((p for p in staff if office.key in p.offices), key=lambda p: ("operator" not in p.roles, p.id))
        found.append({"office": office, "person": there[0] if there else None})
    return found


def _centres(reader: Reader) -> dict[str, str]:
    """Which centre each office serves; offices move seldom, and every page of the desk asks."""
    found: dict[str, str] | None = cache.get("desk-centres")
    if found is None:
        found = {o.key: o.centre for o in people.offices(door.open(reader, "desk", kind="people")) if o.centre}
        cache.set("desk-centres", found, 30)
    return found


def _waiting(reader: Reader) -> dict[str, tuple[int, bool]]:
    """How many cases wait behind the entries of the rail, and how many mails could not be sent."""
    counts = reads.office_counts(door.open(reader, "desk", kind="cases"))
    found: dict[str, tuple[int, bool]] = {}
    own = [counts[office] for office in reader.offices if office in counts]
    if own:
        found["work"] = (sum(number for number, _hot in own), any(hot for _number, hot in own))
    by_centre: dict[str, list[tuple[int, int]]] = {}
    if counts:
        for office, centre_key in _centres(reader).items():
            if office in counts:
                by_centre.setdefault(centre_key, []).append(counts[office])
    for key, each in by_centre.items():
        found[f"centre-{key}"] = (sum(number for number, _hot in each), any(hot for _number, hot in each))
    failed = cache.get_or_set("desk-failed-mails", lambda: journal.mail_counts().get("failed", 0), 10)
    if failed:
        found["mail"] = (failed, True)
    return found


if _waiting not in navigation.COUNTERS:
    navigation.COUNTERS.append(_waiting)

urlpatterns = [
    path("", work, name="desk-work"),
    path("centres/<slug:key>/", centre, name="desk-centre"),
]
