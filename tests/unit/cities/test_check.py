"""Every mistake of a city's files is told at once, with file, line and key."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from krog.base.declaration import Fields
from krog.engine.cities.check import check
from krog.engine.cities.findings import Finding
from krog.engine.cities.kinds import Kinds
from tests.unit.cities.fakes import CITY, MeterFile, RowFile, Store, folder, kinds


def found(path: Path, **files: str | bytes) -> list[Finding]:
    return check(folder(path, **files), kinds())


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, [str(one) for one in findings]
    return findings[0]


def test_sound_files_have_no_findings(tmp_path: Path) -> None:
    assert (
        found(
            tmp_path,
            places_toml='[[place]]\nkey = "mlaka"\ntitle = { sl = "Mlaka", en = "Mlaka" }\n',
            places_geojson='{"type": "FeatureCollection", "features": [{"type": "Feature", "id": "mlaka", '
            '"geometry": {"type": "Point", "coordinates": [14.3, 46.2]}}]}',
            meters_toml='[[meter]]\nkey = "m1"\nplace = "mlaka"\nunit = "m3/h"\n',
            plan__rows_csv='key,title.sl,title.en,meter,order\nr1,Vrsta,Row,m1,1\nr2,"Ena, dve",Two,,2\n',
            plan__links_csv="source,target,type\nr1,r2,follows\n",
            registers__points_geojson='{"type": "FeatureCollection", "features": []}',
            pages__about_sl_md="# O podatkih\n\nBesedilo.\n",
            pages__about_en_md="# About\n\nText.\n",
        )
        == []
    )


def test_all_mistakes_are_told_at_once_with_line_and_key(tmp_path: Path) -> None:
    findings = found(
        tmp_path,
        meters_toml="""# a comment
[[meter]]
key = "m1"
unti = "m3/h"
interval_s = "often"

[[meter]]
key = "M 2"
unit = "m³/h"
place = "mlaka"
state = "broken"

[[meter]]
title = { sl = "Brez ključa", en = "No key" }

[[metre]]
key = "m4"
""",
    )
    assert [(one.line, one.what) for one in findings] == [
        (4, "There is no field 'unti'."),
        (5, "The value 'often' is not allowed."),
        (8, "'M 2' is not a key."),
        (9, "There is no unit 'm³/h'."),
        (10, "There is no place 'mlaka'."),
        (11, "The value 'broken' is not allowed."),
        (13, "The key is missing."),
        (16, "There is no section 'metre' here."),
    ]
    assert findings[0].todo == "Did you mean 'unit'?"
    assert findings[0].where == "meters.toml:4 meter m1, unti"
    assert findings[1].allowed == "a whole number"
    assert findings[5].allowed == "off, on"
    assert findings[7].allowed == "[[meter]]"
    assert findings[7].todo == "Did you mean 'meter'?"


def test_a_section_of_another_file_is_sent_there(tmp_path: Path) -> None:
    assert only(found(tmp_path, meters_toml='[[place]]\nkey = "p"\n')).todo == "[[place]] belongs in places.toml."


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('[[meter]]\nkey = "m1"\ntitle = \n', 3, "This is not TOML: Invalid value (column 9)."),
        ('[[meter]]\nkey = "m1', 2, "This is not TOML: Unterminated string"),
        ('[[meter]]\nkey = "m1"\nkey = "m2"\n', 3, "This is not TOML: Cannot overwrite a value"),
        ("meter = 3\n", 1, "meter is not a list of tables."),
        ("[meter]\nkey = 'm'\n", 1, "meter is not a list of tables."),
        ('[[meter]]\nkey = "m"\naccuracy = nan\n', 3, "nan is not a number that can be kept."),
        ('[[meter]]\nkey = "m"\ninterval_s = 99999999999999999999\n', 3, "The number is too large."),
        ('[[meter]]\nkey = "m"\nfields = { a = { unit = "furlong" } }\n', 3, "There is no unit 'furlong'."),
        ('[[meter]]\nkey = "m"\nplaces = [\n  "p",\n]\n', 4, "There is no place 'p'."),
        ('[[meter]]\nkey = "m"\ninterval_s = 100000\n', 3, "interval_s is longer than a day."),
        ('[[meter]]\nkey = "m"\n[[meter]]\nkey = "m"\n', 4, "The key 'm' stands twice; first in meters.toml:1."),
        ('[[meter]]\nkey = "m"\ntitle = "Merilnik"\n', 3, "The value 'Merilnik' is not allowed."),
        (
            '[[meter]]\nkey = "m"\n[meter.fields.a]\nx = 1\n[meter.fields.b]\nunit = "ell"\n',
            6,
            "There is no unit 'ell'.",
        ),
        ('[[meter]]\nkey = "m"\n[[meter.steps]]\nx = 1\n[[meter.steps]]\nunit = "ell"\n', 6, "There is no unit 'ell'."),
    ],
)
def test_each_mistake_in_toml_has_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    one = only(found(tmp_path, meters_toml=text))
    assert one.what.startswith(what)
    assert (one.file, one.line) == ("meters.toml", line)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("key,order\nr1,first\n", 2, "The value 'first' is not allowed."),
        ('key,note\nr1,"two\nlines"\nr1,x\n', 4, "The key 'r1' stands twice; first in plan/rows.csv:2."),
        ("key,ordr\nr1,1\n", 1, "There is no column 'ordr'."),
        ("key;order\nr1;1\n", 1, "The columns are divided by semicolons."),
        ("key,order\nr1,1,2\n", 2, "The row has 3 cells, the header 2."),
        ('key,note\nr1,"open\n', 2, "This is not CSV: unexpected end of data."),
        ("key,share\nr1,nan\n", 2, "nan is not a number that can be kept."),
        ("key,meter\n\nr1,gone\n", 3, "There is no meter 'gone'."),
        ("", 1, "The table has no header."),
        ("key,key\nr1,r1\n", 1, "The column 'key' stands twice."),
    ],
)
def test_each_mistake_in_a_table_has_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    findings = found(tmp_path, plan__rows_csv=text)
    assert {one.what for one in findings} == {what}
    assert (findings[0].file, findings[0].line) == ("plan/rows.csv", line)


COLLECTION = '{{"type": "FeatureCollection", "features": [\n{}\n]}}'


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('{"type": "FeatureCollection", "features": [\n}', 2, "This is not JSON"),
        ('{"type": "Feature"}', 1, "This is not GeoJSON."),
        (COLLECTION.format('{"type": "Feature", "id": "a", "properties": {"x": NaN}}'), 0, "This is not JSON: NaN"),
        (COLLECTION.format('{"type": "Feature", "properties": {}}'), 2, "The key is missing."),
        (
            COLLECTION.format(
                '{"type": "Feature", "id": "a", "geometry": {"type": "Point", "coordinates": [451000, 126000]}}'
            ),
            2,
            "[451000, 126000] is not a place",
        ),
        (
            COLLECTION.format('{"type": "Feature", "id": "a", "geometry": {"type": "Spot"}}'),
            2,
            "This is not a GeoJSON geom",
        ),
        (
            COLLECTION.format('{"type": "Feature", "id": "a"},\n{"type": "Feature", "id": "a"}'),
            3,
            "The key 'a' stands twice",
        ),
        (COLLECTION.format("3"), 2, "This is not a GeoJSON feature."),
    ],
)
def test_each_mistake_in_geojson_has_its_line(tmp_path: Path, text: str, line: int, what: str) -> None:
    one = only(found(tmp_path, registers__points_geojson=text))
    assert one.what.startswith(what)
    assert one.line == line


def test_metres_of_the_national_grid_are_recognised(tmp_path: Path) -> None:
    text = COLLECTION.format(
        '{"type": "Feature", "id": "a", "geometry": {"type": "Point", "coordinates": [451000, 126000]}}'
    )
    assert "D96/TM" in only(found(tmp_path, registers__points_geojson=text)).todo


def test_outlines_belong_to_known_places(tmp_path: Path) -> None:
    text = COLLECTION.format(
        '{"type": "Feature", "id": "mlakka", "geometry": {"type": "Point", "coordinates": [14, 46]}}'
    )
    one = only(found(tmp_path, places_toml='[[place]]\nkey = "mlaka"\n', places_geojson=text))
    assert (one.file, one.line, one.todo) == ("places.geojson", 2, "Did you mean 'mlaka'?")


def test_missing_languages_are_warnings_at_any_depth(tmp_path: Path) -> None:
    findings = found(
        tmp_path,
        meters_toml='[[meter]]\nkey = "m"\ntitle = { sl = "Merilnik" }\n[meter.fields.a]\nt = { en = "A", de = "A" }\n',
    )
    assert [(one.line, one.warning, one.what) for one in findings] == [
        (3, True, "The text is missing in en."),
        (5, True, "The text is missing in sl."),
        (5, True, "de is not a language of this city."),
    ]


def test_a_thing_above_itself_is_a_mistake(tmp_path: Path) -> None:
    text = "".join(f'[[place]]\nkey = "{key}"\nparent = "{parent}"\n' for key, parent in ("ab", "bc", "ca", "da"))
    assert only(found(tmp_path, places_toml=text)).what == "a → b → c → a goes in a circle."


def test_other_encodings_are_named_with_their_line(tmp_path: Path) -> None:
    text = '[[meter]]\nkey = "m"\ntitle = { sl = "Števec", en = "Meter" }\n'
    one = only(found(tmp_path, meters_toml=text.encode("cp1250")))
    assert one.line == 3
    assert one.what == "The file is not written in UTF-8; it looks like windows-1250."
    assert only(found(tmp_path, meters_toml=text.encode("utf-16"))).what == "The file is written in UTF-16."
    assert found(tmp_path, meters_toml=text.encode("utf-8-sig")) == []


def test_hostile_files_are_mistakes_and_no_crash(tmp_path: Path) -> None:
    deep = "[" * 100_000
    for number, (name, text) in enumerate(
        (
            ("meters_toml", f"x = {deep}"),
            ("meters_toml", "x = " + "9" * 5000),
            ("meters_toml", 'x = "\0"'),
            ("registers__points_geojson", deep),
            ("places_geojson", '{"a": ' * 50_000),
            ("plan__rows_csv", "key\n" + "x" * 200_000),
            ("meters_toml", '[[meter]]\nkey = "m"\n[meter.fields.a]\nx = ' + "[" * 90 + "]" * 90),
            ("meters_toml", '[[meter]]\nkey = "m"\nfields.' + "a." * 5000 + "b = 1\n"),
            (
                "registers__points_geojson",
                COLLECTION.format('{"type": "Feature", "id": "a", "properties": {"x": ' + "[" * 500 + "]" * 500 + "}}"),
            ),
        )
    ):
        place = tmp_path / str(number)
        place.mkdir()
        assert found(place, **{name: text}), name


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = folder(tmp_path)
    with open(path / "meters.toml", "wb") as out:
        out.truncate(11_000_000)
    assert only(check(path, kinds())).what == "The file is too large (11 MB)."


def test_files_outside_of_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "outside.toml").write_text('[[meter]]\nkey = "m"\n')
    inside = tmp_path / "inside"
    inside.mkdir()
    folder(inside)
    (inside / "meters.toml").symlink_to("../outside.toml")
    assert only(check(inside, kinds())).what == "The file leads out of the city's folder."
    (inside / "meters.toml").unlink()
    os.mkfifo(inside / "meters.toml")
    assert only(check(inside, kinds())).what == "This is not a file."


def test_a_file_that_nothing_reads_is_a_warning(tmp_path: Path) -> None:
    findings = found(tmp_path, meter_toml="", README_md="x", replay_toml="x")
    one = only(findings)
    assert (one.warning, one.file, one.todo) == (True, "meter.toml", "Did you mean 'meters.toml'?")


def test_only_the_citys_own_file_must_be_there(tmp_path: Path) -> None:
    assert only(check(tmp_path, kinds())).file == "city.toml"
    assert found(tmp_path, city_toml=CITY) == []


def test_pages_need_a_title_and_a_language(tmp_path: Path) -> None:
    findings = found(
        tmp_path, pages__about_sl_md="Brez naslova\n", pages__about_en_md="# About\n", pages__other_md="# O\n"
    )
    assert [(one.file, one.what) for one in findings] == [
        ("pages/about.sl.md", "The page has no title."),
        ("pages/other.md", "The name says no language."),
    ]


def test_keys_inside_a_field_are_references_too(tmp_path: Path) -> None:
    more = Kinds((*kinds(), Store().declaration("sum", "sums.toml", MeterFile, refs={"fields.*.meters": "meter"})))
    text = '[[sum]]\nkey = "s"\n[sum.fields.a]\nmeters = ["m1"]\n[sum.fields.b]\nmeters = [\n"m1",\n"m2",\n]\n'
    one = only(check(folder(tmp_path, sums_toml=text, meters_toml='[[meter]]\nkey = "m1"\n'), more))
    assert (one.line, one.what) == (8, "There is no meter 'm2'.")
    assert one.where == "sums.toml:8 sum s, fields.b.meters.1"


def test_what_only_shows_among_all_things_is_told_at_its_field(tmp_path: Path) -> None:
    def known(fields: Fields, things: Mapping[str, Mapping[str, Fields]]) -> list[str]:
        unit = things["meter"][fields["meter"]]["unit"]
        return [f"note {fields['note']!r} is not {unit!r}"] if fields["note"] != unit else []

    more = Kinds((*kinds(), Store().declaration("remark", "remarks.toml", RowFile, check_among=known)))
    one = only(
        check(
            folder(
                tmp_path,
                remarks_toml='[[remark]]\nkey = "a"\nmeter = "m"\nnote = "ell"\n',
                meters_toml='[[meter]]\nkey = "m"\nunit = "m"\n',
            ),
            more,
        )
    )
    assert (one.file, one.line, one.what) == ("remarks.toml", 4, "note 'ell' is not 'm'")


def test_control_characters_are_warned_of(tmp_path: Path) -> None:
    one = only(found(tmp_path, meters_toml='[[meter]]\nkey = "m"\ntitle = { sl = "a\\u0007", en = "b" }\n'))
    assert (one.line, one.warning, one.what) == (3, True, "The text holds a control character.")


def test_many_mistakes_are_told_in_good_time(tmp_path: Path) -> None:
    rows = "".join(f"r{number},1,m{number}\n" for number in range(20_000))
    begin = time.monotonic()
    assert len(found(tmp_path, plan__rows_csv="key,order,meter\n" + rows)) == 20_000
    assert time.monotonic() - begin < 30
