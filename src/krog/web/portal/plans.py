"""Pages of plans in the portal: plans, the tree with its filters, a node, versions and what changed between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.text import say
from krog.catalogue import door
from krog.people import reads as people
from krog.plans import milestones, reads, states
from krog.plans.shapes import FIELDS, Diff, Link, Node, Tree, Version
from krog.voice import reads as voice
from krog.web import downloads
from krog.web.components.tables import offers
from krog.web.portal import plans_tree
from krog.web.portal import plans_words as words
from krog.web.request import Request

#: Nodes that a list shows at once; the tree shows all, folded.
REVIEWS = 10


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "portal")


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    return [{"title": _("Plans"), "href": reverse("portal-plans-list")}, *({"title": t, "href": h} for t, h in more)]


def _said(text: Any) -> str:
    return str(say(text, get_language() or "sl"))


def version_words(version: Version) -> dict[str, Any]:
    """A version with its mark and words."""
    mark, word = words.VERSION_STATUSES[version.status]
    if version.in_force and version.imported and version.adopted_on is None:
        mark, word = "none", _("current; no adoption on record")
    return {"version": version, "mark": mark, "word": word}


@offers(downloads.plan_list)
def plans(request: Request) -> HttpResponse:
    """All plans, each with the version in force and its size."""
    cards = [
        {
            "card": card,
            "href": reverse("portal-plans-tree", args=[card.plan.key]),
            "levels": [(card.plan.level(key), n) for key, n in card.by_level.items()],
        }
        for card in reads.plans(_grant(request))
    ]
    return render(request, "portal/plans/list.html", {"cards": cards, "crumbs": _crumbs()})


def indicator_rows(found: Tree, node: Node) -> list[dict[str, Any]]:
    """The indicators of a node: value, target, verdict, and whether the target is clear."""
    lines = []
    for each in node.indicators:
        standing = found.standings.get(each.indicator)
        if standing is None:
            continue
        about, latest, evaluation = standing.indicator, standing.latest, standing.evaluation
        mark, word = words.VERDICTS[
            str(evaluation.verdict) if evaluation else "no_data" if latest is None else "not_evaluable"
        ]
        unclear = sorted(
            {target.parse_status for target in about.targets if not target.readable} | ({about.parse_status} - {"ok"})
        )
        lines.append(
            {
                "standing": standing,
                "indicator": about,
                "latest": latest,
                "role": each.role,
                "mark": mark,
                "word": word,
                "target": evaluation.target if evaluation else None,
                "unclear": bool(unclear),
                "why": words.no_verdict(evaluation.reasons)
                if evaluation and str(evaluation.verdict) == "not_evaluable"
                else "",
                "note": about.parse_note,
                "raw": about.raw,
                "href": f"/{get_language()}/indicators/{about.key}",
            }
        )
    return lines


def link_rows(found: Tree, node: Node) -> list[dict[str, Any]]:
    """The links of a node, each in words from its side."""
    lines = []
    order = {key: place for place, key in enumerate(found.nodes)}
    types = list(words.LINKS)

    def place(link: Link) -> tuple[bool, int, int]:
        there = link.source == node.key
        return not there, types.index(link.type), order[link.target if there else link.source]

    for link in sorted(node.links, key=place):
        there = link.source == node.key
        other = found.nodes[link.target if there else link.source]
        lines.append(
            {
                "words": words.LINKS[link.type][0 if there else 1],
                "node": other,
                "href": reverse("portal-plans-node", args=[found.plan.key, other.key]),
            }
        )
    return lines


def node(request: Request, plan: str, key: str) -> HttpResponse:
    """One node: purpose, state with reasons, who, indicators, reviews, proposals, versions, source."""
    grant = _grant(request)
    asked = request.GET.get("version", "")
    found = reads.tree(grant, plan, asked or None)
    if key not in found.nodes:
        raise NotFound(
            _("This version of the plan has no node %(key)s.") % {"key": key},
            "node",
            todo=_("It may stand in another version."),
            extra={"versions": reverse("portal-plans-versions", args=[plan])},
        )
    one = found.nodes[key]
    suffix = f"?version={asked}" if asked else ""
    office = next((o for o in people.offices(grant) if o.key == one.office), None) if one.office else None
    calls, proposals = voice.about_node(grant, plan, key)
    mark, word = words.STATES[one.state.code]
    below = found.below(key)
    mine = [] if asked else milestones.milestones(grant, plan, [key])
    return render(
        request,
        "portal/plans/node.html",
        {
            "tree": found,
            "plan": found.plan,
            "node": one,
            "level": found.plan.level(one.level),
            "mark": mark,
            "word": word,
            "reasons": [words.reason(each) for each in one.state.reasons],
            "status": words.status(one.status, found.plan) if one.status else "",
            "office": office,
            "indicators": indicator_rows(found, one),
            "links": link_rows(found, one),
            "facts": [
                (words.fact_title(found.plan, each), {"yes": _("yes"), "no": _("no")}.get(value, value))
                for each, value in one.facts.items()
            ],
            "milestones": mine,
            "next": milestones.upcoming(mine),
            "today": milestones.today(),
            "children": rows_of(found, one.children, suffix),
            "below": len(below),
            "below_states": [(*words.STATES[code], n) for code, n in states.counts(found, below).items()],
            "reviews": [review_words(each) for each in reads.reviews(grant, plan, key, REVIEWS)],
            "proposals": [(each, words.PROPOSAL_STATES[each.state]) for each in proposals],
            "calls": calls,
            "changes": [(version_words(v), kind) for v, kind in reads.changes_of_node(grant, found.versions, key)],
            "version": version_words(found.version),
            "asked": asked,
            "crumbs": _crumbs(
                (_said(found.plan.title), reverse("portal-plans-tree", args=[plan]) + suffix),
                *(
                    (words.title(found.nodes[up]), reverse("portal-plans-node", args=[plan, up]) + suffix)
                    for up in one.path
                ),
                (words.title(one), ""),
            ),
        },
    )


def rows_of(found: Tree, keys: Iterable[str], suffix: str = "") -> list[dict[str, Any]]:
    """Some nodes with their states in words."""
    lines = []
    for key in keys:
        mark, word = words.STATES[found.nodes[key].state.code]
        lines.append(
            {
                "node": found.nodes[key],
                "mark": mark,
                "word": word,
                "below": len(found.below(key)),
                "href": reverse("portal-plans-node", args=[found.plan.key, key]) + suffix,
            }
        )
    return lines


def review_words(review: Any) -> dict[str, Any]:
    """A review with its judgement and decision in words."""
    mark, word = words.JUDGEMENTS[review.judgement]
    return {
        "review": review,
        "mark": mark,
        "word": word,
        "decision": words.DECISIONS[review.decision],
        "facts": [{"fact": fact, "word": words.VERDICTS[fact.verdict][1]} for fact in review.facts],
    }


def history(request: Request, plan: str, key: str) -> HttpResponse:
    """What was done to a node, when and why."""
    grant = _grant(request)
    one = reads.node(grant, plan, key)
    return render(
        request,
        "portal/plans/history.html",
        {
            "node": one,
            "entries": [words.entry(each) for each in reads.history(grant, plan, key)],
            "crumbs": _crumbs(
                (_said(reads.plan(grant, plan).title), reverse("portal-plans-tree", args=[plan])),
                (words.title(one), reverse("portal-plans-node", args=[plan, key])),
                (_("History"), ""),
            ),
        },
    )


def versions(request: Request, plan: str) -> HttpResponse:
    """The versions of a plan, and the choice of two to compare."""
    grant = _grant(request)
    found = reads.versions(grant, plan)
    title = _said(reads.plan(grant, plan).title)
    return render(
        request,
        "portal/plans/versions.html",
        {
            "plan": plan,
            "versions": [version_words(v) for v in found],
            "many": len(found) > 1,
            "crumbs": _crumbs((title, reverse("portal-plans-tree", args=[plan])), (_("Versions"), "")),
        },
    )


def change_rows(diff: Diff, kind: str, offices: dict[str, Any]) -> list[dict[str, Any]]:
    """The nodes added, removed or changed: what differs side by side, or what a new one says, in words."""
    found = []
    for each in diff.of(kind):
        fields = []
        for name in each.fields or (FIELDS if kind == "added" else ()):
            before, after = (
                shown_field(diff, side, name, offices, other)
                for side, other in ((each.before, each.after), (each.after, each.before))
            )
            if before or after:
                fields.append({"name": words.FIELDS[name], "before": before, "after": after})
        grounds = [{"ground": g, "href": ground_address(g.ref)} for g in each.grounds]
        found.append({"change": each, "node": each.node, "fields": fields, "grounds": grounds})
    return found


def shown_field(diff: Diff, side: Node | None, name: str, offices: dict[str, Any], other: Node | None = None) -> str:
    """A field of a node as people read it; empty for nothing. Of a text, only the languages that differ."""
    if side is None:
        return ""
    value = getattr(side, name)
    if name in ("title", "text"):
        same = getattr(other, name) if other is not None else {}
        return "\n".join(f"{lang}: {text}" for lang, text in sorted(value.items()) if same.get(lang) != text)
    if name == "facts":
        same = getattr(other, name) if other is not None else {}
        differ = [fact for fact in sorted({*value, *same}) if value.get(fact) != same.get(fact) and fact in value]
        return "\n".join(f"{_said(words.fact_title(diff.plan, fact))}: {value[fact]}" for fact in differ)
    if name == "strategic":
        return _("yes") if value else ""
    if name == "order":
        return str(value) if value else ""
    if name == "status":
        return str(words.status(value, diff.plan)) if value else ""
    named = {"office": offices, "parent": diff.titles, "level": {level.key: level.title for level in diff.plan.levels}}
    title = named.get(name, {}).get(value)
    return f"{value} {_said(title)}" if name == "parent" and title else _said(title) if title else str(value)


def ground_address(ref: Any) -> str:
    """The page of what a change is because of, if it has one."""
    return reverse("portal-voice-proposal", args=[ref.key]) if ref is not None and ref.noun == "proposal" else ""


def diff(request: Request, plan: str) -> HttpResponse:
    """What leads from one version to another, side by side."""
    grant = _grant(request)
    a, b = request.GET.get("a", ""), request.GET.get("b", "")
    all_versions = reads.versions(grant, plan)
    if not b:
        b = next((v.key for v in all_versions if v.is_open), next((v.key for v in all_versions if v.in_force), ""))
    found = reads.diff(grant, plan, a or None, b)
    offices = {office.key: office.title for office in people.offices(grant)}
    return render(
        request,
        "portal/plans/diff.html",
        {
            "plan": found.plan,
            "diff": found,
            "a": version_words(found.a),
            "b": version_words(found.b),
            "versions": all_versions,
            "added": change_rows(found, "added", offices),
            "removed": change_rows(found, "removed", offices),
            "changed": change_rows(found, "changed", offices),
            "crumbs": _crumbs(
                (_said(found.plan.title), reverse("portal-plans-tree", args=[plan])),
                (_("Versions"), reverse("portal-plans-versions", args=[plan])),
                (_("What changed"), ""),
            ),
        },
    )


urlpatterns = [
    path("plans/", plans, name="portal-plans-list"),
    path("plans/<str:plan>", plans_tree.tree, name="portal-plans-tree"),
    path("plans/<str:plan>/versions", versions, name="portal-plans-versions"),
    path("plans/<str:plan>/diff", diff, name="portal-plans-diff"),
    path("plans/<str:plan>/<str:key>", node, name="portal-plans-node"),
    path("plans/<str:plan>/<str:key>/history", history, name="portal-plans-history"),
]
