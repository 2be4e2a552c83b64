"""Writes of indicators: declaring them, values from people and files, computed values, recomputations."""

from krog.indicators.verbs.answering import receive
from krog.indicators.verbs.clarifying import clarify_target
from krog.indicators.verbs.computing import ask_check, record_check, record_run
from krog.indicators.verbs.declaring import change_responsible, declare_indicators, declare_targets, declare_values
from krog.indicators.verbs.entering import ask, confirm, enter, escalate, reject, remind

__all__ = [
    "ask",
    "ask_check",
    "change_responsible",
    "clarify_target",
    "confirm",
    "declare_indicators",
    "declare_targets",
    "declare_values",
    "enter",
    "escalate",
    "receive",
    "record_check",
    "record_run",
    "reject",
    "remind",
]
