"""The directory of services: what the city and its companies offer, by area or by what happens in life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from krog.base.errors import NotFound
from krog.catalogue import door, usage
from krog.people.providers import CENTRES
from krog.registers import reads as registers
from krog.registers.shapes import Record, Register
from krog.web import usage as pages
from krog.web.components import formats, record_view
from krog.web.components.paging import here
from krog.web.navigation import CENTRE_TITLES
from krog.web.portal import finder
from krog.web.request import Request

#: More services than these no city of this size has; the register's own page has them all.
MOST = 1000
#: What the directory may be arranged by: the field and what it is called.
ARRANGED = ("life_situation", "area")


@dataclass(frozen=True)
class Service:
    """A service as the directory shows it: `href` its page, `address` where it is used, `state` and `word` whether it
    answers (ok, bad; empty where nobody has looked)."""

    title: str
    description: str
    href: str
    address: str
    owner: str
    state: str
    word: str


@dataclass(frozen=True)
class Group:
    """The services of one area or life situation."""

    key: str
    title: str
    services: Sequence[Service]


def directory(request: Request) -> HttpResponse:
    """Existing services in groups; `by` arranges them, `q` narrows them, and `centre` to those of one area."""
    grant = door.open(request.reader, "portal", kind="registers")
    register = registers.register_of(grant, "services")
    by = request.GET.get("by", "")
    by = by if by in ARRANGED else ARRANGED[0]
    asked = " ".join(request.GET.get("q", "").split())[: finder.LONGEST]
    groups: list[Group] = []
    total = unknown = 0
    centre = request.GET.get("centre", "")
    filters = {"status": "existing"}
    if register is not None and centre in CENTRES and register.field("centre"):
        filters["centre"] = centre
    if register is not None:
        found = registers.records(grant, register.key, filters=filters, limit=MOST).items
        words = [finder.stem(word) for word in finder.plain(asked).split()]
        chosen = [record for record in found if not words or finder.matches(words, *_texts(record))]
        total = len(chosen)
        unknown = sum(1 for record in chosen if record.values.get("alive") not in ("yes", "no"))
        groups = _grouped(register, chosen, by)
    return render(
        request,
        "portal/services/directory.html",
        {
            "register": register,
            "groups": groups,
            "asked": asked,
            "by": by,
            "total": total,
            "unknown": unknown,
            "centre": centre if "centre" in filters else "",
            "centre_title": _(CENTRE_TITLES[centre]) if "centre" in filters else "",
            "everywhere": here(request, centre=None),
            "tasks": finder.tasks(),
            "arrangements": [
                {"title": title, "href": here(request, by=key), "current": key == by}
                for key, title in zip(ARRANGED, (_("By what happens in life"), _("By area")), strict=True)
            ],
        },
    )


def _texts(record: Record) -> list[str]:
    return [record.title, *(value for value in record.values.values() if isinstance(value, str))]


def _grouped(register: Register, records: Sequence[Record], by: str) -> list[Group]:
    """Services by a choice field, in the order that the register declares its choices; without one come last."""
    field = register.field(by)
    order = list((field.choices if field else None) or {})
    found: dict[str, list[Service]] = {}
    for record in records:
        found.setdefault(str(record.values.get(by) or ""), []).append(_service(register, record))
    known = sorted(found, key=lambda key: order.index(key) if key in order else len(order))
    return [
        Group(
            key or "other",
            _capital(record_view.choice_title(field, key)) if field and key else _("Other"),
            sorted(found[key], key=lambda each: formats.order(each.title)),
        )
        for key in known
    ]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _service(register: Register, record: Record) -> Service:
    values = record.values
    words = {"yes": ("ok", _("works")), "no": ("bad", _("does not work any more"))}
    state, word = words.get(str(values.get("alive") or ""), ("", ""))
    return Service(
        title=record.title,
        description=str(values.get("description") or ""),
        href=reverse("portal-registers-record", args=[register.key, record.key]),
        address=reverse("portal-services-go", args=[record.key]) if elsewhere(record) else "",
        owner=str(values.get("owner") or ""),
        state=state,
        word=word,
    )


def elsewhere(record: Record) -> str:
    """The address on the web where a service is used; "" for none, and for what is no address of the web."""
    address = str(record.values.get("address") or "").strip()
    parts = urlsplit(address) if "\\" not in address else urlsplit("")
    return address if parts.scheme in ("http", "https") and parts.hostname else ""


@require_safe
def go(request: Request, key: str) -> HttpResponse:
    """On to a service elsewhere, counted; only to addresses that the city's register holds."""
    grant = door.open(request.reader, "portal", kind="registers")
    register = registers.register_of(grant, "services")
    if register is None:
        raise NotFound(_("The city has not listed its services yet."), "service")
    record = registers.record(grant, register.key, key)
    if not (address := elsewhere(record)) or record.values.get("status") != "existing":
        raise NotFound(_("This service has no address on the web."), "service", todo=_("Look at its page."))
    if usage.SERVICE.match(name := f"link:{record.key}"):
        pages.asked(request, name)
    response = HttpResponseRedirect(address)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


urlpatterns = [
    path("services/", directory, name="portal-services"),
    path("services/<str:key>/open", go, name="portal-services-go"),
]
