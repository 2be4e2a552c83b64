"""Mail to people who have an account: the one place that says whom a mail reaches, and in whose place.

Whoever is away gets none: the mail goes to who stands in, and says so. Who has left gets none at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from krog.base.ids import Ref
from krog.journal import verbs as journal
from krog.people import absences, models
from krog.people.shapes import Absence, Person


@dataclass(frozen=True)
class Letter:
    """A mail as its noun writes it; `reply_token` is the signed link that an answer acts by."""

    subject: str
    text: str
    ref: Ref
    reply_token: str = ""
    html: str = ""


def reaches(account: str) -> tuple[Person, Absence | None] | None:
    """Who reads today what is written to a person, and the absence because of which it is somebody else; None for who
    has left."""
    from krog.people.reads import person_of

    rows = {row.key: row for row in models.Account.objects.filter(key=account, is_active=True)}
    if account not in rows:
        return None
    instead = absences.instead_of(account)
    if instead is None:
        return person_of(rows[account]), None
    other = models.Account.objects.filter(key=instead[0], is_active=True).first()
    return (person_of(other), instead[1]) if other is not None else (person_of(rows[account]), None)


def write(account: str, compose: Callable[[Person], Letter]) -> Person | None:
    """Writes to a person, or to who stands in: `compose` gets whoever reads it, in whose language it is called. Returns
    the reader of the mail; None where there is nobody or no address."""
    found = reaches(account)
    if found is None or not found[0].email:
        return None
    person, absence = found
    with translation.override(person.language):
        letter = compose(person)
        text = letter.text
        if absence is not None:
            text = f"{for_whom(absence)}\n\n{text}"
        journal.post_mail(
            to=person.email,
            subject=letter.subject,
            text=text,
            html=letter.html,
            ref=letter.ref,
            reply_token=letter.reply_token,
            language=person.language,
        )
    return person


def for_whom(absence: Absence) -> str:
    """In whose place somebody gets a mail or a task, in the language of the moment."""
    day = date.fromisoformat(absence.until)
    return _("For %(name)s, who is away until %(day)s.") % {
        "name": absence.name,
        "day": f"{day.day}. {day.month}. {day.year}",
    }


def write_digest(account: str, monday: str, compose: Callable[[Person], Letter | None]) -> bool:
    """Writes the digest of a week to a person, once: a second call does nothing. An empty one (None) is not sent. It is
    never read by somebody else; who is away, has left or wants none gets none. Whether a mail was written."""
    from krog.people.reads import person_of

    row = models.Account.objects.filter(key=account, is_active=True, digest=True).exclude(email="").first()
    if row is None or account in absences.standing().offices:
        return False
    with transaction.atomic():
        made, new = models.Digest.objects.get_or_create(account=account, monday=monday)
        if not new:
            return False
        person = person_of(row)
        with translation.override(person.language):
            letter = compose(person)
            if letter is None:
                return False
            made.mail = journal.post_mail(
                to=person.email,
                subject=letter.subject,
                text=letter.text,
                ref=letter.ref,
                language=person.language,
            )
        made.save(update_fields=["mail"])
    return True


def digested(monday: str) -> frozenset[str]:
    """The accounts whose digest of a week was made already."""
    return frozenset(models.Digest.objects.filter(monday=monday).values_list("account", flat=True))
