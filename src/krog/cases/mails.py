"""The mails of cases: to the office that handles one, to whoever has taken it, and to the person who reported it.

They are put into the outbox in the transaction of the verb that wants them. A reply finds its way back through the
mail's own address (`engine.notify`); a signed link opens the case without an account.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from krog.base.errors import NotFound
from krog.base.ids import Ref
from krog.base.settings import settings
from krog.base.text import say
from krog.cases import models
from krog.catalogue import door
from krog.journal import verbs as journal
from krog.people import absences, letters, links
from krog.people import reads as people
from krog.people.permissions import SYSTEM
from krog.people.shapes import Person
from krog.rules import reads as rules
from krog.rules.shapes import Alert

#: Purpose of the signed links and days they are good for.
PURPOSE = "case"
DAYS = 30
#: In place of a signed link: the mail went to the reporter, who has no account; the mail itself is the permission.
REPORTER = "reporter"


def responsible(office: str) -> Person | None:
    """Who is told first: the office's operator, else an official, else anybody of it."""
    grant = door.open(SYSTEM, "mail", kind="people")
    everybody = [person for person in people.people(grant, office=office) if person.email]
    # Who is away is asked only where nobody of the office is there; then the mail goes to who stands in.
    found = absences.present(everybody) or everybody
    for role in ("operator", "official"):
        if chosen := next((person for person in sorted(found, key=lambda p: p.id) if role in person.roles), None):
            return chosen
    return min(found, key=lambda person: person.id, default=None)


def to_office(row: models.Case) -> None:
    """Tells the office that handles the case; without any address the case waits in the desk alone."""
    person = _first(row)
    if person is not None:
        _to_person(row, person, "office", {})
        return
    try:
        office = people.office(door.open(SYSTEM, "mail", kind="people"), row.office)
    except NotFound:
        return
    if office.email:
        _post(row, office.email, "sl", "office", {"link": _desk(row), "signed": False}, token="")


def _first(row: models.Case) -> Person | None:
    """Who answers where nobody has taken the case: whom its kind names, else who is told first of its office."""
    if row.type.holder and row.office == row.type.office:
        with suppress(NotFound):
            person = people.person(door.open(SYSTEM, "mail", kind="people"), row.type.holder)
            if person.email:
                return person
    return responsible(row.office)


def to_assignee(row: models.Case, person: Person, who: str) -> None:
    """Tells a person that the case was given to him."""
    if person.email:
        _to_person(row, person, "assigned", {"who": who})


def to_handler(row: models.Case, text: str, who: str, *, stranger: bool = False) -> None:
    """Passes on what was written about a case to whoever has taken it, else to its office."""
    grant = door.open(SYSTEM, "mail", kind="people")
    person = None
    if row.assignee:
        try:
            person = people.person(grant, row.assignee)
        except NotFound:
            person = None
    person = person if person and person.email else _first(row)
    if person is not None:
        _to_person(row, person, "told", {"text": text, "who": who, "stranger": stranger})


def to_reminded(row: models.Case) -> bool:
    """Reminds whoever has taken the case, else who answers for it, that its deadline is over; whether anybody was."""
    person = None
    if row.assignee:
        with suppress(NotFound):
            person = people.person(door.open(SYSTEM, "mail", kind="people"), row.assignee)
    person = person if person and person.email else _first(row)
    return person is not None and _to_person(row, person, "reminder", {}) is not None


def to_head(row: models.Case) -> Person | None:
    """Tells the head of the office (else its deputy) that the case is long overdue; who was told."""
    grant = door.open(SYSTEM, "mail", kind="people")
    try:
        office = people.office(grant, row.office)
    except NotFound:
        return None
    for key in filter(None, (office.head, office.deputy)):
        with suppress(NotFound):
            return _to_person(row, people.person(grant, key), "escalated", {"who": row.assignee_name})
    return None


def already_closed(row: models.Case, address: str) -> None:
    """Tells a person of the office that his answer was kept, though the case had been closed before."""
    person = next(
        (
            p
            for p in people.people(door.open(SYSTEM, "mail", kind="people"), office=row.office)
            if p.email.lower() == address.lower()
        ),
        None,
    )
    if person is not None:
        _to_person(row, person, "closed", {})


def to_left(row: models.Case, address: str, language: str) -> None:
    """Tells somebody who has left, in his language, that his answer did nothing, and whom to turn to."""
    _post(row, address, language, "left", {"link": "", "signed": False}, token="")


def to_reporter(row: models.Case, what: str, text: str = "") -> None:
    """Tells the reporter what happened: opened, taken, waiting, reply, done, declined, reopened."""
    reporter = models.Reporter.objects.filter(case=row).first()
    if reporter is None or not reporter.email:
        return
    link = f"{settings().url}/{row.language}/cases/{row.key}-{row.code}"
    extra = {"what": what, "text": text, "name": reporter.name, "link": link}
    _post(row, reporter.email, row.language, "reporter", extra, token=REPORTER)


def _to_person(row: models.Case, person: Person, template: str, extra: dict[str, Any]) -> Person | None:
    """To the person, or to who stands in: the signed link is for whoever reads it. Returns who does."""

    def compose(to: Person) -> letters.Letter:
        token = links.sign(PURPOSE, Ref("case", row.key), to.key, days=DAYS)
        link = f"{settings().url}/{to.language}/cases/link/{token}"
        return _letter(row, to.language, template, {"link": link, "signed": True, "name": to.name, **extra}, token)

    return letters.write(person.key, compose)


def _desk(row: models.Case) -> str:
    return f"{settings().url}/desk/cases/{row.key}/"


def _alert(row: models.Case) -> Alert | None:
    if row.cause_noun != "alert":
        return None
    try:
        return rules.alert(door.open(SYSTEM, "mail", kind="rules"), row.cause_key)
    except NotFound:
        return None


def _post(row: models.Case, to: str, language: str, template: str, extra: dict[str, Any], *, token: str) -> None:
    """To an address that has no account: the reporter, or an office without people."""
    with translation.override(language):
        letter = _letter(row, language, template, extra, token)
        journal.post_mail(
            to=to, subject=letter.subject, text=letter.text, ref=letter.ref, reply_token=token, language=language
        )


def _letter(row: models.Case, language: str, template: str, extra: dict[str, Any], token: str) -> letters.Letter:
    context = {
        "case": row,
        "reference": row.key.upper(),
        "title": str(say(row.title, language)),
        "office": _office_title(row.office, language),
        "alert": None if template == "reporter" else _alert(row),
        "desk": _desk(row),
        "demo": settings().demo,
        "protocol": str(say(row.protocol.title, language)) if row.protocol else "",
        "steps": [str(say(step, language)) for step in row.protocol.steps] if row.protocol else [],
        "days": DAYS,
        "language": language,
        **extra,
    }
    text = render_to_string(f"mail/cases/{template}.txt", context).strip() + "\n"
    return letters.Letter(_subject(row, template, context), text, Ref("case", row.key), token)


def _office_title(office: str, language: str) -> str:
    try:
        found = people.office(door.open(SYSTEM, "mail", kind="people"), office)
    except NotFound:
        return office
    return str(say(found.title, language)) or office


def _subject(row: models.Case, template: str, context: dict[str, Any]) -> str:
    about = f"{context['title']}, {row.place}" if row.place else context["title"]
    if template == "reporter":
        words = {
            "opened": _("We have your report"),
            "taken": _("Your report is being handled"),
            "waiting": _("Your report is waiting"),
            "reply": _("An answer to your report"),
            "done": _("Your report is settled"),
            "declined": _("Your report was declined"),
            "reopened": _("Your report was opened again"),
        }[context["what"]]
        return f"{context['reference']}: {words}"
    prefix = {"urgent": _("Urgent"), "important": _("Important")}.get(row.severity, "")
    if template == "told":
        prefix = _("News")
    elif template == "closed":
        prefix = _("Already closed")
    elif template == "left":
        prefix = _("Not acted on")
    elif template == "reminder":
        prefix = _("Overdue")
    elif template == "escalated":
        prefix = _("Long overdue in your office")
    return f"{context['reference']}: {prefix + ': ' if prefix else ''}{about}"
