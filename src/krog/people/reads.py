"""Reads of people: organisations, offices, territories and the people who hold roles."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.grant import Grant, Reader
from krog.people import models, shapes
from krog.people.absences import absences
from krog.people.identity import reader_of
from krog.people.permissions import is_staff
from krog.people.territories import ancestors, hierarchies, parts, places, territories, territory, titles, within

__all__ = [
    "absences",
    "ancestors",
    "hierarchies",
    "leaders",
    "office",
    "offices",
    "organisation",
    "organisations",
    "parts",
    "people",
    "person",
    "places",
    "reader",
    "role_holder",
    "territories",
    "territory",
    "titles",
    "within",
]


def _organisation(row: models.Organisation) -> shapes.Organisation:
    return shapes.Organisation(row.key, row.title, row.kind, row.url, row.parent)


def _office(row: models.Office) -> shapes.Office:
    return shapes.Office(row.key, row.title, row.organisation, row.email, row.phone, row.centre, row.head, row.deputy)


def person_of(row: models.Account) -> shapes.Person:
    """The frozen value of a row."""
    return shapes.Person(
        row.key,
        row.pk,
        row.name,
        row.email,
        row.language,
        row.organisation,
        frozenset(row.roles),
        frozenset(row.offices),
        row.demo,
        row.digest,
    )


def organisations(grant: Grant) -> list[shapes.Organisation]:
    """All organisations in use, by key."""
    return [_organisation(row) for row in models.Organisation.objects.filter(retired=False).order_by("key")]


def organisation(grant: Grant, key: str) -> shapes.Organisation:
    """One organisation, or NotFound."""
    row = models.Organisation.objects.filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no organisation “%(key)s”.") % {"key": key}, "organisation")
    return _organisation(row)


def offices(grant: Grant, centre: str | None = None) -> list[shapes.Office]:
    """All offices in use (of one centre), by key."""
    rows = models.Office.objects.filter(retired=False).order_by("key")
    if centre is not None:
        rows = rows.filter(centre=centre)
    return [_office(row) for row in rows]


def leaders(grant: Grant, offices: Sequence[shapes.Office]) -> dict[str, str]:
    """The names of those who lead offices, by account. Heads are public, as a city names them; deputies are for
    staff."""
    keys = {one.head for one in offices}
    if is_staff(grant.reader):
        keys |= {one.deputy for one in offices}
    rows = models.Account.objects.filter(is_active=True, key__in=keys - {""})
    return dict(rows.values_list("key", "name"))


def office(grant: Grant, key: str) -> shapes.Office:
    """One office, or NotFound."""
    row = models.Office.objects.filter(key=key).first()
    if row is None:
        raise NotFound(_("There is no office “%(key)s”.") % {"key": key}, "office")
    return _office(row)


def people(grant: Grant, office: str | None = None, role: str | None = None) -> list[shapes.Person]:
    """Active accounts (of an office, with a role). For staff and Krog itself; nobody else learns who works here."""
    if not is_staff(grant.reader):
        return []
    found = [person_of(row) for row in models.Account.objects.filter(is_active=True).order_by("name")]
    return [p for p in found if (office is None or office in p.offices) and (role is None or role in p.roles)]


def person(grant: Grant, key: str) -> shapes.Person:
    """One active account by its key (who has left is written to and given work no more); NotFound for everybody but
    staff, Krog itself and the person."""
    row = models.Account.objects.filter(key=key, is_active=True).first()
    by = grant.reader
    # The numbers of keys and of accounts are counted apart: the same one may stand for both.
    if row is None or not (is_staff(by) or (by.kind in ("account", "link") and by.id == row.pk)):
        raise NotFound(_("There is no account “%(key)s”.") % {"key": key}, "account")
    return person_of(row)


def role_holder(grant: Grant, office: str, role: str = "responsible") -> shapes.Person | None:
    """Who answers for an office: its head where no role is asked for, else the first active account that has the role
    (`responsible`: any)."""
    if role == "responsible":
        head = models.Office.objects.filter(key=office, retired=False).values_list("head", flat=True).first()
        if leader := next((found for found in people(grant) if head and found.key == head), None):
            return leader
    for found in sorted(people(grant, office=office), key=lambda each: each.id):
        if role == "responsible" or role in found.roles:
            return found
    return None


def reader(account_id: int) -> Reader | None:
    """The Reader of an active account by its number: for the middleware that begins a request."""
    row = models.Account.objects.filter(pk=account_id, is_active=True).first()
    return reader_of(row) if row else None
