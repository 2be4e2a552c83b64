"""The Open API of plans: what is in force, versions, differences, reviews; drafts for planners only."""

from __future__ import annotations

from typing import Any

from ninja import Router

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.catalogue import door
from krog.plans import milestones, reads, shapes
from krog.web.request import Request

router = Router(tags=["plans"])


def _grant(request: Request) -> Grant:
    return door.open(request.reader, "api")


def _day(day: Any) -> str | None:
    return day.isoformat() if day else None


def _version(version: shapes.Version | None) -> dict[str, Any] | None:
    if version is None:
        return None
    return {
        "key": version.key,
        "number": version.number,
        "label": version.label,
        "status": version.status,
        "imported": version.imported,
        "adopted_on": _day(version.adopted_on),
        "adopting_body": version.adopting_body,
        "gazette": version.gazette,
        "consultation_until": _day(version.consultation_until),
        "parent": version.parent or None,
        "created": times.iso(version.created),
    }


def _plan(plan: shapes.Plan) -> dict[str, Any]:
    return {
        "key": plan.key,
        "title": dict(plan.title),
        "description": dict(plan.description),
        "organisation": plan.organisation,
        "horizon": plan.horizon,
        "source": plan.source,
        "dataset": plan.dataset,
        "levels": [{"key": level.key, "title": dict(level.title)} for level in plan.levels],
        "trees": [
            {"key": each.key, "title": dict(each.title), "top": list(each.top), "by": each.by or None}
            for each in plan.trees
        ],
        "statuses": [{"key": each.key, "title": dict(each.title)} for each in plan.statuses],
        "facts": [{"key": each.key, "title": dict(each.title), "type": each.type} for each in plan.facts],
        "in_force": _version(plan.in_force),
    }


def _node(node: shapes.Node) -> dict[str, Any]:
    return {
        "key": node.key,
        **node.content(),
        "depth": node.depth,
        "children": list(node.children),
        "state": node.state.code,
        "reasons": [{"code": r.code, "about": r.about or None, "details": list(r.details)} for r in node.state.reasons],
        "indicators": [{"indicator": each.indicator, "role": each.role} for each in node.indicators],
        "links": [{"source": link.source, "target": link.target, "type": link.type} for link in node.links],
    }


def _milestone(each: shapes.Milestone) -> dict[str, Any]:
    return {
        "key": each.key,
        "node": each.node,
        "title": dict(each.title),
        "due": _day(each.due),
        "done_on": _day(each.done_on),
        "office": each.office or None,
    }


@router.get("/", summary="Plans with the version in force and the number of nodes by level")
def plans(request: Request) -> list[dict[str, Any]]:
    return [
        {**_plan(card.plan), "nodes": card.nodes, "by_level": dict(card.by_level)}
        for card in reads.plans(_grant(request))
    ]


@router.get("/{plan}", summary="A plan with the whole tree of a version (without one: of the version in force)")
def plan(request: Request, plan: str, version: str | None = None) -> dict[str, Any]:
    grant = _grant(request)
    tree = reads.tree(grant, plan, version)
    return {
        **_plan(tree.plan),
        "version": _version(tree.version),
        "nodes": [_node(n) for n in tree.nodes.values()],
        "milestones": [_milestone(each) for each in milestones.milestones(grant, plan) if each.node in tree.nodes],
    }


@router.get("/{plan}/versions", summary="The versions of a plan, newest first")
def versions(request: Request, plan: str) -> list[dict[str, Any] | None]:
    return [_version(version) for version in reads.versions(_grant(request), plan)]


@router.get("/{plan}/diff", summary="What leads from version a (without one: the version in force) to version b")
def diff(request: Request, plan: str, b: str, a: str | None = None) -> dict[str, Any]:
    found = reads.diff(_grant(request), plan, a, b)
    return {
        "a": _version(found.a),
        "b": _version(found.b),
        "nodes": [
            {
                "key": each.key,
                "kind": each.kind,
                "fields": list(each.fields),
                "before": each.before.content() if each.before else None,
                "after": each.after.content() if each.after else None,
                "because": [{"ref": str(g.ref) if g.ref else None, "note": g.note} for g in each.grounds],
            }
            for each in found.nodes
        ],
        "links_added": [link.key for link in found.links_added],
        "links_removed": [link.key for link in found.links_removed],
        "indicators_added": [f"{each.node}--{each.indicator}" for each in found.indicators_added],
        "indicators_removed": [f"{each.node}--{each.indicator}" for each in found.indicators_removed],
    }


@router.get("/{plan}/{key}", summary="A node of a version with its state, its reviews and the versions that changed it")
def node(request: Request, plan: str, key: str, version: str | None = None) -> dict[str, Any]:
    grant = _grant(request)
    tree = reads.tree(grant, plan, version)
    if key not in tree.nodes:
        raise NotFound(f"The plan {plan!r} has no node {key!r} in this version.", "node")
    changes = reads.changes_of_node(grant, tree.versions, key)
    return {
        "plan": plan,
        "version": _version(tree.version),
        **_node(tree.nodes[key]),
        "path": list(tree.nodes[key].path),
        "milestones": [_milestone(each) for each in milestones.milestones(grant, plan, [key])],
        "versions": [{"version": v.key, "kind": kind} for v, kind in changes],
        "reviews": [
            {
                "key": r.key,
                "on": _day(r.on),
                "version": r.version,
                "judgement": r.judgement,
                "decision": r.decision,
                "note": r.note,
                "office": r.office,
                "facts": [
                    {
                        "indicator": f.indicator,
                        "period": f.period,
                        "value": f.value,
                        "unit": f.unit,
                        "verdict": f.verdict,
                    }
                    for f in r.facts
                ],
            }
            for r in reads.reviews(grant, plan, key)
        ],
    }
