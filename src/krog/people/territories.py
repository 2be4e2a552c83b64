"""Territories in hierarchies that overlap, each as of a day: what lies within what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import NotFound
from krog.base.grant import Grant
from krog.base.settings import settings
from krog.people import models, shapes
from krog.people.shapes import ADMINISTRATIVE

#: More territories than these are not looked for by name.
MOST_NAMED = 300


def _territory(row: models.Territory) -> shapes.Territory:
    return shapes.Territory(
        row.key,
        row.title,
        row.level,
        row.parent,
        row.lon,
        row.lat,
        row.source,
        row.outline,
        row.valid_from,
        row.valid_to,
    )


def _day(on: date | None) -> str:
    return (on or times.local_date(times.now(), settings().timezone)).isoformat()


def _held(day: str) -> Q:
    """That something held on a day: from `valid_from` until before `valid_to`, where they are given."""
    return (Q(valid_from="") | Q(valid_from__lte=day)) & (Q(valid_to="") | Q(valid_to__gt=day))


def territories(
    grant: Grant, level: str | None = None, *, keys: Iterable[str] | None = None, on: date | None = None
) -> list[shapes.Territory]:
    """Territories that exist (of one level, of these keys) on a day, today if none is given, by key."""
    rows = models.Territory.objects.filter(_held(_day(on)), retired=False).order_by("key")
    if level:
        rows = rows.filter(level=level)
    if keys is not None:
        rows = rows.filter(key__in=list(keys))
    return [_territory(row) for row in rows]


def territory(grant: Grant, key: str) -> shapes.Territory:
    """One territory, also one that exists no longer, or NotFound."""
    row = models.Territory.objects.filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no territory “%(key)s”.") % {"key": key}, "territory")
    return _territory(row)


def hierarchies(grant: Grant) -> list[shapes.Hierarchy]:
    """The administrative hierarchy, then those that the city has declared, by key."""
    rows = models.Hierarchy.objects.filter(retired=False).order_by("key")
    return [shapes.Hierarchy(ADMINISTRATIVE, {}), *(shapes.Hierarchy(row.key, row.title) for row in rows)]


#: What lies directly within what: for each hierarchy the territories above each one.
Above = Mapping[str, Mapping[str, tuple[str, ...]]]


def _above(day: str) -> Above:
    """All of it that held on a day, in two statements; what does not exist that day has no place."""
    exist = dict(models.Territory.objects.filter(_held(day), retired=False).values_list("key", "parent"))
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for key, parent in exist.items():
        if parent in exist:
            found[ADMINISTRATIVE][key].append(parent)
    parts = models.TerritoryPart.objects.filter(_held(day), retired=False).order_by("key")
    for key, within, hierarchy in parts.values_list("territory", "within", "hierarchy"):
        if key in exist and within in exist and within not in found[hierarchy][key]:
            found[hierarchy][key].append(within)
    return {name: {key: tuple(above) for key, above in links.items()} for name, links in found.items()}


def _turned(links: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, above in links.items():
        for each in above:
            found[each].append(key)
    return {key: tuple(sorted(below)) for key, below in found.items()}


def _reached(links: Mapping[str, tuple[str, ...]], key: str) -> list[str]:
    """All that is reached from a key, nearest first, each once; a circle ends where it began."""
    found: list[str] = []
    seen, step = {key}, [key]
    while step:
        step = list(dict.fromkeys(each for one in step for each in links.get(one, ()) if each not in seen))
        seen.update(step)
        found.extend(step)
    return found


def ancestors(grant: Grant, key: str, *, on: date | None = None) -> dict[str, tuple[str, ...]]:
    """For each hierarchy that the territory stands in: the keys that it lies within, nearest first, on a day."""
    found = {name: tuple(_reached(links, key)) for name, links in _above(_day(on)).items()}
    return {name: above for name, above in found.items() if above}


def parts(grant: Grant, key: str, hierarchy: str = ADMINISTRATIVE, *, on: date | None = None) -> list[shapes.Territory]:
    """What lies directly within a territory in one hierarchy on a day, by key."""
    below = _turned(_above(_day(on)).get(hierarchy, {})).get(key, ())
    return territories(grant, keys=below, on=on) if below else []


def within(grant: Grant, key: str, hierarchy: str | None = None, *, on: date | None = None) -> frozenset[str]:
    """The keys of a territory and of all that lies within it at any depth, in one hierarchy or in any, on a day."""
    links = _above(_day(on))
    wanted = links if hierarchy is None else {hierarchy: links.get(hierarchy, {})}
    return frozenset({key}.union(*(_reached(_turned(each), key) for each in wanted.values())))


def titles(keys: Iterable[str]) -> frozenset[str]:
    """What territories are called, in every language, as a place is written."""
    found = models.Territory.objects.filter(key__in=list(keys)[:MOST_NAMED]).values_list("title", flat=True)
    return frozenset(name for title in found for name in title.values() if name)


def places(grant: Grant, key: str, *, on: date | None = None) -> list[shapes.Place]:
    """Where a territory stands in each hierarchy that it has a place in, the administrative first."""
    links = _above(_day(on))
    above = {name: _reached(each, key) for name, each in links.items()}
    below = {name: _turned(each).get(key, ()) for name, each in links.items()}
    named = {each for found in (*above.values(), *below.values()) for each in found}
    known = {each.key: each for each in territories(grant, keys=named, on=on)} if named else {}
    return [
        shapes.Place(
            hierarchy,
            tuple(known[each] for each in above.get(hierarchy.key, ()) if each in known),
            tuple(known[each] for each in below.get(hierarchy.key, ()) if each in known),
        )
        for hierarchy in hierarchies(grant)
        if above.get(hierarchy.key) or below.get(hierarchy.key)
    ]
