"""Frozen values of indicators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from krog.base.origin import Origin
from krog.base.text import Text

KINDS = ("computed", "entered", "imported")
LEVELS = ("input", "process", "output", "result", "impact")
#: The unit of what is done (1) or not done (0).
YES_NO = "{yes}"
#: The reason of a value that its source or owner says there is none of.
NOT_AVAILABLE = "not-available"
DIRECTIONS = ("up", "down", "keep", "range", "none")
PARSE_STATUSES = ("ok", "ambiguous", "contradictory", "missing")
TARGET_TYPES = (
    "absolute",
    "relative_to_baseline",
    "delta_cumulative",
    "threshold",
    "range",
    "direction_only",
    "keep",
    "index",
    "milestone_bool",
)
#: Targets that mean something without a year: done or not, kept or not, the right way or not.
WITHOUT_DATE = ("milestone_bool", "keep", "direction_only")
OPERATORS = ("=", "<", "<=", ">", ">=")


class Status(StrEnum):
    """What a value counts for: `CALCULATED` from a period that is over; `PROVISIONAL` of a period that still runs, or
    entered and not yet confirmed; `CONFIRMED` by a second person; `OFFICIAL` published by the source; `ESTIMATED`;
    `REJECTED` by the second person (kept, never shown as a value)."""

    CALCULATED = "calculated"
    PROVISIONAL = "provisional"
    CONFIRMED = "confirmed"
    OFFICIAL = "official"
    ESTIMATED = "estimated"
    REJECTED = "rejected"


class RequestState(StrEnum):
    """Of a value asked from a person: `ASKED` (waits for the owner), `ENTERED` (waits for the second person),
    `CONFIRMED`, `REJECTED` (waits for the owner again, with a reason)."""

    ASKED = "asked"
    ENTERED = "entered"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Verdict(StrEnum):
    """Where an indicator stands to a target. `NOT_EVALUABLE`: the data or the target carry no verdict, see reasons."""

    ACHIEVED = "achieved"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    NO_DATA = "no_data"
    NOT_EVALUABLE = "not_evaluable"


@dataclass(frozen=True)
class Baseline:
    """What targets are measured from; `raw` as printed, where that was not a plain number."""

    period: str
    value: float | None
    note: str = ""
    raw: str = ""


@dataclass(frozen=True)
class Target:
    """A target as the plan prints it (`raw`) and as it was read; `parse_status` says whether it can be read at all.

    `date` is a year, empty where the source prints none; `value_to` is the upper end of a range, `tolerance` what
    "keep" allows to either side. `unit` is UCUM; the indicator's where empty. `plan` is the key of the plan or document
    that sets it, `baseline` the target's own where it differs from the indicator's. `comparator` is the indicator that
    an index is made against: 100 × own value by its value of the same period. `clarification` says who cleared up an
    unclear text, and how.
    """

    key: str
    indicator: str
    date: str
    type: str
    op: str
    value: float | None
    value_to: float | None
    unit: str
    raw: str
    parse_status: str
    note: str
    plan: str = ""
    baseline: Baseline | None = None
    tolerance: float | None = None
    comparator: str = ""
    clarification: str = ""

    @property
    def readable(self) -> bool:
        return self.parse_status == "ok"


@dataclass(frozen=True)
class Indicator:
    """What is measured, how, and who answers for it. `owner` (who answers for it and enters its values)
    and `confirmer` are keys of accounts (for officials).

    `unit` is UCUM; another text only where `unit_note` says what it means. `area` is what it is measured for (a key of
    a territory or a name; empty: the whole city), `series_of` the indicator that it is another area's series of.
    `same_as` is the indicator whose values it shares under another name. `theme` is the key of the part of the plan
    that it belongs to, `level` one of LEVELS, `aliases` and `frameworks` other codes of it.
    """

    key: str
    code: str
    title: Text
    definition: Text
    unit: str
    decimals: int
    direction: str
    period: str
    kind: str
    aggregation: str
    dataset: str
    office: str
    owner: str
    confirmer: str
    formula: Mapping[str, Any] | None
    formula_id: str
    baseline: Baseline | None
    raw: str
    parse_status: str
    parse_note: str
    same_as: str
    due: str
    source: str
    targets: Sequence[Target] = ()
    unit_note: str = ""
    aliases: Sequence[str] = ()
    area: str = ""
    series_of: str = ""
    theme: str = ""
    level: str = ""
    frameworks: Sequence[str] = ()
    organisation: str = ""

    @property
    def yes_no(self) -> bool:
        """Whether its values are done (1) or not done (0)."""
        return self.unit == YES_NO


@dataclass(frozen=True)
class Provenance:
    """What a computed value was made from: formula, pinned versions of the lake, how many readings, engine and run."""

    formula_id: str
    formula: Mapping[str, Any]
    inputs: Sequence[Mapping[str, Any]]
    rows: int
    inputs_hash: str
    engine: str
    run: int

    @property
    def lake_version(self) -> int | None:
        """The version of the readings that it was made from; None where it was made from none."""
        return next((int(each["version"]) for each in self.inputs if each["table"] == "observations"), None)


@dataclass(frozen=True)
class Check:
    """A recomputation from the pinned inputs; `same` is None until it was done, `detail` says what was found."""

    id: int
    asked: int
    asked_by: str
    done: int | None
    same: bool | None
    detail: str
    engine: str


@dataclass(frozen=True)
class Value:
    """One value of one period, never changed; `superseded_by` is the number of a later row of the same period.

    `value` is None with `reasons` where it cannot be known. `start` and `end` are UTC microseconds. `on` is the day
    that it holds for or on which it was done (YYYY-MM-DD), where the source says so.
    """

    id: int
    indicator: str
    period: str
    start: int
    end: int
    value: float | None
    status: Status
    origin: Origin
    source: str
    note: str
    recorded: int
    entered_by: str = ""
    confirmed_by: str = ""
    reasons: Sequence[Mapping[str, Any]] = ()
    superseded_by: int | None = None
    provenance: Provenance | None = None
    on: str = ""


@dataclass(frozen=True)
class Request:
    """A value asked from a person; `key` is `<indicator>.<period>`, `due` the end of the due day (UTC microseconds).
    `asked_of` is the address that the last mail went to instead of a named person's; empty where one is named."""

    key: str
    indicator: str
    period: str
    owner: str
    confirmer: str
    due: int
    state: RequestState
    asked: int
    reminded: int | None
    value: int | None
    reason: str
    asked_of: str = ""
    escalated: int | None = None

    def late(self, now: int) -> bool:
        return self.due < now and self.state != RequestState.CONFIRMED


@dataclass(frozen=True)
class Evaluation:
    """Where an indicator stands to one target at the newest value, and why; all amounts in `unit`: the indicator's, or
    that of an index where the target compares.

    `goal` is the target as a level, `expected` the straight path now, `progress` the share of the way, `forecast` the
    trend at the target's date with its `band`; each None where it cannot be said. `methods` names what was used.
    """

    target: Target
    verdict: Verdict
    reasons: Sequence[str] = ()
    observed: float | None = None
    period: str = ""
    goal: float | None = None
    goal_to: float | None = None
    expected: float | None = None
    progress: float | None = None
    ratio: float | None = None
    forecast: float | None = None
    band: tuple[float, float] | None = None
    methods: Sequence[str] = ()
    unit: str = ""


@dataclass(frozen=True)
class Standing:
    """An indicator with its newest known value and where it stands: what lists and plan pages show.

    `gap` is the newest period where its value cannot be known, and says why.
    """

    indicator: Indicator
    latest: Value | None
    evaluation: Evaluation | None
    points: Sequence[Value] = field(default_factory=tuple)
    gap: Value | None = None


@dataclass(frozen=True)
class Listed:
    """Some of many: `items` of `total`."""

    items: Sequence[Any]
    total: int
