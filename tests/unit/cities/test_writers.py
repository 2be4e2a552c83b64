"""What is written is read again as it was: texts with quotes, newlines, any letters; numbers; lists; geometries."""

from __future__ import annotations

import tempfile
import tomllib
from pathlib import Path
from typing import Any

import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from krog.base.ids import is_key
from krog.engine.cities import cells, toml_lines, writers
from krog.engine.cities.readers import read
from krog.engine.cities.values import canonical
from tests.unit.cities.fakes import folder, kinds

KINDS = kinds()
letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(letters, max_size=30) | st.sampled_from(
    [
        'a "quoted" word',
        "two\nlines",
        "a\r\nb",
        "c\rd",
        "=1+1",
        "\\0",
        "\\\\0",
        "a|b",
        " spaces ",
        "'''",
        '"""',
        "čšž,;",
        "\\",
        "#",
    ]
)
keys = st.text("abc0-._", min_size=1, max_size=6).filter(is_key)
said = st.dictionaries(st.sampled_from(["sl", "en"]), texts, max_size=2)
numbers = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**63), 2**63 - 1)
free: st.SearchStrategy[Any] = st.recursive(
    texts | whole | numbers | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
point = st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(
    lambda place: {"type": "Point", "coordinates": list(place)}
)
tables = st.dictionaries(texts, free, max_size=3)

meters = st.fixed_dictionaries(
    {},
    optional={
        "title": said,
        "place": texts,
        "places": st.lists(texts, max_size=3),
        "unit": texts,
        "interval_s": whole,
        "accuracy": numbers,
        "fields": st.dictionaries(texts, tables, max_size=3),
        "steps": st.lists(tables, max_size=3),
    },
)
rows = st.fixed_dictionaries(
    {},
    optional={
        "title": said,
        "meter": texts,
        "order": whole,
        "share": numbers,
        "horizon": st.lists(texts, max_size=3),
        "open": st.booleans(),
        "note": texts,
    },
)
records = st.fixed_dictionaries(
    {"register": st.just("points")},
    optional={
        "values": st.dictionaries(texts.filter(lambda name: name != "valid_from"), free, max_size=3),
        "geometry": point,
        "valid_from": texts,
    },
)
places = st.fixed_dictionaries({}, optional={"title": said, "outline": point})


def again(kind: str, name: str, text: str, **more: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        path = folder(Path(place))
        for file, content in {name: text, **more}.items():
            (path / file).parent.mkdir(exist_ok=True)
            (path / file).write_text(content, "utf-8", newline="")
        reading = read(path, KINDS)
        assert [str(found) for found in reading.findings] == []
        return {item.key: canonical(KINDS[kind], item.fields) for item in reading.of(kind)}


def whole_things(kind: str, things: dict[str, Any]) -> dict[str, Any]:
    return {key: canonical(KINDS[kind], fields) for key, fields in things.items()}


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(keys, meters, max_size=3))
def test_toml_comes_back_as_it_was(things: dict[str, Any]) -> None:
    things = whole_things("meter", things)
    assert again("meter", "meters.toml", writers.toml([(KINDS["meter"], things)])) == things


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(keys, rows, max_size=4))
def test_tables_come_back_as_they_were(things: dict[str, Any]) -> None:
    things = whole_things("row", things)
    assert again("row", "plan/rows.csv", writers.csv(KINDS["row"], things, ["sl", "en"])) == things


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(keys, records, max_size=3))
def test_records_come_back_as_they_were(things: dict[str, Any]) -> None:
    things = whole_things("record", things)
    assert again("record", "registers/points.geojson", writers.geojson(KINDS["record"], things)) == things


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(keys, places, max_size=3))
def test_outlines_come_back_to_their_places(things: dict[str, Any]) -> None:
    things = whole_things("place", things)
    pairs = [(KINDS["place"], things)]
    beside = {"places.geojson": text} if (text := writers.geometries(pairs)) else {}
    assert again("place", "places.toml", writers.toml(pairs), **beside) == things


@given(st.lists(texts, max_size=5))
def test_lists_in_a_cell_come_back(items: list[str]) -> None:
    assert cells.split(cells.join(items)) == items


def test_lists_in_a_cell_are_easy_to_type() -> None:
    assert cells.split("2030 | 2035") == ["2030", "2035"]
    assert cells.split("  ") == []


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(texts, st.lists(tables, min_size=1, max_size=3) | free, max_size=4), st.booleans())
def test_every_key_of_a_toml_text_has_its_line(document: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    at = toml_lines.lines(text)

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        if path:
            assert path in at, (path, text)
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for name, inner in inside:
            walk(inner, (*path, name))

    walk(tomllib.loads(text), ())


def test_toml_is_short_and_in_order() -> None:
    things = {
        "m1": canonical(
            KINDS["meter"],
            {
                "unit": "m3/h",
                "title": {"sl": "Dotok", "en": "Inflow"},
                "fields": {"time": {"type": "time"}, "value": {"type": "number", "title": {"sl": "V", "en": "V"}}},
                "steps": [{"do": "close", "by": ["a", "b"]}],
            },
        )
    }
    assert (
        writers.toml([(KINDS["meter"], things)])
        == """\
[[meter]]
key = "m1"
title = { sl = "Dotok", en = "Inflow" }
unit = "m3/h"
fields = { time = { type = "time" }, value = { type = "number", title = { sl = "V", en = "V" } } }
steps = [{ do = "close", by = ["a", "b"] }]
"""
    )
