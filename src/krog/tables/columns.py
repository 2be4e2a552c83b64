"""What a list says of its columns: frozen descriptions that writing, reading and comparing share."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: The types of cells. A row holds: text, choice, url, date (ISO day) as str; number as float or int; integer as int;
#: time as int (UTC microseconds); boolean as bool; nothing as None.
TYPES = ("text", "number", "integer", "date", "time", "boolean", "choice", "url")

#: The name of the column that carries a row's mark (see `mark_of`).
MARK = "krog_mark"


@dataclass(frozen=True)
class Column:
    """One column: machine `name`, `title` in the language of the file, type, unit (a symbol), what it means.

    `choices` maps values to their titles; `also` are other heads it is known by (its titles in other languages);
    `hidden` columns are for Krog (kept out of sight where the format can); `fixed` ones are shown and not read back.
    """

    name: str
    title: str
    type: str = "text"
    unit: str = ""
    meaning: str = ""
    required: bool = False
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)
    decimals: int | None = None
    also: tuple[str, ...] = ()
    hidden: bool = False
    fixed: bool = False
    width: int = 0

    @property
    def numeric(self) -> bool:
        return self.type in ("number", "integer")

    @property
    def head(self) -> str:
        """The title with its unit, as in “diameter (mm)”."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


@dataclass(frozen=True)
class Table:
    """A list to be written: `name` for the file, `title`, columns, and what the second sheet says.

    `facts` are (label, value) pairs: source, licence, when, filter, doubts. `words` titles the second sheet and its
    columns by the keys about, column, name, type, unit, meaning, and each of TYPES; English where they are missing.
    """

    name: str
    title: str
    columns: Sequence[Column]
    facts: Sequence[tuple[str, str]] = ()
    words: Mapping[str, str] = field(default_factory=dict)

    def word(self, key: str) -> str:
        return str(self.words.get(key, key))


def heads(columns: Sequence[Column]) -> list[str]:
    """The heads of a file, each once: where two titles are the same the machine name follows."""
    count = Counter(column.head.casefold() for column in columns)
    return [c.head if count[c.head.casefold()] == 1 else f"{c.head} [{c.name}]" for c in columns]


def mark_of(columns: Sequence[Column], row: Mapping[str, Any]) -> str:
    """A short mark of a row's content, the same for the same content; says later whether a row has moved on."""
    content = {c.name: row.get(c.name) for c in columns if not c.hidden and not c.fixed}
    plain = {name: float(v) if isinstance(v, int | float) and not isinstance(v, bool) else v
             for name, v in content.items() if v is not None and v != ""}  # fmt: skip
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
