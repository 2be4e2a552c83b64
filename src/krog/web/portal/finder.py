"""What do you need? Tasks and everything that exists, filtered by the words that a person types."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as later

from krog.base.grant import Reader
from krog.base.text import Text, say
from krog.catalogue import door
from krog.search import reads as search
from krog.web.portal import address, centres

#: How many finds of one kind are shown beside the others, and on a page of their own.
SHOWN = 8
PAGE = 25
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
    """Finds of one kind, some of `total`; there are `more` than were counted. `kind` is "" for what is not counted."""

    title: str
    items: tuple[Found, ...]
    total: int
    kind: str = ""
    more: bool = False


@dataclass(frozen=True)
class Result:
    """What was found: `groups` in the order of their best finds; `kinds` are all kinds with how many there are (kind,
    title, count, whether there are more); `meant` is what was looked for instead of each mistyped word."""

    groups: tuple[Group, ...] = ()
    kinds: tuple[tuple[str, str, int, bool], ...] = ()
    meant: tuple[tuple[str, str], ...] = ()

    @property
    def total(self) -> int:
        return sum(count for _kind, _title, count, _more in self.kinds)


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


def _fixed(words: list[str]) -> Iterator[Found]:
    """Tasks and areas of the city: what is the same in every city."""
    for task in TASKS:
        href = address.named(task.name)
        if href and matches(words, _(task.title), _(task.about), _(task.words)):
            yield Found(_(task.title), href, _(task.about))
    for area in centres.areas():
        if matches(words, area["title"], area["about"]):
            yield Found(area["title"], area["href"], area["about"])


def _report(hit: search.Hit) -> str:
    report = address.named("portal-cases-report")
    return f"{report}?type={hit.key}" if report else ""


def _office(hit: search.Hit) -> str:
    return f"{address.named('portal-people-offices')}#{hit.key}"


#: Kinds of finds: noun of the index, title, and the page of one.
KINDS: tuple[tuple[str, str, Callable[[search.Hit], str]], ...] = (
    ("case_type", later("What you can report"), _report),
    ("service", later("Services"), lambda hit: address.of("registers", hit.home, hit.key)),
    ("call", later("Debates"), lambda hit: address.of("voice", hit.key)),
    ("indicator", later("Indicators"), lambda hit: address.of("indicators", hit.key)),
    ("plan", later("Plans"), lambda hit: address.of("plans", hit.key)),
    ("node", later("In the plan"), lambda hit: address.of("plans", hit.home, hit.key)),
    ("thing", later("Measuring points"), lambda hit: address.of("things", hit.key)),
    ("datastream", later("Measurements"), lambda hit: address.of("streams", hit.key)),
    ("register", later("Registers"), lambda hit: address.of("registers", hit.key)),
    ("record", later("Records of registers"), lambda hit: address.of("registers", hit.home, hit.key)),
    ("rule", later("Rules"), lambda hit: address.of("rules", hit.key)),
    ("dataset", later("Datasets"), lambda hit: address.of("datasets", hit.key)),
    ("territory", later("Places"), lambda hit: address.of("territories", hit.key)),
    ("office", later("Offices"), _office),
    ("page", later("Pages"), lambda hit: address.of("pages", hit.key)),
)
TITLES = {noun: title for noun, title, _page in KINDS}
PAGES = {noun: page for noun, _title, page in KINDS}

#: Where the desk has a page of its own.
DESK_PAGES: dict[str, Callable[[search.Hit], str]] = {
    "record": lambda hit: reverse("desk-registers-record", args=[hit.home, hit.key]),
    "service": lambda hit: reverse("desk-registers-record", args=[hit.home, hit.key]),
    "register": lambda hit: reverse("desk-registers-detail", args=[hit.key]),
    "datastream": lambda hit: reverse("desk-streams-detail", args=[hit.key]),
    "rule": lambda hit: reverse("desk-rules-detail", args=[hit.key]),
    "plan": lambda hit: reverse("desk-plans-table", args=[hit.key]),
}


def cleaned(text: str) -> str:
    """A question as it is taken: one space between words, not too long."""
    return " ".join(text.replace("\x00", " ").split())[:LONGEST]


def find(reader: Reader, text: str, *, kind: str = "", offset: int = 0, desk: bool = False) -> Result:
    """Everything that the reader may see and that has all the words of `text`, some of each kind; of one kind a page
    from `offset`."""
    text = cleaned(text)
    words = [stem(word) for word in plain(text).split()]
    kind = kind if kind in TITLES else ""
    groups = []
    if words and not kind and not desk and (fixed := tuple(_fixed(words))):
        groups.append(Group(_("What you can do"), fixed[:SHOWN], len(fixed)))
    grant = door.everything(reader, "desk" if desk else "portal")
    answer = (
        search.find(grant, text, noun=kind, limit=PAGE, offset=offset)
        if kind
        else search.find(grant, text, limit=SHOWN * len(KINDS), each=SHOWN)
    )
    pages = {**PAGES, **DESK_PAGES} if desk else PAGES
    for noun in dict.fromkeys(hit.noun for hit in answer.hits if hit.noun in TITLES):
        mine = [hit for hit in answer.hits if hit.noun == noun]
        finds = [Found(_said(hit.title) or hit.key, pages[noun](hit), _said(hit.about)) for hit in mine]
        total, more = answer.counts.get(noun, len(mine)), noun in answer.more
        groups.append(Group(_(TITLES[noun]), tuple(one for one in finds if one.href), total, noun, more))
    kinds = tuple(
        (noun, _(title), answer.counts[noun], noun in answer.more)
        for noun, title, _page in KINDS
        if answer.counts.get(noun)
    )
    meant = tuple((word, near[0]) for word, near in answer.meant.items())
    return Result(tuple(groups), kinds, meant)


def _said(text: Text) -> str:
    return str(say(text, get_language() or "sl"))
