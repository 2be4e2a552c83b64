"""Frozen values of rules and alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from krog.base.origin import Origin
from krog.base.text import Text
from krog.rules.hysteresis import Limits
from krog.rules.signals import Part, Term

MODES = ("act", "watch", "off")
SEVERITIES = ("normal", "important", "urgent")


@dataclass(frozen=True)
class Standing:
    """Where a rule stands: `state` is clear, raised, unknown (readings are missing) or never (not evaluated yet)."""

    state: str
    value: float | None
    coverage: float
    known_to: int | None
    seen_to: int | None
    run: int


@dataclass(frozen=True)
class Rule:
    """A rule with where it stands."""

    id: int
    key: str
    title: Text
    description: Text
    dataset: str
    office: str
    protocol: str
    case_type: str
    severity: str
    unit: str
    terms: tuple[Term, ...]
    window: Mapping[str, Any]
    limits: Limits
    min_coverage: float
    mode: str
    samples: tuple[Mapping[str, Any], ...]
    standing: Standing
    organisation: str = ""
    holder: str = ""


@dataclass(frozen=True)
class Alert:
    """A limit was crossed: `value` and `readings` are those at raising, `last_value` the newest, `peak` the worst."""

    key: str
    rule: str
    title: Text
    dataset: str
    office: str
    unit: str
    state: str
    since: int
    start: int
    raised_at: int
    cleared: int | None
    value: float
    last_value: float
    last_time: int
    peak: float
    threshold: float
    origin: Origin
    readings: tuple[Part, ...]
    case: str
    acknowledged_by: str

    @property
    def is_open(self) -> bool:
        return self.state != "cleared"


@dataclass(frozen=True)
class Evaluation:
    """What a rule found in the window `start` to `end`; `value` is None where readings were missing."""

    start: int
    end: int
    value: float | None
    coverage: float
    origin: Origin


@dataclass(frozen=True)
class AlertPage:
    """Some alerts, newest first, of `total`."""

    items: tuple[Alert, ...]
    total: int


@dataclass(frozen=True)
class Position:
    """What the engine must know to go on: ends of the last known and seen window, and the mark of the data."""

    known_to: int | None
    seen_to: int | None
    data: str
