"""Things that somebody answers for, as a list shows them: what they are, who answers, and where they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.base.grant import Reader
from krog.base.text import Text
from krog.catalogue import door
from krog.people import reads as people
from krog.people.holdings import Held
from krog.people.shapes import Office, Organisation, Person
from krog.web.portal import case_words

#: What a thing of each noun is called, in the order of the filter.
NOUNS: Mapping[str, Any] = {
    "node": later("Node of the plan"),
    "indicator": later("Indicator"),
    "confirming": later("Values to confirm"),
    "value": later("Value to enter"),
    "dataset": later("Dataset"),
    "rule": later("Rule"),
    "case_type": later("Kind of case"),
    "case": later("Open case"),
}

_PAGES = {
    "indicator": "portal-indicators-detail",
    "confirming": "portal-indicators-detail",
    "dataset": "portal-catalogue-detail",
    "rule": "desk-rules-detail",
    "case": "desk-cases-detail",
}


@dataclass(frozen=True)
class Who:
    """Everybody who can answer: for choices, and for names in lists."""

    organisations: Sequence[Organisation]
    offices: Sequence[Office]
    persons: Sequence[Person]

    def name(self, key: str) -> str:
        """A person by name; who has left by the key."""
        return next((one.name for one in self.persons if one.key == key), key)

    def left(self, key: str) -> bool:
        return bool(key) and all(one.key != key for one in self.persons)

    def office(self, key: str) -> str:
        return next((case_words.said(one.title) or key for one in self.offices if one.key == key), key)

    def organisation(self, key: str) -> str:
        return next((case_words.said(one.title) or key for one in self.organisations if one.key == key), key)


def who(reader: Reader) -> Who:
    """Organisations, offices and people; three statements."""
    grant = door.open(reader, "desk", kind="people")
    return Who(people.organisations(grant), people.offices(grant), people.people(grant))


@dataclass(frozen=True)
class Row:
    """A thing in a list; `word` says what it lacks."""

    value: str
    noun: str
    title: Text
    key: str
    href: str
    organisation: str
    office: str
    holder: str
    due: int | None
    word: str


def rows(found: Iterable[Held], everybody: Who) -> list[Row]:
    """The things as rows."""
    return [_row(held, everybody) for held in found]


def _row(held: Held, everybody: Who) -> Row:
    about, key = held.responsible, held.ref.key
    return Row(
        f"{held.ref.noun}/{key}",
        str(NOUNS[held.ref.noun]),
        held.title,
        key.upper() if held.ref.noun == "case" else key,
        _href(held),
        everybody.organisation(about.organisation),
        everybody.office(about.office),
        everybody.name(about.holder),
        held.due,
        lacks(held, everybody),
    )


def lacks(held: Held, everybody: Who) -> str:
    """What is missing, in words; "" where nothing is."""
    about, found = held.responsible, []
    if not about.organisation and not about.office:
        found.append(_("no organisation"))
    if not about.holder:
        found.append(_("no person"))
    elif everybody.left(about.holder):
        found.append(_("%(name)s has left") % {"name": about.holder})
    return ", ".join(found)


def _href(held: Held) -> str:
    noun, key = held.ref.noun, held.ref.key
    if noun == "node":
        return reverse("portal-plans-node", args=[held.part_of, key])
    if noun == "value":
        return reverse("desk-indicators-enter", args=[key])
    return reverse(_PAGES[noun], args=[key]) if noun in _PAGES else ""
