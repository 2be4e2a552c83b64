"""Pages of streams in the desk: which datastreams work, how to feed one, and the loss ledger."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from krog.base.errors import Invalid
from krog.base.grant import Grant
from krog.base.settings import settings
from krog.catalogue import door
from krog.engine.ingest import aside
from krog.people.permissions import may
from krog.streams import reads
from krog.web import downloads
from krog.web.components import stream_view
from krog.web.components.paging import Pager, here, offset_of, pager
from krog.web.components.tables import offers
from krog.web.request import Request

LIMIT = 200
ON_LEDGER = 50

#: Why messages are not accepted, in words; the codes are those of the loss ledger.
REASONS = {
    "malformed": gettext_lazy("could not be read"),
    "unknown": gettext_lazy("no such datastream"),
    "forbidden": gettext_lazy("the sender may not write here"),
    "origin-refused": gettext_lazy("replayed or simulated, and this is no demonstration"),
    "unit": gettext_lazy("another unit"),
    "out-of-range": gettext_lazy("outside the possible values"),
    "late": gettext_lazy("too long ago"),
    "future": gettext_lazy("in the future"),
    "duplicate": gettext_lazy("came twice"),
}
STATES = {
    "open": gettext_lazy("waiting"),
    "asked": gettext_lazy("being tried again"),
    "replayed": gettext_lazy("accepted after all"),
    "dismissed": gettext_lazy("dismissed"),
}


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "desk", kind="streams")


@offers(downloads.stream_list)
def listing(request: Request) -> HttpResponse:
    """All datastreams, those that need attention first."""
    grant = _grant(request)
    text, offset, wanted = request.GET.get("q", "")[:100], offset_of(request), request.GET.get("state", "")
    page = reads.datastreams(grant, text=text, limit=LIMIT, offset=offset)
    lines = stream_view.lines(page.items, reads.latest_of(grant, page.items), "desk-streams-detail")
    fates = reads.fates(grant, page.items)
    order = {"warn": 0, "none": 1, "ok": 2}
    counts = [
        (state, words, sum(line.latest.state == state for line in lines))
        for state, words in (("silent", _("silent")), ("never", _("no values yet")), ("working", _("working")))
    ]
    shown = sorted((line for line in lines if not wanted or line.latest.state == wanted), key=lambda x: order[x.look])
    return render(
        request,
        "desk/streams/list.html",
        {
            "rows": [(line, sum(fates.get(line.stream.key, {}).values())) for line in shown],
            "q": text,
            "counts": [
                (words, n, here(request, state=state, offset=None), state == wanted) for state, words, n in counts
            ],
            "everything": here(request, state=None),
            "wanted": wanted,
            "page": pager(request, shown=len(page.items), total=page.total or 0, limit=LIMIT, offset=offset),
        },
    )


def detail(request: Request, key: str) -> HttpResponse:
    """One datastream for those who look after it: how to feed it by hand, what was not accepted, who changed it."""
    grant = _grant(request)
    stream = reads.datastream(grant, key)
    latest = reads.latest_of(grant, [stream])[key]
    reader = request.reader
    keeper = may(reader, "operator", "digital_officer")
    fates = reads.fates(grant, [stream]).get(key, {})
    found = settings()
    return render(
        request,
        "desk/streams/detail.html",
        {
            "stream": stream,
            "latest": latest,
            "thing": stream.thing,
            "line": stream_view.lines([stream], {key: latest}, "desk-streams-detail")[0],
            "fates": [(REASONS.get(reason, reason), count) for reason, count in sorted(fates.items())],
            "aside": reads.set_aside(grant, key=key, limit=5).items if keeper else [],
            "entries": [replace(e, verb=_("declared in the city's files")) for e in reads.history(grant, key)],
            "host": found.mqtt_host,
            "port": found.mqtt_port,
            "url": found.url,
            "example": _example(stream.minimum, stream.maximum),
            "reasons": REASONS,
        },
    )


def _example(low: float | None, high: float | None) -> str:
    """A value that the datastream takes."""
    if low is not None and high is not None:
        return f"{(low + high) / 2:g}"
    return f"{low if low is not None else high if high is not None else 1:g}"


@offers(downloads.set_aside_list)
def ledger(request: Request) -> HttpResponse:
    """The loss ledger: messages that were not accepted, by reason; tried again or dismissed with a note."""
    grant = _grant(request)
    if request.method == "POST":
        return _answer(request)
    state, reason, key = (request.GET.get(name, "")[:200] for name in ("state", "reason", "key"))
    state = state if state in STATES else "open"
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise Invalid(_("This is not where a page can begin."), "before", _("what the page before named"))
    page = reads.set_aside(
        grant,
        state=state,
        reason=reason or None,
        key=key or None,
        before=int(before) if before else None,
        limit=ON_LEDGER,
    )
    counts = reads.set_aside_counts(grant, state)
    tabs = [(_("all reasons"), sum(counts.values()), here(request, reason=None, before=None), not reason)]
    tabs += [
        (str(REASONS.get(code, code)), n, here(request, reason=code, before=None), code == reason)
        for code, n in sorted(counts.items(), key=lambda each: -each[1])
    ]
    return render(
        request,
        "desk/streams/aside.html",
        {
            "rows": [(row, REASONS.get(row.reason, row.reason)) for row in page.items],
            "tabs": tabs,
            "state": state,
            "states": [
                (code, words, here(request, state=code, reason=None, before=None)) for code, words in STATES.items()
            ],
            "key": key,
            "reason": reason,
            "note": "",
            "pager": Pager(
                previous=here(request, before=None) if before else "",
                next=here(request, before=page.after) if page.after else "",
            ),
        },
    )


def _answer(request: Request) -> HttpResponse:
    chosen = [text for text in request.POST.getlist("id") if text.isascii() and text.isdigit() and len(text) < 19]
    note = request.POST.get("note", "").strip()[:500]
    back = HttpResponseRedirect(here(request))
    if not chosen:
        messages.error(request, _("Nothing is chosen. Tick the messages first."))
        return back
    ids = [int(text) for text in chosen]
    reader = request.reader
    try:
        if request.POST.get("act") == "dismiss":
            count = aside.dismiss_aside(reader, ids=ids, note=note)
            done = ngettext("%(n)d message was dismissed.", "%(n)d messages were dismissed.", count)
        else:
            count = aside.replay_aside(reader, ids=ids, note=note)
            done = ngettext("%(n)d message is being tried again.", "%(n)d messages are being tried again.", count)
    except Invalid as error:
        for problem in error.problems or (error,):
            messages.error(request, str(problem))
        return back
    messages.success(request, done % {"n": count})
    return back


urlpatterns = [
    path("streams/", listing, name="desk-streams-list"),
    path("set-aside/", ledger, name="desk-streams-aside"),
    path("streams/<str:key>", detail, name="desk-streams-detail"),
]
