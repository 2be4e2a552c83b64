"""Who answers for what: one shape for all nouns, and the one question that finds what nobody answers for.

A noun says in its `holdings.py` which of its rows have somebody who answers (`Holding`); `engine.responsibility` is the
loop over all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.db.models import BigIntegerField, CharField, Count, F, Q, QuerySet, Value
from django.db.models.functions import Cast

from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.base.text import Text
from krog.people.models import Account


@dataclass(frozen=True)
class Responsible:
    """Who answers for something: keys of an organisation, an office and an account; each may be empty.

    Without an organisation of its own a thing belongs to the one of its office.
    """

    organisation: str = ""
    office: str = ""
    holder: str = ""

    def over(self, before: Responsible) -> Responsible:
        """These, and for what is empty here what stood before."""
        return Responsible(
            self.organisation or before.organisation, self.office or before.office, self.holder or before.holder
        )


@dataclass(frozen=True)
class Held:
    """A thing with who answers for it. `due` in UTC microseconds where it has a deadline; `own` is what it says itself
    where somebody else answers because it says nothing (a case that nobody has taken); `part_of` is the key of what it
    is part of (a node's plan)."""

    ref: Ref
    title: Text
    dataset: str
    responsible: Responsible
    own: Responsible
    due: int | None = None
    part_of: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which things are meant; all conditions must hold. `without`: nobody answers (no organisation and no office, no
    holder, or one who has left). `keys` by noun."""

    nouns: tuple[str, ...] = ()
    offices: frozenset[str] | None = None
    holder: str | None = None
    dataset: str = ""
    keys: Mapping[str, frozenset[str]] | None = None
    without: bool = False


@dataclass(frozen=True)
class Holding:
    """The things of one noun that somebody answers for.

    `rows` gives those in use that the grant shows; `columns` names the columns (or expressions) of title, dataset,
    organisation, office, holder, own holder (if it is another), due and what it is part of; what a noun has not is
    left out. `answer` is the noun's verb: it asks permission, writes and journals, and returns what stood before by
    key; keys that are no more are left out. `kind` is what the catalogue's door is asked for.
    """

    noun: str
    kind: str
    rows: Callable[[Grant], QuerySet[Any]]
    columns: Mapping[str, Any]
    answer: Callable[[Reader, Mapping[str, Responsible], str], Mapping[str, Responsible]]


_NONE = {"organisation": Value(""), "office": Value(""), "holder": Value(""), "due": Value(None), "part_of": Value("")}


def _expression(name: str, column: Any) -> Any:
    found = F(column) if isinstance(column, str) else column
    if name == "title":
        return found
    return Cast(found, BigIntegerField() if name == "due" else CharField(max_length=250))


def _chosen(grant: Grant, holding: Holding, wanted: Wanted) -> QuerySet[Any]:
    """The rows of one noun that are wanted, with the columns `held_…`."""
    columns = {**_NONE, "own": holding.columns["holder"], **holding.columns}
    rows = holding.rows(grant).annotate(**{f"held_{name}": _expression(name, of) for name, of in columns.items()})
    if wanted.offices is not None:
        rows = rows.filter(held_office__in=wanted.offices)
    if wanted.holder is not None:
        rows = rows.filter(held_holder=wanted.holder)
    if wanted.dataset:
        rows = rows.filter(held_dataset=wanted.dataset)
    if wanted.keys is not None:
        rows = rows.filter(key__in=wanted.keys.get(holding.noun, ()))
    if wanted.without:
        gone = ~Q(held_holder__in=Account.objects.filter(is_active=True).values("key"))
        rows = rows.filter(Q(held_organisation="", held_office="") | gone)
    chosen: QuerySet[Any] = rows.order_by()
    return chosen


_FIELDS = ("title", "dataset", "organisation", "office", "holder", "own", "due", "part_of")
_Source = tuple[Grant, Holding]


def _of(sources: Sequence[_Source], wanted: Wanted) -> list[_Source]:
    return [(g, h) for g, h in sources if not wanted.nouns or h.noun in wanted.nouns]


def count(sources: Sequence[_Source], wanted: Wanted) -> dict[str, int]:
    """How many are wanted of each noun; one statement for all nouns."""
    parts = [
        _chosen(grant, holding, wanted)
        .annotate(held_noun=Value(holding.noun, output_field=CharField(max_length=50)))
        .values("held_noun")
        .annotate(held_count=Count("pk"))
        .values_list("held_noun", "held_count")
        for grant, holding in _of(sources, wanted)
    ]
    return dict(_united(parts)) if parts else {}


def found(sources: Sequence[_Source], wanted: Wanted, *, limit: int | None = 50, offset: int = 0) -> list[Held]:
    """What is wanted, by noun and key, from `offset` on; one statement for all nouns."""
    parts = [
        _chosen(grant, holding, wanted)
        .annotate(held_noun=Value(holding.noun, output_field=CharField(max_length=50)))
        .values_list("held_noun", "key", *(f"held_{name}" for name in _FIELDS))
        for grant, holding in _of(sources, wanted)
    ]
    if not parts:
        return []
    rows = _united(parts).order_by("held_noun", "key")
    rows = rows[offset : None if limit is None else offset + limit]
    return [
        Held(
            Ref(noun, key),
            title or {},
            dataset,
            Responsible(organisation, office, holder or ""),
            Responsible(organisation, office, own or ""),
            due,
            part_of,
        )
        for noun, key, title, dataset, organisation, office, holder, own, due, part_of in rows
    ]


def _united(parts: Sequence[QuerySet[Any]]) -> Any:
    return reduce(lambda one, other: one.union(other, all=True), parts)
