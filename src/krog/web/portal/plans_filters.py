"""What the address asks of a plan's nodes; the same words in the portal and at the planner's desk."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from krog.base.text import say
from krog.plans.branches import leading_to, under
from krog.plans.shapes import Node, Tree
from krog.web.portal import plans_words as words
from krog.web.request import Request

#: What may be missing of a node, as the planner asks for it.
MISSING = ("office", "holder", "indicator", "status")


@lru_cache(maxsize=20_000)
def folded(text: str) -> str:
    """Small letters without marks, so that "zdravje" and "Žale" are found as people type them."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@dataclass(frozen=True)
class Filters:
    """What lies below `area` (in any tree of the plan), of `level`, in `state`, of the office `who`, with `horizon`,
    `strategic` ("1"), with `text` in number, title or key, with the `status`, what is `missing` of it, and what leads
    `to` a node or below."""

    area: str = ""
    level: str = ""
    state: str = ""
    who: str = ""
    horizon: str = ""
    status: str = ""
    strategic: str = ""
    missing: str = ""
    to: str = ""
    text: str = ""

    @staticmethod
    def of(given: Mapping[str, Any]) -> Filters:
        """The filters of an address (or of a form's hidden fields)."""
        said = {each.name: str(given.get(each.name) or "")[:100].strip() for each in fields(Filters)}
        return Filters(**{**said, "strategic": "1" if said["strategic"] == "1" else ""})

    @property
    def any(self) -> bool:
        return self != Filters()

    @property
    def given(self) -> dict[str, str]:
        """The filters that say something, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if getattr(self, each.name)}

    def query(self, **changes: str) -> str:
        """The query of an address with these filters, some changed ("" takes one out); "" for none."""
        kept = {**self.given, **changes}
        said = urlencode({name: value for name, value in kept.items() if value})
        return f"?{said}" if said else ""

    def without(self, *names: str) -> Filters:
        return replace(self, **dict.fromkeys(names, ""))

    def fits(self, node: Node) -> bool:
        """Whether a node is asked for by what it says of itself, its text apart."""
        return (
            (not self.level or node.level == self.level)
            and (not self.state or node.state.code == self.state)
            and (not self.who or node.office == self.who)
            and (not self.horizon or self.horizon in node.horizon)
            and (not self.status or node.status == self.status)
            and (not self.strategic or node.strategic)
            and (not self.missing or _misses(node, self.missing))
        )

    def keys(self, tree: Tree) -> list[str]:
        """The nodes that are asked for, in the order of reading."""
        text = folded(self.text)
        leading = leading_to(tree, self.to) if self.to else frozenset()
        inside = under(tree, self.area) if self.area else frozenset()
        return [
            node.key
            for node in tree.nodes.values()
            if self.fits(node)
            and (not self.area or node.key in inside)
            and (not self.to or node.key in leading)
            and (not text or any(text in folded(str(t)) for t in (node.number, *node.title.values(), node.key)))
        ]


def _misses(node: Node, what: str) -> bool:
    if what == "indicator":
        return not any(each.role == "measures" for each in node.indicators)
    return what in MISSING and not getattr(node, what)


def choices(
    tree: Tree, offices: Mapping[str, Any], filters: Filters, leave: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The choices of the filters that this tree gives something to choose for: name, label, options (value, words)."""
    lang = get_language() or "sl"
    nodes = tree.nodes.values()

    def said(text: Any) -> str:
        return str(say(text, lang))

    levels = {level.key: sum(node.level == level.key for node in nodes) for level in tree.plan.levels}
    used = {name: {getattr(node, name) for node in nodes} - {""} for name in ("office", "status", "horizon")}
    single = {part.strip() for each in used["horizon"] for part in each.replace("/", ",").split(",")} - {""}
    found = [
        ("area", _("Area"), [(each.key, words.title(each)) for each in areas(tree)]),
        (
            "level",
            _("Level"),
            [
                (level.key, f"{said(level.title)} ({levels[level.key]})")
                for level in tree.plan.levels
                if levels[level.key]
            ],
        ),
        ("state", _("State"), [(code, str(word)) for code, (_mark, word) in words.STATES.items()]),
        ("who", _("Who"), sorted(((key, said(offices.get(key, {"und": key}))) for key in used["office"]), key=_second)),
        (
            "status",
            _("How far it is"),
            sorted(((k, str(words.status(k, tree.plan))) for k in used["status"]), key=_second),
        ),
        ("horizon", _("Horizon"), [(each, each) for each in sorted(single)]),
        ("missing", _("Missing"), [(each, str(words.MISSING[each])) for each in MISSING]),
    ]
    return [
        {"name": name, "label": label, "options": options, "chosen": getattr(filters, name)}
        for name, label, options in found
        if name not in leave and len(options) > 1
    ]


def _second(pair: tuple[str, str]) -> str:
    return folded(pair[1])


def areas(tree: Tree) -> list[Node]:
    """What a reader chooses an area from: the top nodes, or what lies below a single one."""
    roots = tree.roots
    return [tree.nodes[key] for key in (roots if len(roots) != 1 else tree.nodes[roots[0]].children)]


def of(request: Request) -> Filters:
    """The filters of a request's address."""
    return Filters.of(request.GET)
