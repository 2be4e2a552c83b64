"""Who answers for what, over all nouns: what nobody answers for, what a person holds, and naming somebody for many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from krog.base import times
from krog.base.errors import Conflict, Invalid, NotFound
from krog.base.grant import Grant, Reader
from krog.base.ids import Ref
from krog.base.settings import settings
from krog.base.text import say
from krog.catalogue import door
from krog.journal import reads as journal_reads
from krog.journal import verbs as journal
from krog.people import holdings, letters
from krog.people import reads as people
from krog.people.holdings import Held, Holding, Responsible, Wanted
from krog.people.permissions import SYSTEM, is_staff
from krog.people.shapes import Person

#: Nouns whose things have somebody who answers.
NOUNS = ("catalogue", "indicators", "plans", "rules", "cases")
#: More things than these are not given to somebody at once.
MOST = 5_000
#: Verbs after which those who take over are told, and how many things their mail names.
_TOLD, _NAMED = ("people.assign", "people.hand-over"), 10
_COUNTED, _COUNTED_S = "krog.engine.responsibility.without", 30

Sources = Sequence[tuple[Grant, Holding]]


def _sources(reader: Reader, name: str, purpose: str = "desk") -> Sources:
    found = []
    for noun in NOUNS:
        for holding in getattr(import_module(f"krog.{noun}.holdings"), name, ()):
            found.append((door.open(reader, purpose, kind=holding.kind), holding))
    return found


def sources(reader: Reader) -> Sources:
    """All things that somebody answers for, as far as the reader may see them."""
    return _sources(reader, "HOLDINGS")


def personal(reader: Reader) -> Sources:
    """The same as one person holds them: a case that he has taken, and also values to enter and to confirm."""
    own = _sources(reader, "PERSONAL")
    nouns = {holding.noun for _grant, holding in own}
    return [*((grant, holding) for grant, holding in sources(reader) if holding.noun not in nouns), *own]


def without(wanted: Wanted | None = None) -> Wanted:
    """The question for what nobody answers for, or somebody who has left."""
    return replace(wanted or Wanted(), without=True)


def count(reader: Reader, wanted: Wanted) -> dict[str, int]:
    """How many things are wanted of each noun."""
    return holdings.count(sources(reader), wanted) if is_staff(reader) else {}


def found(reader: Reader, wanted: Wanted, *, limit: int | None = 50, offset: int = 0) -> list[Held]:
    """The things that are wanted, by noun and key."""
    return holdings.found(sources(reader), wanted, limit=limit, offset=offset) if is_staff(reader) else []


def nobody() -> int:
    """How many things of the city nobody answers for: counted anew after half a minute at the latest."""
    known: int | None = cache.get(_COUNTED)
    if known is None:
        known = sum(count(SYSTEM, without()).values())
        cache.set(_COUNTED, known, _COUNTED_S)
    return known


def held_by(reader: Reader, account: str) -> list[Held]:
    """All that a person holds, by noun and key."""
    if not is_staff(reader):
        return []
    return holdings.found(personal(reader), Wanted(holder=account), limit=None)


@dataclass(frozen=True)
class Assigned:
    """What `assign` did: its key (for `undo`) and how many things changed."""

    key: str
    count: int


def assign(
    by: Reader,
    *,
    to: Responsible,
    refs: Iterable[Ref] | None = None,
    wanted: Wanted | None = None,
    reason: str = "",
) -> Assigned:
    """Names who answers for many things at once: those named, or all that are wanted. What `to` leaves empty stays as
    it is. All or nothing, in one transaction; each thing and the whole stand in the journal."""
    _there(to)
    chosen = sources(by)
    if refs is not None:
        keys: dict[str, set[str]] = defaultdict(set)
        for ref in refs:
            keys[ref.noun].add(ref.key)
        wanted = Wanted(nouns=tuple(keys), keys={noun: frozenset(some) for noun, some in keys.items()})
    if wanted is None:
        raise Invalid(_("Choose at least one thing."), "things")
    things = holdings.found(chosen, wanted, limit=MOST + 1) if is_staff(by) else []
    if not things:
        raise Invalid(_("Choose at least one thing."), "things")
    if len(things) > MOST:
        raise Invalid(_("These are too many at once."), "things", _("at most %(count)s") % {"count": MOST})
    return give(by, chosen, [(held, to.over(held.own)) for held in things], verb="people.assign", reason=reason)


def give(
    by: Reader, among: Sources, changes: Sequence[tuple[Held, Responsible]], *, verb: str, reason: str
) -> Assigned:
    """Names for each thing who answers for it; the verb of each noun does its part."""
    answers = {holding.noun: holding.answer for _grant, holding in among}
    by_noun: dict[str, dict[str, Responsible]] = defaultdict(dict)
    for held, new in changes:
        by_noun[held.ref.noun][held.ref.key] = new
    key = f"{times.now():x}"
    done: dict[str, dict[str, list[list[str]]]] = {}
    with transaction.atomic():
        for noun, mine in by_noun.items():
            before = answers[noun](by, mine, reason)
            done[noun] = {each: [_row(was), _row(mine[each])] for each, was in before.items()}
        total = sum(len(some) for some in done.values())
        if total:
            journal.record(by, verb, Ref("assignment", key), after={"things": done, "count": total}, reason=reason)
        if verb in _TOLD:
            _tell(by, key, [(held, new) for held, new in changes if held.ref.key in done[held.ref.noun]])
    cache.delete(_COUNTED)
    return Assigned(key, total)


def _tell(by: Reader, key: str, changes: Sequence[tuple[Held, Responsible]]) -> None:
    """One mail for each person who answers for more than before: what, how many, and where they stand."""
    mine: dict[str, list[Held]] = defaultdict(list)
    for held, new in changes:
        if new.holder and new.holder != held.own.holder:
            mine[new.holder].append(held)
    for holder, things in mine.items():

        def compose(to: Person, holder: str = holder, things: list[Held] = things) -> letters.Letter:
            return _letter(by, key, to, holder, things)

        letters.write(holder, compose)


def _letter(by: Reader, key: str, to: Person, holder: str, things: Sequence[Held]) -> letters.Letter:
    about = {"count": len(things), "name": to.name, "who": by.name or "Krog"}
    subject = ngettext(
        "%(count)s thing is yours to answer for", "%(count)s things are yours to answer for", len(things)
    )
    text = ngettext(
        "Dear %(name)s,\n\n%(who)s has named you for %(count)s thing:",
        "Dear %(name)s,\n\n%(who)s has named you for %(count)s things:",
        len(things),
    )
    lines = [f"– {say(held.title, to.language) or held.ref.key}" for held in things[:_NAMED]]
    if (more := len(things) - _NAMED) > 0:
        lines.append("– " + ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more})
    address = f"{settings().url}/desk/people/of/{holder}/"
    whole = [text % about, "\n".join(lines), _("Everything together:") + f"\n{address}"]
    if settings().demo:
        whole.append(_("DEMONSTRATION DATA: this mail was sent by a demonstration."))
    return letters.Letter(subject % about, "\n\n".join(whole), Ref("assignment", key))


def _row(one: Responsible) -> list[str]:
    return [one.organisation, one.office, one.holder]


def undo(by: Reader, *, assignment: str) -> tuple[int, int]:
    """Takes an assignment back: things that were changed again since stay as they are. Returns how many were given back
    and how many were not."""
    entries = journal_reads.history(Ref("assignment", assignment))
    made = next((entry for entry in entries if entry.verb == "people.assign" and entry.after), None)
    if made is None or made.after is None:
        raise NotFound(_("There is no such assignment."), "assignment")
    if any(entry.verb == "people.assign-undo" for entry in entries):
        raise Conflict(_("This assignment was taken back already."), "assignment")
    things: dict[str, dict[str, list[list[str]]]] = made.after["things"]
    wanted = Wanted(nouns=tuple(things), keys={noun: frozenset(some) for noun, some in things.items()})
    among = sources(by)
    back = []
    for held in holdings.found(among, wanted, limit=None):
        before, after = things[held.ref.noun][held.ref.key]
        if held.ref.noun == "case":
            before, after = ["", *before[1:]], ["", *after[1:]]
        if _row(held.own) == after:
            back.append((held, Responsible(*before)))
    with transaction.atomic():
        given = give(by, among, back, verb="people.assign-back", reason=_("Taken back")).count if back else 0
        journal.record(by, "people.assign-undo", Ref("assignment", assignment), after={"count": given})
    return given, sum(len(some) for some in things.values()) - given


def _there(to: Responsible) -> None:
    """Refuses who is not there (any more)."""
    if not (to.organisation or to.office or to.holder):
        raise Invalid(_("Choose an organisation, an office or a person."), "holder")
    grant = door.open(SYSTEM, "desk", kind="people")
    if to.organisation:
        people.organisation(grant, to.organisation)
    if to.office:
        people.office(grant, to.office)
    if to.holder:
        people.person(grant, to.holder)
