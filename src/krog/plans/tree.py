"""The tree of a version, made of its rows: order, depth, paths, and what is wrong with it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from krog.base.errors import Problem
from krog.plans.shapes import FIELDS, LINKS, Changed, Ground, Link, Node, NodeIndicator


def problems(
    parents: Mapping[str, str], links: Iterable[Link], indicators: Iterable[NodeIndicator] = ()
) -> list[Problem]:
    """Everything that keeps nodes (key → parent's key or "") and links from being a plan; empty when all is well."""
    found = [
        Problem(
            _("The node above it, “%(parent)s”, is not in this version.") % {"parent": parent},
            key,
            todo=_("Choose another, or none."),
        )
        for key, parent in parents.items()
        if parent and parent not in parents
    ]
    found += [
        Problem(_("It stands below itself."), key, todo=_("Choose another node above it."))
        for key in sorted(_on_cycles({key: [parent] if parent else [] for key, parent in parents.items()}))
    ]
    by_type: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    seen: set[tuple[str, str, str]] = set()
    for link in links:
        for end in (link.source, link.target):
            if end not in parents:
                found.append(
                    Problem(_("The node “%(end)s” is not in this version.") % {"end": end}, f"link {link.key}")
                )
        if link.source == link.target:
            found.append(Problem(_("A node cannot be linked to itself."), f"link {link.key}"))
        elif not LINKS[link.type].symmetric:
            by_type[link.type][link.source].append(link.target)
        else:
            pair = (link.type, min(link.source, link.target), max(link.source, link.target))
            if pair in seen:
                found.append(Problem(_("These two are linked already, the other way round."), f"link {link.key}"))
            seen.add(pair)
    for kind, graph in by_type.items():
        for key in sorted(_on_cycles(graph)):
            found.append(
                Problem(
                    _("Links “%(kind)s” lead from this node back to it.") % {"kind": kind},
                    key,
                    todo=_("Take one of them out."),
                )
            )
    for each in indicators:
        if each.node not in parents:
            found.append(
                Problem(
                    _("The node “%(node)s” is not in this version.") % {"node": each.node},
                    f"indicator {each.indicator}",
                )
            )
    return found


def _on_cycles(graph: Mapping[str, Sequence[str]]) -> set[str]:
    """The nodes that lie on a cycle: Tarjan's strongly connected components, without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    cyclic: set[str] = set()
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(graph.get(root, ())))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, children = work[-1]
            for child in children:
                if child not in index:
                    index[child] = low[child] = len(index)
                    stack.append(child)
                    on_stack.add(child)
                    work.append((child, iter(graph.get(child, ()))))
                    break
                if child in on_stack:
                    low[node] = min(low[node], index[child])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while True:
                        last = stack.pop()
                        on_stack.discard(last)
                        component.append(last)
                        if last == node:
                            break
                    if len(component) > 1 or node in graph.get(node, ()):
                        cyclic.update(component)
    return cyclic


def ordered(
    nodes: Mapping[str, Node], links: Iterable[Link] = (), indicators: Iterable[NodeIndicator] = ()
) -> dict[str, Node]:
    """The nodes in the order of reading with depth, path, children, links and indicators.

    What hangs below a node that is not here (not in this version, or not for this reader) is left out with it.
    """
    children: dict[str, list[Node]] = defaultdict(list)
    for node in nodes.values():
        children[node.parent].append(node)
    links_of: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        links_of[link.source].append(link)
        if link.target != link.source:
            links_of[link.target].append(link)
    indicators_of: dict[str, list[NodeIndicator]] = defaultdict(list)
    for each in indicators:
        indicators_of[each.node].append(each)
    found: dict[str, Node] = {}
    waiting: list[tuple[Node, tuple[str, ...]]] = [(node, ()) for node in _siblings(children[""])]
    while waiting:
        node, path = waiting.pop()
        below = _siblings(children.get(node.key, []))
        found[node.key] = node.with_(
            depth=len(path),
            path=path,
            children=tuple(child.key for child in reversed(below)),
            links=tuple(sorted(links_of[node.key], key=lambda link: link.key)),
            indicators=tuple(sorted(indicators_of[node.key], key=lambda i: (i.role != "measures", i.indicator))),
        )
        waiting.extend((child, (*path, node.key)) for child in below)
    if any(link.source not in found or link.target not in found for node in found.values() for link in node.links):
        found = {
            key: node.with_(links=tuple(link for link in node.links if link.source in found and link.target in found))
            for key, node in found.items()
        }
    return found


def _siblings(nodes: Sequence[Node]) -> list[Node]:
    """Last first, so that a stack gives them in order."""
    return sorted(nodes, key=lambda node: (node.order, node.key), reverse=True)


def compare(
    before: Mapping[str, Node], after: Mapping[str, Node], grounds: Iterable[Ground] = ()
) -> tuple[Changed, ...]:
    """The nodes that differ, in the order of reading of `after`, the removed ones at the end."""
    reasons: dict[str, list[Ground]] = defaultdict(list)
    for ground in grounds:
        reasons[ground.node].append(ground)
    found: list[Changed] = []
    for key, node in after.items():
        old = before.get(key)
        if old is None:
            found.append(Changed(key, None, node, grounds=tuple(reasons[key])))
        elif fields := differing(old.content(), node.content()):
            found.append(Changed(key, old, node, fields, tuple(reasons[key])))
    found += [Changed(key, old, None, grounds=tuple(reasons[key])) for key, old in before.items() if key not in after]
    return tuple(found)


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the fields that differ."""
    return tuple(name for name in FIELDS if before[name] != after[name])
