"""A plan in the portal: its trees with branches that open, a list of what is asked for, a matrix, all for print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from krog.base.grant import Grant
from krog.base.text import say
from krog.catalogue import door
from krog.people import reads as people
from krog.plans import reads, states
from krog.plans.branches import Branches, branches, crossing
from krog.plans.shapes import Node, Tree, TreeOf
from krog.web import downloads
from krog.web.components.paging import here, offset_of, pager
from krog.web.components.tables import offers
from krog.web.portal import plans_filters
from krog.web.portal import plans_words as words
from krog.web.portal.plans_filters import Filters, areas
from krog.web.request import Request

#: Nodes that a list shows at once, and rows that a tree with open branches shows at most.
LIMIT = 100
ROWS = 600
#: A tree with so few tops shows their parts at once.
FEW = 3


def _said(text: Any) -> str:
    return str(say(text, get_language() or "sl"))


def _chosen(tree: Tree, key: str) -> TreeOf | None:
    """The tree asked for, else the plan's first; None for a plan with one tree."""
    return next((each for each in tree.plan.trees if each.key == key), next(iter(tree.plan.trees), None))


def line(tree: Tree, node: Node, base: str, suffix: str) -> dict[str, Any]:
    """A node as one line of a list."""
    mark, word = words.STATES[node.state.code]
    return {
        "node": node,
        "href": f"{base}/{node.key}{suffix}",
        "mark": mark,
        "word": word,
        "quiet": node.state.code == "no_data",
    }


def rows(
    request: Request,
    tree: Tree,
    found: Branches,
    begin: Sequence[str],
    opened: frozenset[str],
    suffix: str,
    at: int = 0,
    skip: int = 0,
) -> tuple[list[dict[str, Any]], bool]:
    """The lines of a tree with these branches open, ROWS of them after the first `skip`, and whether more follow; each
    says where it is opened and closed."""
    base = reverse("portal-plans-tree", args=[tree.plan.key])
    lines: list[dict[str, Any]] = []
    waiting: list[tuple[str, int, tuple[str, ...]]] = [(key, at, ()) for key in reversed(begin)]
    passed = 0
    while waiting and len(lines) < ROWS:
        key, depth, path = waiting.pop()
        below = found.children.get(key, ())
        is_open = key in opened and key not in path
        if is_open:
            waiting.extend((child, depth + 1, (*path, key)) for child in reversed(below) if child not in path)
        if passed < skip:
            passed += 1
            continue
        changed = opened - {key} if is_open else opened | {key}
        toggle = here(request, open=",".join(sorted(changed)) or None, branch=None, depth=None)
        lines.append(
            {
                **line(tree, tree.nodes[key], base, suffix),
                "depth": depth,
                "parts": len(below),
                "open": is_open,
                "toggle": toggle,
                "fetch": f"{toggle}{'&' if '?' in toggle else '?'}branch={key}&depth={depth}",
                "linked": bool(path) and (path[-1], key) in found.linked,
            }
        )
    return lines, bool(waiting)


def _opened(request: Request, tree: Tree, found: Branches) -> frozenset[str]:
    asked = request.GET.get("open")
    if asked is None:
        return frozenset(found.tops) if len(found.tops) <= FEW else frozenset()
    return frozenset(key for key in asked.split(",")[:200] if key in tree.nodes)


def matched(tree: Tree, keys: Iterable[str], suffix: str) -> list[dict[str, Any]]:
    """The nodes that a filter finds, each with what lies above it."""
    base = reverse("portal-plans-tree", args=[tree.plan.key])
    return [
        {
            **line(tree, tree.nodes[key], base, suffix),
            "above": [
                {"href": f"{base}/{up}{suffix}", "title": words.title(tree.nodes[up])} for up in tree.nodes[key].path
            ],
            "level": tree.plan.level(tree.nodes[key].level),
        }
        for key in keys
    ]


def matrix(request: Request, tree: Tree, filters: Filters) -> dict[str, Any]:
    """Areas against the nodes of a level that others lead to, or against states: how many, each a link to the list."""
    linked = {link.target for node in tree.nodes.values() for link in node.links if link.target != node.key}
    levels = [
        level
        for level in tree.plan.levels
        if any(tree.nodes[key].level == level.key for key in linked if key in tree.nodes)
    ]
    tops = {top for each in tree.plan.trees if each.by for top in each.top}
    across = request.GET.get("across", "") or next((level.key for level in levels if level.key in tops), "state")
    own = [each for each in tree.plan.trees if not each.by]
    lines = [tree.nodes[key] for key in branches(tree, own[0] if own else None).tops] if own else areas(tree)
    address = reverse("portal-plans-tree", args=[tree.plan.key])
    if across == "state":
        used = {node.state.code for node in tree.nodes.values()}
        columns = [
            {"key": code, "title": str(word), "words": str(word)}
            for code, (_m, word) in words.STATES.items()
            if code in used
        ]
        counted = {
            (area.key, code): n
            for area in lines
            for code, n in Counter(tree.nodes[key].state.code for key in tree.below(area.key)).items()
        }
        name = "state"
    else:
        nodes = [node for node in tree.nodes.values() if node.level == across][:40]
        columns = [
            {"key": node.key, "title": node.number or words.title(node), "words": words.title(node)} for node in nodes
        ]
        counted = crossing(tree, [area.key for area in lines], [node.key for node in nodes])
        name = "to"
    most = max(counted.values(), default=0)
    return {
        "columns": columns,
        "across": across,
        "choices": [("state", _("State")), *((level.key, _said(level.title)) for level in levels)],
        "lines": [
            {
                "node": area,
                "title": words.title(area),
                "cells": [
                    {
                        "count": counted.get((area.key, column["key"]), 0),
                        "href": f"{address}{filters.query(area=area.key, **{name: column['key']})}",
                        "words": column["words"],
                        "shade": -(-4 * counted.get((area.key, column["key"]), 0) // most) if most else 0,
                    }
                    for column in columns
                ],
            }
            for area in lines
        ],
    }


@offers(downloads.node_list)
def tree(request: Request, plan: str) -> HttpResponse:
    """A version of a plan: a tree with branches that open, what the filters find, the matrix, or all for print."""
    grant = door.open(request.reader, "portal")
    version = request.GET.get("version", "")
    found = reads.tree(grant, plan, version or None)
    filters = plans_filters.of(request)
    chosen = _chosen(found, request.GET.get("tree", ""))
    branch = branches(found, chosen)
    suffix = f"?version={version}" if version else ""
    if (key := request.GET.get("branch", "")) in found.nodes:
        return _one_branch(request, found, branch, key, suffix)
    shown = filters.keys(found)
    view = request.GET.get("view", "")
    view = view if view in ("matrix", "all") else "list" if filters.any else "tree"
    return render(
        request,
        "portal/plans/tree.html",
        {**_about(request, grant, found, filters, shown), **_view(request, found, filters, branch, shown, view, suffix)}
        | {
            "view": view,
            "trees": [
                {
                    "tree": each,
                    "current": each == chosen,
                    "href": here(request, tree=each.key, open=None, view=None, offset=None),
                }
                for each in found.plan.trees
            ]
            if len(found.plan.trees) > 1
            else [],
            "views": [
                {"href": here(request, view=name, open=None, offset=None), "title": title, "current": current}
                for name, title, current in (
                    (None, _("Tree") if not filters.any else _("What was found"), view in ("tree", "list")),
                    ("matrix", _("Matrix"), view == "matrix"),
                    ("all", _("All open, for print"), view == "all"),
                )
            ],
        },
    )


def _one_branch(request: Request, found: Tree, branch: Branches, key: str, suffix: str) -> HttpResponse:
    """A node's line with what is open below it, for a page that is there already."""
    depth = request.GET.get("depth", "0")
    at = int(depth) if depth.isascii() and depth.isdigit() and len(depth) < 3 else 0
    lines, more = rows(request, found, branch, [key], _opened(request, found, branch), suffix, at)
    return render(
        request,
        "portal/plans/_rows.html",
        {"rows": lines, "plan": found.plan, "stops": here(request, branch=None, depth=None) if more else ""},
    )


def _view(
    request: Request, found: Tree, filters: Filters, branch: Branches, shown: list[str], view: str, suffix: str
) -> dict[str, Any]:
    if view == "matrix":
        return {"matrix": matrix(request, found, filters)}
    if view == "list":
        offset = offset_of(request)
        offset = offset if offset < len(shown) else 0
        page = shown[offset : offset + LIMIT]
        return {
            "matches": matched(found, page, suffix),
            "pager": pager(request, shown=len(page), total=len(shown), limit=LIMIT, offset=offset),
        }
    if view == "all":
        base = reverse("portal-plans-tree", args=[found.plan.key])
        kept = {key for key in shown for key in (key, *found.nodes[key].path)} if filters.any else found.nodes
        return {
            "whole": [
                {**line(found, node, base, suffix), "depth": node.depth, "level": found.plan.level(node.level)}
                for node in found.nodes.values()
                if node.key in kept
            ]
        }
    skip = offset_of(request)
    lines, more = rows(request, found, branch, branch.tops, _opened(request, found, branch), suffix, skip=skip)
    return {
        "rows": lines,
        "earlier": here(request, offset=max(0, skip - ROWS) or None) if skip else "",
        "rest": here(request, offset=skip + ROWS) if more else "",
        "limit": ROWS,
    }


def _about(request: Request, grant: Grant, found: Tree, filters: Filters, shown: list[str]) -> dict[str, Any]:
    """What every view of a plan shows: filters, counts by state, versions in preparation."""
    from krog.web.portal.plans import version_words

    version = request.GET.get("version", "")
    offices = {office.key: office.title for office in people.offices(grant)}
    counts = []
    for code, n in states.counts(found, found.nodes).items():
        mark, word = words.STATES[code]
        href = here(request, state=code, open=None, offset=None, view=None)
        counts.append({"mark": mark, "word": word, "count": n, "href": href, "current": filters.state == code})
    to = found.nodes.get(filters.to)
    return {
        "tree": found,
        "plan": found.plan,
        "offices": offices,
        "shown": len(shown),
        "filters": filters,
        "counts": counts,
        "choices": plans_filters.choices(found, offices, filters, leave=("missing",)),
        "to": words.title(to) if to else "",
        "kept": {name: request.GET[name] for name in ("version", "tree", "to") if request.GET.get(name)},
        "version": version_words(found.version),
        "asked": version,
        "address": reverse("portal-plans-tree", args=[found.plan.key]),
        "all_query": f"?version={version}" if version else "",
        "open_versions": [version_words(v) for v in found.versions if v.is_open],
        "crumbs": [
            {"title": _("Plans"), "href": reverse("portal-plans-list")},
            {"title": _said(found.plan.title), "href": ""},
        ],
    }
