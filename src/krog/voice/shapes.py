"""Frozen values of what people want; none of them holds an e-mail address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from krog.base.text import Text

STATES = ("unconfirmed", "received", "accepted", "declined")
#: What an official has looked at is public.
PUBLIC_STATES = ("accepted", "declined")


@dataclass(frozen=True)
class Call:
    """A call for proposals; `proposals` counts the public ones. `phase`: coming, open, closed."""

    key: str
    title: Text
    text: Text
    plan: str
    opens: date | None
    closes: date | None
    dataset: str
    phase: str
    proposals: int = 0


@dataclass(frozen=True)
class Proposal:
    """A proposal as the reader may see it: until an official has looked at it (`public`), or where its words are
    withheld, others see its state only."""

    key: str
    call: str
    state: str
    created: int
    public: bool
    withheld: bool
    title: str = ""
    text: str = ""
    place: str = ""
    node: str = ""
    author: str = ""
    language: str = ""
    confirmed: int | None = None
    answer: str = ""
    answered: int | None = None
    answered_by: str = ""
    channel: str = ""
    entered_by: str = ""


@dataclass(frozen=True)
class Page:
    """Some of a list, with how many there are in all."""

    items: tuple[Proposal, ...]
    total: int


@dataclass(frozen=True)
class Step:
    """A step on a proposal's way. `code`: received, confirmed, accepted, declined, draft, consultation, adopted,
    withdrawn; `time` in UTC microseconds, or `on` a day; the plan's version and node where it has come to them."""

    code: str
    time: int | None = None
    on: date | None = None
    text: str = ""
    plan: str = ""
    version: str = ""
    label: str = ""
    body: str = ""
    node: str = ""
