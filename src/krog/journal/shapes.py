"""Frozen values of the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One change; `time` in UTC microseconds, `before` and `after` None where nothing was or it was erased; `who_id` is
    the number of the account or key that `who_kind` says (0: Krog itself)."""

    id: int
    time: int
    who: str
    who_kind: str
    verb: str
    noun: str
    key: str
    reason: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    who_id: int = 0

    @property
    def changed(self) -> list[tuple[str, Any, Any]]:
        """The fields that differ: (name, before, after)."""
        before, after = self.before or {}, self.after or {}
        names = [*before, *(name for name in after if name not in before)]
        return [(n, before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)]


@dataclass(frozen=True)
class Mail:
    """A mail of the outbox."""

    id: int
    created: int
    to: str
    subject: str
    text: str
    html: str
    reply_token: str
    language: str
    noun: str
    key: str
    state: str
    attempts: int
    next_attempt: int
    sent: int | None
    message_id: str
    error: str


@dataclass(frozen=True)
class ScheduleState:
    """When a schedule last ran (UTC microseconds), how often it should, how it ended (`error` empty: well)."""

    key: str
    started: int
    finished: int
    every_s: float
    error: str

    def late(self, now: int) -> bool:
        """Whether it should have finished again by `now` and did not: the work process is down or stuck."""
        return now - self.finished > (60 + 5 * self.every_s) * 1_000_000


@dataclass(frozen=True)
class Check:
    """What verifying the journal found: sealed and unsealed entries, and the first broken seal if any."""

    sealed: int
    unsealed: int
    broken: str
