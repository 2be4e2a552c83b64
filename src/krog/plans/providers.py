"""What plans provide to others: the kinds that a city declares in its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec

from krog.base.declaration import Declaration, Fields
from krog.base.errors import Invalid
from krog.plans import applying, models
from krog.plans.fields import CODE, cleaned
from krog.plans.shapes import FIELDS, LINKS


class LevelFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}


class TreeFile(msgspec.Struct, forbid_unknown_fields=True):
    """One of several trees over the same nodes: `top` names the levels of its tops, `by` the type of link through which
    nodes of other trees stand in it too."""

    key: str
    title: dict[str, str] = {}
    top: list[str] = []
    by: str = ""


class StatusFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}


class FactFile(msgspec.Struct, forbid_unknown_fields=True):
    """A fact that the plan's nodes may have, in the column `facts.key`; of the type `text` or `yes_no` (yes, no)."""

    key: str
    title: dict[str, str] = {}
    type: Literal["text", "yes_no"] = "text"


class PlanFile(msgspec.Struct, forbid_unknown_fields=True):
    """`version`, `adopted_on` (a day), `adopting_body` and `gazette` are of the version that the files import."""

    key: str
    title: dict[str, str] = {}
    description: dict[str, str] = {}
    levels: list[LevelFile] = []
    trees: list[TreeFile] = []
    statuses: list[StatusFile] = []
    facts: list[FactFile] = []
    organisation: str = ""
    horizon: str = ""
    source: str = ""
    dataset: str = ""
    version: str = ""
    adopted_on: str = ""
    adopting_body: str = ""
    gazette: str = ""


class NodeFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    plan: str = ""
    level: str = ""
    number: str = ""
    title: dict[str, str] = {}
    text: dict[str, str] = {}
    parent: str = ""
    order: int = 0
    organisation: str = ""
    office: str = ""
    holder: str = ""
    status: str = ""
    strategic: bool = False
    horizon: str = ""
    note: str = ""
    source: str = ""
    facts: dict[str, str] = {}


class LinkFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    source: str = ""
    target: str = ""
    type: Literal[
        "contributes",
        "implements",
        "addresses_challenge",
        "derived_from_finding",
        "depends_on",
        "relates_to",
        "synergy",
        "conflict",
    ] = "contributes"


class NodeIndicatorFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    node: str = ""
    indicator: str = ""
    role: Literal["measures", "context"] = "measures"


class MilestoneFile(msgspec.Struct, forbid_unknown_fields=True):
    """A step of a node: `due` and `done_on` are days; without `done_on` it is not done yet."""

    key: str
    node: str = ""
    title: dict[str, str] = {}
    due: str = ""
    done_on: str = ""
    office: str = ""
    note: str = ""
    source: str = ""


def _read_plans() -> Mapping[str, Fields]:
    first = {version.plan_id: version for version in models.Version.objects.filter(number=1)}
    found = {}
    for row in models.Plan.objects.filter(retired=False):
        version = first[row.pk]
        found[row.key] = {
            "title": row.title,
            "description": row.description,
            "levels": row.levels,
            "trees": row.trees,
            "statuses": row.statuses,
            "facts": row.facts,
            "organisation": row.organisation,
            "horizon": row.horizon,
            "source": row.source,
            "dataset": row.dataset,
            "version": version.label,
            "adopted_on": version.adopted_on.isoformat() if version.adopted_on else "",
            "adopting_body": version.adopting_body,
            "gazette": version.gazette,
        }
    return found


def _read_nodes() -> Mapping[str, Fields]:
    rows = models.Node.objects.filter(draft=None, until=None, plan__retired=False).values("key", "plan__key", *FIELDS)
    return {row.pop("key"): {"plan": row.pop("plan__key"), **row} for row in rows}


def _read_links() -> Mapping[str, Fields]:
    rows = models.Link.objects.filter(draft=None, until=None, plan__retired=False)
    return {row.key: {"source": row.source, "target": row.target, "type": row.type} for row in rows}


def _read_indicators() -> Mapping[str, Fields]:
    rows = models.NodeIndicator.objects.filter(draft=None, until=None, plan__retired=False)
    return {row.key: {"node": row.node, "indicator": row.indicator, "role": row.role} for row in rows}


def _read_milestones() -> Mapping[str, Fields]:
    rows = models.Milestone.objects.filter(retired=False, plan__retired=False)
    return {
        row.key: {
            "node": row.node,
            "title": row.title,
            "due": row.due.isoformat() if row.due else "",
            "done_on": row.done_on.isoformat() if row.done_on else "",
            "office": row.office,
            "note": row.note,
            "source": row.source,
        }
        for row in rows
    }


def _check_plan(fields: Fields) -> Sequence[str]:
    wrong = [f"A plan needs its {name}." for name in ("title", "dataset") if not fields.get(name)]
    keys = [level["key"] for level in fields.get("levels") or []]
    wrong += [f"The level {key!r} stands twice." for key in sorted({key for key in keys if keys.count(key) > 1})]
    for name, one in (("trees", "tree"), ("statuses", "status"), ("facts", "fact")):
        used = [each["key"] for each in fields.get(name) or []]
        wrong += [f"The {one} {key!r} stands twice." for key in sorted({key for key in used if used.count(key) > 1})]
        wrong += [f"{key!r} is no key of a {one}: a-z 0-9 _ . -" for key in used if not CODE.match(key) or not key]
    for tree in fields.get("trees") or []:
        wrong += [f"The tree {tree['key']!r} begins at no level {top!r}." for top in tree["top"] if top not in keys]
        wrong += [f"The tree {tree['key']!r} needs its levels on top."] if not tree["top"] else []
        if tree["by"] and tree["by"] not in LINKS:
            wrong.append(f"There are no links {tree['by']!r}; there are {', '.join(LINKS)}.")
    if (on := fields.get("adopted_on")) and not _is_day(on):
        wrong.append(f"adopted_on {on!r} is not a day such as 2025-06-18.")
    return wrong


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _check_node(fields: Fields) -> Sequence[str]:
    if not fields.get("plan"):
        return ["A node needs its plan."]
    try:
        cleaned(
            {name: fields[name] for name in FIELDS if name in fields and name != "office"},
            node="",
            levels=(),
            offices=(),
        )
    except Invalid as error:
        return [str(problem).strip() for problem in error.problems]
    return []


def _check_node_among(fields: Fields, things: Mapping[str, Mapping[str, Fields]]) -> Sequence[str]:
    """Whether the node's plan has its level and its facts."""
    plan = things["plan"].get(fields["plan"])
    levels = [level["key"] for level in plan["levels"]] if plan else []
    if levels and fields["level"] not in levels:
        return [f"level {fields['level']!r} is not one of the plan's: {', '.join(levels)}"]
    types = {each["key"]: each["type"] for each in plan["facts"]} if plan else {}
    return [
        f"facts.{key} is not one of the plan's: {', '.join(types) or 'it declares none'}"
        if key not in types
        else f"facts.{key} {text!r} is neither yes nor no"
        for key, text in (fields.get("facts") or {}).items()
        if key not in types or (types[key] == "yes_no" and text not in ("yes", "no", ""))
    ]


def _check_milestone(fields: Fields) -> Sequence[str]:
    wrong = [f"A milestone needs its {name}." for name in ("node", "title") if not fields.get(name)]
    return wrong + [
        f"{name} {fields[name]!r} is not a day such as 2027-06-30."
        for name in ("due", "done_on")
        if fields.get(name) and not _is_day(fields[name])
    ]


DECLARATIONS: tuple[Declaration, ...] = (
    Declaration(
        "plan",
        "plan/plan.toml",
        PlanFile,
        _read_plans,
        applying.declare_plans,
        refs={"organisation": "organisation", "dataset": "dataset"},
        check=_check_plan,
    ),
    Declaration(
        "node",
        "plan/nodes.csv",
        NodeFile,
        _read_nodes,
        applying.declare_nodes,
        refs={
            "plan": "plan",
            "parent": "node",
            "organisation": "organisation",
            "office": "office",
            "holder": "account",
        },
        check=_check_node,
        check_among=_check_node_among,
        quoted=True,
    ),
    Declaration(
        "link",
        "plan/links.csv",
        LinkFile,
        _read_links,
        applying.declare_links,
        refs={"source": "node", "target": "node"},
        key="{source}--{type}--{target}",
    ),
    Declaration(
        "node_indicator",
        "plan/indicators.csv",
        NodeIndicatorFile,
        _read_indicators,
        applying.declare_indicators,
        refs={"node": "node", "indicator": "indicator"},
        key="{node}--{indicator}",
    ),
    Declaration(
        "milestone",
        "plan/milestones.csv",
        MilestoneFile,
        _read_milestones,
        applying.declare_milestones,
        refs={"node": "node", "office": "office"},
        check=_check_milestone,
    ),
)
