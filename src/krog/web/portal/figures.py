"""How the city is doing, in sentences: newest value of an indicator, its next target, and what may be said of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from krog.base.origin import Origin
from krog.base.text import say
from krog.indicators.shapes import Evaluation, Indicator, Standing, Verdict
from krog.web.components import formats
from krog.web.portal import address

#: Verdict → mark and words; no verdict has no mark.
VERDICTS = {
    Verdict.ACHIEVED: ("ok", lazy("achieved")),
    Verdict.ON_TRACK: ("ok", lazy("on track")),
    Verdict.AT_RISK: ("warn", lazy("at risk")),
    Verdict.OFF_TRACK: ("bad", lazy("off track")),
}
_ORDER = (Verdict.OFF_TRACK, Verdict.AT_RISK, Verdict.ON_TRACK, Verdict.ACHIEVED)


@dataclass(frozen=True)
class Sentence:
    """One indicator in words."""

    text: str
    href: str
    source: str
    state: str
    word: str
    remark: str
    origin: Origin


def sentences(standings: Iterable[Standing], count: int = 3) -> list[Sentence]:
    """The most telling ones first: with a verdict, then with a target, then with the newest value."""
    known = [one for one in standings if one.latest is not None and one.latest.value is not None]
    return [sentence(one) for one in sorted(known, key=_rank)[:count]]


def _rank(one: Standing) -> tuple[int, int, str]:
    verdict = one.evaluation.verdict if one.evaluation else None
    place = _ORDER.index(verdict) if verdict in _ORDER else len(_ORDER)
    return (place, 0 if one.evaluation and one.evaluation.goal is not None else 1, one.indicator.key)


def sentence(one: Standing) -> Sentence:
    """An indicator that has a value."""
    if one.latest is None or one.latest.value is None:
        raise ValueError(f"The indicator {one.indicator.key} has no value to speak of.")
    language, about = get_language() or "sl", one.indicator
    said = {
        "title": str(say(about.title, language)), "value": _amount(one.latest.value, about, language),
        "period": _period(one.latest.period, language),
    }  # fmt: skip
    text = _("%(title)s: %(value)s (%(period)s).") % said
    if one.evaluation and one.evaluation.goal is not None:
        goal = _goal(one.evaluation, about, language)
        text += " " + _("The target for %(year)s is %(goal)s.") % {"year": one.evaluation.target.date, "goal": goal}
    state, word = VERDICTS.get(one.evaluation.verdict, ("", "")) if one.evaluation else ("", "")
    return Sentence(
        text, address.of("indicators", about.key), one.latest.source or about.source, state, str(word),
        _remark(one), one.latest.origin,
    )  # fmt: skip


def _amount(value: float, about: Indicator, language: str) -> str:
    return formats.amount(value, about.unit, language, about.decimals)


def _goal(evaluation: Evaluation, about: Indicator, language: str) -> str:
    low = _amount(evaluation.goal or 0.0, about, language)
    if evaluation.goal_to is not None:
        return _("from %(low)s to %(high)s") % {"low": low, "high": _amount(evaluation.goal_to, about, language)}
    words = {
        "<": _("below %(goal)s"), "<=": _("at most %(goal)s"), ">": _("above %(goal)s"), ">=": _("at least %(goal)s"),
    }  # fmt: skip
    return words.get(evaluation.target.op, "%(goal)s") % {"goal": low}


def _period(period: str, language: str) -> str:
    parts = [int(part) for part in period.split("-")] if period.replace("-", "").isdigit() else []
    if len(parts) == 3:
        return formats.day(datetime(parts[0], parts[1], parts[2]), language)
    if len(parts) == 2:
        return formats.month(datetime(parts[0], parts[1], 1), language)
    return period


def _remark(one: Standing) -> str:
    """Why there is no verdict, where a sentence can say it."""
    if one.evaluation is None:
        return _("no target is set")
    reasons = {
        "target-ambiguous": _("the plan states the target in more than one way"),
        "target-contradictory": _("the plan contradicts itself about the target"),
        "target-missing": _("the plan states no target"),
        "demo-data": _("demonstration data get no verdict"),
    }
    return next((reasons[reason] for reason in one.evaluation.reasons if reason in reasons), "")
