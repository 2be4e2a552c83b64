"""Frozen values of streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from krog.base.origin import Origin
from krog.base.text import Text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class IngestStream:
    """What `engine.ingest` must know of a datastream to accept a value; `organisation` is the thing's operator."""

    id: int
    key: str
    dataset: str
    unit: str
    minimum: float | None
    maximum: float | None
    interval_s: int
    numeric: bool
    organisation: str


@dataclass(frozen=True)
class ObservedProperty:
    """What is observed."""

    key: str
    title: Text
    definition: str
    unit: str


@dataclass(frozen=True)
class Sensor:
    """The instrument, with its accuracy in words and where known as a number with unit."""

    key: str
    title: Text
    model: str
    accuracy: str
    accuracy_value: float | None
    accuracy_unit: str


@dataclass(frozen=True)
class Thing:
    """What carries sensors; `operator` and `owner` are keys of organisations, `territory` of a territory."""

    key: str
    title: Text
    description: Text
    lon: float | None
    lat: float | None
    territory: str
    operator: str
    owner: str
    demo_place: bool
    true_place: Text
    source: str


@dataclass(frozen=True)
class Choices:
    """What a list of datastreams can be narrowed by: properties, keys of territories and of operators."""

    properties: Sequence[ObservedProperty]
    territories: Sequence[str]
    operators: Sequence[str]


@dataclass(frozen=True)
class Datastream:
    """A datastream with its thing, sensor and observed property; `id` is the number that observations carry."""

    id: int
    key: str
    title: Text
    unit: str
    dataset: str
    minimum: float | None
    maximum: float | None
    interval_s: int
    numeric: bool
    role: str
    public: bool
    thing: Thing
    sensor: Sensor | None
    observed_property: ObservedProperty


class State(StrEnum):
    """Whether a datastream gives what it should: `WORKING`; `SILENT` (a value is overdue); `NEVER` (no value yet)."""

    WORKING = "working"
    SILENT = "silent"
    NEVER = "never"


@dataclass(frozen=True)
class Latest:
    """The newest value of a datastream with its state; `count`, `first`, `least`, `most` are over all its values;
    `seen` is when anything last arrived. `withheld`: there is a value, and this reader may not see it."""

    stream: str
    state: State
    value: float | None = None
    text: str | None = None
    time: int | None = None
    origin: Origin | None = None
    seen: int | None = None
    count: int = 0
    first: int | None = None
    least: float | None = None
    most: float | None = None
    withheld: bool = False

    @property
    def result(self) -> float | str | None:
        """The value as it was observed: a number, or text."""
        return self.value if self.value is not None else self.text


@dataclass(frozen=True)
class Observation:
    """One observation; `time` is when it was observed, `recorded` when Krog took it (UTC microseconds);
    `supersedes` is the id of the observation that it corrects."""

    id: int
    stream: str
    time: int
    value: float | None
    text: str | None
    end: int | None
    quality: int | None
    recorded: int
    origin: Origin
    supersedes: int | None

    @property
    def result(self) -> float | str | None:
        """The value as it was observed: a number, or text."""
        return self.value if self.value is not None else self.text


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of many: `total` where it is counted; `after` gives the next ones (None where these were the last)."""

    items: Sequence[T]
    total: int | None = None
    after: str | None = None


@dataclass(frozen=True)
class Point:
    """One point of a series: mean, least and greatest of the `count` values in an interval that begins at `time`."""

    time: int
    mean: float
    least: float
    most: float
    count: int


@dataclass(frozen=True)
class Series:
    """A series for a chart: `step` microseconds between points (0: every reading); gaps are missing points.
    `origin` is the weakest origin among the values, None where there are none."""

    stream: str
    start: int
    end: int
    step: int
    points: Sequence[Point]
    origin: Origin | None


@dataclass(frozen=True)
class SetAside:
    """A message that was not accepted. `payload` is what came, made safe to show (empty and `withheld` where the
    reader may not see the datastream); `replayable` whether it can be tried again; `answered` 0 while it is open."""

    id: int
    received: int
    transport: str
    topic: str
    stream: str
    reason: str
    detail: str
    who: str
    payload: str
    size: int
    withheld: bool
    replayable: bool
    state: str
    answered: int
    by: str
    note: str
