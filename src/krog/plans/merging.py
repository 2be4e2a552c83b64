"""The three-way merge of a node: what was seen, what one wants, what others have made of it meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from krog.plans.shapes import FIELDS, MAPPINGS

#: A node's content with one value per name: `number`, `title.sl`, `facts.digital`; what is not there is "".
Flat = Mapping[str, Any]


@dataclass(frozen=True)
class Clash:
    """A field that two people changed differently. `field` is "" where one took the node out: then `theirs` (or
    `yours`) is None. `who` made it `theirs`, at `time` (UTC microseconds; 0 unknown)."""

    node: str
    field: str
    base: Any
    yours: Any
    theirs: Any
    who: str = ""
    time: int = 0


def flat(content: Mapping[str, Any]) -> dict[str, Any]:
    """A node's content with one value per name; empty texts and facts are left out."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        if name in MAPPINGS:
            found |= {f"{name}.{part}": text for part, text in value.items() if text}
        else:
            found[name] = value
    return found


def nested(content: Flat) -> dict[str, Any]:
    """The other way round: every field of a node that the names speak of."""
    found: dict[str, Any] = {}
    for name, value in content.items():
        field, _, part = name.partition(".")
        if part and field in MAPPINGS:
            texts = found.setdefault(field, {})
            if value:
                texts[part] = value
        else:
            found[name] = value
    return found


def with_changes(content: Mapping[str, Any], changes: Flat) -> dict[str, Any]:
    """A node's whole content with some of its flat fields changed."""
    whole = nested({**flat(content), **changes})
    return {name: whole.get(name, {} if name in MAPPINGS else content[name]) for name in FIELDS}


def merge(node: str, base: Flat, yours: Flat, theirs: Flat) -> tuple[dict[str, Any], list[Clash]]:
    """What of `yours` (only the fields one wants to change) can be written over `theirs` (what stands now), and what
    clashes. A field clashes when both changed what was seen (`base`), to different values; a field without a base is
    taken as seen: it is written."""
    write: dict[str, Any] = {}
    clashes: list[Clash] = []
    for name, wanted in yours.items():
        now = theirs.get(name, "")
        seen = base.get(name, "") if name in base else now
        if wanted in (now, seen):
            continue
        if now == seen:
            write[name] = wanted
        else:
            clashes.append(Clash(node, name, seen, wanted, now))
    return write, clashes
