"""How services are used, as the page shows it and the download gives it: by service, by month, by channel."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.base import times
from krog.base.settings import settings
from krog.base.text import say
from krog.cases import reads as cases
from krog.catalogue import door, reads
from krog.catalogue.shapes import Use
from krog.catalogue.usage import CHANNELS
from krog.registers import reads as registers
from krog.voice import reads as voice
from krog.web.components import charts
from krog.web.components.paging import here
from krog.web.request import Request

#: What each kind of service is called.
KINDS = {
    "report": later("Report"),
    "follow": later("Following a report"),
    "proposal": later("Proposal"),
    "application": later("Application"),
    "value": later("Entering a value"),
    "search": later("Search"),
    "download": later("Download"),
    "link": later("Service elsewhere"),
}
CHANNEL_WORDS = {
    "web": later("web"),
    "mail": later("e-mail"),
    "phone": later("phone"),
    "desk": later("at the counter"),
    "paper": later("paper"),
    "api": later("programs"),
}
#: Months that can be looked at, counted back from this one.
SPANS = (1, 3, 12, 36)


@dataclass
class Row:
    """A service with its numbers over the time that is shown."""

    service: str
    title: str
    started: int = 0
    finished: int = 0
    abandoned: int = 0
    by: dict[str, int] | None = None

    @property
    def share(self) -> float | None:
        """Finished of started, in percent."""
        return 100 * self.finished / self.started if self.started else None


def titles(request: Request) -> dict[str, str]:
    """What the services with kinds of their own are called."""
    language = get_language() or "sl"
    found = {
        f"report:{kind.key}": f"{_('Report')}: {say(kind.title, language)}"
        for kind in cases.case_types(door.open(request.reader, "portal", kind="cases"))
    }
    grant = door.open(request.reader, "portal", kind="registers")
    if (register := registers.register_of(grant, "services")) is not None:
        for record in registers.records(grant, register.key, limit=1000).items:
            found[f"link:{record.key}"] = record.title
    for call in voice.calls(door.open(request.reader, "portal", kind="voice")):
        found[f"proposal:{call.key}"] = f"{_('Proposal')}: {say(call.title, language)}"
    return found


def _first_month(today: date, months: int) -> date:
    number = today.year * 12 + today.month - 1 - (months - 1)
    return date(number // 12, number % 12 + 1, 1)


def rows_of(uses: Sequence[Use], names: dict[str, str]) -> list[Row]:
    """One row for each service, the most used first."""
    found: dict[str, Row] = {}
    for use in uses:
        kind, _colon, rest = use.service.partition(":")
        title = names.get(use.service) or " ".join(filter(None, [str(KINDS.get(kind, kind)), rest]))
        row = found.setdefault(use.service, Row(use.service, title, by={}))
        row.started += use.started
        row.finished += use.finished
        row.abandoned += use.abandoned
        assert row.by is not None
        row.by[use.channel] = row.by.get(use.channel, 0) + use.finished
    return sorted(found.values(), key=lambda row: (-row.started, row.title))


def _chart(uses: Sequence[Use], first: date, last: date) -> charts.Chart:
    """Started and finished by month; by day where only one month is shown."""
    daily = (first.year, first.month) == (last.year, last.month)
    started: dict[date, int] = defaultdict(int)
    finished: dict[date, int] = defaultdict(int)
    for use in uses:
        at = use.day if daily else use.day.replace(day=1)
        started[at] += use.started
        finished[at] += use.finished
    zone = settings().timezone
    # Before the first count nothing was counted: a gap, not a nought.
    all_of = _days(first, last) if daily else _months(first, last)

    def points(counts: dict[date, int]) -> list[tuple[float, float | None]]:
        begun = min(started, default=last)
        return [(float(times.start_of_day(at, zone)), float(counts[at]) if at >= begun else None) for at in all_of]

    title = _("Started and finished by day") if daily else _("Started and finished by month")
    series = [charts.Series(_("started"), points(started)), charts.Series(_("finished"), points(finished))]
    return charts.line(title, title, series if started else [], language=get_language() or "sl", decimals=0, zero=True)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _months(first: date, last: date) -> list[date]:
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def _csv(uses: Sequence[Use]) -> HttpResponse:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("day", "service", "channel", "language", "started", "finished", "abandoned"))
    writer.writerows((u.day, u.service, u.channel, u.language, u.started, u.finished, u.abandoned) for u in uses)
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="service-use.csv"'
    return response


def page(request: Request, template: str, purpose: str) -> HttpResponse:
    """The page of the use of services, or its download."""
    grant = door.open(request.reader, purpose, kind="catalogue")
    today = times.local_date(times.now(), settings().timezone)
    wanted = request.GET.get("months", "")
    months = int(wanted) if wanted in map(str, SPANS) else 12
    service = request.GET.get("service", "")[:120]
    channel = request.GET.get("channel", "")
    channel = channel if channel in CHANNELS else ""
    first = _first_month(today, months)
    uses = reads.service_use(grant, first, today, service, channel)
    if request.GET.get("format") == "csv":
        return _csv(uses)
    rows = rows_of(uses, titles(request) if uses else {})
    shown = [each for each in CHANNELS if any(each in (row.by or {}) for row in rows)]
    context: dict[str, Any] = {
        "rows": [(row, [(CHANNEL_WORDS[each], (row.by or {}).get(each, 0)) for each in shown]) for row in rows],
        "channels": [CHANNEL_WORDS[each] for each in shown],
        "total": Row(
            "", _("All together"), *(sum(getattr(r, n) for r in rows) for n in ("started", "finished", "abandoned"))
        ),
        "chart": _chart(uses, first, today),
        "declared": reads.USE in grant,
        "first": first,
        "last": today,
        "months": [(each, here(request, months=str(each)), each == months) for each in SPANS],
        "service": service,
        "channel": channel,
        "choices": list(CHANNEL_WORDS.items()),
        "kinds": list(KINDS.items()),
        "span": months,
        "csv": here(request, format="csv"),
        "crumbs": [{"title": _("Use of services"), "href": ""}],
    }
    return render(request, template, context)
