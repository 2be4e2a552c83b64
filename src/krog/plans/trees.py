"""The several trees of a plan: which nodes stand in each, in the order of reading. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from krog.plans.shapes import Tree, TreeOf


@dataclass(frozen=True)
class Line:
    """One line of a tree: a node at its `depth`, below the nodes of `path`; `linked` when a link leads it here and its
    own place is in another tree. A node that is linked to several others stands below each of them."""

    key: str
    depth: int
    path: tuple[str, ...]
    linked: bool = False


def chosen(tree: Tree, key: str) -> TreeOf | None:
    """The tree that a reader asks for, else the plan's first; None where a plan has one tree alone."""
    return next((each for each in tree.plan.trees if each.key == key), next(iter(tree.plan.trees), None))


def lines(tree: Tree, of: TreeOf | None) -> list[Line]:
    """The lines of one of a plan's trees; of everything where it has none."""
    if of is None:
        return [Line(key, node.depth, node.path) for key, node in tree.nodes.items()]
    own = {key for key, node in tree.nodes.items() if tree.nodes[node.path[0] if node.path else key].level in of.top}
    guests = _guests(tree, of, own)
    return [line for key in tree.roots if key in own for line in _below(tree, key, guests, own)]


def _below(tree: Tree, key: str, guests: dict[str, list[str]], own: set[str]) -> Iterator[Line]:
    node = tree.nodes[key]
    yield Line(key, node.depth, node.path)
    for child in node.children:
        yield from _below(tree, child, guests, own)
    for guest in guests[key]:
        yield Line(guest, node.depth + 1, (*node.path, key), linked=True)


def _guests(tree: Tree, of: TreeOf, own: set[str]) -> dict[str, list[str]]:
    """Nodes of other trees by the node of this tree that they are linked to: the lowest of those on one path."""
    found: dict[str, list[str]] = defaultdict(list)
    if not of.by:
        return found
    for key, node in tree.nodes.items():
        if key in own:
            continue
        targets = {
            link.target for link in node.links if link.type == of.by and link.source == key and link.target in own
        }
        above = {step for target in targets for step in tree.nodes[target].path}
        for target in targets - above:
            found[target].append(key)
    return found
