"""The desk of proposals: what waits for an answer, the answer, and the way into a draft of the plan."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from krog.base.errors import Conflict, Invalid
from krog.base.grant import Grant, Reader
from krog.catalogue import door
from krog.people.permissions import is_staff, may
from krog.plans import reads as plans
from krog.voice import reads, verbs
from krog.voice.shapes import STATES
from krog.web import downloads
from krog.web.components.tables import offers
from krog.web.desk.plans_forms import add_errors
from krog.web.navigation import COUNTERS
from krog.web.portal import plans_words as words
from krog.web.portal.voice import number, pager, proposal_words, step_words
from krog.web.request import Request

PAGE = 50


class AnswerForm(forms.Form):
    """The answer to a proposal."""

    decision = forms.ChoiceField(
        label=lazy("Answer"),
        widget=forms.RadioSelect,
        choices=[("accept", lazy("accept for consideration")), ("decline", lazy("decline"))],
    )
    text = forms.CharField(
        label=lazy("Answer to the author"),
        required=False,
        max_length=verbs.ANSWER_MAX,
        widget=forms.Textarea,
        help_text=lazy("Public, and mailed to the author. Needed when the proposal is declined."),
    )
    withhold = forms.BooleanField(
        label=lazy("Do not publish the words of the proposal"),
        required=False,
        help_text=lazy("Only for a declined proposal that insults or tells about other people."),
    )


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "desk")


@offers(downloads.proposal_list)
def _list(request: Request) -> HttpResponse:
    """Proposals by state; those that wait for an answer first."""
    grant = _grant(request)
    state = request.GET.get("state", "received")
    state = state if state in STATES else "received"
    offset = number(request.GET.get("from", "0"))
    page = reads.proposals(grant, state=state, limit=PAGE, offset=offset)
    taken = reads.taken_up(grant, [p.key for p in page.items])
    nodes = plans.nodes_named(grant, [p.node for p in page.items if p.node])
    return render(
        request,
        "desk/voice/list.html",
        {
            "proposals": [
                {**proposal_words(p), "taken": words.STEPS.get(taken.get(p.key, ""), ""), "node": nodes.get(p.node)}
                for p in page.items
            ],
            "tabs": [
                (code, words.PROPOSAL_STATES[code][1], code == state) for code in ("received", "accepted", "declined")
            ],
            "page": pager(request.path, offset, page.total, PAGE) | {"state": state},
            "total": page.total,
            "state": state,
            "crumbs": [{"title": _("Proposals"), "href": ""}],
        },
    )


def proposal(request: Request, key: str) -> HttpResponse:
    """A proposal with its answer form; once accepted, the way into a draft."""
    grant = _grant(request)
    by = grant.reader
    found = reads.proposal(grant, key)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            verbs.answer(
                by, key=key, accept=given["decision"] == "accept", text=given["text"], withhold=given["withhold"]
            )
        except (Invalid, Conflict) as error:
            add_errors(form, error)
        else:
            messages.success(request, _("The answer is public; the author is told if an address was confirmed."))
            return HttpResponseRedirect(reverse("desk-voice-proposal", args=[key]))
    node = plans.nodes_named(grant, [found.node]).get(found.node) if found.node else None
    call = reads.call(grant, found.call)
    drafts = (
        [v for v in plans.versions(grant, call.plan) if v.status == "draft"] if call.plan and may(by, "planner") else []
    )
    return render(
        request,
        "desk/voice/proposal.html",
        {
            **proposal_words(found),
            "call": call,
            "form": form,
            "node": node,
            "drafts": drafts,
            "steps": [step_words(step) for step in reads.steps(grant, found)],
            "planner": may(by, "planner"),
            "crumbs": [
                {"title": _("Proposals"), "href": reverse("desk-voice-list")},
                {"title": found.title, "href": ""},
            ],
        },
        status=422 if form.is_bound and form.errors else 200,
    )


def counter(reader: Reader) -> dict[str, tuple[int, bool]]:
    """How many proposals wait, for the rail of the desk."""
    if not is_staff(reader) or not may(reader, "official", "planner"):
        return {}
    return {"voice": (reads.waiting(door.open(reader, "desk", kind="voice")), False)}


COUNTERS.append(counter)

urlpatterns: list[Any] = [
    path("voice", _list, name="desk-voice-list"),
    path("voice/<str:key>", proposal, name="desk-voice-proposal"),
]
