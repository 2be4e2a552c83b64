"""Charts drawn on the server: SVG by classes, with the table of the same data, a title that may say the finding."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext, override

from krog.base import times
from krog.base.origin import Origin
from krog.web.components import formats
from krog.web.components.drawing import Frame, Legend, draw_bars, draw_line, draw_spark

Point = tuple[float, float | None]

#: More rows than these stay in the download; a page is not a spreadsheet.
TABLE_ROWS = 200

WIDE = Frame(width=820, height=400, ticks_x=8, ticks_y=6)
NARROW = Frame(width=400, height=300, ticks_x=4, ticks_y=5)


@dataclass(frozen=True)
class Series:
    """One line. `points` are (x, y) with None for a missing y; `style` is observed, expected, forecast or estimate;
    `origin` a word or number of base.origin; `band` (x, low, high) of a forecast; steps longer than `gap` break it."""

    name: str
    points: Sequence[Point]
    style: str = "observed"
    origin: int | str | None = None
    band: Sequence[tuple[float, float, float]] = ()
    gap: float | None = None

    @property
    def origin_word(self) -> str:
        if self.origin is None or self.origin == "":
            return ""
        return self.origin if isinstance(self.origin, str) else Origin(self.origin).word


@dataclass(frozen=True)
class Bar:
    """One bar with its name."""

    name: str
    value: float | None
    origin: int | str | None = None


@dataclass(frozen=True)
class Column:
    """The head of a column."""

    title: str
    numeric: bool = True


@dataclass(frozen=True)
class Cell:
    """What stands in a cell."""

    text: str
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """The same data as a table."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Chart:
    """What `<c-chart>` shows: the drawing for wide places and for a phone, the table, legend and remarks."""

    title: str
    alt: str
    svg: SafeString
    narrow: SafeString
    table: Table
    legend: tuple[Legend, ...] = ()
    notes: tuple[str, ...] = ()
    empty: bool = False


@dataclass(frozen=True)
class LineSpec:
    """Everything that a line chart draws, the same for every frame."""

    title: str
    alt: str
    series: tuple[Series, ...]
    unit: str
    x: str
    language: str
    zone: str
    decimals: int | None = None
    baseline: tuple[float, float] | None = None
    targets: tuple[tuple[float, float, str], ...] = ()
    limits: tuple[tuple[float, str], ...] = ()
    zero: bool = False
    words: dict[str, str] = field(default_factory=dict)

    def number(self, value: float) -> str:
        return formats.number(value, self.language, self.decimals)

    @property
    def id(self) -> str:
        return "ch-" + hashlib.sha256(f"{self.title}|{self.alt}|{self.unit}".encode()).hexdigest()[:8]


def line(
    title: str,
    alt: str,
    series: Sequence[Series],
    *,
    baseline: tuple[float, float] | None = None,
    targets: Sequence[tuple[float, float, str]] = (),
    limits: Sequence[tuple[float, str]] = (),
    unit: str = "",
    x: str = "time",
    language: str = "sl",
    decimals: int | None = None,
    zero: bool = False,
    zone: str = "",
) -> Chart:
    """Lines over time (`x="time"`: UTC microseconds) or over years (`x="year"`).

    `targets` are (x, value, label; an empty label is written by Krog), `limits` (value, label) run across the chart;
    `unit` is a code of base.units. At most five series are told apart; more belong into small multiples.
    """
    with override(language):
        spec = LineSpec(
            title=title, alt=alt, series=tuple(series), unit=formats.unit(unit, language), x=x, language=language,
            zone=zone or settings.TIME_ZONE, decimals=decimals, baseline=baseline, targets=tuple(targets),
            limits=tuple(limits), zero=zero,
            words={"baseline": gettext("baseline"), "target": gettext("target")},
        )  # fmt: skip
        table, notes = _line_table(spec)
        some = any(y is not None for one in spec.series for _, y in one.points) or bool(spec.targets or spec.baseline)
        if not some:
            return Chart(title, alt, SafeString(""), SafeString(""), table, empty=True)
        wide, left_out = draw_line(spec, WIDE)
        narrow, left_out_narrow = draw_line(spec, NARROW)
        return Chart(title, alt, wide, narrow, table, _legend(spec, left_out | left_out_narrow), notes)


def _legend(spec: LineSpec, left_out: frozenset[str]) -> tuple[Legend, ...]:
    """What the drawing could not name beside the line itself, and every mark of data that are no facts."""
    found: list[Legend] = []
    observed = 0
    for one in spec.series:
        observed += one.style in ("observed", "estimate")
        classes = f"ch-{one.style}" + (f" ch-s{observed}" if observed > 1 else "")
        if one.name in left_out or one.style == "estimate":
            found.append(Legend(classes, one.name))
        if one.band:
            found.append(Legend("ch-band", gettext("range of the forecast")))
    marks = {one.origin_word for one in spec.series}
    if "replayed" in marks:
        found.append(Legend("ch-replayed", gettext("replayed recording, not measured here and now")))
    if "simulated" in marks:
        found.append(Legend("ch-simulated", gettext("simulated, not measured")))
    if spec.targets and spec.words["target"] in left_out:
        found.append(Legend("ch-target", gettext("target")))
    return tuple(found)


def _line_table(spec: LineSpec) -> tuple[Table, tuple[str, ...]]:
    """A row for each x, a column for each series, and the targets."""
    values: dict[float, dict[int, float | None]] = {}
    for index, one in enumerate(spec.series):
        for at, value in one.points:
            values.setdefault(at, {})[index] = value
    targets = {at: (value, label) for at, value, label in spec.targets}
    for at in targets:
        values.setdefault(at, {})
    if spec.baseline:
        values.setdefault(spec.baseline[0], {}).setdefault(-1, spec.baseline[1])
    order = sorted(values)
    days_only = spec.x == "time" and all(
        (t := times.to_datetime(int(at), spec.zone)).hour == t.minute == t.second == 0 for at in order
    )
    notes: tuple[str, ...] = ()
    if len(order) > TABLE_ROWS:
        notes = (
            gettext("The table shows the last %(shown)s of %(all)s values; the download holds them all.")
            % {"shown": formats.number(TABLE_ROWS, spec.language), "all": formats.number(len(order), spec.language)},
        )
        order = order[-TABLE_ROWS:]
    columns = [Column(gettext("Year") if spec.x == "year" else gettext("Time"), numeric=False)]
    unit = f" ({spec.unit})" if spec.unit else ""
    columns += [Column(one.name + unit) for one in spec.series]
    if targets:
        columns.append(Column(gettext("Target") + unit))
    rows: list[tuple[Cell, ...]] = []
    for at in order:
        row = [Cell(_when(at, spec, days_only), numeric=False)]
        for index in range(len(spec.series)):
            known = values[at].get(index)
            if known is None and index == 0 and -1 in values[at]:
                known = values[at][-1]
            row.append(Cell("–" if known is None else spec.number(known)))
        if targets:
            row.append(Cell(spec.number(targets[at][0]) if at in targets else "–"))
        rows.append(tuple(row))
    return Table(spec.title, tuple(columns), tuple(rows)), notes


def _when(at: float, spec: LineSpec, days_only: bool) -> str:
    if spec.x == "year":
        return f"{at:g}"
    if days_only:
        return formats.day(times.to_datetime(int(at), spec.zone), spec.language)
    return formats.moment(int(at), spec.language, spec.zone)


def bars(
    title: str,
    alt: str,
    bars: Sequence[Bar | tuple[str, float | None]],
    *,
    unit: str = "",
    language: str = "sl",
    decimals: int | None = None,
) -> Chart:
    """Lying bars from zero, one name and number each."""
    with override(language):
        known = tuple(bar if isinstance(bar, Bar) else Bar(*bar) for bar in bars)
        symbol = formats.unit(unit, language)
        rows = tuple(
            (Cell(b.name, numeric=False), Cell("–" if b.value is None else formats.number(b.value, language, decimals)))
            for b in known
        )
        columns = (Column(gettext("Name"), numeric=False), Column(symbol or gettext("Value")))
        table = Table(title, columns, rows)
        if not any(bar.value is not None for bar in known):
            return Chart(title, alt, SafeString(""), SafeString(""), table, empty=True)
        items = [
            (b.name, b.value, "–" if b.value is None else formats.number(b.value, language, decimals),
             Series("", (), origin=b.origin).origin_word)
            for b in known
        ]  # fmt: skip
        marks = {item[3] for item in items}
        legend = []
        if "replayed" in marks:
            legend.append(Legend("ch-replayed", gettext("replayed recording, not measured here and now")))
        if "simulated" in marks:
            legend.append(Legend("ch-simulated", gettext("simulated, not measured")))
        ident = "ch-" + hashlib.sha256(f"{title}|{alt}".encode()).hexdigest()[:8]
        wide = draw_bars(ident + "w", title, alt, items, symbol, WIDE)
        narrow = draw_bars(ident + "n", title, alt, items, symbol, NARROW)
        return Chart(title, alt, wide, narrow, table, tuple(legend))


def sparkline(
    points: Sequence[Point | float | None],
    *,
    alt: str = "",
    limit: float | None = None,
    origin: int | str | None = None,
) -> SafeString:
    """A line the size of a word; without `alt` it is decoration beside a number that says the same."""
    pairs = [p if isinstance(p, tuple) else (float(i), p) for i, p in enumerate(points)]
    return draw_spark(pairs, alt, limit, Series("", (), origin=origin).origin_word)
