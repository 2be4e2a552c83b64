"""Values in the desk: what waits to be entered or confirmed, what is late, and who answers for an indicator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from krog.base import times
from krog.base.errors import KrogError
from krog.base.grant import Grant, Reader
from krog.catalogue import door
from krog.indicators import reads, verbs
from krog.indicators.shapes import Request as Asked
from krog.indicators.shapes import RequestState
from krog.people import reads as people
from krog.people.permissions import STAFF, is_staff, may, require
from krog.web import navigation
from krog.web.components.indicators import view, words
from krog.web.components.indicators.forms import confirm_page, enter_page
from krog.web.request import Request

#: Tab -> the states that it shows (none: indicators), its words.
TABS: dict[str, tuple[tuple[str, ...], Any]] = {
    "enter": ((RequestState.ASKED, RequestState.REJECTED), gettext_lazy("To enter")),
    "confirm": ((RequestState.ENTERED,), gettext_lazy("To confirm")),
    "late": ((RequestState.ASKED, RequestState.REJECTED, RequestState.ENTERED), gettext_lazy("Late")),
    "done": ((RequestState.CONFIRMED,), gettext_lazy("Confirmed")),
    "all": ((), gettext_lazy("All indicators")),
}
MOST = 200


def _grant(request: Request) -> Grant:
    reader: Reader = request.reader
    require(reader, *STAFF, what=_("see the values in the desk"))
    return door.open(reader, "desk", kind="indicators")


def _offices(reader: Reader) -> frozenset[str] | None:
    """The offices whose values a reader minds; None: all."""
    return None if may(reader, "planner", "digital_officer") else reader.offices


def _requests(grant: Grant, tab: str) -> list[Asked]:
    found = reads.requests(grant, states=TABS[tab][0], offices=_offices(grant.reader), limit=MOST).items
    return [one for one in found if tab != "late" or one.late(times.now())]


@require_safe
def listing(request: Request) -> HttpResponse:
    """What waits, by tabs."""
    grant = _grant(request)
    tab = request.GET.get("tab", "enter")
    tab = tab if tab in TABS else "enter"
    standings = reads.standings(grant)
    now = times.now()
    open_ones = _requests(grant, "late") if tab != "late" else []
    rows = []
    for one in _requests(grant, tab) if tab != "all" else []:
        mark, word = words.REQUESTS[one.state]
        rows.append({
            "request": one, "standing": standings.get(one.indicator), "period": words.period(one.period), "mark": mark,
            "word": word, "due": words.due(one, now), "late": one.late(now), "href": _act(one),
        })  # fmt: skip
    late = len(open_ones) if tab != "late" else len(rows)
    return render(request, "desk/indicators/list.html", {
        "tabs": [{"key": key, "title": title, "current": key == tab, "href": f"{request.path}?tab={key}",
                  "count": late if key == "late" else 0} for key, (_states, title) in TABS.items()],
        "tab": tab, "rows": rows, "standings": [view.row(each) for each in standings.values()] if tab == "all" else [],
        "crumbs": [{"title": _("Values"), "href": ""}],
    })  # fmt: skip


def _act(one: Asked) -> str:
    """Where a request leads: to the form that it waits for."""
    if one.state == RequestState.ENTERED:
        return reverse("desk-indicators-confirm", args=[one.key])
    return reverse("desk-indicators-enter", args=[one.key])


@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: Request, key: str) -> HttpResponse:
    """The form for a value."""
    grant = _grant(request)
    return enter_page(request, grant.reader, key, template="desk/indicators/enter.html", back=_back("enter"))


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: Request, key: str) -> HttpResponse:
    """The form of the second person."""
    grant = _grant(request)
    return confirm_page(request, grant.reader, key, template="desk/indicators/confirm.html", back=_back("confirm"))


def _back(tab: str) -> str:
    return f"{reverse('desk-indicators-list')}?tab={tab}"


@require_POST
def remind(request: Request, key: str) -> HttpResponse:
    """Sends the mail that a request waits for once more."""
    grant = _grant(request)
    reads.request(grant, key)
    verbs.remind(grant.reader, request=key)
    messages.success(request, _("The mail is on its way."))
    return HttpResponseRedirect(_back("late"))


class ResponsibleForm(forms.Form):
    """Who enters and who confirms, and why that changes."""

    owner = forms.ChoiceField(label=gettext_lazy("Who enters the value"))
    confirmer = forms.ChoiceField(label=gettext_lazy("Who confirms it"), help_text=gettext_lazy("A second person."))
    note = forms.CharField(label=gettext_lazy("Why does it change?"), max_length=500)

    def __init__(self, *given: Any, people: list[tuple[str, str]], **more: Any):
        super().__init__(*given, **more)
        for name in ("owner", "confirmer"):
            self.fields[name].choices = people  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def responsible(request: Request, key: str) -> HttpResponse:
    """Who answers for the values of an indicator, with its journal."""
    grant = _grant(request)
    about = reads.indicator(grant, key)
    known = [(each.key, each.name) for each in people.people(grant)]
    form = ResponsibleForm(request.POST or None, people=known,
                           initial={"owner": about.owner, "confirmer": about.confirmer})  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            verbs.change_responsible(grant.reader, key=key, **form.cleaned_data)
            messages.success(request, _("It has been changed."))
            return HttpResponseRedirect(reverse("desk-indicators-responsible", args=[key]))
        except KrogError as error:
            form.add_error(None, f"{error.what} {error.todo}".strip())
    return render(request, "desk/indicators/responsible.html", {
        "indicator": about, "form": form, "entries": reads.journal_of(grant, key), "title": words.said(about.title),
        "crumbs": [{"title": _("Values"), "href": _back("all")}, {"title": about.code or key, "href": ""}],
    }, status=400 if form.errors else 200)  # fmt: skip


def counter(reader: Reader) -> dict[str, tuple[int, bool]]:
    """How many values wait for the reader's offices, and whether one is late."""
    if not is_staff(reader):
        return {}
    waiting = reads.waiting(door.open(reader, "desk", kind="indicators"), _offices(reader))
    return {"indicators": (waiting["open"], waiting["late"] > 0)}


navigation.COUNTERS.append(counter)

urlpatterns = [
    path("indicators/", listing, name="desk-indicators-list"),
    path("indicators/requests/<str:key>/enter", enter, name="desk-indicators-enter"),
    path("indicators/requests/<str:key>/confirm", confirm, name="desk-indicators-confirm"),
    path("indicators/requests/<str:key>/remind", remind, name="desk-indicators-remind"),
    path("indicators/<str:key>", responsible, name="desk-indicators-responsible"),
]
