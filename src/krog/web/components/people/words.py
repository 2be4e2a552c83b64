"""Territories in words: what each level and hierarchy is called, and how places are grouped on a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from krog.base.text import Text, say
from krog.catalogue import door
from krog.people import reads
from krog.people.shapes import ADMINISTRATIVE, Hierarchy, Place, Territory
from krog.web.components import formats
from krog.web.request import Request

LEVELS = {
    "state": gettext_noop("Country"),
    "region": gettext_noop("Region"),
    "municipality": gettext_noop("Municipality"),
    "settlement": gettext_noop("Settlement"),
    "local_community": gettext_noop("Local community"),
    "school_district": gettext_noop("School district"),
    "programme_area": gettext_noop("Programme area"),
    "quarter": gettext_noop("Quarter"),
    "zone": gettext_noop("Zone"),
}

_MANY = {
    "state": gettext_noop("Countries"),
    "region": gettext_noop("Regions"),
    "municipality": gettext_noop("Municipalities"),
    "settlement": gettext_noop("Settlements"),
    "local_community": gettext_noop("Local communities"),
    "school_district": gettext_noop("School districts"),
    "programme_area": gettext_noop("Programme areas"),
    "quarter": gettext_noop("Quarters"),
    "zone": gettext_noop("Zones"),
}


def inside(request: Request) -> tuple[Territory | None, frozenset[str] | None]:
    """The territory that `territory` in the address asks for, and the keys of all that lies within it; None for
    none."""
    key = request.GET.get("territory", "")
    if not key:
        return None, None
    grant = door.open(request.reader, "portal", kind="people")
    return reads.territory(grant, key.replace("\x00", "")[:100]), reads.within(grant, key)


@dataclass(frozen=True)
class Group:
    """Territories of one level, by name; `title` is still to be translated."""

    title: str
    items: tuple[Territory, ...]


@dataclass(frozen=True)
class Standing:
    """The place in one hierarchy: its name, what is above, nearest first, and the parts by level."""

    title: Text | str
    above: tuple[Territory, ...]
    groups: tuple[Group, ...]
    count: int


def _name(one: Territory) -> str:
    return formats.order(str(say(one.title, get_language() or "sl")))


def by_level(found: Iterable[Territory]) -> tuple[Group, ...]:
    """Groups from the largest level to the smallest, each by name."""
    everything = sorted(found, key=_name)
    return tuple(
        Group(title, tuple(one for one in everything if one.level == level))
        for level, title in _MANY.items()
        if any(one.level == level for one in everything)
    )


def hierarchy(found: Hierarchy) -> str:
    """What a hierarchy is called."""
    if found.key == ADMINISTRATIVE:
        return _("Administrative division")
    return str(say(found.title, get_language() or "sl")) or found.key


def place(found: Place) -> Standing:
    """A place in a hierarchy as the page shows it."""
    return Standing(hierarchy(found.hierarchy), found.above, by_level(found.parts), len(found.parts))


def day_of(text: str) -> date | None:
    """The day that the address asks for; None (today) for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None
