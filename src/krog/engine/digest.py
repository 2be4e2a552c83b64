"""The digest of each Monday: what is open, late and due this week, who is away; for heads also by person."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.ids import Ref
from krog.base.settings import settings
from krog.base.text import say
from krog.catalogue import door
from krog.engine import responsibility
from krog.people import absences, holdings, letters
from krog.people import reads as people
from krog.people.holdings import Held, Wanted
from krog.people.permissions import STAFF, SYSTEM
from krog.people.shapes import Absence, Person

log = logging.getLogger("krog.work")

#: From this local hour of Monday on; what could not be sent on Monday is sent on Tuesday.
HOUR, LAST_WEEKDAY = 6, 1
#: So many things stand in each list; the desk has them all.
LISTED = 10


@dataclass(frozen=True)
class _Load:
    """What one person of a head's offices has open."""

    name: str
    open: int
    late: int
    away: str


def send(now: int | None = None) -> int:
    """Writes the digest of this week to everybody who has not got it yet; how many mails. Safe to repeat."""
    moment = times.now() if now is None else now
    local = times.to_datetime(moment, settings().timezone)
    if local.weekday() > LAST_WEEKDAY or (local.weekday() == 0 and local.hour < HOUR):
        return 0
    monday = local.date() - timedelta(days=local.weekday())
    grant = door.open(SYSTEM, "mail", kind="people")
    done = letters.digested(monday.isoformat())
    staff = [one for one in people.people(grant) if one.roles & STAFF and one.email and one.digest]
    waiting = [one for one in staff if one.key not in done]
    if not waiting:
        return 0
    away = people.absences(grant, since=monday.isoformat())
    everything = holdings.found(
        responsibility.personal(SYSTEM), Wanted(nouns=("case", "value")), limit=responsibility.MOST
    )
    week = _Week(monday, moment, everything, away, people.people(grant))
    sent = 0
    for person in waiting:
        try:
            sent += letters.write_digest(person.key, monday.isoformat(), week.letter)
        except Exception:
            log.exception("The digest of %s could not be written.", person.key)
    return sent


@dataclass(frozen=True)
class _Week:
    """What a week brings, for everybody."""

    monday: date
    now: int
    things: Sequence[Held]
    away: Sequence[Absence]
    staff: Sequence[Person]

    def letter(self, to: Person) -> letters.Letter | None:
        """The digest of one person in his language; None when there is nothing to say."""
        instead = absences.standing().for_whom(to.key)
        mine = [held for held in self.things if held.own.holder in (to.key, *instead)]
        free = [h for h in self.things if h.ref.noun == "case" and not h.own.holder and h.own.office in to.offices]
        loads = self._loads(to)
        if not (mine or free or loads):
            return None
        late = [held for held in mine if self._late(held)]
        soon = [held for held in mine if not self._late(held) and held.due and held.due < self._end]
        context = {
            "name": to.name,
            "open": len(mine),
            "late": self._lines(late, to.language),
            "late_count": len(late),
            "soon": self._lines(soon, to.language),
            "soon_count": len(soon),
            "free_count": len(free),
            "free": self._lines(free, to.language),
            "loads": loads,
            "away": [one for one in self._absent(to)],
            "instead": [letters.for_whom(one) for one in instead.values()],
            "desk": f"{settings().url}/desk/",
            "off": f"{settings().url}/desk/people/me/",
            "demo": settings().demo,
        }
        subject = _("Your week from %(day)s: %(open)s open, %(late)s late") % {
            "day": _short(self.monday),
            "open": len(mine),
            "late": len(late),
        }
        text = render_to_string("mail/people/digest.txt", context).strip() + "\n"
        return letters.Letter(subject, text, Ref("digest", f"{to.key}.{self.monday.isoformat()}"))

    @property
    def _end(self) -> int:
        return times.start_of_day(self.monday + timedelta(days=7), settings().timezone)

    def _late(self, held: Held) -> bool:
        return held.due is not None and held.due < self.now

    def _lines(self, found: Sequence[Held], language: str) -> list[dict[str, str]]:
        ordered = sorted(found, key=lambda held: held.due or 0)[:LISTED]
        return [
            {
                "title": str(say(held.title, language)),
                "key": held.ref.key.upper() if held.ref.noun == "case" else held.ref.key,
                "due": _short(times.local_date(held.due, settings().timezone)) if held.due else "–",
                "href": f"{settings().url}/desk/{'cases' if held.ref.noun == 'case' else 'indicators/enter'}/"
                f"{held.ref.key}{'/' if held.ref.noun == 'case' else ''}",
            }
            for held in ordered
        ]

    def _loads(self, to: Person) -> list[_Load]:
        """What the people of the offices that somebody leads have open, most first."""
        led = absences.standing().leads.get(to.key, frozenset())
        if not led:
            return []
        absent = {one.account: one for one in self.away}
        found = []
        for person in self.staff:
            if person.key == to.key or not person.offices & led:
                continue
            mine = [held for held in self.things if held.own.holder == person.key]
            if mine:
                until = absent[person.key].until if person.key in absent else ""
                away = _short(date.fromisoformat(until)) if until else ""
                found.append(_Load(person.name, len(mine), sum(self._late(held) for held in mine), away))
        return sorted(found, key=lambda load: (-load.late, -load.open, load.name))

    def _absent(self, to: Person) -> list[dict[str, str]]:
        """Who of the same offices is away this week."""
        there = {person.key for person in self.staff if person.offices & to.offices and person.key != to.key}
        end = (self.monday + timedelta(days=7)).isoformat()
        return [
            {
                "name": one.name,
                "since": _short(date.fromisoformat(one.since)),
                "until": _short(date.fromisoformat(one.until)),
                "substitute": one.substitute_name,
            }
            for one in self.away
            if one.account in there and one.since < end
        ]


def _short(day: date) -> str:
    return f"{day.day}. {day.month}. {day.year}"
