"""What plans provide to others: the kinds that a city declares in its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

import msgspec

from krog.base.declaration import Declaration, Fields
from krog.base.errors import Invalid
from krog.plans import applying, models
from krog.plans.fields import cleaned
from krog.plans.shapes import FIELDS


class LevelFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}


class PlanFile(msgspec.Struct, forbid_unknown_fields=True):
    """`version`, `adopted_on` (a day), `adopting_body` and `gazette` are of the version that the files import."""

    key: str
    title: dict[str, str] = {}
    description: dict[str, str] = {}
    levels: list[LevelFile] = []
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


class LinkFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    source: str = ""
    target: str = ""
    type: Literal["contributes", "relates_to", "implements"] = "contributes"


class NodeIndicatorFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    node: str = ""
    indicator: str = ""
    role: Literal["measures", "context"] = "measures"


def _read_plans() -> Mapping[str, Fields]:
    first = {version.plan_id: version for version in models.Version.objects.filter(number=1)}
    found = {}
    for row in models.Plan.objects.filter(retired=False):
        version = first[row.pk]
        found[row.key] = {
            "title": row.title,
            "description": row.description,
            "levels": row.levels,
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


def _check_plan(fields: Fields) -> Sequence[str]:
    wrong = [f"A plan needs its {name}." for name in ("title", "dataset") if not fields.get(name)]
    keys = [level["key"] for level in fields.get("levels") or []]
    wrong += [f"The level {key!r} stands twice." for key in sorted({key for key in keys if keys.count(key) > 1})]
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
    """Whether the node's plan has its level."""
    plan = things["plan"].get(fields["plan"])
    levels = [level["key"] for level in plan["levels"]] if plan else []
    if levels and fields["level"] not in levels:
        return [f"level {fields['level']!r} is not one of the plan's: {', '.join(levels)}"]
    return []


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
)
