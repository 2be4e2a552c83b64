"""The navigation of portal and desk, and what waits behind each entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop as _

from krog.base.grant import Reader
from krog.people.providers import CENTRES


@dataclass(frozen=True)
class Item:
    """An entry of the portal's navigation: the names of its addresses, the first is where it leads."""

    key: str
    title: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """An entry of the desk's rail; `roles` limits who sees it (empty: all staff)."""

    key: str
    title: str
    name: str
    args: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    demo_only: bool = field(default=False)


PORTAL: tuple[Item, ...] = (
    Item("services", _("Services"), ("portal-services", "portal-cases-report")),
    Item("now", _("Now"), ("portal-now", "portal-streams-list")),
    Item("participate", _("Take part"), ("portal-voice-calls",)),
    Item("indicators", _("How we are doing"), ("portal-indicators-list",)),
    Item("plan", _("Plan"), ("portal-plans-list",)),
    Item("data", _("Data"), ("portal-catalogue-list", "portal-registers-list")),
)

CENTRE_TITLES = {
    "mobility": _("Mobility"),
    "environment": _("Environment"),
    "energy": _("Energy"),
    "buildings": _("Buildings"),
    "economy": _("Economy and society"),
    "administration": _("Administration"),
    "living": _("Living"),
    "control": _("Control"),
}

DESK: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        _("Mine"),
        (
            Entry("work", _("My work"), "desk-work"),
            Entry("search", _("Search"), "desk-search"),
            Entry("clerk", _("Counter"), "desk-clerk", roles=("clerk", "official", "operator")),
        ),
    ),
    (_("Centres"), tuple(Entry(f"centre-{c}", CENTRE_TITLES[c], "desk-centre", (c,)) for c in CENTRES)),
    (
        _("Shared"),
        (
            Entry("plans", _("Plan"), "desk-plans-list"),
            Entry("indicators", _("Values"), "desk-indicators-list"),
            Entry("voice", _("Proposals"), "desk-voice-list"),
            Entry("rules", _("Rules and alerts"), "desk-rules-list"),
            Entry("streams", _("Measuring points"), "desk-streams-list"),
            Entry("aside", _("Set-aside readings"), "desk-streams-aside"),
            Entry("registers", _("Registers"), "desk-registers-list"),
            Entry("people", _("People and offices"), "desk-people-list"),
            Entry("without", _("Without a responsible person"), "desk-people-without"),
            Entry("usage", _("Use of services"), "desk-usage"),
            Entry("mail", _("Mail"), "desk-mail"),
            Entry("accounts", _("Accounts"), "desk-accounts", roles=("administrator",)),
            Entry("keys", _("API keys"), "desk-keys", roles=("administrator",)),
            Entry("accesses", _("Access log"), "desk-catalogue-accesses", roles=("digital_officer",)),
            Entry("inspect", _("Inspect"), "desk-inspect", roles=("digital_officer",)),
            Entry("mailbox", _("Demo mailbox"), "desk-mailbox", demo_only=True),
        ),
    ),
)

#: Nouns register here how many things wait for a reader: functions reader -> {entry key: (count, urgent)}.
COUNTERS: list[Callable[[Reader], dict[str, tuple[int, bool]]]] = []


def counts(reader: Reader) -> dict[str, tuple[int, bool]]:
    """How many things wait behind each entry of the rail."""
    found: dict[str, tuple[int, bool]] = {}
    for counter in COUNTERS:
        found.update(counter(reader))
    return found
