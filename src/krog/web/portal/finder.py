"""What do you need? Tasks and everything that exists, filtered by the words that a person types."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as later

from krog.base.grant import Grant, Reader
from krog.base.text import Text, say
from krog.cases import reads as cases
from krog.catalogue import door
from krog.plans import reads as plans
from krog.search import reads as search
from krog.web.portal import address

#: How many finds of one kind are shown.
SHOWN = 8
#: Longer questions than this are cut.
LONGEST = 100


@dataclass(frozen=True)
class Task:
    """A thing that a person comes to do; shown only where its page exists. `words` are other words for it."""

    name: str
    title: str
    about: str
    words: str = ""


TASKS: tuple[Task, ...] = (
    Task("portal-cases-report", later("Report a fault"), later("water, road, lamp, waste"),
         later("leak hole pothole rubbish dark broken complaint")),
    Task("portal-cases-follow", later("Follow your report"), later("what happens with it and until when"),
         later("status case answer")),
    Task("portal-voice-calls", later("Have your say"), later("proposals and debates with their deadlines"),
         later("idea opinion consultation participate")),
    Task("portal-now", later("See what is measured"), later("water, air, rivers, traffic, parking: now"),
         later("sensor measurement temperature car park")),
    Task("portal-indicators-list", later("Check how the city is doing"), later("indicators against their targets"),
         later("numbers progress results")),
    Task("portal-plans-list", later("Look into the plan"), later("goals, measures, projects, who and until when"),
         later("strategy project budget")),
    Task("portal-catalogue-list", later("Take the data"), later("datasets, downloads, open API"),
         later("open data download csv json")),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One find: where it leads and what it is."""

    title: str
    href: str
    about: str = ""


@dataclass(frozen=True)
class Group:
    """Finds of one kind; `total` of them, the first few are shown."""

    title: str
    items: tuple[Found, ...]
    total: int


def tasks() -> list[Found]:
    """The tasks that can be done here, at most six, the most wanted first."""
    found = [Found(_(task.title), address.named(task.name), _(task.about)) for task in TASKS]
    return [task for task in found if task.href][:6]


def plain(text: str) -> str:
    """Text as it is compared: lower case, without marks on letters, so that `resitve` finds `rešitve`."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def stem(word: str) -> str:
    """A word without its last vowel where enough is left: `voda` finds `vodovod`, `proposals` stays as it is."""
    return word[:-1] if len(word) > 3 and word[-1] in "aeiou" else word


def matches(words: Iterable[str], *texts: str) -> bool:
    """Whether every word is somewhere in the texts."""
    whole = plain(" ".join(texts))
    return all(word in whole for word in words)


def _said(text: Text) -> str:
    return str(say(text, get_language() or "sl"))


def _spoken(text: Text) -> str:
    return " ".join(text.values())


def _tasks(words: list[str], text: str, grant: Callable[[str], Grant]) -> Iterator[Found]:
    for task in TASKS:
        href = address.named(task.name)
        if href and matches(words, _(task.title), _(task.about), _(task.words)):
            yield Found(_(task.title), href, _(task.about))
    report = address.named("portal-cases-report")
    for kind in cases.case_types(grant("cases"), citizen_only=True):
        if report and matches(words, _spoken(kind.title), _spoken(kind.description)):
            yield Found(f"{_('Report')}: {_said(kind.title)}", f"{report}?type={kind.key}", _said(kind.description))


def _plans(words: list[str], text: str, grant: Callable[[str], Grant]) -> Iterator[Found]:
    given = grant("plans")
    for card in plans.plans(given):
        if card.plan.in_force is None:
            continue
        for node in plans.tree(given, card.plan.key).nodes.values():
            if matches(words, node.number, _spoken(node.title), _spoken(node.text)):
                title = f"{node.number} {_said(node.title)}".strip()
                yield Found(title, address.of("plans", card.plan.key, node.key), _said(card.plan.level(node.level)))


#: Kinds of finds: title, noun of the index, and the parts of a page's address.
_KINDS: tuple[tuple[str, str, Callable[[search.Hit], tuple[str, ...]]], ...] = (
    (later("Debates"), "call", lambda hit: ("voice", hit.key)),
    (later("Indicators"), "indicator", lambda hit: ("indicators", hit.key)),
    (later("Measurements"), "datastream", lambda hit: ("streams", hit.key)),
    (later("Registers"), "register", lambda hit: ("registers", hit.key)),
    (later("Records of registers"), "record", lambda hit: ("registers", hit.home, hit.key)),
    (later("Rules"), "rule", lambda hit: ("rules", hit.key)),
    (later("Places"), "territory", lambda hit: ("territories", hit.key)),
    (later("Datasets"), "dataset", lambda hit: ("datasets", hit.key)),
)


def find(reader: Reader, text: str) -> list[Group]:
    """Everything that the reader may see and that has all the words of `text`, by kind."""
    text = " ".join(text.replace("\x00", " ").split())[:LONGEST]
    words = [stem(word) for word in plain(text).split()]
    grants: dict[str, Any] = {}

    def grant(kind: str) -> Grant:
        if kind not in grants:
            grants[kind] = door.open(reader, "portal", kind=kind)
        return grants[kind]  # type: ignore[no-any-return]

    groups = []
    for title, look in ((_("What you can do"), _tasks), (_("Plan"), _plans)) if words else ():
        every = [found for found in look(words, text, grant) if found.href]
        if every:
            groups.append(Group(title, tuple(every[:SHOWN]), len(every)))
    return groups[:1] + _indexed(reader, text) + groups[1:]


def _indexed(reader: Reader, text: str) -> list[Group]:
    """What the index has, by kind; typed wrongly, bent or without marks on letters."""
    answer = search.find(door.everything(reader, "portal"), text, limit=search.WEIGHED)
    groups = []
    for title, noun, parts in _KINDS:
        mine = [hit for hit in answer.hits if hit.noun == noun]
        finds = [Found(_said(hit.title), address.of(*parts(hit)), _said(hit.about)) for hit in mine[:SHOWN]]
        shown = tuple(found for found in finds if found.href)
        if shown:
            groups.append(Group(_(title), shown, max(answer.counts.get(noun, 0), len(shown))))
    return groups
