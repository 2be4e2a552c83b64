"""Reads recorded measurements as they lie in a folder: pure, one function for each form of file."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from krog.base import times
from krog.base.errors import Invalid, NotFound, Problem

Series = list[tuple[int, float]]
WEEK = 7 * times.DAY

#: Largest file that is read, in bytes.
LARGEST = 50_000_000


@dataclass(frozen=True)
class Recording:
    """What was recorded: (UTC microseconds, value), in order. `period` is how long it goes on before it repeats."""

    series: Series

    @property
    def period(self) -> int:
        """Whole weeks, at most a year, so that a Monday morning stays a Monday morning; 0 for a single reading."""
        span = self.series[-1][0] - self.series[0][0]
        return min(52, span // WEEK) * WEEK


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with file.open(encoding="utf-8-sig", newline="") as source:
        yield from enumerate(csv.DictReader(source), start=2)


def _air(file: Path, column: str) -> Iterator[tuple[datetime, str]]:
    """Date dd/mm/yyyy and Time; -200 stands for missing."""
    for _, row in _rows(file):
        if row[column] not in ("", "-200", "-200.0"):
            yield datetime.strptime(f"{row['Date']} {row['Time']}", "%d/%m/%Y %H:%M:%S"), row[column]


def _stamped(file: Path, column: str) -> Iterator[tuple[datetime, str]]:
    """A timestamp and the named column."""
    for _, row in _rows(file):
        if row[column]:
            yield datetime.fromisoformat(row["timestamp"]), row[column]


def _parking(file: Path, column: str) -> Iterator[tuple[datetime, str]]:
    """Free spaces of the place that `column` names."""
    for _, row in _rows(file):
        if row["place_id"] == column and row["free"]:
            yield datetime.fromisoformat(row["time_utc"]), row["free"]


def _hydrology(file: Path, column: str) -> Iterator[tuple[datetime, str]]:
    """`<station>/<element>` of ARSO's hydrological XML (format 1.3), for example 4155/vodostaj."""
    station, _, element = column.partition("/")
    for found in ET.parse(file).getroot().iter("postaja"):
        if found.get("sifra") == station and (value := (found.findtext(element) or "").strip()):
            yield datetime.fromisoformat(found.findtext("datum") or ""), value


def _demand(file: Path, column: str) -> Iterator[tuple[datetime, str]]:
    """Half-hourly values from 5 June 2000."""
    start = times.parse("2000-06-05T00:00:00Z")
    for number, row in _rows(file):
        yield times.to_datetime(start + (number - 2) * 30 * times.MINUTE), row[column]


FORMS: dict[str, Callable[[Path, str], Iterator[tuple[datetime, str]]]] = {
    "air": _air,
    "traffic": _stamped,
    "parking": _parking,
    "hydrology": _hydrology,
    "demand": _demand,
}


def read(folder: Path, file: str, column: str, *, zone: str) -> Recording:
    """One column of a recording below `folder`; its first folder says the form (one of FORMS).

    Times without offset are taken in `zone`. Raises NotFound and Invalid naming file and column; what climbs out of the
    folder, is a link or is larger than LARGEST is not read.
    """
    path = folder / file
    form = FORMS.get(Path(file).parts[0]) if Path(file).parts else None
    if form is None:
        raise Invalid(f"{file} is not of a known form.", "file", ", ".join(f"{name}/…" for name in FORMS))
    if ".." in Path(file).parts or Path(file).is_absolute() or not path.is_file():
        raise NotFound(f"There is no recording {file}.", str(folder.name))
    if path.stat().st_size > LARGEST:
        raise Invalid(f"{file} is too large.", "file", f"at most {LARGEST} bytes")
    series: Series = []
    problems: list[Problem] = []
    try:
        for moment, text in form(path, column):
            aware = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
            try:
                series.append((times.from_datetime(aware), float(text)))
            except ValueError:
                problems.append(Problem(f"{text!r} is not a number", f"{file} {moment.isoformat()} {column}"))
    except (KeyError, ValueError, ET.ParseError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read as {Path(file).parts[0]}: {error}", column) from None
    if problems:
        raise Invalid(f"{file} has values that are no numbers.", problems=tuple(problems[:20]))
    if not series:
        raise Invalid(f"{file} has no value of {column}.", "column")
    return Recording(sorted(series))
