"""What comes in and what is answered: a message as a transport read it, and its receipt."""

from __future__ import annotations

from typing import Any

import msgspec

#: Why a message was not accepted; the words that operators filter the loss ledger by.
REASONS = {
    "malformed": "it could not be read",
    "unknown": "there is no such datastream",
    "forbidden": "the sender may not write to this datastream",
    "origin-refused": "replayed and simulated values are taken in a demonstration only",
    "unit": "the unit is not the datastream's",
    "out-of-range": "the value lies outside the datastream's range",
    "late": "the time is too long ago",
    "future": "the time lies ahead",
}
#: Reasons that the sender is to blame for; all others wait for an operator.
REFUSED = frozenset({"forbidden", "origin-refused"})


class Message(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One observation as it was sent.

    `stream` is the datastream's key; `time` UTC microseconds, or ISO 8601 with an offset, or None for the moment of
    arrival; `unit` a UCUM code if the sender names one; `origin` a word of `base.origin` (None: measured); `supersedes`
    the id of the observation that this one corrects. `payload`, `transport` and `topic` say how it came, for the
    loss ledger.
    """

    stream: str
    value: Any
    time: int | str | None = None
    unit: str | None = None
    origin: str | None = None
    quality: int | None = None
    supersedes: int | None = None
    payload: bytes | None = None
    transport: str = ""
    topic: str = ""


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """What became of a message. `status`: accepted, duplicate (it had been accepted before), set-aside or refused.

    `id` is the observation's; of what was not accepted it is the id in the loss ledger, with `reason` (one of REASONS)
    and `detail`, a sentence. Whatever the status says is on the disk when the receipt is given.
    """

    status: str
    id: int
    reason: str = ""
    detail: str = ""

    @property
    def stored(self) -> bool:
        return self.status in ("accepted", "duplicate")


class LiveValue(msgspec.Struct, frozen=True, gc=False):
    """An accepted observation as subscribers get it: the datastream's key and number, id, UTC microseconds, result."""

    key: str
    stream: int
    id: int
    time: int
    value: float | None
    text: str | None
    origin: int
