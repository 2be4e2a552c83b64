"""A plan as a table: one row a node, its columns with what they mean, and a node as a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from krog.base.text import say
from krog.plans.fields import NODE_STATUSES
from krog.plans.shapes import LINK_TYPES, Node, Plan, Tree
from krog.tables.columns import MARK, Column, mark_of


def languages_of(tree: Tree, languages: Sequence[str]) -> tuple[str, ...]:
    """The city's languages, then those that the plan speaks besides."""
    spoken = {code for node in tree.nodes.values() for text in (node.title, node.text) for code in text}
    return (*languages, *sorted(spoken - set(languages)))


def columns(plan: Plan, languages: Sequence[str], language: str, *, marked: bool = False) -> tuple[Column, ...]:
    """The columns of a plan's nodes; texts have one column for each language."""
    levels = {level.key: str(say(level.title, language)) for level in plan.levels}
    found = [
        Column(
            "key", _("Key"), meaning=_("The node's lasting name in all versions; give new nodes a new one."), width=18
        ),
        Column(
            "parent", _("Below"), meaning=_("The key of the node above; empty at the top."), also=("parent",), width=18
        ),
        Column("number", _("Number")),
        Column("level", _("Level"), "choice" if levels else "text", choices=levels),
        Column("order", _("Order"), "integer", meaning=_("Place among its neighbours; the smallest first.")),
    ]
    found += [Column(f"title.{code}", f"{_('Title')} {code}", width=40) for code in languages]
    found += [Column(f"text.{code}", f"{_('Text')} {code}", width=40) for code in languages]
    found += [
        Column("office", _("Office"), meaning=_("The key of an office.")),
        Column("status", _("Status"), meaning=", ".join(NODE_STATUSES)),
        Column("strategic", _("Strategic"), "boolean"),
        Column("horizon", _("Horizon")),
        Column("note", _("Note")),
        Column("source", _("Source")),
        Column("links", _("Links"), width=30, meaning=_(
            "Type and key, as in “contributes:goal-1, relates_to:goal-2”. Types: %(types)s."
        ) % {"types": ", ".join(LINK_TYPES)}),
    ]  # fmt: skip
    if marked:
        found.append(
            Column(MARK, _("Mark"), meaning=_("Krog sees by it whether a row has changed. Leave it."), hidden=True)
        )
    return tuple(found)


def values_of(node: Node) -> dict[str, Any]:
    """A node as a row by the columns' names, without its mark."""
    return {
        "key": node.key,
        "parent": node.parent or None,
        "number": node.number or None,
        "level": node.level or None,
        "order": node.order,
        **{f"title.{code}": text for code, text in node.title.items()},
        **{f"text.{code}": text for code, text in node.text.items()},
        "office": node.office or None,
        "status": node.status or None,
        "strategic": node.strategic,
        "horizon": node.horizon or None,
        "note": node.note or None,
        "source": node.source or None,
        "links": links_text((link.type, link.target) for link in node.links if link.source == node.key) or None,
    }


def links_text(links: Any) -> str:
    """Links from a node as one cell says them, in order."""
    return ", ".join(sorted(f"{kind}:{target}" for kind, target in links))


def links_of(text: str) -> list[tuple[str, str]]:
    """The links (type, key) that a cell says; ValueError where one is not of this form."""
    found = []
    for part in text.replace(";", ",").replace("\n", ",").split(","):
        if not part.strip():
            continue
        kind, colon, target = part.strip().partition(":")
        if not colon or kind.strip() not in LINK_TYPES or not target.strip():
            raise ValueError(part.strip())
        found.append((kind.strip(), target.strip()))
    return sorted(set(found))


def row_of(node: Node, shown: Sequence[Column]) -> Mapping[str, Any]:
    """A node as a row, with its mark where the columns have one."""
    row = values_of(node)
    return {**row, MARK: mark_of(shown, row)} if shown and shown[-1].name == MARK else row
