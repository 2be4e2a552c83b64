"""The planner's desk: the plan as a table, reviews, drafts with their changes, consultation, adoption."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.text import Truncator
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from krog.base.errors import Conflict, Invalid, NotFound, invalid
from krog.base.grant import Grant
from krog.base.ids import Ref
from krog.base.text import say
from krog.catalogue import door
from krog.engine.cities import city
from krog.indicators import reads as indicators
from krog.people import reads as people
from krog.people.permissions import may, require
from krog.plans import bulk, milestones, reads, states, verbs
from krog.plans.bulk import Row
from krog.plans.merging import Clash, flat
from krog.plans.shapes import Node, Tree
from krog.voice import reads as voice
from krog.voice import verbs as voice_verbs
from krog.web import downloads
from krog.web.components.paging import offset_of, pager
from krog.web.components.tables import offers
from krog.web.desk import plans_forms as forms
from krog.web.desk import plans_milestones, plans_table
from krog.web.portal import plans_filters
from krog.web.portal import plans_words as words
from krog.web.portal.plans import (
    change_rows,
    indicator_rows,
    link_rows,
    review_words,
    version_words,
)
from krog.web.portal.plans_filters import Filters
from krog.web.request import Request

#: Nodes of one page, and how long a review is good for.
LIMIT = 100
REVIEW_DAYS = 365


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "desk")


def _said(text: Any) -> str:
    return str(say(text, get_language() or "sl"))


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    return [{"title": _("Plan"), "href": reverse("desk-plans-list")}, *({"title": t, "href": h} for t, h in more)]


def _sent(form: Any, request: Request, act: Any) -> bool:
    """Whether a form was sent and its verb went through; what was refused stands in the form."""
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        act(form.cleaned_data)
    except (Invalid, Conflict, NotFound) as error:
        forms.add_errors(form, error)
        return False
    return True


def _status(form: Any) -> int:
    return 422 if form.is_bound and form.errors else 200


@offers(downloads.plan_list)
def _list(request: Request) -> HttpResponse:
    """All plans; the only one opens at once."""
    grant = _grant(request)
    cards = reads.plans(grant)
    if len(cards) == 1:
        return HttpResponseRedirect(reverse("desk-plans-table", args=[cards[0].plan.key]))
    return render(request, "desk/plans/list.html", {"cards": cards, "crumbs": _crumbs()})


@offers(downloads.node_list)
def table(request: Request, plan: str) -> HttpResponse:
    """The plan in force as a table: who answers for each node, how it is doing, when it was looked at."""
    grant = _grant(request)
    tree = reads.tree(grant, plan)
    filters = Filters.of(request.GET)
    found = filters.keys(tree)
    offset = offset_of(request)
    offices = {office.key: office.title for office in people.offices(grant)}
    reviewed: dict[str, Any] = {}
    for each in reads.reviews(grant, plan, limit=1000):
        reviewed.setdefault(each.node, each)
    due = {key for key, node in tree.nodes.items() if _review_due(tree, node, reviewed.get(key))}
    if request.GET.get("review") == "due":
        found = [key for key in found if key in due]
    many = forms.ReviewForm(
        request.POST if request.method == "POST" else None, initial={"on": verbs.today()}, auto_id="many-%s"
    )
    chosen = request.POST.getlist("node")
    by = request.reader
    if _sent(many, request, lambda given: verbs.review_many(by, plan=plan, nodes=chosen, **given)):
        messages.success(request, _("The reviews are recorded and public."))
        return HttpResponseRedirect(request.get_full_path())
    shown = found[offset : offset + LIMIT]
    rows = []
    for key in shown:
        node = tree.nodes[key]
        mark, word = words.STATES[node.state.code]
        last = reviewed.get(key)
        rows.append(
            {
                "node": node,
                "level": tree.plan.level(node.level),
                "office": offices.get(node.office),
                "mark": mark,
                "word": word,
                "status": words.status(node.status, tree.plan) if node.status else "",
                "review": last,
                "decision": words.DECISIONS[last.decision] if last else "",
            }
        )
    return render(
        request,
        "desk/plans/table.html",
        {
            "tree": tree,
            "plan": tree.plan,
            "rows": rows,
            "filters": filters,
            "many": many,
            "chosen": chosen,
            "pager": pager(request, shown=len(shown), total=len(found), limit=LIMIT, offset=offset),
            "total": len(found),
            "needs": _needs(grant, tree, due),
            "choices": plans_filters.choices(tree, offices, filters),
            "address": reverse("desk-plans-table", args=[plan]),
            "counts": [(*words.STATES[code], n) for code, n in states.counts(tree, tree.nodes).items()],
            "levels": tree.plan.levels,
            "states": [(code, word) for code, (mark, word) in words.STATES.items()],
            "open_versions": [version_words(v) for v in tree.versions if v.is_open],
            "may": may(grant.reader, "planner"),
            "version": version_words(tree.version),
            "crumbs": _crumbs((_said(tree.plan.title), "")),
        },
        status=_status(many),
    )


def _review_due(tree: Tree, node: Node, last: Any) -> bool:
    """Whether a node that an indicator measures was not reviewed for a year."""
    measures = any(each.role == "measures" for each in node.indicators)
    return measures and (last is None or (verbs.today() - last.on).days > REVIEW_DAYS)


def _needs(grant: Grant, tree: Tree, due: set[str]) -> list[dict[str, Any]]:
    """What waits for the planner, each with how many and where to find them."""
    address = reverse("desk-plans-table", args=[tree.plan.key])
    found = [
        {
            "words": words.MISSING[what],
            "count": len(Filters(missing=what).keys(tree)),
            "href": f"{address}?missing={what}",
        }
        for what in plans_filters.MISSING
    ]
    late = milestones.milestones(grant, tree.plan.key, late=True)
    found += [
        {"words": _("reviews are due"), "count": len(due), "href": f"{address}?review=due"},
        {
            "words": _("milestones are late"),
            "count": len(late),
            "href": reverse("desk-plans-milestones", args=[tree.plan.key]) + "?late=1",
        },
    ]
    return [each for each in found if each["count"]]


def review(request: Request, plan: str, key: str) -> HttpResponse:
    """A review of a node beside what its indicators say now."""
    by = request.reader
    require(by, "planner", what=_("review a plan"))
    grant = _grant(request)
    tree = reads.tree(grant, plan)
    node = _node(tree, key)
    form = forms.ReviewForm(request.POST or None, initial={"on": verbs.today()})
    if _sent(form, request, lambda given: verbs.review(by, plan=plan, node=key, **given)):
        messages.success(request, _("The review is recorded and public."))
        return HttpResponseRedirect(reverse("desk-plans-table", args=[plan]) + f"#{key}")
    mark, word = words.STATES[node.state.code]
    return render(
        request,
        "desk/plans/review.html",
        {
            "tree": tree,
            "node": node,
            "form": form,
            "mark": mark,
            "word": word,
            "reasons": [words.reason(each) for each in node.state.reasons],
            "indicators": indicator_rows(tree, node),
            "reviews": [review_words(each) for each in reads.reviews(grant, plan, key, 5)],
            "proposals": voice.proposals(grant, node=key, limit=10).items,
            "crumbs": _crumbs(
                (_said(tree.plan.title), reverse("desk-plans-table", args=[plan])), (words.title(node), "")
            ),
        },
        status=_status(form),
    )


def _node(tree: Tree, key: str) -> Node:
    if key not in tree.nodes:
        raise NotFound(_("This version of the plan has no node %(key)s.") % {"key": key}, "node")
    return tree.nodes[key]


def begin(request: Request, plan: str) -> HttpResponse:
    """Begins a draft."""
    by = request.reader
    require(by, "planner", what=_("begin a draft of a plan"))
    form = forms.DraftForm(request.POST or None)
    made: list[str] = []
    if _sent(form, request, lambda given: made.append(verbs.begin_draft(by, plan=plan, **given))):
        return HttpResponseRedirect(reverse("desk-plans-draft", args=[plan, made[0]]))
    return render(
        request,
        "desk/plans/begin.html",
        {
            "plan": plan,
            "form": form,
            "crumbs": _crumbs(
                (_said(reads.plan(_grant(request), plan).title), reverse("desk-plans-table", args=[plan])),
                (_("New draft"), ""),
            ),
        },
        status=_status(form),
    )


@offers(downloads.node_list)
def draft(request: Request, plan: str, key: str) -> HttpResponse:
    """A draft: what it changes against the version in force, and what can be done with it."""
    by = request.reader
    require(by, "planner", what=_("see the drafts of a plan"))
    grant = _grant(request)
    consult = forms.ConsultForm(request.POST if request.POST.get("act") == "consult" else None)
    withdraw = forms.WithdrawForm(request.POST if request.POST.get("act") == "withdraw" else None)
    done = _act(request, plan, key, consult, withdraw)
    if done:
        return done
    diff = reads.diff(grant, plan, None, key)
    after = reads.tree(grant, plan, key)
    offices = {office.key: office.title for office in people.offices(grant)}
    return render(
        request,
        "desk/plans/draft.html",
        {
            "plan": diff.plan,
            "diff": diff,
            "draft": version_words(diff.b),
            "key": key,
            "consult": consult,
            "withdraw": withdraw,
            "added": change_rows(diff, "added", offices),
            "removed": change_rows(diff, "removed", offices),
            "changed": change_rows(diff, "changed", offices),
            "nodes": [
                (node.key, "– " * node.depth + Truncator(words.title(node)).chars(90)) for node in after.nodes.values()
            ],
            "crumbs": _crumbs((_said(diff.plan.title), reverse("desk-plans-table", args=[plan])), (diff.b.label, "")),
        },
        status=max(_status(consult), _status(withdraw)),
    )


def _act(
    request: Request, plan: str, key: str, consult: forms.ConsultForm, withdraw: forms.WithdrawForm
) -> HttpResponse | None:
    by = request.reader
    if request.method != "POST":
        return None
    here = HttpResponseRedirect(reverse("desk-plans-draft", args=[plan, key]))
    act = request.POST.get("act", "")
    if act == "undo":
        verbs.undo(by, plan=plan, draft=key, node=request.POST.get("node", ""))
    elif act == "reopen":
        verbs.reopen(by, plan=plan, draft=key)
        messages.info(request, _("The draft can be changed again; it is no longer public."))
    elif act == "consult":
        if not _sent(consult, request, lambda given: verbs.consult(by, plan=plan, draft=key, until=given["until"])):
            return None
        messages.success(request, _("The draft is public now, for comments."))
    elif act == "withdraw":
        if not _sent(withdraw, request, lambda given: verbs.withdraw(by, plan=plan, draft=key, reason=given["reason"])):
            return None
        return HttpResponseRedirect(reverse("desk-plans-table", args=[plan]))
    return here


def open_node(request: Request, plan: str, key: str) -> HttpResponse:
    """To the form of the chosen node of a draft."""
    node = request.GET.get("node", "")
    reads.node(_grant(request), plan, node, key)
    return HttpResponseRedirect(reverse("desk-plans-change", args=[plan, key, node]))


def change(request: Request, plan: str, key: str, node: str = "") -> HttpResponse:
    """The fields of a node in a draft (a new one without `node`), its links and indicators."""
    by = request.reader
    require(by, "planner", what=_("change a plan"))
    grant = _grant(request)
    tree = reads.tree(grant, plan, key)
    one = _node(tree, node) if node else None
    here = reverse("desk-plans-change", args=[plan, key, node]) if node else ""
    back = HttpResponseRedirect(reverse("desk-plans-draft", args=[plan, key]))
    act = request.POST.get("act", "")
    others = [
        (n.key, "– " * n.depth + Truncator(words.title(n)).chars(90)) for n in tree.nodes.values() if n.key != node
    ]
    offices = {office.key: _said(office.title) for office in people.offices(grant)}
    reasons = _reasons(grant, plan, node)
    asked = request.GET.get("because", "")
    form = forms.NodeForm(
        request.POST if request.method == "POST" and act in ("", "save") else None,
        plan=tree.plan,
        languages=list(city.current().languages),
        parents=others,
        reasons=reasons,
        node=one,
        offices=list(offices.items()),
        initial={"because": asked} if asked in dict(reasons) else None,
    )
    link = forms.LinkForm(request.POST if act == "link" else None, targets=others)
    about = forms.IndicatorForm(
        request.POST if act == "indicator" else None,
        indicators=[(i.key, f"{i.code} {_said(i.title)}") for i in indicators.indicators(grant, limit=500).items],
    )

    clashes: list[Clash] = []

    def save(given: dict[str, Any]) -> None:
        noun, _dot, ref = given["because"].partition("/")
        what: dict[str, Any] = {
            "plan": plan,
            "draft": key,
            "because": Ref(noun, ref) if ref else None,
            "note": given["reason"],
        }
        if one is None:
            verbs.add_node(by, node=given["key"], fields=form.node_fields(), **what)
            return
        row = Row(node, _yours(request, form), _seen(request))
        outcome = bulk.change_rows(by, rows=[row], **what)
        if outcome.problems:
            raise invalid(outcome.problems, _("The node %(node)s cannot be saved like this.") % {"node": node})
        if outcome.clashes:
            clashes.extend(outcome.clashes)
            raise Conflict(_("Somebody changed this node meanwhile. Choose field by field, then save again."))

    if _sent(form, request, save):
        messages.success(request, _("The draft says so now."))
        return back
    if act == "remove":
        verbs.remove_node(by, plan=plan, draft=key, node=node, note=request.POST.get("reason", ""))
        return back
    if _sent(link, request, lambda given: verbs.link(by, plan=plan, draft=key, source=node, **given)):
        return HttpResponseRedirect(here)
    if act == "unlink":
        source, kind, target = (request.POST.get(name, "") for name in ("source", "type", "target"))
        verbs.link(by, plan=plan, draft=key, source=source, target=target, type=kind, on=False)
        return HttpResponseRedirect(here)
    if _sent(about, request, lambda given: verbs.set_indicator(by, plan=plan, draft=key, node=node, **given)):
        return HttpResponseRedirect(here)
    if act == "unmeasure":
        verbs.set_indicator(by, plan=plan, draft=key, node=node, indicator=request.POST.get("indicator", ""), role="")
        return HttpResponseRedirect(here)
    return render(
        request,
        "desk/plans/change.html",
        {
            "plan": tree.plan,
            "draft": version_words(tree.version),
            "key": key,
            "node": one,
            "form": form,
            "seen": _seen_text(request, one, form.is_bound, clashes),
            "clashes": [_clash_words(tree, each, offices) for each in clashes],
            "link": link,
            "about": about,
            "links": link_rows(tree, one) if one else [],
            "raw_links": one.links if one else (),
            "indicators": indicator_rows(tree, one) if one else [],
            "crumbs": _crumbs(
                (_said(tree.plan.title), reverse("desk-plans-table", args=[plan])),
                (tree.version.label, reverse("desk-plans-draft", args=[plan, key])),
                (words.title(one) if one else _("New node"), ""),
            ),
        },
        status=409 if clashes else max(_status(each) for each in (form, link, about)),
    )


def _yours(request: Request, form: forms.NodeForm) -> dict[str, Any]:
    """The form's fields, one value per name, without those for which theirs was chosen."""
    given = form.node_fields()
    texts = {f"{name}.{each}": given[name].get(each, "") for name in ("title", "text") for each in form.languages}
    whole = {**texts, **{name: value for name, value in given.items() if name not in ("title", "text")}}
    return {name: value for name, value in whole.items() if request.POST.get(f"take.{name}") != "theirs"}


def _seen(request: Request) -> dict[str, Any]:
    """What the form's page showed of the node when it was opened; nothing where it does not say so."""
    try:
        found = json.loads(request.POST.get("seen", "") or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): value for name, value in found.items() if isinstance(value, str | int)}


def _seen_text(request: Request, one: Node | None, kept: bool, clashes: Sequence[Clash]) -> str:
    """What the form says was seen: as it came; of a field that clashes now what the other made of it."""
    if kept and "seen" in request.POST:
        theirs = {each.field: each.theirs for each in clashes if each.field}
        return json.dumps({**_seen(request), **theirs}) if theirs else request.POST["seen"]
    return json.dumps(flat(one.content())) if one else ""


def _clash_words(tree: Tree, clash: Clash, offices: dict[str, str]) -> dict[str, Any]:
    """A field that two changed, as people read it."""
    name, _dot, part = clash.field.partition(".")
    titles = {
        "parent": {key: words.title(each) for key, each in tree.nodes.items()},
        "office": offices,
        "level": {level.key: _said(level.title) for level in tree.plan.levels},
        "status": {
            each: str(words.status(each, tree.plan)) for each in {clash.base, clash.yours, clash.theirs} if each
        },
    }.get(name, {})

    def shown(value: Any) -> str:
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        return str(titles.get(value, value)) if value not in (None, "") else "–"

    title = f"{words.FIELDS.get(name, name)} ({part})" if part else str(words.FIELDS.get(name, name))
    return {
        "field": clash.field,
        "title": title,
        "base": shown(clash.base),
        "yours": shown(clash.yours),
        "theirs": shown(clash.theirs),
        "who": clash.who,
    }


def _reasons(grant: Grant, plan: str, node: str) -> list[tuple[str, str]]:
    """What a change may be because of: reviews of the node, and accepted proposals (those about the node first)."""
    found = []
    if node:
        found += [
            (
                f"review/{r.key}",
                _("Review of %(day)s: %(decision)s")
                % {"day": r.on.isoformat(), "decision": words.DECISIONS[r.decision]},
            )
            for r in reads.reviews(grant, plan, node, 10)
        ]
    accepted = voice.proposals(grant, state="accepted", limit=100).items
    for each in sorted(accepted, key=lambda p: p.node != node):
        found.append((f"proposal/{each.key}", _("Proposal: %(title)s") % {"title": each.title[:80]}))
    return found


def adopt(request: Request, plan: str, key: str) -> HttpResponse:
    """The adoption in two steps: body, day and gazette; then once more with what it changes, to confirm."""
    by = request.reader
    require(by, "planner", what=_("enter the adoption of a plan"))
    grant = _grant(request)
    form = forms.AdoptForm(request.POST or None)
    if request.POST.get("confirmed") == "1" and _sent(
        form, request, lambda given: verbs.adopt(by, plan=plan, version=key, **given)
    ):
        told = voice_verbs.tell_adopted(by, plan=plan, version=key)
        messages.success(request, _("The version is in force. Authors of proposals told: %(n)s.") % {"n": told})
        return HttpResponseRedirect(reverse("desk-plans-table", args=[plan]))
    diff = reads.diff(grant, plan, None, key)
    ready = request.method == "POST" and form.is_valid()
    return render(
        request,
        "desk/plans/adopt.html",
        {
            "plan": diff.plan,
            "diff": diff,
            "draft": version_words(diff.b),
            "form": form,
            "confirm": ready,
            "given": form.cleaned_data if ready else {},
            "number": len(diff.nodes),
            "crumbs": _crumbs(
                (_said(diff.plan.title), reverse("desk-plans-table", args=[plan])),
                (diff.b.label, reverse("desk-plans-draft", args=[plan, key])),
                (_("Adoption"), ""),
            ),
        },
        status=_status(form),
    )


urlpatterns = [
    *plans_table.urlpatterns,
    *plans_milestones.urlpatterns,
    path("plans", _list, name="desk-plans-list"),
    path("plans/<str:plan>", table, name="desk-plans-table"),
    path("plans/<str:plan>/begin", begin, name="desk-plans-begin"),
    path("plans/<str:plan>/review/<str:key>", review, name="desk-plans-review"),
    path("plans/<str:plan>/drafts/<str:key>", draft, name="desk-plans-draft"),
    path("plans/<str:plan>/drafts/<str:key>/open", open_node, name="desk-plans-open"),
    path("plans/<str:plan>/drafts/<str:key>/add", change, name="desk-plans-add"),
    path("plans/<str:plan>/drafts/<str:key>/adopt", adopt, name="desk-plans-adopt"),
    path("plans/<str:plan>/drafts/<str:key>/nodes/<str:node>", change, name="desk-plans-change"),
]
