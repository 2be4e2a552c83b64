"""SVG of charts: classes only, no inline style, text as text, two frames for wide and narrow places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from krog.base import times
from krog.web.components import formats, scales
from krog.web.components.labels import Box, Label, Placed, Room, text_width

if TYPE_CHECKING:
    from krog.web.components.charts import LineSpec, Point, Series

SIZE = 15.0


@dataclass(frozen=True)
class Frame:
    """The size of a drawing and how many ticks it has room for."""

    width: float
    height: float
    ticks_x: int
    ticks_y: int


@dataclass(frozen=True)
class Legend:
    """A key of the legend: classes of its sign, and words."""

    classes: str
    text: str


def _n(value: float) -> str:
    """A coordinate with one decimal at most: finer than a pixel says nothing and fattens the page."""
    return f"{round(value, 1):g}"


def _text(x: float, y: float, words: str, classes: str, anchor: str = "") -> str:
    where = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{classes}" x="{_n(x)}" y="{_n(y)}"{where}>{escape(words)}</text>'


def _svg(ident: str, frame_width: float, height: float, title: str, alt: str, parts: Iterable[str]) -> SafeString:
    head = (
        f'<svg viewBox="0 0 {_n(frame_width)} {_n(height)}" role="img" aria-labelledby="{ident}-t {ident}-d">'
        f'<title id="{ident}-t">{escape(title)}</title><desc id="{ident}-d">{escape(alt)}</desc>'
    )
    return mark_safe(head + "".join(parts) + "</svg>")  # every text in the parts is escaped by _text


def _runs(points: Sequence[Point], gap: float | None = None) -> list[list[tuple[float, float]]]:
    """The unbroken stretches of a line: a missing value or too long a step ends one."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
            continue
        if gap is not None and runs[-1] and x - runs[-1][-1][0] > gap:
            runs.append([])
        runs[-1].append((x, y))
    return [run for run in runs if run]


def _thin(run: Sequence[tuple[float, float]], columns: int) -> list[tuple[float, float]]:
    """At most the lowest and highest point of each column of pixels: looks the same, weighs little."""
    if len(run) <= columns * 2:
        return list(run)
    low, span = run[0][0], (run[-1][0] - run[0][0]) or 1
    buckets: dict[int, list[tuple[float, float]]] = {}
    for point in run:
        buckets.setdefault(int((point[0] - low) / span * columns), []).append(point)
    kept: list[tuple[float, float]] = [run[0]]
    for bucket in buckets.values():
        ends = {min(bucket, key=lambda p: p[1]), max(bucket, key=lambda p: p[1])}
        kept += sorted(ends)
    kept.append(run[-1])
    return kept


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_n(x)},{_n(y)}" for x, y in points)


def draw_line(spec: LineSpec, frame: Frame) -> tuple[SafeString, frozenset[str]]:
    """The drawing, and the names of series for which no place was found beside their line."""
    chart = _LineDrawing(spec, frame)
    return chart.svg(), frozenset(chart.left_out)


class _LineDrawing:
    """One drawing of a line chart in one frame: axes first, then marks, then labels in what room is left."""

    def __init__(self, spec: LineSpec, frame: Frame):
        self.spec, self.frame = spec, frame
        self.parts: list[str] = []
        self.left_out: set[str] = set()
        xs = [p[0] for s in spec.series for p in s.points] + [b[0] for s in spec.series for b in s.band]
        xs += [t[0] for t in spec.targets] + ([spec.baseline[0]] if spec.baseline else [])
        ys = [p[1] for s in spec.series for p in s.points if p[1] is not None]
        ys += [v for s in spec.series for b in s.band for v in b[1:]] + [t[1] for t in spec.targets]
        ys += [limit for limit, _ in spec.limits] + ([spec.baseline[1]] if spec.baseline else [])
        low_y, high_y = min(ys), max(ys)
        if spec.baseline and not spec.zero:
            # The baseline's name needs room below its dot.
            low_y -= (high_y - low_y) * 0.12
        self.ticks = scales.value_ticks(low_y, high_y, frame.ticks_y, spec.zero)
        places = scales.tick_decimals(self.ticks)
        self.places = places + 1 if spec.decimals is None else None
        self.tick_texts = [formats.number(tick, spec.language, places) for tick in self.ticks]
        left = max(text_width(text, SIZE) for text in self.tick_texts) + 12
        top = 34 if spec.unit else 16
        low_x, high_x = min(xs), max(xs)
        if low_x == high_x:
            pad = 1.0 if spec.x == "year" else float(times.HOUR)
            low_x, high_x = low_x - pad, high_x + pad
        # Marks at the right edge need room for half of themselves.
        self.x = scales.Scale(low_x, high_x, left + 8, frame.width - (22 if spec.targets else 14))
        self.y = scales.Scale(self.ticks[0], self.ticks[-1], frame.height - 30, top)
        self.left = left
        self.room = Room(Box(left + 4, top - 18, frame.width - 2, frame.height - 30), SIZE)
        self.labels: list[tuple[Label, str]] = []

    def svg(self) -> SafeString:
        self._axes()
        self._limits()
        observed = 0
        for one in self.spec.series:
            observed += one.style in ("observed", "estimate")
            self._series(one, observed)
        self._targets()
        self._baseline()
        # The name of a limit may stand anywhere along it, where no line runs through.
        along = [self.left + (self.frame.width - self.left) * share for share in (0.75, 0.5, 0.25, 0.0)]
        for label, name in self.labels:
            placed = self.room.place(label, *(along if "limit" in label.classes else ()))
            if placed is None:
                self.left_out.add(name)
            else:
                self.parts.append(self._label(placed))
        ident = f"{self.spec.id}-{int(self.frame.width)}"
        return _svg(ident, self.frame.width, self.frame.height, self.spec.title, self.spec.alt, self.parts)

    @staticmethod
    def _label(placed: Placed) -> str:
        return _text(placed.x, placed.y, placed.label.text, placed.label.classes)

    def _axes(self) -> None:
        right = self.frame.width
        for tick, text in zip(self.ticks, self.tick_texts, strict=True):
            y = self.y(tick)
            name = "ch-zero" if tick == 0 else "ch-grid"
            self.parts.append(f'<line class="{name}" x1="{_n(self.left)}" x2="{_n(right)}" y1="{_n(y)}" y2="{_n(y)}"/>')
            self.parts.append(_text(self.left - 8, y + 5, text, "ch-tick", "end"))
        if self.spec.unit:
            self.parts.append(_text(0, 14, self.spec.unit, "ch-unit"))
        last = -1e9
        for at, text in self._x_ticks():
            x, half = self.x(at), text_width(text, SIZE) / 2
            x_text = min(max(x, half), self.frame.width - half)
            if x_text - half < last + 10:
                continue
            last = x_text + half
            base = self.frame.height - 30
            self.parts.append(f'<line class="ch-zero" x1="{_n(x)}" x2="{_n(x)}" y1="{_n(base)}" y2="{_n(base + 5)}"/>')
            self.parts.append(_text(x_text, self.frame.height - 8, text, "ch-tick", "middle"))

    def _x_ticks(self) -> list[tuple[float, str]]:
        if self.spec.x == "year":
            return [(t, f"{t:.0f}") for t in scales.year_ticks(self.x.low, self.x.high, self.frame.ticks_x)]
        return [
            (tick.time, tick.text)
            for tick in scales.time_ticks(
                int(self.x.low), int(self.x.high), self.spec.language, self.spec.zone, self.frame.ticks_x
            )
        ]

    def _limits(self) -> None:
        for value, text in self.spec.limits:
            y = self.y(value)
            self.parts.append(
                f'<line class="ch-limit" x1="{_n(self.left)}" x2="{_n(self.frame.width)}" y1="{_n(y)}" y2="{_n(y)}"/>'
            )
            self.room.draw_line([(self.left, y), (self.frame.width, y)])
            self.labels.append((Label(text, self.frame.width, y, "ch-label limit", ("above", "below"), 3), text))

    def _series(self, one: Series, number: int) -> None:
        hue = f" ch-s{number}" if number > 1 and one.style in ("observed", "estimate") else ""
        kind = "" if one.style == "observed" else f" ch-{one.style}"
        mark = f" ch-{one.origin_word}" if one.origin_word in ("replayed", "simulated") and not kind else ""
        if one.band:
            upper = [(self.x(x), self.y(high)) for x, _, high in one.band]
            lower = [(self.x(x), self.y(low)) for x, low, _ in reversed(one.band)]
            self.parts.append(f'<path class="ch-band" d="{_path(upper + lower)}Z"/>')
        runs = [_thin(run, int(self.frame.width / 2)) for run in _runs(one.points, one.gap)]
        drawn = [[(self.x(x), self.y(y)) for x, y in run] for run in runs]
        for run in drawn:
            if len(run) > 1:
                self.parts.append(f'<path class="ch-line{kind}{mark}{hue}" d="{_path(run)}"/>')
            self.room.draw_line(run)
        if not drawn:
            return
        if one.style in ("observed", "estimate"):
            few = sum(len(run) for run in drawn) <= 24
            dots = [p for run in drawn for p in run] if few else [r[0] for r in drawn if len(r) == 1] + [drawn[-1][-1]]
            for x, y in dots:
                self.parts.append(f'<circle class="ch-dot{hue}" cx="{_n(x)}" cy="{_n(y)}" r="4"/>')
            self._name_observed(one, number, drawn[-1][-1], runs[-1][-1][1])
        elif one.style == "forecast":
            x, y = drawn[-1][-1]
            self.labels.append((Label(one.name, x, y, "ch-label", ("right", "above", "above-left", "below")), one.name))
        else:
            # The longest straight part of the path has the most room for its name.
            longest = max(drawn, key=len)
            pairs = list(pairwise(longest)) or [(longest[0], longest[0])]
            a, b = max(pairs, key=lambda pair: abs(pair[1][0] - pair[0][0]))
            middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
            self.labels.append((Label(one.name, *middle, "ch-label", ("below", "above", "below-right")), one.name))

    def _number(self, value: float) -> str:
        """A number beside its mark: one place finer than the axis is as exact as the eye can follow."""
        return self.spec.number(value if self.places is None else round(value, self.places))

    def _name_observed(self, one: Series, number: int, at: tuple[float, float], value: float) -> None:
        several = sum(s.style in ("observed", "estimate") for s in self.spec.series) > 1
        text = f"{one.name} {self._number(value)}" if several else self._number(value)
        sides = ("above", "above-left", "left", "below", "below-left", "right")
        classes = f"ch-label strong ch-s{number}" if several else "ch-label strong"
        self.labels.insert(0, (Label(text, *at, classes, sides), one.name))

    def _targets(self) -> None:
        for at, value, text in self.spec.targets:
            x, y = self.x(at), self.y(value)
            self.parts.append(
                f'<line class="ch-target" x1="{_n(x - 11)}" x2="{_n(x + 11)}" y1="{_n(y)}" y2="{_n(y)}"/>'
            )
            self.room.drawn.append(Box(x - 11, y - 3, x + 11, y + 3))
            words = text or f"{self.spec.words['target']} {self._number(value)}"
            label = Label(words, x, y, "ch-label target", ("above", "below", "left"))
            self.labels.append((label, self.spec.words["target"]))

    def _baseline(self) -> None:
        if not self.spec.baseline:
            return
        x, y = self.x(self.spec.baseline[0]), self.y(self.spec.baseline[1])
        self.parts.append(f'<circle class="ch-base" cx="{_n(x)}" cy="{_n(y)}" r="5.5"/>')
        self.room.drawn.append(Box(x - 6, y - 6, x + 6, y + 6))
        words = f"{self.spec.words['baseline']} {self._number(self.spec.baseline[1])}"
        sides = ("below-right", "above-right", "below", "above", "right")
        self.labels.append((Label(words, x, y, "ch-label", sides), self.spec.words["baseline"]))


#: Name, value, the value as written, the word of its origin.
BarItem = tuple[str, "float | None", str, str]


def draw_bars(ident: str, title: str, alt: str, items: Sequence[BarItem], unit: str, frame: Frame) -> SafeString:
    """Lying bars: in a wide place the name stands beside its bar, in a narrow one above it."""
    beside = frame.width > 600
    name_width = min(max(text_width(name, SIZE) for name, *_ in items) + 14, frame.width * 0.4) if beside else 0.0
    value_width = max(text_width(f"{text} {unit}", SIZE) for _, _, text, _ in items) + 10
    values = [value for _, value, *_ in items if value is not None]
    low, high = min(0.0, *values), max(0.0, *values)
    scale = scales.Scale(low, high or (0.0 if low else 1.0), name_width, frame.width - value_width)
    row = 34.0 if beside else 54.0
    parts: list[str] = []
    for index, (name, value, text, origin) in enumerate(items):
        top = index * row + (4 if beside else 24)
        if beside:
            parts.append(_text(name_width - 10, top + 18, _fit(name, name_width - 10), "ch-label", "end"))
        else:
            parts.append(_text(0, top - 6, _fit(name, frame.width), "ch-label"))
        end = scale(value) if value is not None else scale(0)
        if value is not None:
            start, finish = sorted((scale(0), end))
            mark = f" ch-{origin}" if origin in ("replayed", "simulated") else ""
            parts.append(
                f'<rect class="ch-bar{mark}" x="{_n(start)}" y="{_n(top)}" '
                f'width="{_n(max(finish - start, 1))}" height="24"/>'
            )
        said = f"{text} {unit}" if unit and value is not None else text
        parts.append(_text(max(end, scale(0)) + 6, top + 18, said, "ch-label strong"))
    height = len(items) * row + 6
    parts.append(f'<line class="ch-zero" x1="{_n(scale(0))}" x2="{_n(scale(0))}" y1="0" y2="{_n(height - 4)}"/>')
    return _svg(ident, frame.width, height, title, alt, parts)


def _fit(text: str, width: float) -> str:
    """The text, shortened with an ellipsis where it is wider than `width`; the table has it whole."""
    if text_width(text, SIZE) <= width:
        return text
    while text and text_width(text + "…", SIZE) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def draw_spark(points: Sequence[Point], alt: str, limit: float | None, origin: str) -> SafeString:
    """A line the size of a word, with a dot at the last value and a dashed line at the limit."""
    known = [(x, y) for x, y in points if y is not None]
    if not known:
        return SafeString("")
    ys = [y for _, y in known] + ([limit] if limit is not None else [])
    low, high = min(ys), max(ys)
    pad = (high - low) * 0.05 or 1.0
    x = scales.Scale(known[0][0], known[-1][0] if known[-1][0] > known[0][0] else known[0][0] + 1, 4, 146)
    y = scales.Scale(low - pad, high + pad, 35, 3)
    parts = []
    if limit is not None:
        parts.append(f'<line class="ch-limit" x1="4" x2="146" y1="{_n(y(limit))}" y2="{_n(y(limit))}"/>')
    mark = f" ch-{origin}" if origin in ("replayed", "simulated") else ""
    for run in _runs(points):
        drawn = [(x(a), y(b)) for a, b in _thin(run, 70)]
        parts.append(f'<path class="ch-line{mark}" d="{_path(drawn)}"/>')
    last = known[-1]
    parts.append(f'<circle class="ch-dot" cx="{_n(x(last[0]))}" cy="{_n(y(last[1]))}" r="3.5"/>')
    named = f'role="img" aria-label="{escape(alt)}"' if alt else 'aria-hidden="true"'
    return mark_safe(f'<svg class="spark" viewBox="0 0 150 38" {named}>{"".join(parts)}</svg>')
