"""Pages of voice in the portal: calls, the form of a proposal, a proposal's way, the confirmation of an address."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.text import Truncator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from krog.base.errors import Busy, Invalid
from krog.base.grant import Grant
from krog.base.text import say
from krog.catalogue import door
from krog.people.permissions import is_staff
from krog.plans import reads as plans
from krog.voice import mails, reads, verbs
from krog.voice.shapes import Call, Proposal, Step
from krog.web import downloads, limits, usage
from krog.web.components.tables import offers
from krog.web.portal import plans_words as words
from krog.web.request import Request

PAGE = 25


class ProposalForm(forms.Form):
    """The form of a proposal. `website` is seen by programs only; `form` marks the form, so that a double click is
    one proposal."""

    title = forms.CharField(label=lazy("Your proposal in one sentence"), max_length=verbs.TITLE_MAX)
    text = forms.CharField(
        label=lazy("What should change, and why?"),
        max_length=verbs.TEXT_MAX,
        widget=forms.Textarea,
        help_text=lazy("Please leave out data about other people. An official reads it before it is public."),
    )
    node = forms.ChoiceField(label=lazy("Which part of the plan is it about?"), required=False)
    place = forms.CharField(
        label=lazy("Place"),
        max_length=verbs.PLACE_MAX,
        required=False,
        help_text=lazy("A street, a house number, a name that people know."),
    )
    author = forms.CharField(
        label=lazy("Your name"),
        max_length=verbs.AUTHOR_MAX,
        required=False,
        help_text=lazy("If you give it, it is shown beside the proposal."),
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=lazy("Your e-mail address"),
        required=False,
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text=lazy("Never shown. We send you a link to confirm it, and tell you what becomes of your proposal."),
    )
    website = forms.CharField(required=False, widget=forms.TextInput({"tabindex": "-1", "autocomplete": "off"}))
    form = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, nodes: list[tuple[str, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        choice = self.fields["node"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [("", _("the plan as a whole")), *nodes]
        if not nodes:
            del self.fields["node"]

    def clean_website(self) -> str:
        if self.cleaned_data.get("website"):
            raise forms.ValidationError(
                _("Please leave this field empty; it catches programs that fill in every field.")
            )
        return ""


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "portal")


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"title": _("Take part"), "href": reverse("portal-voice-calls")},
        *({"title": t, "href": h} for t, h in more),
    ]


@offers(
    ("calls", lazy("Calls for proposals"), downloads.call_list),
    ("proposals", lazy("Proposals"), downloads.proposal_list),
)
def calls(request: Request) -> HttpResponse:
    """All calls, open ones first, and the newest proposals."""
    grant = _grant(request)
    found = (
        reads.proposals(grant, limit=10)
        if not is_staff(grant.reader)
        else reads.proposals(grant, state="accepted", limit=10)
    )
    return render(
        request,
        "portal/voice/calls.html",
        {
            "calls": reads.calls(grant),
            "proposals": [proposal_words(each) for each in found.items],
            "crumbs": _crumbs(),
        },
    )


def proposal_words(proposal: Proposal) -> dict[str, Any]:
    """A proposal with its state in words."""
    mark, word = words.PROPOSAL_STATES[proposal.state]
    return {"proposal": proposal, "mark": mark, "word": word}


def _nodes(grant: Grant, call: Call) -> list[tuple[str, str]]:
    """The nodes of the call's plan to choose from, in order, indented by dashes."""
    if not call.plan:
        return []
    tree = plans.tree(grant, call.plan)
    return [(node.key, "– " * node.depth + Truncator(words.title(node)).chars(90)) for node in tree.nodes.values()]


@offers(downloads.proposal_list)
def call(request: Request, key: str) -> HttpResponse:
    """A call: what is asked, the form while it is open, the public proposals."""
    grant = _grant(request)
    found = reads.call(grant, key)
    form = None
    if found.phase == "open":
        nodes = _nodes(grant, found)
        initial = {"node": request.GET.get("node", ""), "form": secrets.token_urlsafe(16)}
        form = ProposalForm(request.POST if request.method == "POST" else None, nodes=nodes, initial=initial)
        if request.method == "POST" and form.is_valid():
            sent = _send(request, found, form)
            if sent is not None:
                return sent
    elif request.method == "POST":
        # The call closed while somebody was writing: the words are given back, to be kept or sent elsewhere.
        form = ProposalForm(request.POST, nodes=_nodes(grant, found))
        form.is_valid()
        form.add_error(None, _("This call has closed in the meantime. Copy your text before you leave this page."))
    offset = number(request.GET.get("from", "0"))
    page = reads.proposals(grant, call=key, limit=PAGE, offset=offset)
    status = 422 if form is not None and form.is_bound and form.errors else 200
    return render(
        request,
        "portal/voice/call.html",
        {
            "call": found,
            "form": form,
            "use": usage.started(request, f"proposal:{key}") if form else "",
            "proposals": [proposal_words(each) for each in page.items],
            "total": page.total,
            "page": pager(request.path, offset, page.total),
            "plan_href": reverse("portal-plans-tree", args=[found.plan]) if found.plan else "",
            "crumbs": _crumbs((str(say(found.title, get_language() or "sl")), "")),
        },
        status=status,
    )


def number(text: str) -> int:
    """A small number as an address gives it; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def pager(address: str, offset: int, total: int, size: int = PAGE) -> dict[str, Any]:
    """What the pager component shows."""
    found: dict[str, Any] = {"first": offset + 1 if total else 0, "last": min(offset + size, total), "total": total}
    if offset:
        found["previous"] = f"{address}?from={max(0, offset - size)}"
    if offset + size < total:
        found["next"] = f"{address}?from={offset + size}"
    return found


def _send(request: Request, found: Call, form: ProposalForm) -> HttpResponse | None:
    """Hands the proposal in; None when the form must be shown again with its errors."""
    given = {
        name: form.cleaned_data.get(name, "") for name in ("title", "text", "node", "place", "author", "email", "form")
    }
    try:
        _throttle(request)
        key = verbs.propose(
            request.reader,
            call=found.key,
            language=get_language() or "sl",
            **given,
        )
    except Busy as error:
        form.add_error(None, error.what)
        return None
    except Invalid as error:
        for problem in error.problems:
            form.add_error(problem.where if problem.where in form.fields else None, str(problem.what))
        return None
    usage.finished(request, f"proposal:{found.key}")
    return HttpResponseRedirect(reverse("portal-voice-proposal", args=[key]))


def _throttle(request: Request) -> None:
    """Refuses too many proposals from one address; people of the city, who type in what others say, are not
    counted."""
    if not is_staff(request.reader):
        limits.require(
            request,
            limits.PROPOSALS,
            _(
                "Many proposals came from your connection just now. Please send it again in ten minutes; "
                "it is not lost."
            ),
        )


def proposal(request: Request, key: str) -> HttpResponse:
    """A proposal: what it says once it is public, its way, the answer, what the plan made of it."""
    grant = _grant(request)
    found = reads.proposal(grant, key)
    steps = reads.steps(grant, found)
    node = plans.nodes_named(grant, [found.node]).get(found.node) if found.node else None
    return render(
        request,
        "portal/voice/proposal.html",
        {
            **proposal_words(found),
            "steps": [step_words(step) for step in steps],
            "node": node,
            "call": reads.call(grant, found.call),
            "crumbs": _crumbs(
                (_("Call"), reverse("portal-voice-call", args=[found.call])), (found.title or found.key, "")
            ),
        },
    )


def step_words(step: Step) -> dict[str, Any]:
    """A step with its words and the page it leads to."""
    href = ""
    if step.plan and step.code == "adopted":
        href = reverse("portal-plans-node", args=[step.plan, step.node]) + f"?version={step.version}"
    elif step.plan:
        href = reverse("portal-plans-diff", args=[step.plan]) + f"?b={step.version}"
    return {"step": step, "words": words.STEPS[step.code], "href": href}


def confirm(request: Request, token: str) -> HttpResponse:
    """Confirms the author's address. Opening the link changes nothing (mail programs open links): the button does."""
    key = mails.key_of(token)
    if request.method == "POST":
        verbs.confirm(request.reader, token=token)
        return HttpResponseRedirect(reverse("portal-voice-proposal", args=[key]))
    found = reads.proposal(_grant(request), key)
    return render(request, "portal/voice/confirm.html", {"proposal": found, "crumbs": _crumbs((_("Confirm"), ""))})


urlpatterns = [
    path("voice/", calls, name="portal-voice-calls"),
    path("voice/confirm/<str:token>", confirm, name="portal-voice-confirm"),
    path("voice/proposals/<str:key>", proposal, name="portal-voice-proposal"),
    path("voice/<str:key>", call, name="portal-voice-call"),
]
