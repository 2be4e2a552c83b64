"""Values as cells write them in each language, and back: write → read gives the same value."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from krog.base import times
from krog.tables.columns import Column

#: The words for yes and no; all are read in every language.
YES_NO = {"sl": ("da", "ne"), "it": ("sì", "no"), "en": ("yes", "no")}
_YES = frozenset({"da", "sì", "si", "yes", "true", "1", "x", "y", "d", "resnično", "vero"})
_NO = frozenset({"ne", "no", "false", "0", "n", "neresnično", "falso"})

#: What spreadsheets show where a formula failed.
ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!"})

#: A text beginning like this is taken for a formula by spreadsheets that open a CSV.
_FORMULA = re.compile(r"^'*[=+\-@\t\r]")
_GUARDED = re.compile(r"^'+[=+\-@\t\r]")
_SPACES = re.compile("[\\s\u00a0\u202f\u2009']")
_DAY = re.compile(r"^(\d{1,2})[./]\s*(\d{1,2})[./]\s*(\d{4})\.?$")
_UTC = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$")
_CLOCK = re.compile(r"^(\d{1,2})[.:](\d{2})(?:[.:](\d{2}))?$")
MOST_WHOLE = 2**53


class Unread(ValueError):
    """A cell that cannot be what its column wants; `code` says why: number, day, moment, yes-no, choice, error, unit,
    text."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def decimal_mark(language: str) -> str:
    """The decimal mark of files in a language."""
    return "." if language[:2] == "en" else ","


def delimiter(language: str) -> str:
    """What separates cells of a CSV in a language: what its spreadsheets expect."""
    return "," if language[:2] == "en" else ";"


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before = + - @ tab, which `unguarded` takes off."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text as it was before `guarded`."""
    return text[1:] if _GUARDED.match(text) else text


def number_text(value: float, language: str) -> str:
    """A number with all its digits, the decimal mark of the language and no marks for thousands."""
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    else:
        text = str(value)
    return text.replace(".", decimal_mark(language))


def text_of(column: Column, value: Any, language: str, zone: str) -> str:
    """A value as a CSV cell of the language; times in the city's zone with their offset."""
    if value is None or value == "":
        return ""
    if column.type == "boolean" and isinstance(value, bool):
        return YES_NO.get(language[:2], YES_NO["en"])[0 if value else 1]
    if column.numeric and isinstance(value, int | float):
        return number_text(value, language)
    if column.type == "time" and isinstance(value, int):
        return times.to_datetime(value, zone).isoformat(" ")
    return guarded(choice_text(column, str(value)))


def choice_text(column: Column, value: str) -> str:
    """A choice by its title where that can be read back as this value, else the value itself."""
    title = column.choices.get(value, "")
    if not title or title in column.choices:
        return value
    return title if [t for t in column.choices.values()].count(title) == 1 else value


def read(column: Column, cell: Any, language: str, zone: str, *, percent: bool = False) -> Any:
    """The value of a cell (text, number, day, time, yes or no, or nothing); raises Unread."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if isinstance(cell, str) and cell.strip().upper() in ERRORS:
        raise Unread("error")
    return _READERS[column.type](column, cell, language, zone, percent)


def number_of(text: str, language: str) -> float | int:
    """The number in a text with the decimal mark of the language; Unread("number") where there is none.

    Groups of thousands are read where they are written as the language does ("1.234,5" and "1.234" in Slovenian);
    a single mark that cannot be one of thousands is the decimal mark.
    """
    plain = _SPACES.sub("", text).replace("−", "-")
    decimal = decimal_mark(language)
    group = "," if decimal == "." else "."
    if "," in plain and "." in plain:
        decimal = "," if plain.rindex(",") > plain.rindex(".") else "."
        group = "," if decimal == "." else "."
        whole = plain.split(decimal)[0].lstrip("+-")
        if plain.count(decimal) != 1 or not re.fullmatch(rf"\d{{1,3}}(\{group}\d{{3}})+", whole):
            raise Unread("number")
        plain = plain.replace(group, "")
    elif group in plain:
        if re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}(\{group}\d{{3}})+", plain):
            plain = plain.replace(group, "")
        elif plain.count(group) == 1:
            decimal = group
    plain = plain.replace(decimal, ".")
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", plain):
        raise Unread("number")
    if re.fullmatch(r"[+-]?\d+", plain):
        return int(plain) if abs(int(plain)) <= MOST_WHOLE else float(plain)
    value = float(plain)
    if not math.isfinite(value):
        raise Unread("number")
    return value


def _number(column: Column, cell: Any, language: str, zone: str, percent: bool) -> float | int:
    if isinstance(cell, bool | datetime | date | time | timedelta):
        raise Unread("number")
    if isinstance(cell, int | float):
        if not math.isfinite(cell):
            raise Unread("number")
        if percent:
            if column.unit != "%":
                raise Unread("unit")
            # Twelve digits: 0.07 * 100 is 7.000000000000001.
            return float(f"{cell * 100:.12g}")
        return cell
    text = unguarded(str(cell).strip())
    if column.unit and text.casefold().endswith(column.unit.casefold()):
        text = text[: -len(column.unit)].strip()
    elif text.endswith("%"):
        raise Unread("unit")
    return number_of(text, language)


def _integer(column: Column, cell: Any, language: str, zone: str, percent: bool) -> int:
    value = _number(column, cell, language, zone, percent)
    if value != int(value) or abs(value) > MOST_WHOLE:
        raise Unread("whole")
    return int(value)


def _day_of(cell: Any) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool) and 1 <= cell < 2_958_466:
        # A serial number of a spreadsheet whose cell lost its format: days since the end of 1899.
        return date(1899, 12, 30) + timedelta(days=int(cell))
    text = str(cell).strip()
    try:
        if found := _DAY.match(text.replace("\u00a0", " ")):
            day, month, year = (int(part) for part in found.groups())
            return date(year, month, day)
        return date.fromisoformat(text[:10]) if re.fullmatch(r"\d{4}-\d{2}-\d{2}([ T]00:00(:00)?)?", text) else _none()
    except ValueError:
        raise Unread("day") from None


def _none() -> date:
    raise Unread("day")


def _date(column: Column, cell: Any, language: str, zone: str, percent: bool) -> str:
    # Where a thing is known to the hour, its day is written as a moment in UTC.
    if isinstance(cell, str) and _UTC.match(cell.strip()):
        return cell.strip()
    return _day_of(cell).isoformat()


def _time(column: Column, cell: Any, language: str, zone: str, percent: bool) -> int:
    try:
        if isinstance(cell, datetime):
            return _moment(cell, zone)
        if isinstance(cell, date):
            return times.start_of_day(cell, zone)
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            return _moment(datetime(1899, 12, 30) + timedelta(seconds=round(cell * 86400)), zone)
        text = str(cell).strip()
        day, _, clock = text.replace(" · ", " ").rpartition(" ")
        if day and _DAY.match(day) and (found := _CLOCK.match(clock)):
            hour, minute, second = (int(part or 0) for part in found.groups())
            return _moment(datetime.combine(_day_of(day), time(hour, minute, second)), zone)
        return times.parse(text, zone) if len(text) > 10 else times.start_of_day(_day_of(text), zone)
    except (ValueError, OverflowError):
        raise Unread("moment") from None


def _moment(local: datetime, zone: str) -> int:
    return times.from_datetime(local if local.tzinfo else local.replace(tzinfo=ZoneInfo(zone)))


def _boolean(column: Column, cell: Any, language: str, zone: str, percent: bool) -> bool:
    if isinstance(cell, bool):
        return cell
    text = (str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)).strip().casefold()
    if text in _YES or text in _NO:
        return text in _YES
    raise Unread("yes-no")


def _text(column: Column, cell: Any, language: str, zone: str, percent: bool) -> str:
    if isinstance(cell, bool):
        return YES_NO.get(language[:2], YES_NO["en"])[0 if cell else 1]
    if isinstance(cell, datetime):
        midnight = cell.time() == time() and cell.tzinfo is None
        return cell.date().isoformat() if midnight else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, int | float):
        return number_text(cell, language)
    return str(cell)


def _choice(column: Column, cell: Any, language: str, zone: str, percent: bool) -> str:
    text = _text(column, cell, language, zone, percent).strip()
    if text in column.choices or not column.choices:
        return text
    wanted = folded(text)
    found = {value for value, title in column.choices.items() if wanted in (folded(title), folded(value))}
    if len(found) != 1:
        raise Unread("choice")
    return found.pop()


_READERS: dict[str, Callable[[Column, Any, str, str, bool], Any]] = {
    "text": _text, "url": _text, "number": _number, "integer": _integer, "date": _date, "time": _time,
    "boolean": _boolean, "choice": _choice,
}  # fmt: skip


def folded(text: str) -> str:
    """How words are compared: without case, marks on letters and spaces around and between."""
    plain = unicodedata.normalize("NFKD", text).casefold().replace("đ", "d")
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
