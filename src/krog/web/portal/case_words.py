"""Cases, alerts and rules in words: states, severities, channels, events; for portal, desk and signed links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from krog.base.text import Text, say
from krog.cases.shapes import Event, Status, Summary
from krog.catalogue import door
from krog.people import reads as people
from krog.people.permissions import SYSTEM
from krog.web.components import formats, maps

STATUSES: Mapping[str, Any] = {
    "new": later("new"),
    "taken": later("being handled"),
    "waiting": later("waiting"),
    "done": later("settled"),
    "declined": later("declined"),
}
MARKS: Mapping[str, str] = {"new": "none", "taken": "warn", "waiting": "warn", "done": "ok", "declined": "none"}
SEVERITIES: Mapping[str, Any] = {
    "normal": later("normal"),
    "important": later("important"),
    "urgent": later("urgent"),
}
CHANNELS: Mapping[str, Any] = {
    "web": later("portal"),
    "mail": later("e-mail"),
    "phone": later("phone"),
    "desk": later("at the counter"),
    "paper": later("paper"),
    "api": later("a program"),
    "rule": later("a rule"),
}
OPENERS: Mapping[str, Any] = {
    "citizen": later("a citizen"),
    "rule": later("a rule"),
    "official": later("an official"),
    "algorithm": later("an algorithm"),
    "form": later("a form"),
    "api": later("a program"),
}
ALERTS: Mapping[str, tuple[str, Any]] = {
    "open": ("bad", later("running")),
    "acknowledged": ("warn", later("being handled")),
    "cleared": ("ok", later("over")),
}
STANDINGS: Mapping[str, tuple[str, Any]] = {
    "clear": ("ok", later("within limits")),
    "raised": ("bad", later("beyond the limit")),
    "unknown": ("none", later("unknown: readings are missing")),
    "never": ("none", later("not looked at yet")),
}
MODES: Mapping[str, Any] = {
    "act": later("opens a case"),
    "watch": later("alerts only"),
    "off": later("switched off"),
}


def language() -> str:
    return get_language() or "sl"


def said(text: Text) -> str:
    """A text of content as plain words."""
    return str(say(text, language()))


def offices() -> dict[str, str]:
    """The names of all offices by key. That an office exists and what it is called is public."""
    found: dict[str, str] | None = cache.get(f"office-names:{language()}")
    if found is None:
        grant = door.open(SYSTEM, "portal", kind="people")
        found = {office.key: said(office.title) or office.key for office in people.offices(grant)}
        # Offices are renamed seldom, and most pages name one.
        cache.set(f"office-names:{language()}", found, 30)
    return found


@dataclass(frozen=True)
class Mark:
    """A state as `<c-status>` shows it."""

    state: str
    word: str


def mark(status: str, severity: str, overdue: bool) -> Mark:
    """How a case stands, the most pressing first."""
    if status in ("new", "taken", "waiting"):
        if severity == "urgent":
            return Mark("bad", _("urgent"))
        if overdue:
            return Mark("bad", _("overdue"))
        if severity == "important" and status == "new":
            return Mark("warn", _("important"))
    return Mark(MARKS[status], str(STATUSES[status]))


def alert_mark(state: str) -> Mark:
    return Mark(ALERTS[state][0], str(ALERTS[state][1]))


def standing_mark(state: str) -> Mark:
    return Mark(STANDINGS[state][0], str(STANDINGS[state][1]))


def event_words(event: Event, office: str, by_rule: bool = False) -> str:
    """What happened, as a sentence for the person who reported."""
    if by_rule and event.what == "opened":
        return _("A rule has opened this case.")
    words = {
        "opened": _("The report came in."),
        "taken": _("%(office)s has taken it over.") % {"office": office},
        "message": _("%(office)s writes:") % {"office": office},
        "own": _("You wrote:"),
        "waiting": _("It has to wait:"),
        "done": _("It is settled:"),
        "declined": _("It was closed without action:"),
    }.get(event.what, event.what)
    # What is for the reporter alone is not said to others; then nothing follows the colon.
    return f"{words[:-1]}." if words.endswith(":") and not event.text else words


def sentence(status: Status, office: str) -> str:
    """How a case stands, in one sentence."""
    when = formats.moment(status.deadline, language(), _zone())
    about = {"office": office, "when": when}
    if status.status == "done":
        return _("This is settled.")
    if status.status == "declined":
        return _("This was closed without what was asked for.")
    if status.overdue:
        return _("This should have been handled by %(when)s. We are sorry that it takes longer.") % about
    if status.status == "waiting":
        return _("%(office)s waits for something before it can go on.") % about
    if status.status == "taken":
        return _("%(office)s is handling this, by %(when)s at the latest.") % about
    return _("This is with %(office)s, who will handle it by %(when)s.") % about


def _zone() -> str:
    from django.conf import settings

    return str(settings.TIME_ZONE)


def case_map(title: str, cases: list[tuple[Summary | Status, str]]) -> maps.Map | None:
    """Cases on a map, each with the address of its page; None where none has a place."""
    features = []
    for case, href in cases:
        if case.lon is None or case.lat is None:
            continue
        shown = mark(case.status, case.severity, case.overdue)
        features.append(
            maps.feature(
                case.reference.lower(),
                maps.point(case.lon, case.lat),
                title=said(case.title),
                href=href,
                state=shown.state,
                word=shown.word,
                text=case.place,
            )
        )
    return maps.Map(title, features) if features else None


def office_title(key: str) -> str:
    """The name of one office; its key where there is none."""
    return offices().get(key, key)
