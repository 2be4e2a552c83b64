"""The columns of the planner's table: how each field of a node is shown, edited and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import Truncator
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from krog.base.text import say
from krog.plans.fields import NODE_STATUSES
from krog.plans.merging import flat
from krog.plans.shapes import Node, Plan, Tree
from krog.web.portal import plans_words as words


@dataclass(frozen=True)
class Column:
    """A field of the table: `name` is its flat name, `kind` text, area, choice, node or yes_no (of a field that is
    true or false) or fact (yes, no or nothing)."""

    name: str
    title: str
    kind: str = "text"
    options: Sequence[tuple[str, str]] = ()
    lang: str = ""
    wide: bool = False
    bulk: bool = False
    words: Mapping[str, str] = field(default_factory=dict)

    def shown(self, value: Any) -> str:
        """A value as people read it."""
        if self.kind == "yes_no":
            return _("yes") if value else ""
        if self.kind == "fact":
            return str({"yes": _("yes"), "no": _("no")}.get(value, value))
        return self.words.get(value, str(value)) if value != "" else ""


def columns(
    plan: Plan, languages: Sequence[str], offices: Mapping[str, Any], people: Mapping[str, str], statuses: Sequence[str]
) -> list[Column]:
    """The columns of a plan: those of all nodes, and the plan's own facts."""
    lang = get_language() or "sl"

    def said(text: Any) -> str:
        return str(say(text, lang))

    levels = [(level.key, said(level.title)) for level in plan.levels]
    named = sorted(((key, said(title)) for key, title in offices.items()), key=lambda pair: pair[1].casefold())
    holders = sorted(people.items(), key=lambda pair: pair[1].casefold())
    codes = list(dict.fromkeys([*(each.key for each in plan.statuses), *NODE_STATUSES, *statuses]))
    states = [(code, str(words.status(code, plan))) for code in codes]

    def choice(name: str, options: Sequence[tuple[str, str]]) -> Column:
        return Column(name, str(words.FIELDS[name]), "choice", options, bulk=True, words=dict(options))

    return [
        Column("number", str(words.FIELDS["number"])),
        *(
            Column(f"title.{each}", _("Title (%(language)s)") % {"language": each}, "area", lang=each, wide=True)
            for each in languages
        ),
        choice("level", levels),
        Column("parent", str(words.FIELDS["parent"]), "node", bulk=True),
        choice("office", named),
        choice("holder", holders),
        choice("status", states),
        Column("strategic", str(words.FIELDS["strategic"]), "yes_no", bulk=True),
        Column("horizon", str(words.FIELDS["horizon"]), bulk=True),
        *(
            Column(f"facts.{each.key}", said(each.title) or each.key, "fact", bulk=True)
            if each.type == "yes_no"
            else Column(f"facts.{each.key}", said(each.title) or each.key)
            for each in plan.facts
        ),
        Column("note", str(words.FIELDS["note"]), "area", wide=True),
    ]


def node_titles(tree: Tree) -> dict[str, str]:
    """Each node's number and title, short, for choosing the one above."""
    return {key: str(Truncator(words.title(node)).chars(70)) for key, node in tree.nodes.items()}


def read(column: Column, text: str) -> Any:
    """What a form sent as the field's value."""
    if column.kind == "yes_no":
        return text in ("1", "yes", "true", "on")
    return text.replace("\r\n", "\n").strip()


def sent(column: Column, value: Any) -> str:
    """A value as a form sends it."""
    if column.kind == "yes_no":
        return "1" if value else ""
    return str(value)


def cells(node: Node, chosen: Sequence[Column], titles: Mapping[str, str], trouble: Trouble | None = None) -> list[Any]:
    """The cells of a row: shown, as sent, and what is wrong or clashes in it."""
    values = flat(node.content())
    found = []
    for column in chosen:
        value = values.get(column.name, "")
        shown = titles.get(value, value) if column.kind == "node" else column.shown(value)
        cell = {"column": column, "shown": shown, "value": sent(column, value), "tried": sent(column, value)}
        if trouble:
            cell["wrong"] = trouble.wrong.get(column.name, "")
            if column.name in trouble.tried:
                cell["tried"] = trouble.tried[column.name]
                cell["was"] = trouble.was.get(column.name, cell["value"])
            if clash := trouble.clashes.get(column.name):
                base, yours, theirs = (
                    "" if side is None else titles.get(side, side) if column.kind == "node" else column.shown(side)
                    for side in (clash.base, clash.yours, clash.theirs)
                )
                cell["clash"] = {
                    "base": base,
                    "yours": yours,
                    "theirs": theirs,
                    "send": sent(column, clash.yours),
                    "who": clash.who,
                    "time": clash.time,
                }
        found.append(cell)
    return found


@dataclass(frozen=True)
class Trouble:
    """What could not be saved of a row: by flat field the words, what was tried, over what, and the clashes."""

    wrong: Mapping[str, str] = field(default_factory=dict)
    tried: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)
    clashes: Mapping[str, Any] = field(default_factory=dict)
    general: str = ""
