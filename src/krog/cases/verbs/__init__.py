"""Writes of cases. `open` is the only way that anything asks for human action; the others handle what was opened."""

from __future__ import annotations

from krog.cases.verbs.declaring import declare_case_types, declare_protocols
from krog.cases.verbs.forgetting import forget_reporter
from krog.cases.verbs.handling import (
    assign,
    close,
    decline,
    publish,
    reopen,
    snooze,
    take,
    tick,
    wait,
)
from krog.cases.verbs.opening import open
from krog.cases.verbs.reminding import escalate, remind
from krog.cases.verbs.talking import note, receive, reply

__all__ = [
    "assign",
    "close",
    "declare_case_types",
    "declare_protocols",
    "decline",
    "escalate",
    "forget_reporter",
    "note",
    "open",
    "publish",
    "receive",
    "remind",
    "reopen",
    "reply",
    "snooze",
    "take",
    "tick",
    "wait",
]
