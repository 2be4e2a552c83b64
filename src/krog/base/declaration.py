"""What a noun lets a city declare in files: kinds of declarations, each with its shape, its read and its write.

`engine.cities` is the one loop that checks, compares, applies and exports all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from krog.base.grant import Reader

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One change that `apply` asks a noun to make: the thing's `key` and its new `fields`;
    `fields` is None when it was taken out of the files (retire it, never delete it)."""

    key: str
    fields: Fields | None
    reason: str = ""


@dataclass(frozen=True)
class Declaration:
    """One kind of thing that a city's files may declare.

    `kind` is the section's name (`[[datastream]]`), `file` the file it stands in (`streams.toml`; for tables
    `plan/nodes.csv`: one row one thing, the column `title.sl` is the field title, language sl).
    `shape` gives fields and types; every field but `key` needs a default. `refs` names the fields that hold the
    key (or keys) of another kind: `{"thing": "thing"}`. `read` returns the present state of all things that are not
    retired, as plain builtins by key, in exactly the fields of `shape` except `key`; `write` makes the changes in one
    transaction with journal, as `by`. Order in the tuple DECLARATIONS and of the nouns is the order of applying.
    `check` may add mistakes that types cannot say: it gets the fields and returns sentences.
    `check_among` may add what only shows among all declared things: it gets the fields, and all things by kind and key.
    A way into a field such as `signal.terms.*.stream` may stand in `refs` too.
    `key` is a template such as `{source}--{type}--{target}` for things whose key is made of their fields: their files
    need not give one.
    `own_units` says that the noun checks its units itself: the loop then holds none against the vocabulary.
    `quoted`: its texts are the words of a source (names of places, parts of a plan) and may stand in the languages of
    the city's `content` alone; nobody translates them on the way.
    `table` is a second file for things of a .geojson file: a CSV table whose columns are the thing's `values`, with
    `lon` and `lat` for a point. `columns` says which columns it has and their types, from what the file's name says and
    from all things declared so far; None where that cannot be told.
    """

    kind: str
    file: str
    shape: type[msgspec.Struct]
    read: Callable[[], Mapping[str, Fields]]
    write: Callable[[Reader, Sequence[Change]], None]
    refs: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Fields], Sequence[str]] | None = None
    key: str = ""
    check_among: Callable[[Fields, Mapping[str, Mapping[str, Fields]]], Sequence[str]] | None = None
    own_units: bool = False
    quoted: bool = False
    table: str = ""
    columns: Callable[[Fields, Mapping[str, Mapping[str, Fields]]], Mapping[str, Any] | None] | None = None
