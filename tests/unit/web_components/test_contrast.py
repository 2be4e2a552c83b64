"""Contrast is measured, not guessed: text at least 7 to 1, small and secondary text and marks at least 4.5 to 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[3] / "frontend/src/styles/tokens.css").read_text("utf-8")
LIGHT, DARK = TOKENS.split("@media (prefers-color-scheme: dark)")

GROUNDS = ("paper", "card", "sunken")
#: foreground, grounds it stands on, least contrast
PAIRS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("ink", (*GROUNDS, "brand-2", "ok-2", "warn-2", "bad-2", "info-2"), 7),
    ("brand", (*GROUNDS, "brand-2"), 7),
    ("ink-2", GROUNDS, 7),
    ("on-brand", ("brand",), 7),
    ("on-accent", ("accent",), 7),
    ("demo-ink", ("demo",), 7),
    ("ink-3", GROUNDS, 4.5),
    ("accent", GROUNDS, 4.5),
    *((state, GROUNDS, 4.5) for state in ("ok", "warn", "bad", "none")),
    ("on-bad", ("bad",), 4.5),
    ("ok", ("ok-2",), 4.5), ("warn", ("warn-2",), 4.5), ("bad", ("bad-2",), 4.5), ("info", ("info-2",), 4.5),
    *((f"c{number}", ("card",), 4.5) for number in (1, 2, 3, 4)),
    # Edges of controls and marks that carry meaning: WCAG 1.4.11.
    ("edge", GROUNDS, 3), ("focus", GROUNDS, 3), ("c5", ("card",), 3),
)  # fmt: skip


def colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\b", css))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_pair_of_colours_is_legible(mode: str) -> None:
    known = colours(LIGHT) | (colours(DARK) if mode == "dark" else {})
    weak = [
        f"--{ink} {known[ink]} on --{ground} {known[ground]}: {contrast(known[ink], known[ground]):.2f} < {least}"
        for ink, grounds, least in PAIRS
        for ground in grounds
        if contrast(known[ink], known[ground]) < least
    ]
    assert not weak, "\n".join(weak)


def test_dark_mode_sets_every_colour_anew() -> None:
    assert set(colours(LIGHT)) == set(colours(DARK))


def test_no_stylesheet_names_a_colour_outside_the_tokens() -> None:
    folder = Path(__file__).parents[3] / "frontend/src/styles"
    strays = [
        f"{file.name}: {colour}"
        for file in sorted(folder.rglob("*.css"))
        if file.name not in ("tokens.css", "print.css")
        for colour in re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", re.sub(r"/\*.*?\*/", "", file.read_text("utf-8")))
    ]
    assert not strays
