"""Finding: what the reader may see and what was asked for, the best first, with how many there are of each kind."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from krog.base.grant import Grant
from krog.base.text import Text
from krog.catalogue import door
from krog.catalogue.shapes import Dataset
from krog.search import index, models, words

#: Most docs that are weighed and counted in one go. A question that has more is asked again without the kinds that a
#: city has the most of, so that these do not hide the others.
WEIGHED = 2000
_MANY = ((), ("record",), ("record", "datastream", "thing"))


@dataclass(frozen=True)
class Hit:
    """One find: the kind of thing, its key and what it belongs to, title and what it is."""

    noun: str
    key: str
    home: str
    title: Text
    about: Text


@dataclass(frozen=True)
class Answer:
    """The finds, the best first; how many there are of each kind, the kinds of which there are `more`; `meant` are the
    words that were looked for instead of mistyped ones."""

    hits: list[Hit]
    counts: dict[str, int]
    meant: dict[str, list[str]]
    more: frozenset[str] = frozenset()

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def stamp(dataset: Dataset) -> str:
    """Moves when who may see which fields or rows of a dataset does: docs of an older policy are found by nobody."""
    said = json.dumps([dataset.fields, dataset.public_rows], sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def scopes(grant: Grant) -> list[str]:
    """The scopes of what this grant lets through: `*` is for everybody; `a` in both, `p` public, `s` inside."""
    stamps = {key: stamp(dataset) for key, dataset in door.stamped().items() if key in grant}
    found = ["*"]
    for key, access in grant.datasets.items():
        side = "p" if access.public else "s"
        found += [f"{side}:{key}@{stamps[key]}", f"a:{key}@{stamps[key]}"]
    return found


def mark(grant: Grant) -> int:
    """The last seal of the journal whose entries are in the index; 0 before the first."""
    return models.Mark.objects.values_list("seal", flat=True).first() or 0


def find(grant: Grant, text: str, *, noun: str = "", limit: int = 60, offset: int = 0, each: int = 0) -> Answer:
    """What has all the words of a question, by word beginnings, without case, marks and endings; a word that stands
    nowhere is replaced by the nearest ones. Where nothing has all words, what has most of them. `noun` keeps to a kind
    (the counts are of all kinds), `each` shows at most so many of a kind."""
    asked = words.asked(text.replace("\x00", " ")[:100])
    if not asked:
        return Answer([], {}, {})
    meant: dict[str, list[str]] = {}
    tests: list[set[str]] = []
    for word in asked:
        starts = words.same(word)
        if len(word) > 3 and word.isalpha() and not any(index.known(start) for start in starts):
            near = words.nearest(word, index.alike(word))
            if near:
                meant[word] = near
                starts = set(near)
        tests.append(starts)
    seen, every = scopes(grant), True
    found, more = _candidates(tests, seen, every=True)
    if len(tests) > 1 and not found:
        found, more = _candidates(tests, seen, every=False)
        every = False
    counts = dict(Counter(one.noun for one in found))
    if noun and noun in more and counts[noun] < WEIGHED:
        found = index.candidates(tests, seen, every=every, limit=WEIGHED, noun=noun, body=not every)
        counts[noun] = len(found)
    chosen = [one for one in found if one.noun == noun] if noun else found
    ranked = sorted(chosen, key=lambda one: (-_score(one, asked, tests), one.pk))
    if each:
        ranked = _first_of_each(ranked, each)
    return Answer(_hits(ranked[offset : offset + limit]), counts, meant, more)


def _candidates(
    tests: Sequence[Collection[str]], seen: Sequence[str], *, every: bool
) -> tuple[list[index.Candidate], frozenset[str]]:
    """What is weighed, and the kinds of which there is more."""
    found: dict[int, index.Candidate] = {}
    for without in _MANY:
        part = index.candidates(tests, seen, every=every, limit=WEIGHED, without=without, body=not every)
        found.update((one.pk, one) for one in part)
        if len(part) < WEIGHED:
            return list(found.values()), frozenset(without)
    return list(found.values()), frozenset(one.noun for one in found.values())


def _first_of_each(ranked: Sequence[index.Candidate], each: int) -> list[index.Candidate]:
    taken: Counter[str] = Counter()
    found = []
    for one in ranked:
        taken[one.noun] += 1
        if taken[one.noun] <= each:
            found.append(one)
    return found


def _hits(chosen: Sequence[index.Candidate]) -> list[Hit]:
    rows = models.Doc.objects.only("noun", "key", "home", "title", "about").in_bulk([one.pk for one in chosen])
    shown = (rows[one.pk] for one in chosen if one.pk in rows)
    return [Hit(d.noun, d.key, d.home, d.title, d.about) for d in shown]


def _score(doc: index.Candidate, asked: Sequence[str], tests: Sequence[Collection[str]]) -> float:
    """Whole words in the title count most, then its beginning, words for the same, the text; the kind breaks ties."""
    found = doc.weight / 10
    for word, starts in zip(asked, tests, strict=True):
        if f" {word} " in doc.head:
            found += 11
        elif f" {words.stem(word)}" in doc.head:
            found += 9
        elif any(f" {start}" in doc.head for start in starts):
            found += 7
        elif not doc.body or any(f" {start}" in doc.body for start in starts):
            found += 3
    return found - len(doc.head) / 400
