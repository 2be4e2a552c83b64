"""What rules provide to others: the kind `rule` of a city's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.base.units import UNITS_ALLOWED, is_unit
from krog.rules import models, verbs
from krog.rules.hysteresis import Limits
from krog.rules.samples import sample_problems, try_sample
from krog.rules.shapes import MODES, SEVERITIES
from krog.rules.signals import AGGREGATES, Term
from krog.rules.windows import window_problems


class RuleFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    description: dict[str, str] = {}
    dataset: str = ""
    organisation: str = ""
    office: str = ""
    holder: str = ""
    protocol: str = ""
    case_type: str = ""
    severity: str = "important"
    unit: str = ""
    signal: dict[str, Any] = {}
    window: dict[str, Any] = {}
    raise_above: float | None = None
    raise_below: float | None = None
    clear_below: float | None = None
    clear_above: float | None = None
    hold: int = 1
    hold_clear: int = 0
    min_coverage: float = 0.8
    mode: str = "act"
    samples: list[dict[str, Any]] = []


_NAMES = [name for name in RuleFile.__struct_fields__ if name != "key"]


def _read() -> Mapping[str, Fields]:
    return {row.pop("key"): row for row in models.Rule.objects.filter(retired=False).values("key", *_NAMES)}


def _write(by: Reader, changes: Sequence[Change]) -> None:
    verbs.declare(by, changes=changes)


def _signal_problems(signal: Mapping[str, Any]) -> list[str]:
    terms = signal.get("terms")
    if set(signal) - {"terms"} or not isinstance(terms, list) or not terms:
        return ["signal is { terms = [ { stream = …, weight = 1, agg = mean }, … ] }"]
    found = []
    for number, term in enumerate(terms, 1):
        if not isinstance(term, Mapping) or not term.get("stream") or set(term) - {"stream", "weight", "agg"}:
            found.append(f"signal.terms {number} is {{ stream = …, weight = 1, agg = mean }}")
        elif term.get("agg", "mean") not in AGGREGATES:
            found.append(f"signal.terms {number}: agg {term['agg']!r} is not one of {', '.join(AGGREGATES)}")
        elif isinstance(term.get("weight", 1), bool) or not isinstance(term.get("weight", 1), int | float):
            found.append(f"signal.terms {number}: weight is a number")
    return found


def check(fields: Fields) -> Sequence[str]:
    """Every mistake of a rule that its types do not show; a firing sample must fire, a silent one must not."""
    signal = fields.get("signal") or {}
    found = _signal_problems(signal) + window_problems(fields.get("window") or {})
    limits = Limits(
        fields.get("raise_above"),
        fields.get("raise_below"),
        fields.get("clear_below"),
        fields.get("clear_above"),
        fields.get("hold", 1),
        fields.get("hold_clear", 0),
    )
    found += limits.problems()
    for name, allowed in (("mode", MODES), ("severity", SEVERITIES)):
        if fields.get(name) and fields[name] not in allowed:
            found.append(f"{name} {fields[name]!r} is not one of {', '.join(allowed)}")
    if not 0 < fields.get("min_coverage", 0.8) <= 1:
        found.append("min_coverage is a share above 0, at most 1")
    if fields.get("unit") and not is_unit(fields["unit"]):
        found.append(f"unit {fields['unit']!r} is not one of {UNITS_ALLOWED}")
    if fields.get("severity") == "urgent" and not fields.get("protocol"):
        found.append("severity urgent needs a named protocol")
    if fields.get("mode", "act") == "act" and not (fields.get("case_type") and fields.get("office")):
        found.append("mode act needs case_type and office")
    if found:
        return found
    terms = [Term(t["stream"], float(t.get("weight", 1)), t.get("agg", "mean")) for t in signal["terms"]]
    for number, sample in enumerate(fields.get("samples") or (), 1):
        if wrong := sample_problems(sample, terms):
            found += [f"sample {number}: {sentence}" for sentence in wrong]
        elif not (tried := try_sample(terms, limits, sample)).passed:
            found.append(
                f"sample {number} ({tried.title}) {'fires' if tried.fired else 'stays silent'}, "
                f"though it should {'fire' if tried.expected else 'stay silent'}"
            )
    return found


DECLARATIONS: tuple[Declaration, ...] = (
    Declaration(
        "rule",
        "rules.toml",
        RuleFile,
        _read,
        _write,
        check=check,
        refs={
            "dataset": "dataset",
            "organisation": "organisation",
            "office": "office",
            "holder": "account",
            "protocol": "protocol",
            "case_type": "case_type",
            "signal.terms.*.stream": "datastream",
        },
    ),
)
