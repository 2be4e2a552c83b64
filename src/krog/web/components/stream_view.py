"""How datastreams are shown, the same in portal and desk: state in words, groups by thing, map, chart, statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language, gettext, gettext_lazy
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Invalid
from krog.base.text import say
from krog.streams.reads import OVERDUE_AFTER
from krog.streams.shapes import Datastream, Latest, Series, State, Thing
from krog.web.components import charts, formats, maps

#: What a chart may span: the word in the address, microseconds (None: everything), the words on the page.
RANGES: Mapping[str, tuple[int | None, Any, Any]] = {
    "24h": (times.DAY, gettext_lazy("24 hours"), gettext_lazy("the last 24 hours")),
    "7d": (7 * times.DAY, gettext_lazy("7 days"), gettext_lazy("the last 7 days")),
    "30d": (30 * times.DAY, gettext_lazy("30 days"), gettext_lazy("the last 30 days")),
    "all": (None, gettext_lazy("All"), gettext_lazy("all the time")),
}

_LOOKS = {State.WORKING: "ok", State.SILENT: "warn", State.NEVER: "none"}


@dataclass(frozen=True)
class Line:
    """A datastream in a list: its newest value, the look of its state (ok, warn, none) and its words."""

    stream: Datastream
    latest: Latest
    look: str
    word: str
    href: str

    @property
    def stale(self) -> bool:
        return self.latest.state is State.SILENT


@dataclass(frozen=True)
class Group:
    """A thing with its datastreams."""

    thing: Thing
    lines: Sequence[Line]


@dataclass(frozen=True)
class Statistics:
    """What the values of a range amount to."""

    count: int
    mean: float
    least: float
    most: float


def language() -> str:
    """The language of the page."""
    return get_language() or "en"


def word_of(latest: Latest) -> str:
    """The state of a datastream in words."""
    if latest.state is State.NEVER:
        return _("no values yet")
    return _("silent") if latest.state is State.SILENT else _("working")


def lines(streams: Iterable[Datastream], newest: Mapping[str, Latest], page: str) -> list[Line]:
    """Datastreams with their newest values; `page` is the name of the address that a line leads to."""
    found = []
    for stream in streams:
        latest = newest.get(stream.key) or Latest(stream.key, State.NEVER)
        found.append(Line(stream, latest, _LOOKS[latest.state], word_of(latest), reverse(page, args=[stream.key])))
    return found


def groups(of: Sequence[Line]) -> list[Group]:
    """Lines by thing, in their order."""
    return [
        Group(mine[0].stream.thing, mine)
        for _key, each in groupby(of, key=lambda line: line.stream.thing.key)
        for mine in [list(each)]
    ]


def thing_map(title: str, of: Sequence[Group]) -> maps.Map | None:
    """Things with a place, each in the state of its worst datastream; None where none has a place."""
    words = {"ok": _("working"), "warn": _("silent"), "none": _("no values yet")}
    features = []
    for group in of:
        thing = group.thing
        if thing.lon is None or thing.lat is None:
            continue
        look = next((each for each in ("warn", "ok") if any(line.look == each for line in group.lines)), "none")
        features.append(
            maps.feature(
                thing.key,
                maps.point(thing.lon, thing.lat),
                title=str(say(thing.title, language())),
                state=look,
                word=words[look],
                text=_("invented place") if thing.demo_place else "",
                href=group.lines[0].href
                if len(group.lines) == 1
                else reverse("portal-streams-thing", args=[thing.key]),
            )
        )
    shown = {feature["properties"]["state"] for feature in features}
    return maps.Map(title, features, [item for item in words.items() if item[0] in shown]) if features else None


def span(name: str, first: int | None, now: int) -> tuple[int, int]:
    """Begin and end of a named range; `first` is the time of the first value. Invalid for a name that is none."""
    if name not in RANGES:
        raise Invalid(_("There is no such range."), "range", ", ".join(RANGES))
    length = RANGES[name][0]
    begin = now - length if length is not None else min(first if first is not None else now - times.DAY, now - 1)
    return begin, now + 1


def statistics(series: Series) -> Statistics | None:
    """Count, mean, least and greatest of all values behind a series."""
    count = sum(point.count for point in series.points)
    if not count:
        return None
    mean = sum(point.mean * point.count for point in series.points) / count
    return Statistics(count, mean, min(p.least for p in series.points), max(p.most for p in series.points))


def chart(stream: Datastream, series: Series, name: str) -> charts.Chart:
    """The chart of a series: its title says what it found, missing values are gaps, means say that they are means."""
    found = statistics(series)
    title, words = str(say(stream.title, language())), str(RANGES[name][2])
    if found is None:
        heading = f"{title}: {words}"
    else:
        heading = gettext("%(stream)s, %(range)s: from %(least)s to %(most)s %(unit)s") % {
            "stream": title,
            "range": words,
            "least": formats.number(found.least, language()),
            "most": formats.number(found.most, language()),
            "unit": formats.unit(stream.unit, language()),
        }
    alt = (
        heading
        if found is None
        else gettext("%(title)s; %(count)s values, on average %(mean)s.")
        % {
            "title": heading,
            "count": formats.number(found.count, language()),
            "mean": formats.number(found.mean, language()),
        }
    )
    every = max(series.step * 3 // 2, stream.interval_s * times.SECOND * OVERDUE_AFTER)
    line = charts.Series(
        title,
        [(point.time, point.mean) for point in series.points],
        origin=series.origin,
        gap=every if stream.interval_s else None,
    )
    return charts.line(heading, alt, [line], unit=stream.unit, language=language())


def step_words(step: int) -> str:
    """What the points of a chart are."""
    if step == 0:
        return _("Every reading is drawn.")
    names = {
        15 * times.MINUTE: _("Each point is the mean of 15 minutes."),
        times.HOUR: _("Each point is the mean of an hour."),
        times.DAY: _("Each point is the mean of a day."),
        7 * times.DAY: _("Each point is the mean of a week."),
    }
    return names[step]
