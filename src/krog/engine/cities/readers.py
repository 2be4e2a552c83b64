"""Reads a city's files into items: TOML, CSV, GeoJSON and Markdown, each item knowing its file and lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from krog.base.declaration import Declaration
from krog.engine.cities import cells, toml_lines
from krog.engine.cities.features import features
from krog.engine.cities.files import listing, read_text
from krog.engine.cities.findings import Finding, finding, nearest
from krog.engine.cities.items import Item, Reading
from krog.engine.cities.kinds import Kinds, geometry_field, slots
from krog.engine.cities.tables import read_table, table_rows
from krog.engine.cities.values import fields_of

CITY_FILE = "city.toml"
#: Files of a city that are no declarations: who reads them.
OTHERS = {"replay.toml": "the replayer"}
MARKDOWN = re.compile(r"^(?P<stem>[^/]+)\.(?P<language>[a-z]{2})$")


def read(folder: Path, kinds: Kinds) -> Reading:
    """Reads every file of the folder; goes on after a mistake, so that all are told at once."""
    found = Reading()
    names = listing(folder)
    if CITY_FILE not in names:
        found.findings.append(finding("The file is missing.", CITY_FILE, todo="Every city's folder begins with it."))
    geometries, tables = [], []
    for name in names:
        declared = kinds.of_file(name)
        if kinds.beside(name):
            geometries.append(name)
        elif kinds.of_table(name):
            tables.append(name)
        elif not declared:
            found.findings += _unknown_file(name, kinds)
        else:
            text, problems = read_text(folder, name)
            found.findings += problems
            found.files.append(name)
            if text is not None:
                _READERS[PurePosixPath(name).suffix](name, text, declared, found, kinds)
    for name in geometries:
        text, problems = read_text(folder, name)
        found.findings += problems
        found.files.append(name)
        if text is not None:
            _join_geometries(name, text, kinds.beside(name), found)
    for name in tables:
        text, problems = read_text(folder, name)
        found.findings += problems
        found.files.append(name)
        if text is not None and (declaration := kinds.of_table(name)):
            things = {
                one.kind: {i.key: i.fields for i in found.of(one.kind) if isinstance(i.key, str)} for one in kinds
            }
            read_table(name, text, declaration, things, found)
    order = {one.kind: number for number, one in enumerate(kinds)}
    found.items.sort(key=lambda item: order[item.kind])
    return found


def _unknown_file(name: str, kinds: Kinds) -> list[Finding]:
    if name in OTHERS or PurePosixPath(name).suffix not in (".toml", ".csv", ".geojson", ".json", ".md"):
        return []
    todo = nearest(name, kinds.files()) or "Take it out, or give it the name of a file that is read."
    return [finding("Nothing reads this file.", name, todo=todo, warning=True)]


def _toml(name: str, text: str, declared: Sequence[Declaration], found: Reading, kinds: Kinds) -> None:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        line, what = _toml_error(str(error), text)
        found.findings.append(finding(what, name, line))
        return
    except RecursionError:
        found.findings.append(finding("The file is nested too deeply.", name))
        return
    at = toml_lines.lines(text)
    if name == CITY_FILE:
        fields = {key: value for key, value in document.items() if key != "key"}
        key = document.get("key", "")
        found.items.append(Item(declared[0].kind, key, fields, name, 1, _places(at, ())))
        return
    names = [one.kind for one in declared]
    for section, tables in document.items():
        line = at.get((section,), 0)
        if section not in names:
            todo = nearest(section, names)
            if section in kinds.by_kind:
                todo = f"[[{section}]] belongs in {kinds[section].file}."
            found.findings.append(
                finding(
                    f"There is no section {section!r} here.",
                    name,
                    line,
                    allowed=", ".join(f"[[{one}]]" for one in names),
                    todo=todo,
                )
            )
        elif not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            found.findings.append(
                finding(
                    f"{section} is not a list of tables.",
                    name,
                    line,
                    allowed=f"[[{section}]] before each",
                    todo="Write two brackets.",
                )
            )
        else:
            for number, table in enumerate(tables):
                prefix: toml_lines.Path = (section, number)
                fields = {key: value for key, value in table.items() if key != "key"}
                item = Item(section, table.get("key"), fields, name, at.get(prefix, line), _places(at, prefix))
                found.items.append(item)


def _places(at: Mapping[toml_lines.Path, int], prefix: toml_lines.Path) -> Callable[[toml_lines.Path], int]:
    return lambda path: at.get((*prefix, *path), 0)


def _toml_error(message: str, text: str) -> tuple[int, str]:
    match = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if match:
        return int(match[1]), f"This is not TOML: {message[: match.start()]} (column {match[2]})."
    if "end of document" in message:
        return text.count("\n") + 1, f"This is not TOML: {message}."
    return 0, f"This is not TOML: {message}."


def _csv(name: str, text: str, declared: Sequence[Declaration], found: Reading, kinds: Kinds) -> None:
    declaration = declared[0]
    types = fields_of(declaration.shape)
    inside = slots(declaration.file, name) or {}
    allowed = [one for one in ["key", *types] if one not in inside]

    def known(column: str) -> bool:
        return column.partition(".")[0] in allowed

    for start, row in table_rows(name, text, allowed, known, found.findings):
        fields: dict[str, Any] = dict(inside)
        key = None
        for column, cell in row.items():
            base, dot, sub = column.partition(".")
            if column == "key":
                key = cell.strip()
            elif base not in types or cell == "":
                continue
            elif dot:
                table = fields.setdefault(base, {})
                if isinstance(table, dict):
                    table[sub] = cells.text(cell)
            else:
                fields[base] = cells.decode(cell, types[base].type)
        found.items.append(Item(declaration.kind, key or _made_key(declaration, fields), fields, name, start))


def _made_key(declaration: Declaration, fields: Mapping[str, Any]) -> str | None:
    """The key that the fields give; a field that is left out counts with its default, as everywhere."""
    if not declaration.key:
        return None
    defaults = {name: one.default for name, one in fields_of(declaration.shape).items() if isinstance(one.default, str)}
    try:
        return declaration.key.format(**{**defaults, **fields})
    except (KeyError, IndexError, AttributeError, ValueError):
        return None


def _geojson(name: str, text: str, declared: Sequence[Declaration], found: Reading, kinds: Kinds) -> None:
    declaration = declared[0]
    types = fields_of(declaration.shape)
    inside = slots(declaration.file, name) or {}
    shape = geometry_field(declaration)
    given, wrong = features(name, text)
    found.findings += wrong
    for line, feature in given:
        fields: dict[str, Any] = dict(inside)
        values: dict[str, Any] = {}
        properties = feature.get("properties") or {}
        for label, value in properties.items() if isinstance(properties, dict) else ():
            if label in types and label not in ("values", shape, *inside):
                fields[label] = value
            elif "values" in types:
                values[label] = value
            else:
                fields[label] = value
        if "values" in types:
            fields["values"] = values
        if feature.get("geometry") is not None:
            fields[shape] = feature["geometry"]
        found.items.append(Item(declaration.kind, feature.get("id"), fields, name, line))


def _join_geometries(name: str, text: str, declared: Sequence[Declaration], found: Reading) -> None:
    """Gives the geometries of `territories.geojson` to the things of `territories.toml` with the same key."""
    things = {item.key: item for one in declared for item in found.of(one.kind) if isinstance(item.key, str)}
    names = {one.kind: geometry_field(one) for one in declared}
    given, wrong = features(name, text)
    found.findings += wrong
    for line, feature in given:
        item = things.get(str(feature.get("id")))
        label = names[item.kind] if item else ""
        if item is None:
            found.findings.append(
                finding(
                    f"There is nothing with the key {feature.get('id')!r}.",
                    name,
                    line,
                    allowed="the id of a feature is the key of a thing in " + declared[0].file,
                    todo=nearest(str(feature.get("id")), things),
                )
            )
        elif label in item.fields:
            found.findings.append(finding(f"The {label} of {item.key!r} stands twice.", name, line))
        else:
            item.fields[label] = feature.get("geometry")
            item.others[label] = (name, line)


def _markdown(name: str, text: str, declared: Sequence[Declaration], found: Reading, kinds: Kinds) -> None:
    """`pages/about.sl.md`: one language of one page; the first line is its title."""
    declaration = declared[0]
    match = MARKDOWN.match(PurePosixPath(name).stem)
    title, _, body = text.replace("\r\n", "\n").partition("\n")
    if match is None:
        found.findings.append(finding("The name says no language.", name, allowed="pages/<key>.<language>.md"))
        return
    if not title.startswith("# "):
        found.findings.append(finding("The page has no title.", name, 1, allowed="a first line such as '# Title'"))
    item = next((one for one in found.of(declaration.kind) if one.key == match["stem"]), None)
    if item is None:
        item = Item(declaration.kind, match["stem"], {"title": {}, "text": {}}, name, 1)
        found.items.append(item)
    item.fields["title"][match["language"]] = title.removeprefix("# ").strip()
    item.fields["text"][match["language"]] = body.strip("\n")


_READERS: dict[str, Callable[[str, str, Sequence[Declaration], Reading, Kinds], None]] = {
    ".toml": _toml,
    ".csv": _csv,
    ".geojson": _geojson,
    ".md": _markdown,
}


def keys(items: Iterable[Item]) -> set[str]:
    """The keys of items that have one."""
    return {item.key for item in items if isinstance(item.key, str)}
