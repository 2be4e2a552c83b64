"""What travels between the lake and its callers: frozen values; all times are UTC microseconds."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

#: An observation's id has 63 bits: the worker above, its counter in the lower COUNTER_BITS (gap-free per worker).
COUNTER_BITS = 43

#: Position of an observation in time order, (time, id): where the next page begins.
Cursor = tuple[int, int]


class Row(NamedTuple):
    """An observation to be stored, already validated: `stream` is the datastream's number.

    `value` is a finite number in the stream's unit, or None where the result is not a number and stands in `text` as
    JSON. `origin` is a number of `base.origin.Origin`. `supersedes` is the id of the observation that this one
    corrects.
    """

    stream: int
    time: int
    value: float | None
    text: str | None = None
    end: int | None = None
    quality: int | None = None
    origin: int = 0
    supersedes: int | None = None


class Stored(NamedTuple):
    """What became of a Row: its id, and whether an equal one had been there before (then the id is that one's)."""

    id: int
    duplicate: bool


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One observation as it is read: the result is `value` (in the stream's unit), or `text` (JSON) if no number."""

    stream: int
    time: int
    id: int
    value: float | None
    text: str | None
    end: int | None
    quality: int | None
    recorded: int
    origin: int
    supersedes: int | None

    @property
    def cursor(self) -> Cursor:
        return (self.time, self.id)


class Latest(msgspec.Struct, frozen=True, gc=False):
    """The newest observation of a stream, and when anything last arrived on it (`seen`)."""

    stream: int
    time: int
    id: int
    value: float | None
    text: str | None
    origin: int
    seen: int


class Summary(msgspec.Struct, frozen=True, gc=False):
    """All of a stream in one line: times of its first and last observation, how many, smallest and largest value.

    Counts and bounds are of everything ever accepted, corrected observations included.
    """

    stream: int
    first: int
    last: int
    count: int
    minimum: float | None
    maximum: float | None


class Bucket(msgspec.Struct, frozen=True, gc=False):
    """The numbers of one interval beginning at `time`: how many, their mean, smallest and largest,
    and the weakest origin among them."""

    time: int
    count: int
    mean: float
    minimum: float
    maximum: float
    origin: int


class NewAside(msgspec.Struct, frozen=True, gc=False):
    """A message that is not accepted, on its way into the loss ledger. `message` is what a replay is made from
    (JSON; empty when nothing could be read from the payload)."""

    transport: str
    topic: str
    key: str
    stream: int
    payload: bytes
    reason: str
    detail: str
    who: str
    message: bytes = b""


class Aside(msgspec.Struct, frozen=True, gc=False):
    """A message that was not accepted, as the loss ledger keeps it.

    `key` is the stream's key as sent, `stream` its number (0 if unknown), `payload` the first bytes of what came and
    `size` how many came. `state`: open, asked (a replay waits for the ingest process), replayed or dismissed;
    `answered`, `by` and `note` say when, by whom and why; `observation` is the id that a replay gave.
    """

    id: int
    received: int
    transport: str
    topic: str
    key: str
    stream: int
    payload: bytes
    size: int
    reason: str
    detail: str
    who: str
    message: bytes
    state: str
    answered: int
    by: str
    note: str
    observation: int


class Mark(msgspec.Struct, frozen=True, gc=False):
    """How far the tier is: rows of `worker` up to `high` stand in version `version` of the lake's table,
    rows up to `low` only there."""

    worker: int
    high: int
    low: int
    version: int


def weaker(one: int, other: int) -> int:
    """The origin that a value made of both must carry: simulated (2) over replayed (1) over all others."""
    return max(one, other, key=lambda origin: {2: 12, 1: 11}.get(origin, origin))
