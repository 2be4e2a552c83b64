"""The city itself: its name, languages, centre and contact, and its pages of prose; read cheaply by every page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from krog.base.declaration import Change, Declaration, Fields
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.base.text import Text
from krog.journal import reads as journal_reads
from krog.journal import verbs as journal

#: Seconds that a process believes what it read last; `krog apply` runs in another process.
FRESH = 5.0


class ContactFile(msgspec.Struct, forbid_unknown_fields=True):
    office_hours: dict[str, str] = {}
    phone: str = ""
    email: str = ""
    address: str = ""


class CityFile(msgspec.Struct, forbid_unknown_fields=True):
    """`official` are the languages whose texts count; the others are translations (empty: the first of `languages`).
    `content` are the languages in which quoted texts (plans, indicators, names of places, records) are complete; in
    the others a missing one shows its original, marked. Empty: all `languages`."""

    key: str
    name: str = ""
    title: dict[str, str] = {}
    languages: list[str] = []
    official: list[str] = []
    content: list[str] = []
    timezone: str = "Europe/Ljubljana"
    centre: list[float] = []
    coat: str = ""
    contact: ContactFile = msgspec.field(default_factory=ContactFile)
    demo: bool = False


class PageFile(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    title: dict[str, str] = {}
    text: dict[str, str] = {}


@dataclass(frozen=True)
class Contact:
    """How people reach the municipality."""

    office_hours: Text = field(default_factory=dict)
    phone: str = ""
    email: str = ""
    address: str = ""


@dataclass(frozen=True)
class City:
    """The city that this Krog belongs to; `centre` is (longitude, latitude) in WGS84 degrees."""

    key: str = ""
    name: str = "Krog"
    title: Text = field(default_factory=dict)
    languages: tuple[str, ...] = ("sl", "en")
    official: tuple[str, ...] = ("sl",)
    timezone: str = "Europe/Ljubljana"
    centre: tuple[float, float] = (14.99, 46.12)
    coat: str = ""
    contact: Contact = field(default_factory=Contact)
    demo: bool = False


@dataclass(frozen=True)
class Page:
    """A page of prose in Markdown, by language."""

    key: str
    title: Text
    text: Text


_read_last: dict[str, tuple[float, Mapping[str, Fields]]] = {}


def current() -> City:
    """The city as last applied; a nameless one before `krog apply` has run."""
    for key, fields in _recent("city").items():
        centre = fields.get("centre") or []
        languages = tuple(fields.get("languages") or City.languages)
        return City(
            key=key,
            name=fields.get("name") or key,
            title=fields.get("title") or {},
            languages=languages,
            official=tuple(fields.get("official") or languages[:1]),
            timezone=fields.get("timezone") or City.timezone,
            centre=(centre[0], centre[1]) if len(centre) == 2 else City.centre,
            coat=fields.get("coat") or "",
            contact=Contact(**(fields.get("contact") or {})),
            demo=bool(fields.get("demo")),
        )
    return City()


def page(key: str) -> Page | None:
    """A page of prose by its key, such as `privacy`."""
    fields = _recent("page").get(key)
    return Page(key, fields.get("title") or {}, fields.get("text") or {}) if fields else None


def pages() -> list[Page]:
    """All pages of prose, by key."""
    return [
        Page(key, fields.get("title") or {}, fields.get("text") or {})
        for key, fields in sorted(_recent("page").items())
    ]


def folder() -> Path | None:
    """The folder that the city was last applied from, if any; it may stand on another machine."""
    remembered = journal_reads.applied("city-folder").get("folder")
    return Path(remembered["path"]) if remembered else None


def remember(place: Path) -> None:
    """Keeps which folder the city was applied from."""
    if folder() != place.resolve():
        journal.applied("city-folder", {"folder": {"path": str(place.resolve())}})


def forget() -> None:
    """Reads anew at the next question."""
    _read_last.clear()


def _recent(kind: str) -> Mapping[str, Fields]:
    last = _read_last.get(kind)
    if last is None or time.monotonic() - last[0] > FRESH:
        last = (time.monotonic(), journal_reads.applied(kind))
        _read_last[kind] = last
    return last[1]


def _read(kind: str) -> Callable[[], Mapping[str, Fields]]:
    return lambda: journal_reads.applied(kind)


def _write(kind: str) -> Callable[[Reader, Sequence[Change]], None]:
    """What is applied is all there is to keep: the base that `apply` records after this is the state itself."""

    def write(by: Reader, changes: Sequence[Change]) -> None:
        before = journal_reads.applied(kind)
        for change in changes:
            journal.record(
                by,
                f"city.declare-{kind}",
                Ref(kind, change.key),
                before=before.get(change.key),
                after=change.fields,
                reason=change.reason,
            )
        forget()

    return write


def _check_city(fields: Fields) -> Sequence[str]:
    found = []
    if not fields["name"]:
        found.append("name is missing.")
    if not fields["languages"]:
        found.append('languages is missing; give a list such as ["sl", "en"].')
    for language in fields["languages"]:
        if not re.fullmatch("[a-z]{2}", language):
            found.append(f"languages: {language!r} is not the two letters of a language.")
    for name in ("official", "content"):
        if other := sorted(set(fields[name]) - set(fields["languages"])):
            found.append(f"{name}: {', '.join(other)} is not among the city's languages.")
    centre = fields["centre"]
    if centre and not (len(centre) == 2 and -180 <= centre[0] <= 180 and -90 <= centre[1] <= 90):
        found.append("centre is a longitude and a latitude in degrees, such as [14.51, 46.05].")
    try:
        ZoneInfo(fields["timezone"])
    except (ZoneInfoNotFoundError, ValueError):
        found.append(f"timezone {fields['timezone']!r} is not a time zone such as Europe/Ljubljana.")
    return found


DECLARATIONS: tuple[Declaration, ...] = (
    Declaration("city", "city.toml", CityFile, _read("city"), _write("city"), check=_check_city),
    Declaration("page", "pages/<page>.md", PageFile, _read("page"), _write("page")),
)
