"""Near me today: what is open, what is asked and what is measured at a place of the city."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from krog.base.origin import Origin, weakest
from krog.base.text import Text, say
from krog.cases.shapes import Status
from krog.people.shapes import Territory
from krog.rules.shapes import Alert, Rule
from krog.streams.shapes import Datastream
from krog.voice.shapes import Call
from krog.web.components import formats
from krog.web.components.stream_view import Line
from krog.web.portal import address

#: What counts as near, in km: a settlement and its surroundings.
NEAR_KM = 2.5
#: Streams with these roles speak for their dataset before the others.
LEADING = ("inflow",)
#: How many values of one dataset fit a line.
VALUES = 3


@dataclass(frozen=True)
class Item:
    """A row: what it is about, its state in words, what there is to know, and where to read on."""

    about: str
    title: str
    state: str = ""
    word: str = ""
    meta: str = ""
    href: str = ""
    origin: Origin | None = None
    lines: Sequence[Line] = field(default_factory=tuple)


def _said(text: Text) -> str:
    return str(say(text, get_language() or "sl"))


def default_place(territories: Iterable[Territory], streams: Iterable[Datastream]) -> str:
    """The settlement where most is measured; the first one where nothing is."""
    settlements = {one.key for one in territories if one.level == "settlement"}
    counts: dict[str, int] = {}
    for stream in streams:
        if stream.thing.territory in settlements:
            counts[stream.thing.territory] = counts.get(stream.thing.territory, 0) + 1
    if counts:
        return max(sorted(counts), key=lambda key: counts[key])
    return min(settlements, default="")


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Between two (lon, lat); flat, which is exact to a metre within a municipality."""
    x = math.radians(other[0] - one[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return 6371.0 * math.hypot(x, math.radians(other[1] - one[1]))


def alerts(
    found: Iterable[Alert], here: frozenset[str], settled: Collection[str] = (), rules: Iterable[Rule] = ()
) -> list[Item]:
    """Open alerts that look at a stream of the place; else the good news that there is none, if the rules that look
    here have seen enough to say so. The case of an alert in `settled` is closed, which the readings have not confirmed
    yet."""
    items = []
    for alert in found:
        if not any(part.stream in here for part in alert.readings):
            continue
        value = formats.amount(round(alert.last_value, 2), alert.unit, get_language() or "sl")
        handled = f" · {_('being handled')}" if alert.case else ""
        if alert.case and alert.case.lower() in settled:
            handled = f" · {_('the case is closed, the next readings will tell')}"
        items.append(Item(
            _("Alert"), _said(alert.title), "bad", _("alert"),
            _("%(value)s, limit %(limit)s") % {
                "value": value, "limit": formats.number(alert.threshold, get_language() or "sl"),
            } + handled,
            address.of("alerts", alert.key) or address.of("rules", alert.rule), alert.origin,
        ))  # fmt: skip
    watching = [rule for rule in rules if any(term.stream in here for term in rule.terms)]
    if not items and any(rule.standing.state in ("unknown", "never") for rule in watching):
        items.append(Item(_("Alerts"), _("It cannot be told yet: readings are missing."), "none", _("no data")))
    elif not items and watching:
        items.append(Item(_("Alerts"), _("Nothing is out of its limits here."), "ok", _("no alerts")))
    return items


def cases(found: Iterable[Status], place: Territory | None, told: Collection[str] = ()) -> list[Item]:
    """Public cases near the place that somebody is working on; not those (`told`) that an alert speaks of."""
    items = []
    for case in found:
        if case.reference.lower() in told:
            continue
        if place is None or place.lon is None or place.lat is None or case.lon is None or case.lat is None:
            continue
        if distance_km((place.lon, place.lat), (case.lon, case.lat)) > NEAR_KM:
            continue
        state = "warn" if case.overdue or case.severity == "urgent" else "none"
        items.append(Item(
            _said(case.type_title), _said(case.title) or _said(case.type_title), state, _("being handled"), case.place,
            address.of("cases", case.reference),
        ))  # fmt: skip
    return items[:3]


def calls(found: Iterable[Call], today_days: int) -> list[Item]:
    """Open calls with their deadline. `today_days` is today as a count of days."""
    items = []
    for call in found:
        if call.phase != "open":
            continue
        meta = ""
        if call.closes is not None:
            left = call.closes.toordinal() - today_days
            day = f"{call.closes.day}.\u00a0{call.closes.month}.\u00a0{call.closes.year}"
            if (get_language() or "sl").startswith("en"):
                day = f"{call.closes:%d %B %Y}".lstrip("0")
            meta = _("proposals until %(day)s") % {"day": day} + " · " + (
                _("last day") if left == 0
                else ngettext("%(count)d more day", "%(count)d more days", left) % {"count": left}
            )  # fmt: skip
        items.append(Item(_("Debate"), _said(call.title), "warn", _("open"), meta, address.of("voice", call.key)))
    return items


def values(lines: Sequence[Line], titles: Mapping[str, Text], here: frozenset[str]) -> list[Item]:
    """One row for each dataset: first those measured at the place, then those of the rest of the city."""
    by_dataset: dict[str, list[Line]] = {}
    for line in lines:
        if line.latest.time is not None and not line.latest.withheld:
            by_dataset.setdefault(line.stream.dataset, []).append(line)
    items = []
    for dataset, mine in by_dataset.items():
        near = [line for line in mine if line.stream.key in here] or mine
        shown = _telling(near)
        origins = {line.latest.origin for line in shown if line.latest.origin is not None}
        items.append((
            near[0].stream.key not in here,
            Item(_said(titles.get(dataset, {})) or dataset, "", meta=_more(len(mine) - len(shown)),
                 href=address.of("datasets", dataset), lines=tuple(shown),
                 origin=next(iter(origins)) if len(origins) == 1 else weakest(list(origins))),
        ))  # fmt: skip
    return [item for _elsewhere, item in sorted(items, key=lambda pair: (pair[0], pair[1].about))]


def _telling(lines: Sequence[Line]) -> list[Line]:
    """At most three lines: leading roles first, then one for each observed property, fresh before silent."""
    leading = [line for line in lines if line.stream.role in LEADING]
    if leading:
        return leading[:VALUES]
    found: dict[str, Line] = {}
    for line in sorted(lines, key=lambda each: each.stale):
        found.setdefault(line.stream.observed_property.key + line.stream.thing.key, line)
    return list(found.values())[:VALUES]


def _more(count: int) -> str:
    return ngettext("and %(count)d more", "and %(count)d more", count) % {"count": count} if count > 0 else ""
