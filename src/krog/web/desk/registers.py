"""Pages of registers in the desk: adding and changing records, with their history and the last change undone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from krog.base.errors import Invalid
from krog.base.grant import Grant
from krog.catalogue import door
from krog.registers import reads, verbs
from krog.registers.shapes import Record, Register
from krog.web import downloads
from krog.web.components import record_view
from krog.web.components.paging import offset_of, pager
from krog.web.components.record_form import RecordForm
from krog.web.components.tables import offers
from krog.web.request import Request

LIMIT = 100
COLUMNS = 6


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "desk", kind="registers")


def _may(request: Request, register: Register) -> bool:
    return register.dataset in verbs.editable(request.reader)


@offers(downloads.register_list)
def listing(request: Request) -> HttpResponse:
    """The registers that the reader may see, and which of them he may change."""
    mine = verbs.editable(request.reader)
    rows = [(register, register.dataset in mine) for register in reads.registers(_grant(request))]
    return render(request, "desk/registers/list.html", {"rows": rows})


@offers(downloads.record_list)
def detail(request: Request, key: str) -> HttpResponse:
    """The records of a register, to find the one that is to be changed."""
    grant = _grant(request)
    register = reads.register(grant, key)
    text, sort, offset = request.GET.get("q", "")[:100], request.GET.get("sort", ""), offset_of(request)
    page = reads.records(grant, key, text=text, sort=sort, limit=LIMIT, offset=offset)
    fields = [f for f in register.fields if f.name != register.title_field][:COLUMNS]
    titled = register.field(register.title_field)
    return render(
        request,
        "desk/registers/detail.html",
        {
            "register": register,
            "q": text,
            "may": _may(request, register),
            "titled": titled is not None,
            "heads": record_view.columns(request, [*([titled] if titled else []), *fields], sort),
            "rows": [(r, [record_view.shown(f, r.values.get(f.name)) for f in fields]) for r in page.items],
            "page": pager(request, shown=len(page.items), total=page.total, limit=LIMIT, offset=offset),
        },
    )


def add(request: Request, key: str) -> HttpResponse:
    """The form of a new record."""
    register = reads.register(_grant(request), key)
    form = RecordForm(register, None, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        about = form.cleaned_data
        try:
            made = verbs.add_record(
                request.reader,
                register=key,
                key=about["key"],
                values=form.values(),
                geometry=form.geometry(),
                valid_from=about["valid_from"],
                valid_to=about["valid_to"],
                reason=about["reason"],
            )
        except Invalid as error:
            form.tell(error)
        else:
            messages.success(request, _("“%(title)s” was added.") % {"title": made.title})
            return HttpResponseRedirect(reverse("desk-registers-record", args=[key, made.key]))
    return render(
        request,
        "desk/registers/form.html",
        {"register": register, "form": form, "record": None},
        status=400 if form.errors else 200,
    )


def record(request: Request, key: str, record: str) -> HttpResponse:
    """A record to change: its form, its history, undoing the last change, taking it out of use."""
    grant = _grant(request)
    register = reads.register(grant, key)
    found = reads.record(grant, key, record)
    act = request.POST.get("act", "save") if request.method == "POST" else ""
    if act in ("undo", "retire"):
        return _act(request, found, act)
    form = RecordForm(register, found, request.POST if act == "save" else None)
    if act == "save" and form.is_valid() and _saved(request, form, found):
        return HttpResponseRedirect(request.path)
    return render(
        request,
        "desk/registers/form.html",
        {
            "register": register,
            "record": found,
            "form": form,
            "may": _may(request, register),
            "entries": record_view.told(register, reads.history(grant, key, record)),
            "map": record_view.record_map(_("Where it is"), [found], "portal-registers-record"),
            "lines": record_view.stream_lines(request, "desk", register, found),
        },
        status=400 if form.errors else 200,
    )


def _saved(request: Request, form: RecordForm, found: Record) -> bool:
    about = form.cleaned_data
    wanted: dict[str, Any] = {"valid_from": about["valid_from"], "valid_to": about["valid_to"]}
    if form.register.has_geometry:
        wanted["geometry"] = form.geometry()
    try:
        new = verbs.change_record(
            request.reader,
            key=found.key,
            seen=about["seen"],
            values=form.values(),
            reason=about["reason"],
            **wanted,
        )
    except Invalid as error:
        form.tell(error)
        return False
    if new.version == found.version:
        messages.info(request, _("Nothing was changed."))
    else:
        messages.success(request, _("The change is saved."))
    return True


def _act(request: Request, found: Record, act: str) -> HttpResponse:
    seen = request.POST.get("seen", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0
    reason = request.POST.get("reason", "")[:500]
    reader = request.reader
    try:
        if act == "undo":
            verbs.undo_record(reader, key=found.key, seen=version, reason=reason)
            messages.success(request, _("The last change is undone."))
        else:
            verbs.retire_record(reader, key=found.key, seen=version, reason=reason)
            messages.success(request, _("“%(title)s” was taken out of use.") % {"title": found.title})
    except Invalid as error:
        for problem in error.problems or (error,):
            messages.error(request, str(problem))
    return HttpResponseRedirect(request.path)


urlpatterns = [
    path("registers/", listing, name="desk-registers-list"),
    path("registers/<str:key>", detail, name="desk-registers-detail"),
    path("registers/<str:key>/add/", add, name="desk-registers-add"),
    path("registers/<str:key>/records/<str:record>", record, name="desk-registers-record"),
]
