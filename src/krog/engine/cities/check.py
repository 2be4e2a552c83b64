"""Checks a city's files: every mistake at once, with file, line and key; nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from krog.base.declaration import Declaration
from krog.base.ids import KEY_ALLOWED, is_key
from krog.base.units import UNITS_ALLOWED, is_unit
from krog.engine.cities.findings import Finding, finding, nearest, shown
from krog.engine.cities.items import Item, Reading
from krog.engine.cities.kinds import Kinds, collect, geometry_field
from krog.engine.cities.readers import read
from krog.engine.cities.values import canonical, fields_of, impossible, whole, wrong_type

#: Two-letter codes by which a table is known to be texts by language.
LANGUAGES = frozenset(
    "bg,cs,da,de,el,en,es,et,fi,fr,ga,hr,hu,it,lt,lv,mk,mt,nl,pl,pt,ro,sk,sl,sq,sr,sv,uk".split(",")  # noqa: SIM905
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
Known = Mapping[str, set[str]]
Things = Mapping[str, Mapping[str, Mapping[str, Any]]]


def check(folder: Path, kinds: Kinds | None = None, known: Known | None = None) -> list[Finding]:
    """All mistakes and warnings of a city's folder, in the order of files and lines."""
    return examine(folder, kinds or collect(), known)[1]


def examine(
    folder: Path, kinds: Kinds, known: Known | None = None, sound: Things | None = None
) -> tuple[Reading, list[Finding]]:
    """What stands in the files and everything that is wrong with it; `known` are keys that the database has besides,
    `sound` the things that were applied before: what says the same was found right then."""
    reading = read(folder, kinds)
    found = list(reading.findings)
    languages = _languages(reading, "languages")
    content = _languages(reading, "content") or languages
    declared: dict[str, set[str]] = {one.kind: set((known or {}).get(one.kind, ())) for one in kinds}
    for item in reading.items:
        if isinstance(item.key, str):
            declared[item.kind].add(item.key)
    unsound: set[int] = set()
    for item in reading.items:
        if bad := _cleared(item):
            found += bad
            unsound.add(id(item))
        try:
            item.whole = whole(kinds[item.kind], item.fields)
        except ValueError as error:
            item.whole, item.misfit = canonical(kinds[item.kind], item.fields), str(error)
    things = {
        one.kind: {item.key: item.whole for item in reading.of(one.kind) if isinstance(item.key, str)} for one in kinds
    }
    seen: dict[tuple[str, str], Item] = {}
    for item in reading.items:
        declaration = kinds[item.kind]
        found += _key(item, declaration, seen)
        wrong = list(_fields(item, declaration))
        found += wrong
        if not wrong and id(item) not in unsound:
            before = (sound or {}).get(item.kind, {}).get(item.key) if isinstance(item.key, str) else None
            found += _sentences(item, declaration, things, checked=before is not None and before == item.whole)
        found += _references(item, declaration, declared)
        found += _texts(item, languages, content if declaration.quoted else languages)
        found += _letters(item)
    for declaration in kinds:
        found += _circles(reading, declaration)
    return reading, sorted(set(found), key=lambda one: (one.file, one.line, one.warning, one.where, one.what))


def _languages(reading: Reading, field: str) -> list[str]:
    for item in reading.of("city"):
        value = item.fields.get(field)
        if isinstance(value, list):
            return [language for language in value if isinstance(language, str)]
    return []


def _at(item: Item, path: tuple[str | int, ...], what: str, **more: Any) -> Finding:
    file, line = item.where(path)
    label = ".".join(str(part) for part in path)
    name = f"{item.kind} {item.key}" if isinstance(item.key, str) and item.key else item.kind
    return finding(what, file, line, f"{name}, {label}" if label else name, **more)


def _key(item: Item, declaration: Declaration, seen: dict[tuple[str, str], Item]) -> Iterator[Finding]:
    if item.key is None or item.key == "":
        made = f"; it is made of {declaration.key}" if declaration.key else ""
        yield _at(item, (), f"The key is missing{made}.", allowed=KEY_ALLOWED)
    elif not isinstance(item.key, str) or not is_key(item.key):
        yield _at(item, ("key",), f"{shown(item.key)} is not a key.", allowed=KEY_ALLOWED)
    elif (first := seen.setdefault((item.kind, item.key), item)) is not item:
        file, line = first.where()
        yield _at(item, ("key",), f"The key {item.key!r} stands twice; first in {file}:{line}.")


def _cleared(item: Item) -> list[Finding]:
    """Takes out of an item, and tells, what nothing could keep; the rest can then be looked at without danger."""
    found = []
    for name in list(item.fields):
        bad = list(impossible(item.fields[name], (name,)))
        found += [_at(item, path, reason) for path, reason in bad]
        if bad:
            del item.fields[name]
    return found


def _fields(item: Item, declaration: Declaration) -> Iterator[Finding]:
    """Unknown fields, wrong types, units and places."""
    types = fields_of(declaration.shape)
    shape = geometry_field(declaration)
    misfit = item.misfit
    for name, value in item.fields.items():
        if name not in types:
            allowed = ", ".join(["key", *types])
            yield _at(item, (name,), f"There is no field {name!r}.", allowed=allowed, todo=nearest(name, types))
        elif misfit and (wrong := wrong_type(declaration, name, value)):
            misfit = "told"
            yield _at(item, (name,), wrong[0], allowed=wrong[1])
        else:
            for path, code in _units(value, (name,)) if not declaration.own_units else ():
                todo = nearest(code, UNITS_ALLOWED.split(", "))
                yield _at(item, path, f"There is no unit {code!r}.", allowed=UNITS_ALLOWED, todo=todo)
            if name == shape:
                yield from _geometry(item, name, value)
    if misfit and misfit != "told":
        yield _at(item, (), misfit)


def _sentences(item: Item, declaration: Declaration, things: Things, *, checked: bool = False) -> Iterator[Finding]:
    """What the noun itself finds, in one thing (unless that was done before) and then among all."""
    types = fields_of(declaration.shape)
    found = list(declaration.check(item.whole) if declaration.check and not checked else ())
    if not found and declaration.check_among:
        found = list(declaration.check_among(item.whole, things))
    for sentence in found:
        yield _at(item, _named_field(sentence, types), sentence.strip())


def _named_field(sentence: str, types: Mapping[str, Any]) -> tuple[str, ...]:
    """The field that a noun's sentence begins with, so that its line can be told."""
    match = re.match(r"\s*[`'\"]?([\w.]+)((?: [\w.]+)?):?", sentence)
    path = tuple(f"{match[1]}.{match[2].strip()}".strip(".").split(".")) if match else ()
    return path if path and path[0] in types else ()


def _units(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Codes of units that are not in the vocabulary, at any depth."""
    name = path[-1]
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _units(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _units(inner, (*path, number))
    elif (
        isinstance(value, str)
        and value
        and isinstance(name, str)
        and (name == "unit" or name.endswith("_unit"))
        and not is_unit(value)
    ):
        yield path, value


def _geometry(item: Item, name: str, value: Any) -> Iterator[Finding]:
    if value is None:
        return
    types = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
    if not isinstance(value, dict) or value.get("type") not in types or "coordinates" not in value:
        yield _at(item, (name,), "This is not a GeoJSON geometry.", allowed=", ".join(types))
        return
    for point in _points(value["coordinates"]):
        if not (len(point) >= 2 and all(isinstance(n, int | float) and not isinstance(n, bool) for n in point)):
            yield _at(item, (name,), f"{shown(point)} is not a position.", allowed="[longitude, latitude]")
            return
        if not (-180 <= point[0] <= 180 and -90 <= point[1] <= 90):
            todo = "These look like metres of D96/TM (EPSG:3794); turn them into WGS84." if point[0] > 1000 else ""
            yield _at(
                item,
                (name,),
                f"{shown(list(point[:2]))} is not a place on earth.",
                allowed="longitude and latitude in degrees (WGS84)",
                todo=todo,
            )
            return


def _points(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list) and value and isinstance(value[0], list):
        for inner in value:
            yield from _points(inner)
    else:
        yield value if isinstance(value, list) else [value]


def _references(item: Item, declaration: Declaration, declared: Known) -> Iterator[Finding]:
    for name, kind in declaration.refs.items():
        for path, target in _targets(item.fields, name.split("."), ()):
            if target and target not in declared.get(kind, set()):
                yield _at(item, path, f"There is no {kind} {target!r}.", todo=nearest(target, declared.get(kind, ())))


def _targets(value: Any, way: list[str], path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The keys at the end of a way such as `signal.terms.*.stream`; a list at the end gives each of its keys."""
    if not way:
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, list):
            for number, inner in enumerate(value):
                if isinstance(inner, str):
                    yield (*path, number), inner
    elif way[0] == "*":
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, inner in inside:
            yield from _targets(inner, way[1:], (*path, step))
    elif isinstance(value, dict) and way[0] in value:
        yield from _targets(value[way[0]], way[1:], (*path, way[0]))


def _texts(item: Item, languages: list[str], wanted: list[str]) -> Iterator[Finding]:
    if not languages:
        return
    for name, value in item.fields.items():
        for path, table in _tables_of_texts(value, (name,)):
            missing = [language for language in wanted if not table.get(language)]
            if missing and any(table.values()):
                yield _at(item, path, f"The text is missing in {', '.join(missing)}.", warning=True)
            for other in table:
                if other not in languages:
                    yield _at(
                        item,
                        (*path, other),
                        f"{other} is not a language of this city.",
                        allowed=", ".join(languages),
                        warning=True,
                    )


def _letters(item: Item) -> Iterator[Finding]:
    """Letters that nobody sees; some parts of Krog and some databases take them out."""
    for name, value in item.fields.items():
        if any(_CONTROL.search(text) for text in _strings(value)):
            yield _at(item, (name,), "The text holds a control character.", todo="Take it out.", warning=True)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _tables_of_texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], dict[str, str]]]:
    if len(path) > 16:
        return
    if isinstance(value, dict):
        if value and all(name in LANGUAGES and isinstance(text, str) for name, text in value.items()):
            yield path, dict(value)
        else:
            for name, inner in value.items():
                yield from _tables_of_texts(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _tables_of_texts(inner, (*path, number))


def _circles(reading: Reading, declaration: Declaration) -> Iterator[Finding]:
    """Things that stand above themselves: each field that refers to its own kind must end somewhere."""
    for name in (name for name, kind in declaration.refs.items() if kind == declaration.kind):
        above = {}
        items = {}
        for item in reading.of(declaration.kind):
            target = item.fields.get(name)
            if isinstance(item.key, str) and isinstance(target, str) and target:
                above[item.key], items[item.key] = target, item
        done: set[str] = set()
        for key in above:
            way: list[str] = []
            step: str | None = key
            while step is not None and step not in done and step not in way:
                way.append(step)
                step = above.get(step)
            if step in way:
                circle = way[way.index(str(step)) :]
                yield _at(items[circle[0]], (name,), f"{' → '.join([*circle, circle[0]])} goes in a circle.")
            done.update(way)
