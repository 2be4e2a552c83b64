"""Reads recordings: CSV of any of the known forms, and ARSO's hydrology in XML, as (local time, value)."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from krog.base.errors import Invalid
from krog.sources.replay.recipe import Recorded

#: A reading of a recording: seconds of the local wall clock (as if it were UTC), and the value.
Reading = tuple[float, float]

#: Largest XML that is read, and what a station's document may not hold (entities that unfold without end).
LARGEST_XML = 5_000_000


def read(folder: Path, recorded: Recorded) -> list[Reading]:
    """All readings in order of time, without the missing ones; Invalid says which file and line cannot be read."""
    file = folder / recorded.file
    return _xml(file, recorded) if file.suffix == ".xml" else _csv(file, recorded)


def _csv(file: Path, recorded: Recorded) -> list[Reading]:
    found = []
    zone = ZoneInfo(recorded.zone) if recorded.zone else None
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        missing = sorted({*recorded.time, recorded.value, *recorded.where} - set(rows.fieldnames or ()))
        if missing:
            allowed = ", ".join(rows.fieldnames or ())
            raise Invalid(f"There is no column {', '.join(missing)}.", f"{file} for {recorded.datastream}", allowed)
        for row in rows:
            if any(row[name] != wanted for name, wanted in recorded.where.items()):
                continue
            text = row[recorded.value]
            if not text or not text.strip():
                continue
            try:
                value = float(text)
                moment = _moment(" ".join(row[name] for name in recorded.time), recorded.format, zone)
            except ValueError as error:
                raise Invalid(f"The line cannot be read: {error}.", f"{file}:{rows.line_num}") from None
            if value != recorded.missing:
                found.append((moment, value))
    found.sort()
    return found


def _moment(text: str, form: str, zone: ZoneInfo | None) -> float:
    moment = datetime.fromisoformat(text) if form == "iso" else datetime.strptime(text, form)
    if moment.tzinfo is not None:
        moment = (moment.astimezone(zone) if zone else moment).replace(tzinfo=None)
    return moment.replace(tzinfo=UTC).timestamp()


def _xml(file: Path, recorded: Recorded) -> list[Reading]:
    data = file.read_bytes()
    if len(data) > LARGEST_XML or re.search(rb"<!(DOCTYPE|ENTITY)", data):
        raise Invalid("The document is too large, or declares entities.", str(file))
    try:
        stations = ElementTree.fromstring(data).iter("postaja")
    except ElementTree.ParseError as error:
        raise Invalid(f"The document cannot be read: {error}.", str(file)) from None
    for station in stations:
        if station.get("sifra") == recorded.station:
            text = (station.findtext(recorded.value) or "").strip()
            moment = _moment(station.findtext("datum") or "", "iso", None)
            return [(moment, float(text))] if text else []
    raise Invalid(f"There is no station {recorded.station}.", f"{file} for {recorded.datastream}")
