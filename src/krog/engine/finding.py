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
    dataset it is (`dataset` a field, or that of `owner`: a field and the kind that it names); `public` the field that
    says whether the public may know of it; `open` where no dataset closes it; `masked` where the policy of fields says
    who sees what it is; `weight` where it stands in the order of finds."""

    kind: str
    weight: int
    title: str = "title"
    about: str = "description"
    text: tuple[str, ...] = ()
    number: str = ""
    owner: tuple[str, str] = ("", "")
    public: str = ""
    open: bool = False
    masked: bool = False


KINDS: tuple[Kind, ...] = (
    Kind("case_type", 62, public="citizen", open=True),
    Kind("indicator", 50, about="definition", text=("code",), masked=True),
    Kind("call", 50, about="text"),
    Kind("plan", 50),
    Kind("register", 45),
    Kind("node", 42, about="text", number="number", owner=("plan", "plan"), masked=True),
    Kind("datastream", 40, about="", text=("thing", "observed_property"), public="public"),
    Kind("thing", 38, public="public"),
    Kind("rule", 35),
    Kind("dataset", 30),
    Kind("office", 30, about="", open=True),
    Kind("territory", 30, about="", open=True),
    Kind("page", 30, about="", text=("text",), open=True),
)
#: The fields that are seen; None where the policy names none.
Names = frozenset[str] | None
BY_KIND: Mapping[str, Kind] = {one.kind: one for one in KINDS}

#: A change of these moves what may be found of other kinds, too.
_WIDE = frozenset({"dataset", "register"})
_MOVES = {"plan": ("plan", "node"), "datastream": ("datastream", "thing")}
#: Records are found in two kinds: the city's services and all others.
_RECORDS = ("record", "service")
#: Services that do not exist yet come after those that do.
SERVICE, INTENDED = 80, 20


def _text(value: Any) -> dict[str, str]:
    return {k: v for k, v in value.items() if v} if isinstance(value, Mapping) else {"": str(value)} if value else {}


def of_kind(kind: Kind) -> Iterator[Found]:
    """What can be found of a kind now."""
    known = door.stamped()
    for key, fields in _declared(kind):
        title = _text(fields.get(kind.title))
        if number := fields.get(kind.number):
            title = {language: f"{number} {text}" for language, text in title.items()}
        more = " ".join(" ".join(_text(fields.get(name)).values()) for name in kind.text)
        home = str(fields.get(kind.owner[0]) or "")
        for scope, names in _scopes(kind, key, fields, known):
            shown = kind.about and (names is None or not kind.masked or kind.about in names)
            about = _text(fields.get(kind.about)) if shown else {}
            yield Found(kind.kind, key, scope, title, about, more, home, weight=kind.weight)


def _declared(kind: Kind) -> Iterator[tuple[str, Fields]]:
    """Key and fields of the things of a kind, each with its dataset."""
    kinds = collect()
    field, named = kind.owner
    owners = kinds[named].read() if named else {}
    if kind.kind == "thing":
        owners = _streams_of_things(kinds["datastream"].read())
    for key, fields in kinds[kind.kind].read().items():
        if kind.kind == "thing":
            # What nothing is measured on has no page that the public may see.
            yield from ((key, {**fields, **owners[key]}) for _once in range(key in owners))
        else:
            owner = owners.get(str(fields.get(field) or "")) if named else None
            yield key, {**fields, "dataset": owner["dataset"]} if owner else fields


def _streams_of_things(streams: Mapping[str, Fields]) -> dict[str, Fields]:
    """Whose dataset a thing is: that of its datastream which most may see."""
    known = door.stamped()
    found: dict[str, Fields] = {}
    for fields in streams.values():
        dataset = known.get(str(fields.get("dataset")))
        if dataset is None:
            continue
        public = bool(fields.get("public", True)) and dataset.access == "public"
        if public or fields["thing"] not in found:
            found[str(fields["thing"])] = {"dataset": dataset.key, "public": fields.get("public", True)}
    return found


def _scopes(kind: Kind, key: str, fields: Fields, known: Mapping[str, Dataset]) -> list[tuple[str, Names]]:
    hidden = bool(kind.public) and not fields.get(kind.public, True)
    if kind.open and not hidden:
        return [("*", None)]
    about = known.get(key if kind.kind == "dataset" else str(fields.get("dataset", "")))
    if about is None:
        return []
    if hidden:
        return [(f"s:{about.key}@{reads.stamp(about)}", None)]
    if not kind.masked and (not about.public_rows or kind.kind in ("dataset", "register")):
        return [(f"a:{about.key}@{reads.stamp(about)}", None)]
    return _sides(about)


def _sides(about: Dataset) -> list[tuple[str, Names]]:
    """The scopes of a dataset's things, each with the fields that are seen in it: one for all, or one for the public
    and one for officials. Fields that not every official sees are found by nobody."""
    stamp = reads.stamp(about)
    levels = {name: str(rule.get("access", about.access)) for name, rule in about.fields.items()}
    inside = frozenset(name for name, level in levels.items() if level != "restricted") if levels else None
    outside = frozenset(name for name, level in levels.items() if level == "public") if levels else None
    if inside == outside and not about.public_rows:
        return [(f"a:{about.key}@{stamp}", inside)]
    sides: list[tuple[str, Names]] = [(f"s:{about.key}@{stamp}", inside)]
    if about.access == "public" and not about.public_rows:
        sides.append((f"p:{about.key}@{stamp}", outside))
    return sides


def records(keys: list[str] | None = None, *, services: bool = False) -> Iterator[Found]:
    """What can be found of records (or of the city's services, which are records of the register with that role), each
    as the public sees it and as officials do."""
    sides = {key: _sides(about) for key, about in door.stamped().items()}
    make = _service if services else _record
    for one in registers.searchable(keys):
        if (one.role == "services") is not services:
            continue
        for scope, names in sides.get(one.dataset, ()):
            values = {name: value for name, value in one.values.items() if names is None or name in names}
            titled = names is None or one.title_field in names
            yield make(one.key, one.register, scope, one.title if titled else one.key, values)


def _record(key: str, home: str, scope: str, title: str, values: Mapping[str, Any]) -> Found:
    text = " ".join(value for value in values.values() if isinstance(value, str))
    return Found("record", key, scope, {"": title}, {}, text, home, 20)


def _service(key: str, home: str, scope: str, title: str, values: Mapping[str, Any]) -> Found:
    """A service in the languages that its record has: `title`, `title_en`, `description`, `description_it`."""
    said = {name: value for name, value in values.items() if isinstance(value, str) and value}
    titles, about = {"sl": title}, {"sl": said["description"]} if "description" in said else {}
    for name, value in said.items():
        for field, texts in (("title_", titles), ("description_", about)):
            if name.startswith(field):
                texts[name.removeprefix(field)] = value
    weight = SERVICE if values.get("status", "existing") == "existing" else INTENDED
    return Found("service", key, scope, titles, about, " ".join(said.values()), home, weight)


def rebuild() -> int:
    """Makes the whole index what it should be; returns how many docs moved."""
    seal = journal.last_seal()
    moved = sum(verbs.put(SYSTEM, noun=one.kind, found=of_kind(one)) for one in KINDS)
    for noun in _RECORDS:
        moved += verbs.put(SYSTEM, noun=noun, found=records(services=noun == "service"))
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
    moved_kinds = {kind for noun in nouns for kind in _MOVES.get(noun, (noun,))}
    for noun in sorted(moved_kinds & set(BY_KIND)):
        moved += verbs.put(SYSTEM, noun=noun, found=of_kind(BY_KIND[noun]))
    keys = [key for noun, key in changed if noun == "record"]
    for start in range(0, len(keys), verbs.CHUNK):
        part = keys[start : start + verbs.CHUNK]
        for noun in _RECORDS:
            moved += verbs.put(SYSTEM, noun=noun, found=records(part, services=noun == "service"), keys=part)
    if last != mark:
        verbs.followed(SYSTEM, seal=last)
    return moved


def _follow() -> None:
    follow()


SCHEDULES = (Schedule("search-follow", 2.0, _follow),)
