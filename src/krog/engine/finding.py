"""What can be found: made of what the nouns declare, kept current by following the seals of the journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from krog.base.declaration import Fields
from krog.catalogue import door
from krog.catalogue.shapes import Dataset
from krog.engine.cities.kinds import collect
from krog.engine.schedule import Schedule
from krog.journal import reads as journal
from krog.people.permissions import SYSTEM
from krog.registers import providers as registers
from krog.search import reads, verbs
from krog.search.verbs import Found


@dataclass(frozen=True)
class Kind:
    """A kind of declared thing that can be found: which fields are its title, what it is and further words; whose
    dataset it is (`dataset` a field, or all of one noun); where it stands in the order of finds."""

    kind: str
    weight: int
    title: str = "title"
    about: str = "description"
    text: tuple[str, ...] = ()
    home: str = ""
    public: str = ""


KINDS: tuple[Kind, ...] = (
    Kind("indicator", 50, about="definition", text=("code",)),
    Kind("call", 50, about="text"),
    Kind("register", 45),
    Kind("datastream", 40, about="", text=("thing", "observed_property"), public="public"),
    Kind("rule", 35),
    Kind("dataset", 30),
    Kind("office", 30, about=""),
    Kind("territory", 30, about=""),
)
BY_KIND: Mapping[str, Kind] = {one.kind: one for one in KINDS}

#: A change of these moves what may be found of other kinds, too.
_WIDE = frozenset({"dataset", "register"})


def _text(value: Any) -> dict[str, str]:
    return {k: v for k, v in value.items() if v} if isinstance(value, Mapping) else {"": str(value)} if value else {}


def of_kind(kind: Kind) -> Iterator[Found]:
    """What can be found of a kind now."""
    known = {key: (reads.stamp(dataset), dataset) for key, dataset in door.stamped().items()}
    for key, fields in collect()[kind.kind].read().items():
        scope = _scope(kind, key, fields, known)
        if scope:
            about = _text(fields.get(kind.about)) if kind.about else {}
            more = " ".join(str(fields.get(name) or "") for name in kind.text)
            yield Found(kind.kind, key, scope, _text(fields.get(kind.title)), about, more, weight=kind.weight)


def _scope(kind: Kind, key: str, fields: Fields, known: Mapping[str, tuple[str, Dataset]]) -> str:
    if kind.kind in ("office", "territory"):
        return "*"
    dataset = key if kind.kind == "dataset" else str(fields.get("dataset", ""))
    if dataset not in known:
        return ""
    stamp, about = known[dataset]
    side = "s" if (kind.public and not fields.get(kind.public, True)) or about.public_rows or about.fields else "a"
    return f"{side}:{dataset}@{stamp}"


def records(keys: list[str] | None = None) -> Iterator[Found]:
    """What can be found of records; of one with hidden fields the public finds what is public of it."""
    known = door.stamped()
    for key, home, dataset, title, values in registers.searchable(keys):
        about = known.get(dataset)
        if about is None:
            continue
        stamp = reads.stamp(about)
        if not about.fields and not about.public_rows:
            yield _record(key, home, f"a:{dataset}@{stamp}", title, values)
            continue
        # Fields that not every official sees are found by nobody.
        levels = {name: rule.get("access", about.access) for name, rule in about.fields.items()}
        inside = {name: v for name, v in values.items() if levels.get(name, about.access) != "restricted"}
        yield _record(key, home, f"s:{dataset}@{stamp}", key, inside)


def _record(key: str, home: str, scope: str, title: str, values: Mapping[str, Any]) -> Found:
    text = " ".join(value for value in values.values() if isinstance(value, str))
    return Found("record", key, scope, {"": title}, {}, text, home, 20)


def rebuild() -> int:
    """Makes the whole index what it should be; returns how many docs moved."""
    seal = journal.last_seal()
    moved = sum(verbs.put(SYSTEM, noun=one.kind, found=of_kind(one)) for one in KINDS)
    moved += verbs.put(SYSTEM, noun="record", found=records())
    verbs.followed(SYSTEM, seal=seal)
    return moved


def follow() -> int:
    """Brings what changed since the last time; every verb journals, so none can be forgotten."""
    mark = reads.mark(door.everything(SYSTEM, "apply"))
    if not mark:
        return rebuild()
    last = journal.last_seal()
    changed = journal.changed_between(mark, last)
    nouns = {noun for noun, _key in changed}
    if nouns & _WIDE:
        return rebuild()
    moved = 0
    for noun in nouns & set(BY_KIND):
        moved += verbs.put(SYSTEM, noun=noun, found=of_kind(BY_KIND[noun]))
    keys = [key for noun, key in changed if noun == "record"]
    for start in range(0, len(keys), verbs.CHUNK):
        part = keys[start : start + verbs.CHUNK]
        moved += verbs.put(SYSTEM, noun="record", found=records(part), keys=part)
    if last != mark:
        verbs.followed(SYSTEM, seal=last)
    return moved


def _follow() -> None:
    follow()


SCHEDULES = (Schedule("search-follow", 2.0, _follow),)
