"""Pages of registers in the portal: registers, the records of one, a record with its history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from krog.base.errors import Invalid, NotFound, Problem
from krog.base.grant import Grant
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.people import reads as people
from krog.people.providers import CENTRES
from krog.registers import geometry, mapped, reads
from krog.registers.shapes import Page, Register
from krog.web import downloads
from krog.web.components import map_source, maps, record_view
from krog.web.components.paging import here, offset_of, pager
from krog.web.components.tables import offered, offers, send
from krog.web.navigation import CENTRE_TITLES
from krog.web.request import Request

LIMIT = 50

#: Most columns of a table; the rest stands on the record's page.
COLUMNS = 8


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "portal", kind="registers")


@offers(downloads.register_list)
def listing(request: Request) -> HttpResponse:
    """The registers that the reader may see, by the area of the city whose office keeps their dataset."""
    found = reads.registers(_grant(request))
    return render(request, "portal/registers/list.html", {"registers": found, "groups": _grouped(request, found)})


def _grouped(request: Request, found: Sequence[Register]) -> list[dict[str, Any]]:
    """Registers by area in the order that is the same everywhere; those of no area come last."""
    offices = people.offices(door.open(request.reader, "portal", kind="people"))
    centres = {office.key: office.centre for office in offices}
    datasets = catalogue.datasets(door.open(request.reader, "portal", kind="catalogue"))
    area = {dataset.key: centres.get(dataset.office, "") for dataset in datasets}
    groups = [
        {"key": key or "other", "title": title, "registers": [one for one in found if area.get(one.dataset, "") == key]}
        for key, title in [*((key, _(CENTRE_TITLES[key])) for key in CENTRES), ("", _("Others"))]
    ]
    return [group for group in groups if group["registers"]]


def detail(request: Request, key: str) -> HttpResponseBase:
    """The records of a register: filtered, sorted, paged; on a map; as a download."""
    grant = _grant(request)
    register = reads.register(grant, key)
    chosen = record_view.asked(request)
    sort, offset = request.GET.get("sort", ""), offset_of(request)
    wishes: dict[str, Any] = {
        "filters": chosen,
        "text": request.GET.get("q", "")[:100],
        "sort": sort,
        "bbox": request.GET.get("bbox", ""),
    }
    if request.GET.get("format") == "geojson":
        return record_view.download(grant, register, wishes)
    if "format" in request.GET:
        return send(request, downloads.record_list(request, key))
    request.offers = offered(request)
    problems: tuple[Problem, ...] = ()
    page = Page((), 0, LIMIT, offset)
    try:
        page = reads.records(grant, key, **wishes, limit=LIMIT, offset=offset)
    except Invalid as error:
        problems = error.problems
    filters = record_view.filters(register, chosen)
    fields = record_view.in_table(register, page.items)[: COLUMNS - 1]
    title_field = register.field(register.title_field)
    return render(
        request,
        "portal/registers/detail.html",
        {
            "register": register,
            "q": wishes["text"],
            "sort": sort,
            "problems": problems,
            "filters": filters,
            "ranges": [each for each in filters if each.kind != "choice"],
            "ranged": any(each.low or each.high for each in filters),
            "filtered": bool(chosen or wishes["text"] or wishes["bbox"]),
            "heads": record_view.columns(request, [*([title_field] if title_field else []), *fields], sort),
            "titled": title_field is not None,
            "rows": [(r, [record_view.shown(f, r.values.get(f.name)) for f in fields]) for r in page.items],
            "map": None if problems or not page.items else _map(request, grant, register, wishes["bbox"]),
            "total": page.total,
            "more": page.more,
            "counted": reads.MOST_COUNTED,
            "page": pager(request, shown=len(page.items), total=page.total, limit=LIMIT, offset=offset),
            "geojson": here(request, format="geojson", offset=None),
            "dataset": _dataset(grant, register.dataset),
        },
        status=400 if problems else 200,
    )


def _map(request: Request, grant: Grant, register: Register, bbox: str) -> maps.Map | None:
    """The chosen records on a map, loaded beside the page."""
    around = geometry.read_box(bbox) if bbox else reads.extent(grant, register.key)
    if not register.has_geometry or around is None:
        return None
    source = reverse("portal-registers-map", args=[register.key])
    query = here(request, offset=None, sort=None).partition("?")[2]
    return maps.Map(
        _("On the map"),
        source=f"{source}?{query}" if query else source,
        href=reverse("portal-registers-record", args=[register.key, "{id}"]),
        bounds=maps.aired(around),
    )


def map_features(request: Request, key: str) -> HttpResponse:
    """The chosen records as the map of the register draws them; `bbox` is what is in view."""
    grant = _grant(request)
    chosen, text, bbox = record_view.asked(request), request.GET.get("q", "")[:100], request.GET.get("bbox", "")

    def make() -> tuple[list[dict[str, Any]], bool]:
        found = mapped.drawn(grant, key, filters=chosen, text=text, bbox=bbox)
        return found.features, found.complete

    return map_source.answer(request, grant, reads.counter(grant, key), make)


@offers(downloads.record_history)
def record(request: Request, key: str, record: str) -> HttpResponse:
    """One record: its place, its values, its datastreams, its history."""
    grant = _grant(request)
    register = reads.register(grant, key)
    found = reads.record(grant, key, record)
    return render(
        request,
        "portal/registers/record.html",
        {
            "register": register,
            "record": found,
            "values": record_view.values(grant, register, found),
            "map": record_view.record_map(_("Where it is"), [found], "portal-registers-record"),
            "place": record_view.place_text(found.geometry) if found.geometry else "",
            "metric": record_view.metric(found),
            "lines": record_view.stream_lines(request, "portal", register, found),
            "entries": record_view.told(register, reads.history(grant, key, record)),
            "dataset": _dataset(grant, register.dataset),
        },
    )


def _dataset(grant: Grant, key: str) -> object:
    try:
        return catalogue.dataset(grant, key)
    except NotFound:
        return None


urlpatterns = [
    path("registers/", listing, name="portal-registers-list"),
    path("registers/<str:key>", detail, name="portal-registers-detail"),
    path("registers/<str:key>/map.geojson", map_features, name="portal-registers-map"),
    path("registers/<str:key>/<str:record>", record, name="portal-registers-record"),
]
