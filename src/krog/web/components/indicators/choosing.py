"""A list of indicators: what of it a reader asks for in the address, sorted and grouped by the parts of the plan."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from krog.base.text import say
from krog.indicators.shapes import KINDS, LEVELS, Indicator, Standing
from krog.people.shapes import Office
from krog.web.components.indicators import words
from krog.web.navigation import CENTRE_TITLES

#: Mark of a verdict -> its words; the order is that of "those off track first".
MARKS: Mapping[str, Any] = {
    "bad": gettext_lazy("off track"), "warn": gettext_lazy("at risk"), "ok": gettext_lazy("on track"),
    "none": gettext_lazy("no verdict"),
}  # fmt: skip
SORTS: Mapping[str, Any] = {
    "": gettext_lazy("by the plan"), "state": gettext_lazy("those off track first"),
    "newest": gettext_lazy("the newest values first"), "title": gettext_lazy("by name"),
}  # fmt: skip
#: What is asked for when only some are wanted.
NAMES = ("q", "state", "theme", "level", "kind", "centre", "office", "area", "unclear")
TEXT = 100


@dataclass(frozen=True)
class Choice:
    """What a reader asked for; `sort` is one of SORTS, everything empty: all of the city's own indicators."""

    text: str = ""
    state: str = ""
    theme: str = ""
    level: str = ""
    kind: str = ""
    centre: str = ""
    office: str = ""
    area: str = ""
    unclear: bool = False
    sort: str = ""

    @property
    def any(self) -> bool:
        """Whether less than everything is asked for."""
        return any((self.text, self.state, self.theme, self.level, self.kind, self.centre, self.office, self.area,
                    self.unclear))  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Indicators of one heading: `key` is that of the part of the plan (empty: of none), `level` one of LEVELS."""

    key: str
    level: str
    items: Sequence[Standing]


def read(query: QueryDict) -> Choice:
    """What the address asks for; words that mean nothing ask for nothing."""
    given = {name: query.get(name, "")[:TEXT].strip() for name in NAMES}
    sort = query.get("sort", "")
    return Choice(
        text=given["q"], state=given["state"] if given["state"] in MARKS else "", theme=given["theme"],
        level=given["level"] if given["level"] in LEVELS else "", kind=given["kind"] if given["kind"] in KINDS else "",
        centre=given["centre"], office=given["office"], area=given["area"], unclear=bool(given["unclear"]),
        sort=sort if sort in SORTS else "",
    )  # fmt: skip


def mark(standing: Standing) -> str:
    """The mark of a standing, one of MARKS."""
    return words.verdict(standing.evaluation, standing.latest is not None)[0]


def unclear(about: Indicator) -> bool:
    """Whether what the source says of the indicator or of one of its targets cannot be read for certain."""
    return about.parse_status != "ok" or any(not target.readable for target in about.targets)


def chosen(standings: Iterable[Standing], choice: Choice, offices: Mapping[str, Office]) -> list[Standing]:
    """Those that fit, whatever their state: the states are counted among them."""
    wanted = choice.text.casefold().split()
    tests: list[tuple[object, Callable[[Indicator], bool]]] = [
        (choice.theme, lambda about: about.theme == choice.theme),
        (choice.level, lambda about: about.level == choice.level),
        (choice.kind, lambda about: about.kind == choice.kind),
        (choice.office, lambda about: about.office == choice.office),
        (choice.centre, lambda about: about.office in offices and offices[about.office].centre == choice.centre),
        (choice.unclear, unclear),
        (wanted, lambda about: all(word in _text(about) for word in wanted)),
    ]
    asked = [test for given, test in tests if given]
    return [
        each for each in standings
        # Series of other areas are there to compare with; they are shown to who asks for an area.
        if (each.indicator.area == choice.area if choice.area else not each.indicator.series_of)
        and all(test(each.indicator) for test in asked)
    ]  # fmt: skip


def _text(about: Indicator) -> str:
    parts = [about.key, about.code, *about.aliases, *about.title.values(), *about.definition.values()]
    return " ".join(str(part) for part in parts).casefold()


def counts(standings: Iterable[Standing]) -> dict[str, int]:
    """How many there are of each of MARKS."""
    found = dict.fromkeys(MARKS, 0)
    for each in standings:
        found[mark(each)] += 1
    return found


def ordered(standings: Sequence[Standing], sort: str, language: str) -> list[Standing]:
    """In the order asked for; by the plan: those with a level first, then the other ones, each by part of the plan."""
    if sort == "state":
        order = list(MARKS)
        return sorted(standings, key=lambda each: order.index(mark(each)))
    if sort == "newest":
        return sorted(standings, key=lambda each: each.latest.start if each.latest else 0, reverse=True)
    if sort == "title":
        return sorted(standings, key=lambda each: str(say(each.indicator.title, language)).casefold())
    parts = {theme: number for number, theme in enumerate(dict.fromkeys(e.indicator.theme for e in standings))}
    levels = {level: number for number, level in enumerate(("impact", "result", "output", "process", "input", ""))}
    return sorted(standings, key=lambda each: (levels.get(each.indicator.level, 5), not each.indicator.theme,
                                               parts[each.indicator.theme]))  # fmt: skip


def groups(standings: Iterable[Standing]) -> list[Group]:
    """Indicators ordered by the plan under their headings."""
    found = itertools.groupby(standings, key=lambda each: (each.indicator.theme, each.indicator.level))
    return [Group(theme, level, list(items)) for (theme, level), items in found]


def options(
    standings: Iterable[Standing], choice: Choice, offices: Mapping[str, Office], themes: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The lists to choose from, each with what there is; a list of one thing is left out."""
    abouts = [each.indicator for each in standings]
    used = {about.office for about in abouts}
    centres = {offices[key].centre for key in used if key in offices} - {""}
    found = [
        ("theme", _("Part of the plan"), choice.theme,
         [(key, themes[key]) for key in dict.fromkeys(about.theme for about in abouts) if key in themes]),
        ("centre", _("Area of work"), choice.centre, [(k, str(w)) for k, w in CENTRE_TITLES.items() if k in centres]),
        ("office", _("Office"), choice.office,
         sorted(((key, words.said(offices[key].title)) for key in used if key in offices), key=lambda pair: pair[1])),
        ("kind", _("How the values come"), choice.kind,
         [(key, str(word)) for key, word in words.KINDS.items() if any(about.kind == key for about in abouts)]),
        ("level", _("What it measures"), choice.level,
         [(key, str(word)) for key, word in words.LEVELS.items() if any(about.level == key for about in abouts)]),
        ("area", _("Place"), choice.area, [(key, key) for key in sorted({a.area for a in abouts if a.area})]),
    ]  # fmt: skip
    return [
        {"name": name, "label": label, "chosen": now, "options": choices, "first": name in ("theme", "centre")}
        for name, label, now, choices in found if now or len(choices) > 1 or (choices and name in ("area", "level"))
    ]  # fmt: skip
