"""Pages of indicators in the portal: list, one indicator, one value down to its raw readings, forms of mailed links."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from krog.base import times
from krog.base.errors import Conflict, Invalid, NotFound
from krog.base.grant import Grant
from krog.base.settings import settings
from krog.catalogue import door
from krog.catalogue import reads as catalogue
from krog.indicators import periods, reads, verbs
from krog.indicators.shapes import Indicator, Provenance, Standing, Value
from krog.people import links
from krog.people import reads as people
from krog.plans import reads as plans
from krog.plans.shapes import Node
from krog.streams import reads as streams
from krog.streams.shapes import Observation
from krog.web import downloads
from krog.web.components.indicators import choosing, view, words
from krog.web.components.indicators.forms import confirm_page, enter_page
from krog.web.components.paging import here, offset_of, pager
from krog.web.components.tables import offers
from krog.web.request import Request

#: Rows of the history and raw readings that a page shows.
HISTORY, RAW = 12, 200
#: Indicators on one page of the list.
PAGE = 60


def _grant(request: Request, kind: str = "indicators") -> Grant:
    return door.open(request.reader, "portal", kind=kind)


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    first = {"title": _("How we are doing"), "href": reverse("portal-indicators-list")}
    return [first, *({"title": title, "href": href} for title, href in more)]


@offers(downloads.indicator_list)
@require_safe
def listing(request: Request) -> HttpResponse:
    """Indicators with value, target and where they stand: those that the address asks for, by the parts of the plan."""
    choice, offset = choosing.read(request.GET), offset_of(request)
    everything = list(reads.standings(_grant(request)).values())
    offices = {office.key: office for office in people.offices(door.open(request.reader, "portal", kind="people"))}
    parts = plans.nodes_named(_grant(request, "plans"), {each.indicator.theme for each in everything} - {""})
    fitting = choosing.chosen(everything, choice, offices)
    shown = [each for each in fitting if not choice.state or choosing.mark(each) == choice.state]
    page = choosing.ordered(shown, choice.sort, words.language())[offset : offset + PAGE]
    counted = choosing.counts(fitting)
    return render(request, "portal/indicators/list.html", {
        "choice": choice, "total": len(shown), "everything": len(everything), "groups": _groups(page, choice, parts),
        "page": pager(request, shown=len(page), total=len(shown), limit=PAGE, offset=offset),
        "counts": [{"mark": mark, "word": word, "count": counted[mark], "current": choice.state == mark,
                    "href": here(request, state=None if choice.state == mark else mark, offset=None)}
                   for mark, word in choosing.MARKS.items() if counted[mark]],
        "choices": choosing.options(everything, choice, offices,
                                    {key: f"{node.number} {words.said(node.title)}".strip()
                                     for key, node in parts.items()}),
        "sorts": choosing.SORTS.items(), "more": choice.office or choice.kind or choice.level or choice.area,
        "unclear": sum(choosing.unclear(each.indicator) for each in fitting),
        "crumbs": _crumbs()[:1],
    })  # fmt: skip


def _groups(page: list[Standing], choice: choosing.Choice, parts: Mapping[str, Node]) -> list[dict[str, Any]]:
    """What stands under each heading: parts of the plan, none where the order is another one."""
    if choice.sort:
        return [{"title": "", "note": "", "href": "", "rows": [view.row(each) for each in page]}] if page else []
    found = []
    for group in choosing.groups(page):
        node = parts.get(group.key)
        found.append({
            "title": f"{node.number} {words.said(node.title)}".strip() if node else _("Other indicators"),
            "href": reverse("portal-plans-node", args=[node.plan, node.key]) if node else "",
            "note": str(words.LEVELS.get(group.level, "")), "rows": [view.row(each) for each in group.items],
        })  # fmt: skip
    return found


@offers(downloads.value_list)
@require_safe
def detail(request: Request, key: str) -> HttpResponse:
    """One indicator: the number, what it means, the chart, where it comes from, targets, what moves it, history."""
    grant = _grant(request)
    about = reads.indicator(grant, key)
    values = reads.values(grant, key)
    evaluations = reads.evaluations(grant, about, values)
    standing = reads.standing(grant, about, values, evaluations)
    chosen, latest, gap = standing.evaluation, standing.latest, standing.gap
    mark, word = words.verdict(chosen, latest is not None)
    finding = view.sentence(about, values, chosen)
    history = reads.history(grant, key, limit=HISTORY)
    checks = reads.checks(grant, key, latest.id, limit=1) if latest and latest.provenance else []
    checked = view.read_formula(about, latest)
    compared, against = _compared(grant, about, latest)
    named = _plans(request, {each.target.plan for each in evaluations} - {""})
    return render(request, "portal/indicators/detail.html", {
        "indicator": about, "latest": latest, "period": words.period(latest.period) if latest else "",
        "mark": mark, "word": word, "why": words.reasons(chosen), "finding": finding,
        "status": words.STATUSES[latest.status] if latest else "",
        "gap": words.period(gap.period) if gap else "", "missing": words.missing(gap.reasons) if gap else [],
        "chart": None if about.yes_no else view.chart(about, values, evaluations, finding),
        "chain": view.chain(about, latest, view.datasets_of(grant, about)),
        "formula": words.formula(checked) if checked else "",
        "terms": [(words.term_title(name, term), words.term_sentence(term), name) for name, term in
                  (checked.terms.items() if checked else ())],
        "check": _check(checks[0]) if checks else None,
        "targets": [
            _target_row(about, each)
            | {"plan": named.get(each.target.plan, ""), "against": against.get(each.target.comparator)}
            for each in evaluations
        ],
        "compared": compared,
        "unread": str(words.PARSED.get(about.parse_status, "")),
        "base": words.period(about.baseline.period) if about.baseline else "",
        "methods": view.methods(evaluations), "nodes": _nodes(request, key),
        "history": [_history_row(about, each) for each in history.items], "more": history.total > len(history.items),
        "office": _office(grant, about), "address": f"{settings().url}/indicators/{key}",
        "today": times.local_date(times.now(), settings().timezone), "crumbs": _crumbs((about.code or about.key, "")),
        "doubts": catalogue.doubts(grant, about.dataset),
    })  # fmt: skip


def _office(grant: Grant, about: Indicator) -> Any:
    """Who answers for it; nobody where the office is gone."""
    try:
        return people.office(grant, about.office) if about.office else None
    except NotFound:
        return None


def _nodes(request: Request, key: str) -> list[dict[str, Any]]:
    """What the plan does about it: the nodes that the indicator measures, with their place in the plan."""
    found = plans.nodes_of_indicator(_grant(request, "plans"), key)
    return [
        {"node": node, "href": f"/{words.language()}/plans/{node.plan}/{node.key}",
         "role": _("measures it") if node.role == "measures" else _("context")}
        for node in found
    ]  # fmt: skip


def _plans(request: Request, keys: set[str]) -> dict[str, str]:
    """The names of the plans that set targets, where there is more than one to tell apart or one to name."""
    found = {}
    for key in sorted(keys):
        try:
            found[key] = words.said(plans.plan(_grant(request, "plans"), key).title)
        except NotFound:
            found[key] = key
    return found


def _compared(
    grant: Grant, about: Indicator, latest: Value | None
) -> tuple[list[dict[str, Any]], dict[str, dict[str, str]]]:
    """The same in other areas, this one first, and the series that targets compare with, by key."""
    root = about.series_of or about.key
    others = {each.indicator.key: each for each in reads.areas(grant, root)}
    wanted = ({root, *(target.comparator for target in about.targets)} - {about.key, ""}) - set(others)
    others |= reads.standings(grant, wanted) if wanted else {}
    against = {
        key: {"href": reverse("portal-indicators-detail", args=[key]),
              "title": f"{words.said(each.indicator.title)} {each.indicator.area}".strip()}
        for key, each in others.items()
    }  # fmt: skip
    rows = [Standing(about, latest, None)]
    rows += [each for key, each in others.items() if key != about.key and (key == root or each.indicator.series_of)]
    if len(rows) < 2:
        return [], against
    here_title = _("This city")
    return [
        {"about": each.indicator, "title": each.indicator.area or here_title,
         "href": against[each.indicator.key]["href"] if each.indicator.key != about.key else "",
         "value": each.latest.value if each.latest else None,
         "period": words.period(each.latest.period) if each.latest else ""}
        for each in rows
    ], against  # fmt: skip


def _target_row(about: Indicator, found: Any) -> dict[str, Any]:
    mark, word = words.VERDICTS[found.verdict]
    return {
        "target": found.target, "mark": mark, "word": word, "why": words.reasons(found),
        "text": words.target(found.target, about.unit) if found.target.readable else "",
        "printed": words.quoted(found.target.raw) if found.target.raw else "–",
        "unclear": words.PARSED.get(found.target.parse_status, ""), "evaluation": found,
        "progress": None if found.progress is None else found.progress * 100,
    }  # fmt: skip


def _history_row(about: Indicator, value: Value) -> dict[str, Any]:
    return {"value": value, "period": words.period(value.period), "status": words.STATUSES[value.status],
            "missing": words.missing(value.reasons)}  # fmt: skip


def _check(found: Any) -> dict[str, Any]:
    """A recomputation in words."""
    code, _space, rest = found.detail.partition(" ")
    sentences = {
        "same": _("Computed again from the same version of the data (%(rest)s): the same result to the last digit."),
        "same-now": _("The version it was computed from is not kept any more; computed again from version %(rest)s "
                      "with the same readings: the same result to the last digit."),
        "differs": _("Computed again from the same data: another result (%(rest)s). This must be looked into."),
        "inputs": _("The readings of version %(rest)s are no longer the same. This must be looked into."),
        "gone": _("The version %(rest)s that it was computed from is not kept any more."),
    }  # fmt: skip
    if found.done is None:
        return {"check": found, "mark": "none", "word": _("waits"),
                "text": _("It is being computed again; this takes a minute.")}  # fmt: skip
    text = sentences.get(code, _("It could not be computed again: %(rest)s")) % {"rest": rest}
    mark, word = {True: ("ok", _("the same")), False: ("bad", _("differs")), None: ("none", _("cannot be said"))}[
        found.same
    ]  # fmt: skip
    return {"check": found, "mark": mark, "word": word, "text": text}


@require_safe
def value(request: Request, key: str, id: int) -> HttpResponse:
    """One value down to its raw readings in the version that it was computed from."""
    grant = _grant(request)
    about, one = reads.indicator(grant, key), reads.value(grant, key, id)
    selections = reads.selections(grant, one)
    checked = view.read_formula(about, one) if one.provenance else None
    made = one.provenance
    terms: list[dict[str, Any]] = [
        {"name": name, "title": words.term_title(name, term), "sentence": words.term_sentence(term),
         "streams": sorted(selections.get(name, {})), "unit": term.unit,
         "rows": next((each["rows"] for each in made.inputs if each["term"] == name), 0)}
        for name, term in (checked.terms.items() if checked else ()) if made
    ]  # fmt: skip
    chosen = request.GET.get("stream", "") or next((s for term in terms for s in term["streams"]), "")
    rows, following = _raw(request, one, chosen, checked) if chosen and checked else ([], "")
    return render(request, "portal/indicators/value.html", {
        "indicator": about, "value": one, "period": words.period(one.period), "terms": terms,
        "formula": words.formula(checked) if checked else "", "status": words.STATUSES[one.status],
        "missing": words.missing(one.reasons), "version": _versions(made),
        "checks": [_check(each) for each in reads.checks(grant, key, id)], "chosen": chosen,
        "cells": _cells(made, checked), "rows": rows,
        "streams": [{"key": s, "href": here(request, stream=s, after=None), "current": s == chosen}
                    for s in dict.fromkeys(s for term in terms for s in term["streams"])],
        "following": following, "begun": "after" in request.GET,
        "crumbs": _crumbs((about.code or about.key, reverse("portal-indicators-detail", args=[key])),
                          (words.period(one.period), "")),
    })  # fmt: skip


def _versions(made: Provenance | None) -> str:
    """The versions that a value was made from: of the readings, else of each table."""
    if made is None:
        return ""
    if made.lake_version is not None:
        return str(made.lake_version)
    return " ".join(dict.fromkeys(f"{each['dataset']}@{each['version']}" for each in made.inputs))


def _cells(made: Provenance | None, checked: Any) -> list[dict[str, Any]]:
    """What was aggregated of tables and other indicators, as it was kept with the value."""
    found: list[dict[str, Any]] = []
    for each in made.inputs if made and checked else ():
        term = checked.terms.get(each["term"])
        if each["table"] == "observations" or term is None:
            continue
        found.append({
            "title": words.term_title(each["term"], term), "unit": term.unit, "indicator": each.get("indicator", ""),
            "when": words.period(each["period"]) if each.get("period") else "",
            "rows": [{"group": group, "bucket": words.period(bucket) if bucket else "", "n": n, "total": total}
                     for group, bucket, n, total in _decimals(each.get("cells", []))],
        })  # fmt: skip
    return found


def _decimals(cells: Any) -> Iterator[tuple[str, str, int, Decimal]]:
    for group, bucket, n, total in cells:
        yield group, bucket, n, Decimal(Fraction(total).numerator) / Decimal(Fraction(total).denominator)


def _raw(request: Request, one: Value, stream: str, checked: Any) -> tuple[list[Observation], str]:
    """The readings of one datastream that went into a value, and the address of the next ones."""
    made = one.provenance
    version = (made.lake_version or 0) if made else 0
    zone = settings().timezone
    spans = [
        bucket for term in checked.streams.values()
        for bucket in periods.buckets(one.period, periods.kind_of(one.period), term.local_hour, zone)
    ]  # fmt: skip
    after = request.GET.get("after", "")
    if after and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise Invalid(_("This is not where a page can begin."), "after")
    start = max(min(span.start for span in spans), int(after or 0))
    end = max(span.end for span in spans)
    try:
        found = streams.readings(_grant(request, "streams"), [stream], start, end, RAW + 1, version)
    except NotFound:
        found = streams.readings(_grant(request, "streams"), [stream], start, end, RAW + 1)
    mine = [row for row in found if any(span.start <= row.time < span.end for span in spans)]
    following = here(request, stream=stream, after=str(found[RAW].time)) if len(found) > RAW else ""
    return mine[:RAW], following


@require_POST
def check(request: Request, key: str, id: int) -> HttpResponse:
    """Asks that a value be computed again."""
    reads.value(_grant(request), key, id)
    try:
        verbs.ask_check(request.reader, value=id)
        messages.success(request, _("The value is being computed again. Load this page in a minute."))
    except Conflict as error:
        messages.info(request, error.what)
    return HttpResponseRedirect(reverse("portal-indicators-value", args=[key, id]) + "#again")


@require_safe
def download(request: Request, key: str) -> HttpResponse:
    """All current values as CSV (UTF-8, decimal point)."""
    grant = _grant(request)
    about = reads.indicator(grant, key)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{about.key}.csv"'
    csv.writer(response, lineterminator="\n").writerows(_lines(about, reads.values(grant, key)))
    return response


def _lines(about: Indicator, values: Sequence[Value]) -> Iterator[Sequence[object]]:
    yield ("indicator", "period", "value", "unit", "status", "origin", "source", "formula", "data_version", "recorded")
    for each in values:
        made = each.provenance
        version = _versions(made)
        yield (about.key, each.period, "" if each.value is None else repr(each.value), about.unit, each.status.value,
               each.origin.word, each.source, made.formula_id if made else "", version,
               times.iso(each.recorded))  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: Request, token: str) -> HttpResponse:
    """The form behind the owner's mailed link; looking at it changes nothing."""
    link = links.open(token, "indicator-value")
    return enter_page(request, link.reader, link.ref.key, template="portal/indicators/enter.html")


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: Request, token: str) -> HttpResponse:
    """The form behind the second person's mailed link."""
    link = links.open(token, "indicator-confirm")
    return confirm_page(request, link.reader, link.ref.key, template="portal/indicators/confirm.html")


urlpatterns = [
    path("indicators/", listing, name="portal-indicators-list"),
    path("indicators/enter/<str:token>", enter, name="portal-indicators-enter"),
    path("indicators/confirm/<str:token>", confirm, name="portal-indicators-confirm"),
    path("indicators/<str:key>/values.csv", download, name="portal-indicators-csv"),
    path("indicators/<str:key>/values/<int:id>", value, name="portal-indicators-value"),
    path("indicators/<str:key>/values/<int:id>/check", check, name="portal-indicators-check"),
    path("indicators/<str:key>", detail, name="portal-indicators-detail"),
]
