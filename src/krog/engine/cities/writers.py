"""Writes declarations as people would: short TOML, CSV tables, one GeoJSON feature a line, Markdown pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tomli_w

from krog.base.declaration import Declaration
from krog.engine.cities import cells
from krog.engine.cities.kinds import geometry_field, slot_names
from krog.engine.cities.values import defaults, fields_of

WIDTH = 120
Things = Mapping[str, Mapping[str, Any]]


def said(declaration: Declaration, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that must be written: those that are not the default, in the order of the shape."""
    usual = defaults(declaration)
    names = (name for name in fields_of(declaration.shape) if name in fields)
    return {name: fields[name] for name in names if fields[name] != usual.get(name)}


def toml(declarations: Iterable[tuple[Declaration, Things]]) -> str:
    """A TOML text with the things of one or more kinds; geometries are left to the .geojson file beside."""
    parts = []
    for declaration, things in declarations:
        for key, fields in things.items():
            body = said(declaration, fields)
            body.pop(geometry_field(declaration), None)
            parts.append("\n".join(_table((declaration.kind,), {"key": key, **body}, f"[[{declaration.kind}]]")))
    return "\n\n".join(parts) + "\n" if parts else ""


def toml_document(declaration: Declaration, key: str, fields: Mapping[str, Any]) -> str:
    """A TOML text that is one thing, as `city.toml`."""
    return "\n".join(_table((), {"key": key, **said(declaration, fields)}, "")) + "\n"


def _table(path: tuple[str, ...], values: Mapping[str, Any], header: str) -> list[str]:
    lines = [header] if header else []
    below: list[tuple[str, Any]] = []
    for name, value in values.items():
        line = f"{_name(name)} = {_inline(value)}"
        if len(line) > WIDTH and isinstance(value, list):
            line = f"{_name(name)} = {_long(value)}"
        if max(len(part) for part in line.split("\n")) <= WIDTH or not _may_stand_below(value):
            lines.append(line)
        else:
            below.append((name, value))
    if header and below and len(lines) == 1 and not header.startswith("[["):
        lines = []  # a table that only holds tables needs no header of its own
    for name, value in below:
        inner = (*path, name)
        label = ".".join(_name(part) for part in inner)
        if isinstance(value, Mapping):
            lines += _apart(lines, _table(inner, value, f"[{label}]"))
        else:
            for table in value:
                lines += _apart(lines, _table(inner, table, f"[[{label}]]"))
    return lines


def _apart(before: list[str], after: list[str]) -> list[str]:
    return ["", *after] if before else after


def _may_stand_below(value: Any) -> bool:
    """Whether a value that is too long for its line can have a header of its own: a table, or a list of tables."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(inner, Mapping) for inner in value)
    return isinstance(value, Mapping)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_name(name)} = {_inline(inner)}" for name, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(inner) for inner in value) + "]"
    return tomli_w.dumps({"k": value}).removeprefix("k = ").removesuffix("\n")


def _long(value: Any) -> str:
    """A list over several lines; other values stay on one."""
    if isinstance(value, list):
        return "[\n" + "".join(f"    {_inline(inner)},\n" for inner in value) + "]"
    return _inline(value)


def _name(name: str) -> str:
    return tomli_w.dumps({name: 0}).removesuffix(" = 0\n")


def csv(declaration: Declaration, things: Things, languages: Sequence[str]) -> str:
    """A table of one kind; a column stands in it when any thing has something else than the default there."""
    types = fields_of(declaration.shape)
    given = {key: said(declaration, fields) for key, fields in things.items()}
    skipped = set(slot_names(declaration.file))
    made = declaration.key and all(declaration.key.format(**fields) == key for key, fields in things.items())
    columns = [] if made else ["key"]
    texts: dict[str, list[str]] = {}
    for name in types:
        values = [fields[name] for fields in given.values() if name in fields]
        if name in skipped or not values:
            continue
        if all(_plain_texts(value) for value in values):
            subs = dict.fromkeys(sub for value in values for sub in value)
            texts[name] = [*(sub for sub in languages if sub in subs), *sorted(set(subs) - set(languages))]
            columns += [f"{name}.{sub}" for sub in texts[name]]
        else:
            columns.append(name)
    rows = []
    for key, fields in given.items():
        row = {"key": key}
        for name, value in fields.items():
            if name in texts:
                row |= {f"{name}.{sub}": cells.text_cell(text) for sub, text in value.items()}
            else:
                row[name] = cells.encode(value, types[name].type)
        rows.append(row)
    return cells.table(columns, rows)


def _plain_texts(value: Any) -> bool:
    """Texts by language: each becomes a column; a table with anything else in it is one cell of JSON."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(
            isinstance(name, str) and name.isascii() and name.isalpha() and name.islower() and isinstance(text, str)
            for name, text in value.items()
        )
    )


def geojson(declaration: Declaration, things: Things) -> str:
    """A FeatureCollection of one kind: `values` and the other fields become properties."""
    features = []
    hidden = {*slot_names(declaration.file), "values", geometry_field(declaration)}
    for key, fields in things.items():
        given = said(declaration, fields)
        properties = {name: value for name, value in given.items() if name not in hidden}
        properties |= fields.get("values") or {}
        features.append((key, properties, fields.get(geometry_field(declaration))))
    return _collection(features)


def geometries(declarations: Iterable[tuple[Declaration, Things]]) -> str:
    """The geometries of things whose other fields stand in a TOML file; empty when there are none."""
    features: list[tuple[str, dict[str, Any], Any]] = []
    for declaration, things in declarations:
        name = geometry_field(declaration)
        features += [(key, {}, fields[name]) for key, fields in things.items() if name and fields.get(name)]
    return _collection(features) if features else ""


def _collection(features: Iterable[tuple[str, Mapping[str, Any], Any]]) -> str:
    lines = [
        json.dumps({"type": "Feature", "id": key, "properties": properties, "geometry": geometry}, ensure_ascii=False)
        for key, properties, geometry in features
    ]
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"


def markdown(title: str, text: str) -> str:
    """One language of a page."""
    return f"# {title}\n\n{text}\n"
