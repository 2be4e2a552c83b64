"""Numbers as people type them, and whether they are likely."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from krog.base.errors import Invalid

_SPACES = re.compile(r"[\s\u00a0\u202f']")
#: The mark before the decimals, by language; the other one groups thousands.
_MARKS = {"en": "."}
LARGEST = 1e15
#: A new value that differs from the last by more than this share of it is asked about again.
UNLIKELY_SHARE = 0.5


def parse(text: str, language: str) -> float:
    """The number in `text`: decimal comma or point, groups of thousands as the language writes them.

    With both marks the last one is the decimal mark. One mark alone groups thousands only where the language
    uses it so and exactly three digits follow each ("1.234" is 1234 in Slovenian); else it is the decimal mark.
    """
    plain = _SPACES.sub("", text.strip()[:60]).replace("−", "-")
    decimal = _MARKS.get(language[:2], ",")
    group = "," if decimal == "." else "."
    if "," in plain and "." in plain:
        decimal = "," if plain.rindex(",") > plain.rindex(".") else "."
        group = "," if decimal == "." else "."
        plain = plain.replace(group, "")
    elif group in plain and re.fullmatch(rf"[+-]?[0-9]{{1,3}}(?:\{group}[0-9]{{3}})+", plain):
        plain = plain.replace(group, "")
    elif group in plain:
        decimal = group
    plain = plain.replace(decimal, ".")
    if not re.fullmatch(r"[+-]?[0-9]+(?:\.[0-9]+)?", plain):
        raise Invalid(f"{text.strip()[:60]!r} is not a number.", "value", "digits, for example 1234,5")
    value = float(plain)
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise Invalid("This number is too large.", "value", f"up to {LARGEST:g}")
    return value


@dataclass(frozen=True)
class Written:
    """The first line of an answer as it was understood: a number with its unit, or that there is `none`; the lines
    after it are `rest`. Neither: the line is unclear."""

    line: str
    value: float | None = None
    unit: str = ""
    none: bool = False
    rest: str = ""


_LEADING = re.compile(r"^(?P<number>[+\u2212-]?[0-9][0-9.,'\s\u00a0\u202f]*)(?P<unit>[^0-9]*)$")
_NONE = frozenset(
    {"none", "n/a", "na", "np", "ni", "ni podatka", "ni na voljo", "nessuno", "nessun dato", "non disponibile"}
)
_YES = frozenset({"yes", "done", "da", "narejeno", "sì", "si", "fatto", "1"})
_NO = frozenset({"no", "not done", "ne", "ni narejeno", "non fatto", "0"})


def first_line(text: str, language: str, *, yes_no: bool = False) -> Written:
    """The number (or yes or no, or "none") on the first line of an answer. Only a line that holds nothing else but a
    unit is understood; whatever else stands there is not guessed at."""
    lines = [line.strip() for line in text.replace("\x00", "").splitlines() if line.strip()]
    line = lines[0][:200] if lines else ""
    rest = "\n".join(lines[1:])[:2000]
    word = line.rstrip(".!").casefold()
    if word in _NONE:
        return Written(line, none=True, rest=rest)
    if yes_no:
        value = 1.0 if word in _YES else 0.0 if word in _NO else None
        return Written(line, value, rest=rest)
    found = _LEADING.match(line)
    if not found:
        return Written(line, rest=rest)
    try:
        return Written(line, parse(found["number"].rstrip(" .,"), language), found["unit"].strip(" ."), rest=rest)
    except Invalid:
        return Written(line, rest=rest)


def written(value: float, decimals: int, language: str) -> str:
    """A number for a mail: decimal mark of the language, no groups of thousands."""
    return f"{value:.{decimals}f}".replace(".", _MARKS.get(language[:2], ","))


def unlikely(value: float, before: Sequence[float]) -> str:
    """Why a value is unlikely after those before it (oldest first): sign, thousandfold, jump; else empty."""
    if not before or before[-1] == 0:
        return ""
    last = before[-1]
    if value != 0 and (value < 0) != (last < 0):
        return "sign"
    ratio = abs(value / last)
    if ratio > 0 and (500 < ratio < 2000 or 1 / 2000 < ratio < 1 / 500):
        return "thousandfold"
    return "jump" if abs(value - last) > UNLIKELY_SHARE * abs(last) else ""
