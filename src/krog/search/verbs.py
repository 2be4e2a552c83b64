"""Writes of search: what can be found of a kind is compared with what is kept, and only the difference is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import transaction

from krog.base.grant import Reader
from krog.base.text import Text
from krog.people.permissions import require
from krog.search import models, words

#: Docs and words that are written together.
CHUNK = 500
MOST_TEXT = 4000

_T = TypeVar("_T")
_COMPARED = ("home", "title", "about", "head", "body", "weight")


@dataclass(frozen=True)
class Found:
    """What can be found of one thing. `title` and `about` are shown; `text` are further words, in any language."""

    noun: str
    key: str
    scope: str
    title: Text
    about: Text = field(default_factory=dict)
    text: str = ""
    home: str = ""
    weight: int = 0


def _row(one: Found) -> models.Doc:
    head = words.split(" ".join([one.key, *one.title.values()]))
    body = dict.fromkeys([*head, *words.split(" ".join([*one.about.values(), one.text])[:MOST_TEXT])])
    return models.Doc(
        noun=one.noun, key=one.key, scope=one.scope, home=one.home, title=dict(one.title), about=dict(one.about),
        head=f" {' '.join(head)} ", body=f" {' '.join(body)} ", weight=one.weight,
    )  # fmt: skip


def put(by: Reader, *, noun: str, found: Iterable[Found], keys: Iterable[str] | None = None) -> int:
    """Makes the index of a kind (or of some of its things, by `keys`) what was found; returns how many docs moved.
    Not journaled: it says again what the journal made it from."""
    require(by, "administrator", what="write the index of search")
    kept = models.Doc.objects.filter(noun=noun)
    if keys is not None:
        kept = kept.filter(key__in=list(keys))
    have: Mapping[tuple[str, str], models.Doc] = {(doc.key, doc.scope): doc for doc in kept.iterator(2000)}
    gone = set(have)
    create: list[models.Doc] = []
    update: list[models.Doc] = []
    for one in found:
        row = _row(one)
        old = have.get((row.key, row.scope))
        gone.discard((row.key, row.scope))
        if old is None:
            create.append(row)
        elif any(getattr(old, name) != getattr(row, name) for name in _COMPARED):
            row.pk = old.pk
            update.append(row)
    # In short transactions: a reader of a half-written index misses a few new things for some seconds.
    for part in _parts([have[each].pk for each in gone]):
        models.Doc.objects.filter(pk__in=part).delete()
    for docs in _parts(create):
        with transaction.atomic():
            models.Doc.objects.bulk_create(docs)
            _learn(docs)
    for docs in _parts(update):
        with transaction.atomic():
            models.Doc.objects.bulk_update(docs, _COMPARED, batch_size=100)
            _learn(docs)
    return len(create) + len(update) + len(gone)


def _learn(docs: Iterable[models.Doc]) -> None:
    """Keeps the words that were not known; numbers are not guessed at, so they are not kept."""
    every = {word for doc in docs for word in doc.body.split() if len(word) <= 60 and not word[-1].isdigit()}
    have = set(models.Word.objects.filter(word__in=every).values_list("word", flat=True))
    models.Word.objects.bulk_create([models.Word(word=word) for word in sorted(every - have)])


def _parts(every: list[_T]) -> Iterator[list[_T]]:
    return (every[start : start + CHUNK] for start in range(0, len(every), CHUNK))


def followed(by: Reader, *, seal: int) -> None:
    """Keeps how far the journal was followed."""
    require(by, "administrator", what="write the index of search")
    models.Mark.objects.update_or_create(pk=1, defaults={"seal": seal})
