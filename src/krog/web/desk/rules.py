"""Rules and alerts in the desk: where each rule stands, its samples, its alerts; switching and acknowledging."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.base.errors import Conflict, Forbidden, Invalid
from krog.base.grant import Grant, Reader
from krog.catalogue import door
from krog.rules import reads, verbs
from krog.rules.samples import try_sample
from krog.rules.shapes import MODES
from krog.web import downloads
from krog.web.components import rule_view
from krog.web.components.paging import offset_of, pager
from krog.web.components.tables import offers
from krog.web.portal import case_words as words
from krog.web.portal.rules import alert_context, alert_row, titles_of
from krog.web.request import Request

PAGE = 50


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "desk", kind="rules")


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    first = {"title": _("Rules and alerts"), "href": reverse("desk-rules-list")}
    return [first, *({"title": title, "href": href} for title, href in more)]


class ModeForm(forms.Form):
    """Switches a rule, with the reason."""

    mode = forms.ChoiceField(label=later("What it does"), choices=[(mode, words.MODES[mode]) for mode in MODES])
    reason = forms.CharField(label=later("Why?"), max_length=500)


@offers(("rules", later("Rules"), downloads.rule_list), ("alerts", later("Alerts"), downloads.alert_list))
def rule_list(request: Request) -> HttpResponse:
    """All rules with where they stand, and the alerts."""
    grant, offset = _grant(request), offset_of(request)
    page = reads.alerts(grant, open_only=request.GET.get("open") == "1", limit=PAGE, offset=offset)
    names = words.offices()
    return render(
        request,
        "desk/rules/list.html",
        {
            "rules": [
                {
                    "rule": rule,
                    "mark": words.standing_mark(rule.standing.state),
                    "mode": words.MODES[rule.mode],
                    "office": names.get(rule.office, rule.office),
                }
                for rule in reads.rules(grant)
            ],
            "alerts": [alert_row(alert) for alert in page.items],
            "open": request.GET.get("open") == "1",
            "page": pager(request, shown=len(page.items), total=page.total, limit=PAGE, offset=offset),
        },
    )


@offers(downloads.alert_list)
def detail(request: Request, key: str) -> HttpResponse:
    """One rule: what it looks at, what it found, how it does on its samples; switching it."""
    reader: Reader = request.reader
    grant = _grant(request)
    rule = reads.rule(grant, key)
    form = ModeForm(request.POST or None, initial={"mode": rule.mode})
    if request.method == "POST" and form.is_valid():
        try:
            verbs.set_mode(reader, key=key, mode=form.cleaned_data["mode"], reason=form.cleaned_data["reason"])
        except (Invalid, Forbidden) as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The rule is switched."))
            return HttpResponseRedirect(request.path)
    titles = titles_of(reader, rule, "desk")
    page = reads.alerts(grant, rule=key, limit=20)
    return render(
        request,
        "desk/rules/detail.html",
        {
            "rule": rule,
            "form": form,
            "mark": words.standing_mark(rule.standing.state),
            "mode": words.MODES[rule.mode],
            "office": words.office_title(rule.office),
            "chart": rule_view.chart(rule, reads.evaluations(grant, key)),
            "limits": rule_view.limit_words(rule),
            "window": rule_view.window_words(rule),
            "formula": rule_view.formula(rule),
            "terms": [
                {"term": term, "title": titles.get(term.stream, term.stream), "seen": term.stream in titles}
                for term in rule.terms
            ],
            "samples": [try_sample(rule.terms, rule.limits, sample) for sample in rule.samples],
            "alerts": [alert_row(alert) for alert in page.items],
            "entries": reads.history(grant, key),
            "crumbs": _crumbs((words.said(rule.title), "")),
        },
        status=422 if form.errors else 200,
    )


def alert(request: Request, key: str) -> HttpResponse:
    """One alert with its readings; acknowledging it."""
    reader: Reader = request.reader
    grant = _grant(request)
    if request.method == "POST":
        try:
            verbs.acknowledge(reader, alert=key)
        except (Conflict, Forbidden) as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(request.path)
    found, rule = reads.alert_and_rule(grant, key)
    return render(
        request,
        "desk/rules/alert.html",
        {
            **alert_context(reader, found, rule, grant, "desk"),
            "office": words.office_title(rule.office),
            "crumbs": _crumbs(
                (words.said(rule.title), reverse("desk-rules-detail", args=[rule.key])), (_("Alert"), "")
            ),
        },
    )


urlpatterns = [
    path("rules/", rule_list, name="desk-rules-list"),
    path("rules/alerts/<str:key>", alert, name="desk-rules-alert"),
    path("rules/<str:key>/", detail, name="desk-rules-detail"),
]
