"""Tables that come back: what a file may say, bringing it, looking at the difference, accepting, undoing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from krog.base.errors import Invalid, KrogError, NotFound
from krog.base.grant import Grant
from krog.base.text import say
from krog.catalogue import door
from krog.indicators import reads as indicators
from krog.plans import reads as plans
from krog.registers import reads as registers
from krog.tables.columns import heads
from krog.tables.comparing import Change, Difference
from krog.tables.opening import MOST_BYTES, Refused
from krog.uploads import reads, verbs
from krog.uploads.kinds import KINDS
from krog.uploads.plans import parts
from krog.uploads.shapes import Upload
from krog.web.components import table_words as words
from krog.web.components.paging import offset_of, pager
from krog.web.components.tables import List, language, send
from krog.web.request import Request

#: Rows of a difference on one page; each has a box to tick.
PAGE = 200


def _grant(request: Request, kind: str | None = None) -> Grant:
    return door.open(request.reader, "desk", kind=kind) if kind else door.open(request.reader, "desk", datasets=[])


def _about(request: Request, kind: str, target: str) -> tuple[str, str]:
    """What the target is called, and the address of its page."""
    if kind == "register":
        register = registers.register(_grant(request, "registers"), target)
        return str(say(register.title, language())), reverse("desk-registers-detail", args=[target])
    if kind == "indicator":
        about = indicators.indicator(_grant(request, "indicators"), target)
        return str(say(about.title, language())), reverse("desk-indicators-responsible", args=[target])
    plan, draft, branch = parts(target)
    found = plans.plan(_grant(request, "plans"), plan)
    title = f"{say(found.title, language())}: {draft}" + (f" · {branch}" if branch else "")
    return title, reverse("desk-plans-draft", args=[plan, draft])


@require_http_methods(["GET", "HEAD", "POST"])
def table(request: Request, kind: str, target: str) -> HttpResponseBase:
    """Downloads, what the columns mean, the form for the file, and the reader's uploads so far."""
    if kind not in KINDS:
        raise NotFound(_("There are no such tables."), "kind", ", ".join(KINDS))
    about = KINDS[kind]
    about.require(request.reader, target)
    title, page = _about(request, kind, target)
    columns = about.columns(request.reader, target, language())
    if "format" in request.GET:
        empty = request.GET.get("template") == "1"
        rows = [] if empty else words.marked(about.current(request.reader, target).values(), columns)
        name = target.replace("/", "-") + ("-template" if empty else "")
        return send(request, List(name, title, columns, rows, row=lambda row: row))
    context: dict[str, Any] = {
        "kind": kind, "target": target, "title": title, "page": page, "most": MOST_BYTES // 1_000_000,
        "columns": [(head, column, words.type_words(column)) for head, column in
                    zip(heads(columns), columns, strict=True) if not column.hidden],
        "uploads": reads.mine(_grant(request), kind, target), "refused": "", "mistakes": [], "notes": [],
        "formats": [(f.upper(), f"{request.path}?format={f}", f"{request.path}?format={f}&template=1")
                    for f in ("xlsx", "csv")],
        "crumbs": [{"title": title, "href": page}, {"title": _("As a table"), "href": ""}],
    }  # fmt: skip
    if request.method == "POST":
        found = _brought(request, kind, target, context)
        if found is not None:
            return HttpResponseRedirect(reverse("desk-uploads-difference", args=[found.key]))
    return render(request, "desk/tables/table.html", context, status=400 if request.method == "POST" else 200)


def _brought(request: Request, kind: str, target: str, context: dict[str, Any]) -> Upload | None:
    length = request.headers.get("Content-Length", "0")
    if length.isdigit() and int(length) > MOST_BYTES + 100_000:
        context["refused"] = words.refused(Refused("too-large"))
        return None
    file = request.FILES.get("file")
    if file is None:
        context["refused"] = _("Choose a file first.")
        return None
    if (file.size or 0) > MOST_BYTES:
        context["refused"] = words.refused(Refused("too-large"))
        return None
    try:
        upload, found = verbs.bring(request.reader, kind=kind, target=target, data=file.read(), language=language(),
                                    file_name=file.name or "")  # fmt: skip
    except Refused as error:
        context["refused"] = words.refused(error)
        return None
    context["mistakes"] = [words.mistake(each) for each in found.mistakes]
    context["notes"] = [words.note(*each) for each in found.notes]
    return upload


@require_http_methods(["GET", "HEAD", "POST"])
def difference(request: Request, key: str) -> HttpResponse:
    """What an upload would change, row by row; choosing, accepting, throwing away; once accepted, undoing."""
    found = reads.upload(_grant(request), key)
    status, problems = 200, []
    if request.method == "POST":
        try:
            return _act(request, found)
        except KrogError as error:
            if error.status not in (400, 409):
                raise
            problems, status = [error.what, *map(str, error.problems), error.todo], error.status
            found = reads.upload(_grant(request), key)
    title, page = _about(request, found.kind, found.target)
    context: dict[str, Any] = {
        "upload": found, "title": title, "page_of": page, "problems": [text for text in problems if text],
        "again": reverse("desk-tables", args=[found.kind, found.target]), "reason": request.POST.get("reason", ""),
        "crumbs": [{"title": title, "href": page},
                   {"title": _("As a table"), "href": reverse("desk-tables", args=[found.kind, found.target])},
                   {"title": found.file_name, "href": ""}],
    }  # fmt: skip
    if found.state == "waiting":
        context |= _shown(request, found, reads.difference(_grant(request), found))
    return render(request, "desk/tables/difference.html", context, status=status)


def _shown(request: Request, found: Upload, what: Difference) -> dict[str, Any]:
    columns = {c.name: c for c in KINDS[found.kind].columns(request.reader, found.target, found.language)}
    offset, wanted = offset_of(request), request.GET.get("kind", "")
    counts = [(kind, words.KINDS[kind], len(what.of(kind))) for kind in ("conflict", "changed", "added", "removed")]
    ordered = [change for kind, _words, _n in counts for change in what.of(kind) if wanted in ("", kind)]
    shown = ordered[offset : offset + PAGE]

    def row(change: Change) -> dict[str, Any]:
        mark, word = words.KINDS[change.kind]
        return {
            "change": change, "mark": mark, "word": word, "ticked": change.offered,
            "cells": [(words.title(columns.get(cell.name), cell.name), words.shown(columns.get(cell.name), cell.old),
                       words.shown(columns.get(cell.name), cell.new)) for cell in change.cells],
        }  # fmt: skip

    offered = sum(change.offered for change in what.changes)
    return {
        "rows": [row(change) for change in shown], "same": what.same, "kept": what.kept, "wanted": wanted,
        "counts": [(kind, mark, word, n) for kind, (mark, word), n in counts if n], "offered": offered,
        "many": len(what.changes) > PAGE, "total": len(what.changes),
        "notes": [words.note(*each) for each in reads.content(found).notes],
        "pages": pager(request, shown=len(shown), total=len(ordered), limit=PAGE, offset=offset),
    }  # fmt: skip


def _act(request: Request, found: Upload) -> HttpResponse:
    act, reason = request.POST.get("act", ""), request.POST.get("reason", "")[:1000]
    if act == "drop":
        verbs.drop(request.reader, upload=found.key)
        messages.info(request, _("The file was thrown away; nothing was changed."))
        return HttpResponseRedirect(reverse("desk-tables", args=[found.kind, found.target]))
    if act == "undo":
        count = verbs.undo(request.reader, upload=found.key, reason=reason)
        messages.success(request, _("Undone: %(n)s rows are as they were.") % {"n": count})
    elif act == "accept":
        lines = None if request.POST.get("which") == "all" else _numbers(request.POST.getlist("line"))
        count = verbs.accept(request.reader, upload=found.key, lines=lines, reason=reason,
                             removed=set(request.POST.getlist("removed")))  # fmt: skip
        messages.success(request, _("Accepted: %(n)s rows have been changed.") % {"n": count})
    else:
        raise Invalid(_("This cannot be done here."), "act", "accept, drop, undo")
    return HttpResponseRedirect(request.path)


def _numbers(texts: Iterable[str]) -> set[int]:
    return {int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 10}


urlpatterns = [
    path("tables/<str:kind>/<path:target>", table, name="desk-tables"),
    path("uploads/<str:key>", difference, name="desk-uploads-difference"),
]
