"""Finding: what the reader may see and what was asked for, the best first, with how many there are of each kind."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass

from django.db.models import Case, IntegerField, Q, Value, When

from krog.base.grant import Grant
from krog.base.text import Text
from krog.catalogue import door
from krog.catalogue.shapes import Dataset
from krog.search import index, models, words

#: Most docs that are weighed for one answer, and counted for one kind.
WEIGHED = 600
COUNTED = 1000


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
    """The finds, the best first; how many there are of each kind (at most COUNTED of one); `meant` are the words that
    were looked for instead of mistyped ones."""

    hits: list[Hit]
    counts: dict[str, int]
    meant: dict[str, list[str]]


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


def find(grant: Grant, text: str, *, noun: str = "", limit: int = 60, offset: int = 0) -> Answer:
    """What has all the words of a question, by word beginnings, without case, marks and endings; a word that stands
    nowhere is replaced by the nearest ones. Where nothing has all words, what has most of them."""
    asked = words.asked(text[:100])
    if not asked:
        return Answer([], {}, {})
    meant: dict[str, list[str]] = {}
    tests: list[tuple[set[str], Q]] = []
    for word in asked:
        starts = words.same(word)
        if len(word) > 3 and not any(index.known(start) for start in starts):
            near = words.nearest(word, index.alike(word))
            if near:
                meant[word] = near
                starts = set(near)
        tests.append((starts, index.beginning(starts)))
    seen = models.Doc.objects.filter(scope__in=scopes(grant))
    rows = seen
    for _starts, test in tests:
        rows = rows.filter(test)
    if len(tests) > 1 and not rows.exists():
        some = Q(pk__in=[])
        for _starts, test in tests:
            some |= test
        rows = seen.filter(some)
    counts = dict(Counter(rows.order_by().values_list("noun", flat=True)[: COUNTED * 5]))
    if noun:
        rows = rows.filter(noun=noun)
    titled = Case(
        *(When(head__contains=f" {start}", then=Value(1)) for starts, _test in tests for start in starts),
        default=Value(0), output_field=IntegerField(),
    )  # fmt: skip
    best = rows.annotate(titled=titled).order_by("-titled", "-weight", "id")[:WEIGHED]
    weighed = sorted(best, key=lambda doc: (-_score(doc, asked, [starts for starts, _test in tests]), doc.pk))
    hits = [Hit(d.noun, d.key, d.home, d.title, d.about) for d in weighed[offset : offset + limit]]
    return Answer(hits, counts, meant)


def _score(doc: models.Doc, asked: list[str], tests: list[set[str]]) -> float:
    """Whole words in the title count most, then beginnings in the title, then the text; the kind breaks ties."""
    found = float(doc.weight) / 10
    for word, starts in zip(asked, tests, strict=True):
        if f" {word} " in doc.head:
            found += 12
        elif any(f" {start}" in doc.head for start in starts):
            found += 8
        elif any(f" {start}" in doc.body for start in starts):
            found += 3
    return found - len(doc.head) / 400
