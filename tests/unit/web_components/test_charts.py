"""Charts: what is missing is a gap, what is no fact is marked, labels keep apart, the table says the same."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krog.base import times
from krog.base.origin import Origin
from krog.web.components import charts
from krog.web.components.charts import Bar, Chart, Series
from krog.web.components.labels import Box, Label, Room, text_width

DAY = times.parse("2026-05-12T00:00:00", "Europe/Ljubljana")


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg.replace("<svg ", '<svg xmlns:x="x" ', 1))


def paths(svg: str, name: str = "ch-line") -> list[ElementTree.Element]:
    return [p for p in parsed(svg).iter("path") if name in p.get("class", "").split()]


def texts(svg: str) -> list[str]:
    return [t.text or "" for t in parsed(svg).iter("text")]


def jobs(**more: Any) -> Chart:
    return charts.line(
        "Jobs grow", "From 22,144 in 2014 to 25,353 in 2023.",
        [
            Series("jobs", [(2014, 22144), (2018, 23602), (2023, 25353)]),
            Series("same growth", [(2023, 25353), (2027, 26779)], "forecast",
                   band=[(2023, 25353, 25353), (2027, 26100, 27350)]),
            Series("way to the target", [(2023, 25353), (2030, 26000), (2035, 26500)], "expected"),
        ],
        baseline=(2014, 22144), targets=[(2030, 26000, ""), (2035, 26500, "")], x="year", language="en", **more,
    )  # fmt: skip


def test_a_chart_has_title_description_and_the_numbers_that_matter() -> None:
    chart = jobs()
    for svg in (chart.svg, chart.narrow):
        root = parsed(svg)
        assert root.get("role") == "img"
        title, desc = root.find("title"), root.find("desc")
        assert title is not None
        assert desc is not None
        assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
        assert (title.text, desc.text) == ("Jobs grow", "From 22,144 in 2014 to 25,353 in 2023.")
    shown = texts(chart.svg)
    for words in ("25,353", "baseline 22,144", "target 26,000", "target 26,500", "same growth", "way to the target"):
        assert words in shown


def test_ids_of_the_two_drawings_differ() -> None:
    chart = jobs()
    ids = re.findall(r'id="([^"]+)"', chart.svg + chart.narrow)
    assert len(ids) == len(set(ids)) == 4


def test_required_path_and_forecast_are_two_different_lines() -> None:
    svg = jobs().svg
    assert len(paths(svg, "ch-forecast")) == 1
    assert len(paths(svg, "ch-expected")) == 1
    assert len([p for p in parsed(svg).iter("path") if p.get("class") == "ch-band"]) == 1
    assert len([line for line in parsed(svg).iter("line") if line.get("class") == "ch-target"]) == 2


def test_missing_values_are_gaps() -> None:
    points = [(float(DAY + i * times.HOUR), None if 8 <= i < 12 else float(i)) for i in range(24)]
    svg = charts.line("t", "a", [Series("flow", points)], unit="m3/h", language="sl").svg
    assert len(paths(svg)) == 2


def test_too_long_a_step_is_a_gap_where_the_rhythm_is_known() -> None:
    points = [(float(DAY + i * times.HOUR), 1.0 + i) for i in (0, 1, 2, 9, 10)]
    broken = charts.line("t", "a", [Series("flow", points, gap=2.0 * times.HOUR)], language="sl").svg
    assert len(paths(broken)) == 2
    assert len(paths(charts.line("t", "a", [Series("flow", points)], language="sl").svg)) == 1


def test_a_lonely_value_between_gaps_is_a_dot() -> None:
    points = [(2020.0, 1.0), (2021.0, None), (2022.0, 3.0), (2023.0, None), (2024.0, 2.0)]
    svg = charts.line("t", "a", [Series("x", points)], x="year", language="sl").svg
    assert not paths(svg)
    assert len([c for c in parsed(svg).iter("circle")]) == 3


@pytest.mark.parametrize("origin", [Origin.REPLAYED, int(Origin.REPLAYED), "replayed"])
def test_replayed_data_are_marked_in_line_and_legend(origin: Any) -> None:
    chart = charts.line("t", "a", [Series("x", [(2020, 1.0), (2021, 2.0)], origin=origin)], x="year", language="en")
    assert paths(chart.svg, "ch-replayed")
    assert [item.classes for item in chart.legend] == ["ch-replayed"]
    assert "not measured" in chart.legend[0].text


def test_measured_data_carry_no_mark() -> None:
    chart = charts.line("t", "a", [Series("x", [(2020, 1.0), (2021, 2.0)], origin="measured")], x="year", language="en")
    assert chart.legend == ()
    assert "dash" not in chart.svg


def test_the_table_holds_the_same_values_as_the_drawing() -> None:
    chart = jobs()
    assert [c.title for c in chart.table.columns] == ["Year", "jobs", "same growth", "way to the target", "Target"]
    rows = {row[0].text: [cell.text for cell in row[1:]] for row in chart.table.rows}
    assert rows["2014"] == ["22,144", "–", "–", "–"]
    assert rows["2023"] == ["25,353", "25,353", "25,353", "–"]
    assert rows["2030"] == ["–", "–", "26,000", "26,000"]


def test_numbers_of_a_chart_follow_the_language() -> None:
    chart = charts.line("t", "a", [Series("x", [(2020, 1000.5), (2021, 2000.25)])], x="year", language="sl", unit="m3")
    assert [row[1].text for row in chart.table.rows] == ["1.000,5", "2.000,2"]
    assert "1.000" in texts(chart.svg)
    assert chart.table.columns[1].title == "x (m³)"


def test_a_long_table_says_that_it_is_cut() -> None:
    points = [(float(DAY + i * times.MINUTE), float(i % 7)) for i in range(1440)]
    chart = charts.line("t", "a", [Series("x", points)], language="en")
    assert len(chart.table.rows) == charts.TABLE_ROWS
    assert "200 of 1,440" in chart.notes[0]


def test_a_long_line_weighs_little_and_keeps_its_peaks() -> None:
    points = [(float(DAY + i * times.MINUTE), 500.0 if i == 7321 else float(i % 7)) for i in range(20000)]
    chart = charts.line("t", "a", [Series("x", points)], language="en")
    assert len(chart.svg) < 40_000
    assert any(float(t.replace(",", "")) >= 500 for t in texts(chart.svg) if t.replace(",", "").isdigit())
    heights = [float(y) for y in re.findall(r",([\d.]+)", paths(chart.svg)[0].get("d", ""))]
    assert min(heights) < 30 < max(heights)


def test_nothing_to_draw_is_said_not_drawn() -> None:
    assert charts.line("t", "a", [Series("x", [])], language="sl").empty
    assert charts.line("t", "a", [Series("x", [(2020, None)])], x="year", language="sl").empty
    assert charts.bars("t", "a", [("x", None)], language="sl").empty


def test_words_from_people_cannot_break_out() -> None:
    evil = '<script>alert(1)</script>"&'
    path = Series(evil, [(1, 1.0), (2, 2.0)], "expected")
    chart = charts.line(evil, evil, [path], targets=[(2, 2.0, evil)], x="year")
    bars = charts.bars(evil, evil, [(evil, 1.0)])
    for svg in (chart.svg, chart.narrow, bars.svg, bars.narrow):
        assert "<script" not in svg
        parsed(svg)


def test_nothing_is_styled_inline() -> None:
    chart = jobs(limits=[(26800, "limit")])
    for svg in (chart.svg, chart.narrow, charts.bars("t", "a", [("a", 1)]).svg, charts.sparkline([1, 2, 3])):
        assert "style=" not in svg
        assert "fill=" not in svg
        assert "stroke=" not in svg


def boxes(svg: str, size: float = 15) -> list[tuple[str, Box]]:
    found = []
    for text in parsed(svg).iter("text"):
        if "ch-label" not in text.get("class", ""):
            continue
        x, y, width = float(text.get("x", 0)), float(text.get("y", 0)), text_width(text.text or "", size)
        found.append((text.text or "", Box(x, y - size * 0.8, x + width, y + size * 0.2)))
    return found


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12),
    targets=st.lists(st.tuples(st.integers(2015, 2040), st.floats(-1e6, 1e6)), max_size=4),
)
def test_labels_never_cover_each_other_or_leave(values: list[float], targets: list[tuple[int, float]]) -> None:
    chart = charts.line(
        "t", "a",
        [Series("observed", [(2014.0 + i, v) for i, v in enumerate(values)]),
         Series("pot do cilja", [(2014.0, values[0]), (2030.0, values[-1])], "expected")],
        baseline=(2014, values[0]), targets=[(x, y, "") for x, y in targets], x="year", language="sl",
    )  # fmt: skip
    for svg, width, height in ((chart.svg, 820, 400), (chart.narrow, 400, 300)):
        placed = boxes(svg)
        for index, (words, box) in enumerate(placed):
            assert box.left >= 0
            assert box.right <= width + 1, words
            assert box.top >= -4
            assert box.bottom <= height
            for other_words, other in placed[index + 1 :]:
                assert not box.meets(other), f"{words} covers {other_words}"


def test_the_name_of_a_limit_stands_where_no_line_runs() -> None:
    points = [(float(DAY + i * times.HOUR), 5.0 if i > 20 else 0.3) for i in range(24)]
    losses, limit = Series("losses", points), (1.5, "target below 1.5")
    chart = charts.line("t", "a", [losses], limits=[limit], language="en", zero=True)
    (name,) = [box for words, box in boxes(chart.svg) if words == "target below 1.5"]
    numbers = re.findall(r"([\d.]+),([\d.]+)", paths(chart.svg)[0].get("d", ""))
    corners = [(float(x), float(y)) for x, y in numbers]
    rising = next(b for a, b in pairwise(corners) if b[1] < a[1] - 100)
    assert name.right < rising[0] - 5


def test_a_label_without_room_goes_to_the_legend() -> None:
    room = Room(Box(0, 0, 100, 20), 15)
    assert room.place(Label("first", 50, 10, sides=("above", "below", "right"), away=0)) is not None
    assert room.place(Label("a much longer label than that", 50, 10)) is None


def test_bars_start_at_zero_and_show_what_is_missing() -> None:
    given_bars = [Bar("a", 41), Bar("b", None), Bar("c", -10, origin="simulated")]
    chart = charts.bars("t", "a", given_bars, unit="m3", language="sl")
    root = parsed(chart.svg)
    zero = next(line for line in root.iter("line")).get("x1")
    assert next(r.get("x") for r in root.iter("rect")) == zero
    assert "–" in texts(chart.svg)
    assert "41 m³" in texts(chart.svg)
    assert chart.legend[0].classes == "ch-simulated"


def test_a_sparkline_breaks_at_gaps_and_names_itself_only_with_words() -> None:
    svg = charts.sparkline([1, 2, None, 3, 4], alt="rising", limit=3)
    assert len(paths(svg)) == 2
    assert parsed(svg).get("aria-label") == "rising"
    assert parsed(charts.sparkline([1, 2])).get("aria-hidden") == "true"
    assert charts.sparkline([None]) == ""
