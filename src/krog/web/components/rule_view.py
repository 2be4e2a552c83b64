"""How rules and alerts are shown: the chart of what a rule found, and where an alert's number comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.text import say
from krog.base.units import symbol
from krog.rules.hysteresis import Limits
from krog.rules.shapes import Alert, Evaluation, Rule
from krog.rules.signals import Part
from krog.web.components import charts, formats
from krog.web.portal import address


def _language() -> str:
    return get_language() or "sl"


def chart(rule: Rule, found: Sequence[Evaluation], alert: Alert | None = None) -> charts.Chart:
    """What a rule found over time, against its limits; windows without enough readings are gaps."""
    language = _language()
    points = [(each.end, each.value) for each in found]
    known = [each for each in found if each.value is not None]
    unit = symbol(rule.unit)
    title = str(say(rule.title, language))
    if known and known[-1].value is not None:
        said = formats.number(known[-1].value, language, 2)
        state = _("beyond the limit") if rule.limits.is_beyond(known[-1].value) else _("within the limit")
        title = _("%(value)s %(unit)s: %(state)s") % {"value": said, "unit": unit, "state": state}
    origin = max((each.origin for each in known), default=None, key=lambda one: {2: 2, 1: 1}.get(int(one), 0))
    limits = _limits(rule.limits)
    return charts.line(
        title,
        _("Values of the rule over time, with its limits."),
        [charts.Series(str(say(rule.title, language)), points, origin=int(origin) if origin is not None else None)],
        limits=limits,
        unit=rule.unit,
        language=language,
        decimals=2,
    )


def _limits(limits: Limits) -> list[tuple[float, str]]:
    found = []
    for value, label in (
        (limits.raise_above, _("raises above")),
        (limits.clear_below, _("clears below")),
        (limits.raise_below, _("raises below")),
        (limits.clear_above, _("clears above")),
    ):
        if value is not None:
            found.append((value, label))
    return found


def limit_words(rule: Rule) -> list[str]:
    """When a rule raises and clears, as sentences."""
    language, unit, limits = _language(), symbol(rule.unit), rule.limits

    def n(value: float) -> str:
        return f"{formats.number(value, language)} {unit}".strip()

    found = []
    hold, calm = limits.hold, limits.hold_clear or limits.hold
    if limits.raise_above is not None:
        found.append(
            _("Raises above %(limit)s, %(times)s× in a row.") % {"limit": n(limits.raise_above), "times": hold}
        )
        below = limits.clear_below if limits.clear_below is not None else limits.raise_above
        found.append(_("Clears below %(limit)s, %(times)s× in a row.") % {"limit": n(below), "times": calm})
    if limits.raise_below is not None:
        found.append(
            _("Raises below %(limit)s, %(times)s× in a row.") % {"limit": n(limits.raise_below), "times": hold}
        )
        above = limits.clear_above if limits.clear_above is not None else limits.raise_below
        found.append(_("Clears above %(limit)s, %(times)s× in a row.") % {"limit": n(above), "times": calm})
    found.append(
        _("With fewer than %(share)s %% of the readings the state is unknown: nothing is raised or cleared.")
        % {"share": formats.number(100 * rule.min_coverage, language, 0)}
    )
    return found


def window_words(rule: Rule) -> str:
    """Over which time a rule looks."""
    if rule.window.get("kind") == "daily":
        return _("each day from %(from)s to %(to)s") % {
            "from": formats.clock(datetime.strptime(rule.window["from"], "%H:%M"), _language()),
            "to": formats.clock(datetime.strptime(rule.window["to"], "%H:%M"), _language()),
        }
    return _("the last %(minutes)s minutes, every %(seconds)s seconds") % {
        "minutes": rule.window.get("minutes", ""),
        "seconds": rule.window.get("every_s", 60),
    }


def aggregate_words(aggregate: str) -> str:
    """How the readings of a stream become one number."""
    words = {"mean": _("mean"), "min": _("least"), "max": _("greatest"), "last": _("last value")}
    return words.get(aggregate, aggregate)


def part_rows(parts: Sequence[Part], titles: dict[str, str]) -> list[dict[str, Any]]:
    """The streams behind a value, with the address of each."""
    return [
        {
            "part": part,
            "title": titles.get(part.stream, part.stream),
            "href": address.of("streams", part.stream),
            "coverage": 100 * part.coverage,
        }
        for part in parts
    ]


def chain(alert: Alert, rule: Rule) -> list[dict[str, str]]:
    """Where the number of an alert comes from, from the readings to the alert."""
    language = _language()
    count = sum(part.count for part in alert.readings)
    return [
        {
            "label": _("readings"),
            "text": _("%(count)s readings of %(streams)s streams")
            % {"count": formats.number(count, language, 0), "streams": len(alert.readings)},
            "href": "#readings",
            "code": "",
        },
        {"label": _("window"), "text": f"{_at(alert.start)} – {_at(alert.since)}", "href": "", "code": ""},
        {"label": _("signal"), "text": _("weighted sum of the streams"), "href": "", "code": ""},
        {
            "label": _("rule"),
            "text": str(say(rule.title, language)),
            "href": address.of("rules", rule.key),
            "code": "",
        },
        {
            "label": _("alert"),
            "text": f"{formats.number(alert.value, language, 2)} {symbol(alert.unit)}",
            "href": "",
            "code": "",
        },
    ]


def _at(moment: int) -> str:
    from django.conf import settings

    return formats.moment(moment, _language(), str(settings.TIME_ZONE))


def formula(rule: Rule) -> str:
    """The signal as a line of text."""
    parts = []
    for number, term in enumerate(rule.terms):
        sign = "−" if term.weight < 0 else "+" if number else ""
        weight = "" if abs(term.weight) == 1 else f"{formats.number(abs(term.weight), _language())} × "
        parts.append(f"{sign} {weight}{term.agg}({term.stream})".strip())
    return " ".join(parts)


def span_of(alert: Alert, rule: Rule) -> tuple[int, int]:
    """What a page shows around an alert: a good part before it, and all since."""
    end = alert.cleared or times.now()
    least = 14 * times.DAY if rule.window.get("kind") == "daily" else 6 * times.HOUR
    before = max((end - alert.since) // 2, least)
    return alert.since - before, end
