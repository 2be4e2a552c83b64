"""Writes the present state of all declared things back into a city's folder, in the formats that `apply` reads."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from django.db import transaction

from krog.base.declaration import Declaration
from krog.base.errors import Invalid
from krog.engine.cities import city, writers
from krog.engine.cities.compare import in_order, state
from krog.engine.cities.files import listing
from krog.engine.cities.items import Reading
from krog.engine.cities.kinds import Kinds, collect, file_of, geometry_field, slots
from krog.engine.cities.readers import CITY_FILE, read
from krog.engine.cities.tables import may_be_table, write_table
from krog.engine.cities.values import canonical
from krog.journal import reads as journal_reads
from krog.journal import verbs as journal

Things = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Exported:
    """What was written: files by name with the number of their things, files left as they were, files removed.

    `is_city` is False for a copy outside the folder that the city was applied from: then the base stays.
    """

    written: Mapping[str, int]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]
    is_city: bool


def export(folder: Path, *, kinds: Kinds | None = None) -> Exported:
    """Writes everything that a city may declare into `folder`; a file that already says the same is not touched.

    Into the city's own folder (the one applied last) it also resets the base: files and desk are one from then on.
    """
    kinds = kinds or collect()
    folder.mkdir(parents=True, exist_ok=True)
    before = read(folder, kinds)
    now = {one.kind: _ordered(one, state(one), before) for one in kinds}
    texts = _texts(kinds, now, before)
    same = _unchanged(kinds, now, before)
    written: dict[str, int] = {}
    for name, (text, count) in texts.items():
        if name not in same:
            _write(folder, name, text)
            written[name] = count
    removed = []
    for name in listing(folder):
        if name not in texts and kinds.reads(name):
            (folder / name).unlink()
            removed.append(name)
    own = city.folder() in (None, folder.resolve())
    if own:
        _reset(kinds, now)
    return Exported(written, tuple(sorted(same & set(texts))), tuple(removed), own)


def _ordered(declaration: Declaration, things: Things, before: Reading) -> Things:
    """The things in the order that the folder has them in, then new ones by key, children after their parents."""
    there = [item.key for item in before.of(declaration.kind) if isinstance(item.key, str) and item.key in things]
    new = sorted(set(things) - set(there))
    order = [*dict.fromkeys(there), *in_order(declaration, {key: things[key] for key in new})]
    return {key: things[key] for key in order}


Files = dict[str, dict[str, dict[str, Mapping[str, Any]]]]


def _by_file(kinds: Kinds, now: Mapping[str, Things], tables: Collection[str]) -> Files:
    """File → kind → things; things that may stand in one of `tables` stand there."""
    files: Files = {}
    for declaration in kinds:
        for key, fields in now[declaration.kind].items():
            name = file_of(declaration, key, dict(fields))
            if declaration.table and (table := file_of(declaration, key, dict(fields), table=True)) in tables:
                name = table
            files.setdefault(name, {}).setdefault(declaration.kind, {})[key] = fields
    return files


def _tables(kinds: Kinds, now: Mapping[str, Things], before: Reading) -> set[str]:
    """The tables to write: those that the folder has already and that can hold what there is now, and where the folder
    has nothing yet those of things without a place."""
    found = set()
    for declaration in (one for one in kinds if one.table):
        groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for key, fields in now[declaration.kind].items():
            pair = (file_of(declaration, key, dict(fields), table=True), file_of(declaration, key, dict(fields)))
            groups.setdefault(pair, []).append(fields)
        geometry = geometry_field(declaration)
        for (table, other), things in groups.items():
            placeless = not any(fields.get(geometry) for fields in things)
            if may_be_table(declaration, things) and (
                table in before.files or (placeless and other not in before.files)
            ):
                found.add(table)
    return found


def _texts(kinds: Kinds, now: Mapping[str, Things], before: Reading) -> dict[str, tuple[str, int]]:
    """The text of every file, and how many things stand in it."""
    languages = next((list(fields.get("languages") or []) for fields in now.get("city", {}).values()), [])
    texts: dict[str, tuple[str, int]] = {}
    for name, groups in _by_file(kinds, now, _tables(kinds, now, before)).items():
        pairs = [(kinds[kind], things) for kind, things in groups.items()]
        count = sum(len(things) for _, things in pairs)
        declaration, things = pairs[0]
        match PurePosixPath(name).suffix:
            case ".toml" if name == CITY_FILE:
                key, fields = next(iter(things.items()))
                texts[name] = (writers.toml_document(declaration, key, fields), 1)
            case ".toml":
                texts[name] = (writers.toml(pairs), count)
                if beside := writers.geometries(pairs):
                    texts[str(PurePosixPath(name).with_suffix(".geojson"))] = (beside, beside.count('"Feature"'))
            case ".csv" if declaration.columns and slots(declaration.table, name) is not None:
                columns = declaration.columns(slots(declaration.table, name) or {}, now)
                texts[name] = (write_table(declaration, columns or {}, things), count)
            case ".csv":
                texts[name] = (writers.csv(declaration, things, languages), count)
            case ".geojson":
                texts[name] = (writers.geojson(declaration, things), count)
            case ".md":
                for key, fields in things.items():
                    for language, text in fields["text"].items():
                        page = str(PurePosixPath(name).with_name(f"{key}.{language}.md"))
                        texts[page] = (writers.markdown(fields["title"].get(language, key), text), 1)
    return texts


def _unchanged(kinds: Kinds, now: Mapping[str, Things], before: Reading) -> set[str]:
    """Files that already say what would be written: they keep their comments and their layout."""
    broken = {found.file for found in before.findings if not found.warning}
    there: dict[str, Things] = {}
    for declaration in kinds:
        there[declaration.kind] = {
            item.key: canonical(declaration, item.fields)
            for item in before.of(declaration.kind)
            if isinstance(item.key, str)
        }
    tables = {name for name in before.files if kinds.of_table(name)}
    old, new = _by_file(kinds, there, tables), _by_file(kinds, now, _tables(kinds, now, before))
    same = set()
    for name in before.files:
        stem = PurePosixPath(name)
        group = str(stem.with_suffix(".toml")) if kinds.beside(name) else name
        if stem.suffix == ".md":
            group = str(stem.with_name(f"{stem.stem.partition('.')[0]}.md"))
        if group not in broken and name not in broken and group in new and old.get(group) == new[group]:
            same.add(name)
    return same


def _write(folder: Path, name: str, text: str) -> None:
    """Writes a file whole or not at all, inside the folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.resolve().is_relative_to(folder.resolve()):
        raise Invalid("The file leads out of the folder; nothing is written there.", name)
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, "utf-8", newline="")
    os.replace(new, path)


def _reset(kinds: Kinds, now: Mapping[str, Things]) -> None:
    """Files and database say the same now: that is the new base."""
    for declaration in kinds:
        kind, things = declaration.kind, now[declaration.kind]
        old = journal_reads.applied(kind)
        changed: dict[str, Mapping[str, Any] | None] = {key: None for key in old if key not in things}
        changed |= {key: fields for key, fields in things.items() if old.get(key) != fields}
        if changed:
            with transaction.atomic():
                journal.applied(kind, changed)
