"""Several trees over the same nodes: what stands below a node in each, and how two of them cross. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from krog.plans.shapes import Tree, TreeOf


@dataclass(frozen=True)
class Branches:
    """One tree of a plan: its `tops`, and the `children` of every node in it: its own parts, then what leads into it by
    the tree's type of link from elsewhere (`linked` names those as (node, child))."""

    tops: tuple[str, ...]
    children: Mapping[str, tuple[str, ...]]
    linked: frozenset[tuple[str, str]] = frozenset()


def branches(tree: Tree, chosen: TreeOf | None) -> Branches:
    """The tree as it is chosen; without a choice all nodes below those that stand on top."""
    own = {key: node.children for key, node in tree.nodes.items()}
    if chosen is None:
        return Branches(tree.roots, own)
    tops = tuple(key for key in tree.roots if tree.nodes[key].level in chosen.top)
    if not chosen.by:
        return Branches(tops, own)
    inside = {key for top in tops for key in (top, *tree.below(top))}
    sources: dict[str, list[str]] = defaultdict(list)
    targets: dict[str, set[str]] = defaultdict(set)
    for key, node in tree.nodes.items():
        for link in node.links:
            if link.source == key and link.type == chosen.by:
                sources[link.target].append(key)
                targets[key].add(link.target)
    children: dict[str, tuple[str, ...]] = {}
    linked: set[tuple[str, str]] = set()
    for key, parts in own.items():
        deeper = set(tree.below(key)) if key in inside and sources[key] else set()
        more = [
            source
            for source in sources[key]
            if source not in inside
            and source not in parts
            and key not in tree.nodes[source].path
            # What leads to something deeper of the same branch stands there.
            and not targets[source] & deeper
        ]
        children[key] = (*parts, *more)
        linked |= {(key, source) for source in more}
    return Branches(tops, children, frozenset(linked))


def under(tree: Tree, key: str) -> frozenset[str]:
    """A node and all that stands below it: its parts, and for a node of a tree that goes by links what these bring."""
    if key not in tree.nodes:
        return frozenset()
    found = {key, *tree.below(key)}
    for each in tree.plan.trees:
        if not each.by or not any(tree.nodes[up].level in each.top for up in (key, *tree.nodes[key].path)):
            continue
        children = branches(tree, each).children
        reached, waiting = {key}, [key]
        while waiting:
            for child in children[waiting.pop()]:
                if child not in reached:
                    reached.add(child)
                    waiting.append(child)
        found |= reached
    return frozenset(found)


def leading_to(tree: Tree, target: str) -> frozenset[str]:
    """The nodes that link to a node or to something below it, whatever the type of a link that leads somewhere."""
    if target not in tree.nodes:
        return frozenset()
    ends = {target, *tree.below(target)}
    return frozenset(
        link.source for key in ends for link in tree.nodes[key].links if link.target == key and link.source not in ends
    )


def crossing(tree: Tree, rows: Iterable[str], columns: Iterable[str]) -> dict[tuple[str, str], int]:
    """How many nodes of each row's branch lead to each column (or below it); pairs without any are left out."""
    leading = {column: leading_to(tree, column) for column in columns}
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        branch = {row, *tree.below(row)}
        for column, sources in leading.items():
            if count := len(branch & sources):
                found[row, column] = count
    return found
