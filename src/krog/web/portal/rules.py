"""Pages of rules and alerts in the portal."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.base.errors import NotFound
from krog.base.grant import Grant, Reader
from krog.cases import reads as cases
from krog.catalogue import door
from krog.rules import reads
from krog.rules.shapes import Alert, Rule
from krog.streams import reads as streams
from krog.web import downloads
from krog.web.components import rule_view
from krog.web.components.paging import offset_of, pager
from krog.web.components.tables import offers
from krog.web.portal import case_words as words
from krog.web.request import Request

PAGE = 25


def reader_of(request: Request) -> Reader:
    """Who asks."""
    return request.reader


def _grant(request: Request) -> Grant:
    return door.open(reader_of(request), "portal", kind="rules")


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    first = {"title": _("Rules and alerts"), "href": reverse("portal-rules-list")}
    return [first, *({"title": title, "href": href} for title, href in more)]


def alert_row(alert: Alert) -> dict[str, Any]:
    """An alert with its state in words."""
    return {"alert": alert, "mark": words.alert_mark(alert.state)}


@offers(("rules", later("Rules"), downloads.rule_list), ("alerts", later("Alerts"), downloads.alert_list))
def rule_list(request: Request) -> HttpResponse:
    """What Krog watches by itself, how each rule stands, and the alerts."""
    grant, offset = _grant(request), offset_of(request)
    found = reads.rules(grant, modes=("act", "watch"))
    page = reads.alerts(grant, limit=PAGE, offset=offset)
    return render(
        request,
        "portal/rules/list.html",
        {
            "rules": [{"rule": rule, "mark": words.standing_mark(rule.standing.state)} for rule in found],
            "alerts": [alert_row(alert) for alert in page.items],
            "page": pager(request, shown=len(page.items), total=page.total, limit=PAGE, offset=offset),
            "crumbs": _crumbs()[:1],
        },
    )


def titles_of(reader: Reader, rule: Rule, purpose: str) -> dict[str, str]:
    """The titles of a rule's streams that the reader may see, by key."""
    grant = door.open(reader, purpose, kind="streams")
    found = streams.datastreams(grant, keys=[term.stream for term in rule.terms]).items
    return {stream.key: words.said(stream.title) for stream in found}


@offers(downloads.alert_list)
def detail(request: Request, key: str) -> HttpResponse:
    """A rule: what it looks at, when it raises and clears, what it found, its alerts."""
    grant = _grant(request)
    rule = reads.rule(grant, key)
    titles = titles_of(reader_of(request), rule, "portal")
    page = reads.alerts(grant, rule=key, limit=10)
    return render(
        request,
        "portal/rules/detail.html",
        {
            "rule": rule,
            "mark": words.standing_mark(rule.standing.state),
            "office": words.office_title(rule.office),
            "chart": rule_view.chart(rule, reads.evaluations(grant, key)),
            "limits": rule_view.limit_words(rule),
            "window": rule_view.window_words(rule),
            "formula": rule_view.formula(rule),
            "terms": [
                {
                    "term": term,
                    "agg": rule_view.aggregate_words(term.agg),
                    "title": titles.get(term.stream, term.stream),
                    "seen": term.stream in titles,
                }
                for term in rule.terms
            ],
            "alerts": [alert_row(alert) for alert in page.items],
            "total": page.total,
            "crumbs": _crumbs((words.said(rule.title), "")),
        },
    )


def alert_context(reader: Reader, alert: Alert, rule: Rule, grant: Grant, purpose: str) -> dict[str, Any]:
    """What the page of an alert shows, in portal and desk."""
    start, end = rule_view.span_of(alert, rule)
    found = [each for each in reads.evaluations(grant, rule.key, since=start) if each.end <= end]
    return {
        "alert": alert,
        "rule": rule,
        "mark": words.alert_mark(alert.state),
        "chart": rule_view.chart(rule, found, alert),
        "chain": rule_view.chain(alert, rule),
        "parts": rule_view.part_rows(alert.readings, titles_of(reader, rule, purpose)),
        "limits": rule_view.limit_words(rule),
        "formula": rule_view.formula(rule),
    }


def alert(request: Request, key: str) -> HttpResponse:
    """An alert: value, limit, since when, the readings behind it, and the case that handles it if it is public."""
    grant = _grant(request)
    found, rule = reads.alert_and_rule(grant, key)
    case = ""
    if found.case:
        try:
            cases.status(door.open(reader_of(request), "portal", kind="cases"), found.case)
            case = reverse("portal-cases-detail", args=[found.case])
        except NotFound:
            case = ""
    return render(
        request,
        "portal/rules/alert.html",
        {
            **alert_context(reader_of(request), found, rule, grant, "portal"),
            "office": words.office_title(rule.office),
            "case": case,
            "crumbs": _crumbs(
                (words.said(rule.title), reverse("portal-rules-detail", args=[rule.key])), (_("Alert"), "")
            ),
        },
    )


urlpatterns = [
    path("rules/", rule_list, name="portal-rules-list"),
    path("rules/alerts/<str:key>", alert, name="portal-rules-alert"),
    path("rules/<str:key>", detail, name="portal-rules-detail"),
]
