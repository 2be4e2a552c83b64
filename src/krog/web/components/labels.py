"""Where a label can stand in a chart without covering a line, a mark or another label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

_NARROW_LETTERS = frozenset(" .,:;'|!iljtfrI()/·\u00a0\u202f")
_WIDE_LETTERS = frozenset("mwMW%—")


def text_width(text: str, size: float) -> float:
    """The estimated width of a line of Plex Sans, a little on the safe side."""
    em = sum(0.31 if c in _NARROW_LETTERS else 0.86 if c in _WIDE_LETTERS else 0.6 for c in text)
    return em * size


@dataclass(frozen=True)
class Box:
    """A rectangle by its sides."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def within(self, other: Box) -> bool:
        return (
            self.left >= other.left and self.right <= other.right
            and self.top >= other.top and self.bottom <= other.bottom
        )  # fmt: skip


@dataclass(frozen=True)
class Label:
    """A label that wants to stand near (x, y); `sides` in the order it prefers them."""

    text: str
    x: float
    y: float
    classes: str = "ch-label"
    sides: Sequence[str] = ("above", "below", "right", "left", "above-left", "above-right", "below-right", "below-left")
    away: float = 9.0


@dataclass(frozen=True)
class Placed:
    """A label with the start of its baseline."""

    label: Label
    x: float
    y: float


@dataclass
class Room:
    """The room of a chart: its bounds, what is drawn in it (as small boxes), and the labels placed so far."""

    bounds: Box
    size: float
    taken: list[Box] = field(default_factory=list)
    drawn: list[Box] = field(default_factory=list)

    def draw_line(self, points: Iterable[tuple[float, float]], every: float = 6.0) -> None:
        """Remembers where a line runs, so that labels keep off it."""
        last: tuple[float, float] | None = None
        for x, y in points:
            if last is not None:
                steps = max(1, int(max(abs(x - last[0]), abs(y - last[1])) / every))
                for step in range(steps):
                    px = last[0] + (x - last[0]) * step / steps
                    py = last[1] + (y - last[1]) * step / steps
                    self.drawn.append(Box(px - 2, py - 2, px + 2, py + 2))
            last = (x, y)
        if last is not None:
            self.drawn.append(Box(last[0] - 3, last[1] - 3, last[0] + 3, last[1] + 3))

    def place(self, label: Label, *xs: float) -> Placed | None:
        """Puts a label on the first side that is free of labels and lines, else of labels; else leaves it out.
        `xs` are further places along the chart where it may stand as well."""
        width = text_width(label.text, self.size)
        places = [label, *(replace(label, x=x) for x in xs)]
        boxes = [box for place in places for side in label.sides for box in self._sides(place, side, width)]
        inside = [box for box in boxes if box.within(self.bounds) and not any(box.meets(t) for t in self.taken)]
        chosen = next((box for box in inside if not any(box.meets(d) for d in self.drawn)), None)
        if chosen is None and inside:
            chosen = min(inside, key=lambda box: sum(box.meets(d) for d in self.drawn))
        if chosen is None:
            return None
        self.taken.append(Box(chosen.left - 3, chosen.top - 1, chosen.right + 3, chosen.bottom + 1))
        return Placed(label, chosen.left, chosen.bottom - self.size * 0.25)

    def _sides(self, label: Label, side: str, width: float) -> list[Box]:
        height, away = self.size * 1.15, label.away
        if side.startswith("above"):
            bottom = label.y - away
        elif side.startswith("below"):
            bottom = label.y + away + height
        else:
            bottom = label.y + height / 2
        if side in ("above", "below"):
            left = label.x - width / 2
            # A centred label at the edge slides in rather than being cut off.
            left = min(max(left, self.bounds.left), self.bounds.right - width)
        elif side.endswith("left"):
            left = label.x - width - (away if side == "left" else 2)
        else:
            left = label.x + (away if side == "right" else 2)
        further = [Box(left, bottom - height, left + width, bottom)]
        if side in ("above", "below"):
            shift = -height if side == "above" else height
            further.append(Box(left, bottom - height + shift, left + width, bottom + shift))
        return further
