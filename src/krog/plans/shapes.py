"""Frozen values of plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from krog.base.ids import Ref
from krog.base.text import Text
from krog.indicators.shapes import Standing

#: What a version may be: being written, shown for comments, in force, replaced, no longer valid, given up.
STATUSES = ("draft", "consultation", "adopted", "amended", "repealed", "withdrawn")
OPEN_STATUSES = ("draft", "consultation")


@dataclass(frozen=True)
class LinkType:
    """A type of link: `symmetric` ones say the same from both sides; the others lead on and may not come back."""

    key: str
    symmetric: bool = False


#: The types of links between nodes; their words from both sides are in `web.portal.plans_words.LINKS`.
LINKS: Mapping[str, LinkType] = {
    each.key: each
    for each in (
        LinkType("contributes"),
        LinkType("implements"),
        LinkType("addresses_challenge"),
        LinkType("derived_from_finding"),
        LinkType("depends_on"),
        LinkType("relates_to", symmetric=True),
        LinkType("synergy", symmetric=True),
        LinkType("conflict", symmetric=True),
    )
}
LINK_TYPES = tuple(LINKS)
FACT_TYPES = ("text", "yes_no")
INDICATOR_ROLES = ("measures", "context")
JUDGEMENTS = ("on_track", "at_risk", "off_track", "cannot_say")
DECISIONS = ("keep", "change", "stop")
#: The fields of a node that a version carries, in the order in which a difference shows them.
FIELDS = (
    "title",
    "text",
    "level",
    "number",
    "parent",
    "order",
    "organisation",
    "office",
    "holder",
    "status",
    "strategic",
    "horizon",
    "note",
    "source",
    "facts",
)
#: The fields that hold a value by language or by name.
MAPPINGS = ("title", "text", "facts")


@dataclass(frozen=True)
class Level:
    """A level of a plan, as in "measure"; the plan's list of them is in order from the top."""

    key: str
    title: Text


@dataclass(frozen=True)
class TreeOf:
    """One of the trees of a plan: what stands below nodes of the levels `top`; `by` names the type of link that
    leads into it from nodes that stand in another tree (empty: none)."""

    key: str
    title: Text
    top: tuple[str, ...]
    by: str = ""


@dataclass(frozen=True)
class FactOf:
    """A fact that a plan's nodes may have beside the fields of all plans; `type` is one of FACT_TYPES."""

    key: str
    title: Text
    type: str = "text"


@dataclass(frozen=True)
class Version:
    """A version of a plan; `number` is None until it comes into force. `changes` counts the nodes a draft changes."""

    plan: str
    key: str
    number: int | None
    label: str
    status: str
    imported: bool
    adopted_on: date | None
    adopting_body: str
    gazette: str
    consultation_until: date | None
    note: str
    source: str
    created: int
    parent: str = ""

    @property
    def in_force(self) -> bool:
        return self.status == "adopted"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


@dataclass(frozen=True)
class Plan:
    """A plan; `in_force` is the version that is valid now, None when none is."""

    key: str
    title: Text
    description: Text
    organisation: str
    horizon: str
    source: str
    levels: tuple[Level, ...]
    dataset: str
    in_force: Version | None = None
    trees: tuple[TreeOf, ...] = ()
    statuses: tuple[Level, ...] = ()
    facts: tuple[FactOf, ...] = ()

    def level(self, key: str) -> Text:
        """The title of a level; its key where the plan does not name it."""
        return next((level.title for level in self.levels if level.key == key), {"": key})


@dataclass(frozen=True)
class PlanCard:
    """A plan in a list: its version in force, the number of nodes by level, the versions open for comments."""

    plan: Plan
    nodes: int
    by_level: Mapping[str, int]
    consultations: tuple[Version, ...] = ()


@dataclass(frozen=True)
class NodeIndicator:
    """An indicator of a node: `measures` it, or is context."""

    node: str
    indicator: str
    role: str


@dataclass(frozen=True)
class Link:
    """A typed link between two nodes."""

    source: str
    target: str
    type: str

    @property
    def key(self) -> str:
        return f"{self.source}--{self.type}--{self.target}"


@dataclass(frozen=True)
class Reason:
    """Why a node has its state: a `code` for machines (and for the words that a page chooses), what it is about, and
    why an indicator has no verdict (codes of the indicators' evaluation)."""

    code: str
    about: str = ""
    title: Text = field(default_factory=dict)
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """How a node is doing, never guessed. `code`: done, on_track, at_risk, off_track, stopped; no_verdict when there
    are values that carry none; no_data."""

    code: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Node:
    """A node of one version; `path` and `children` are keys, `depth` 0 at the top. `holder` is the key of the
    account that answers for it, for people of the city."""

    key: str
    plan: str
    level: str
    number: str
    title: Text
    text: Text
    parent: str
    order: int
    office: str
    status: str
    strategic: bool
    horizon: str
    note: str
    source: str
    facts: Mapping[str, str] = field(default_factory=dict)
    since: int | None = None
    row: int = 0
    depth: int = 0
    path: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    indicators: tuple[NodeIndicator, ...] = ()
    links: tuple[Link, ...] = ()
    state: State = State("no_data")
    organisation: str = ""
    holder: str = ""

    def content(self) -> dict[str, Any]:
        """The fields that a version carries, as plain builtins."""
        return {name: dict(getattr(self, name)) if name in MAPPINGS else getattr(self, name) for name in FIELDS}

    def with_(self, **changes: Any) -> Node:
        return replace(self, **changes)


@dataclass(frozen=True)
class Tree:
    """All nodes of one version in the order of reading (each parent before its children), where the indicators stand
    that belong to them, and the plan's other versions, newest first."""

    plan: Plan
    version: Version
    nodes: Mapping[str, Node]
    standings: Mapping[str, Standing] = field(default_factory=dict)
    versions: tuple[Version, ...] = ()

    @property
    def roots(self) -> tuple[str, ...]:
        return tuple(key for key, node in self.nodes.items() if node.depth == 0)

    def below(self, key: str) -> tuple[str, ...]:
        """The keys of everything below a node."""
        found: list[str] = []
        waiting = list(self.nodes[key].children)
        while waiting:
            one = waiting.pop()
            found.append(one)
            waiting.extend(self.nodes[one].children)
        return tuple(found)


@dataclass(frozen=True)
class NodeOf:
    """A node that an indicator belongs to."""

    plan: str
    key: str
    number: str
    title: Text
    level: str
    role: str


@dataclass(frozen=True)
class Ground:
    """Why a version changes a node; `ref` is None where only words were given."""

    version: str
    node: str
    ref: Ref | None
    note: str
    time: int


@dataclass(frozen=True)
class Changed:
    """One node in a difference: `before` is None when added, `after` None when removed; `fields` names what differs."""

    key: str
    before: Node | None
    after: Node | None
    fields: tuple[str, ...] = ()
    grounds: tuple[Ground, ...] = ()

    @property
    def kind(self) -> str:
        return "added" if self.before is None else "removed" if self.after is None else "changed"

    @property
    def node(self) -> Node:
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True)
class Diff:
    """What leads from version `a` to version `b`; `titles` names the nodes that changed ones are part of."""

    plan: Plan
    a: Version
    b: Version
    nodes: tuple[Changed, ...]
    links_added: tuple[Link, ...] = ()
    links_removed: tuple[Link, ...] = ()
    indicators_added: tuple[NodeIndicator, ...] = ()
    indicators_removed: tuple[NodeIndicator, ...] = ()
    titles: Mapping[str, Text] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (
            self.nodes or self.links_added or self.links_removed or self.indicators_added or self.indicators_removed
        )

    def of(self, kind: str) -> tuple[Changed, ...]:
        return tuple(each for each in self.nodes if each.kind == kind)


@dataclass(frozen=True)
class Fact:
    """What an indicator said when a node was reviewed; texts are as they stood then."""

    indicator: str
    title: Text
    period: str
    value: float | None
    unit: str
    verdict: str
    reasons: Sequence[str] = ()


@dataclass(frozen=True)
class Milestone:
    """A step of a node by the day `due` (None: no day is set); `done_on` None: not yet."""

    key: str
    plan: str
    node: str
    title: Text
    due: date | None
    done_on: date | None
    office: str
    note: str
    source: str

    def late(self, day: date) -> bool:
        """Whether it should have been done before `day` and is not."""
        return self.done_on is None and self.due is not None and self.due < day


@dataclass(frozen=True)
class Review:
    """A planner's review of a node. `reviewer` is shown to people of the city only."""

    key: str
    plan: str
    node: str
    version: int
    on: date
    judgement: str
    decision: str
    note: str
    facts: tuple[Fact, ...]
    office: str
    reviewer: str


@dataclass(frozen=True)
class TakenUp:
    """That a version changes a node because of something (a proposal, a review)."""

    ref: Ref
    plan: str
    version: Version
    node: str
