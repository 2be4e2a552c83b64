"""What the verbs of cases share: the locked row, who may act, messages, and the journal entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from krog.base import times
from krog.base.errors import Conflict, Invalid, NotFound
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.cases import models
from krog.cases.shapes import OPEN
from krog.catalogue import door
from krog.journal import verbs as journal
from krog.people import reads as people
from krog.people.permissions import SYSTEM, require
from krog.people.shapes import Person

#: Roles that handle cases of their office.
HANDLERS = ("clerk", "official", "operator", "planner", "digital_officer")
MAX_TEXT = 20_000


def locked(key: str) -> models.Case:
    """The row of a case, locked until the end of the transaction."""
    rows = models.Case.objects.select_for_update(of=("self",)).select_related("type", "protocol")
    row = rows.filter(key=key.lower()).first()
    if row is None:
        raise NotFound(_("There is no case “%(key)s”.") % {"key": key[:60]}, "case")
    return row


def only_its_office(by: Reader, row: models.Case, what: str) -> None:
    """Refuses everybody but the office that handles the case (and administrators)."""
    require(by, *HANDLERS, office=row.office, what=what)


def still_open(row: models.Case, what: str) -> None:
    """Refuses what makes no sense once a case is closed."""
    if row.status not in OPEN:
        about = {"case": row.key.upper(), "name": row.closed_by}
        raise Conflict(
            (_("%(case)s is already closed by %(name)s.") if row.closed_by else _("%(case)s is already closed."))
            % about,
            "status",
            todo=_("Reopen it first."),
            extra={"who": row.closed_by, "status": row.status, "wanted": what},
        )


def words(text: str, what: str, field: str) -> str:
    """A text that must not be empty."""
    text = text.replace("\x00", "").strip()
    if not text:
        raise Invalid(what, field)
    if len(text) > MAX_TEXT:
        raise Invalid(_("The text is too long."), field, _("at most %(count)s characters") % {"count": MAX_TEXT})
    return text


def say(
    row: models.Case,
    text: str,
    *,
    direction: str,
    channel: str,
    author: str,
    public: bool = False,
    trusted: bool = True,
    message_id: str | None = None,
    attachments: int = 0,
) -> models.Message:
    """Adds a message to a case."""
    return models.Message.objects.create(
        case=row,
        direction=direction,
        channel=channel,
        time=times.now(),
        author=author,
        text=text,
        public=public,
        trusted=trusted,
        message_id=message_id,
        attachments=attachments,
    )


def save(by: Reader, row: models.Case, verb: str, changed: Mapping[str, Any], *, reason: str = "") -> None:
    """Writes the changed fields and their journal entry."""
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    row.updated = times.now()
    row.save(update_fields=[*changed, "updated"])
    journal.record(by, f"cases.{verb}", Ref("case", row.key), before=before, after=dict(changed), reason=reason)


def account_of(by: Reader) -> Person | None:
    """The account behind a reader who signed in or came by a link; None for keys and Krog itself."""
    if by.kind not in ("account", "link"):
        return None
    grant = door.open(SYSTEM, "mail", kind="people")
    return next((person for person in people.people(grant) if person.id == by.id), None)
