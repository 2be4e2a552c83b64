"""What is said about a case: replies to the reporter, internal notes, and what comes back by mail."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from krog.base import times
from krog.base.grant import Reader
from krog.base.ids import Ref
from krog.cases import mails, models
from krog.cases.shapes import OPEN
from krog.cases.verbs.handling import close
from krog.cases.verbs.rows import locked, only_its_office, say, words
from krog.journal import verbs as journal
from krog.people.permissions import may, require

#: First words of a mailed answer that close the case; the rest of the answer is the outcome.
CLOSING_WORDS = ("ZAKLJUČENO", "ZAKLJUCENO", "KONČANO", "KONCANO", "DONE", "CLOSED", "CHIUSO")
#: First words of a mailed answer that send the rest to the person who reported.
REPLYING_WORDS = ("ODGOVOR", "REPLY", "RISPOSTA")
_CLOSING = re.compile(rf"^\W*(?:{'|'.join(CLOSING_WORDS)})\b[\s:.,;!–-]*", re.IGNORECASE)
_REPLYING = re.compile(rf"^\W*(?:{'|'.join(REPLYING_WORDS)})\b[\s:.,;!–-]*", re.IGNORECASE)
#: More mails than this in an hour about one case are kept, and answered no more: something is going in circles.
MAX_MAILS_AN_HOUR = 20


def reply(
    by: Reader, *, key: str, text: str, public: bool = False, internal: bool = False, channel: str = "desk"
) -> None:
    """Writes to the reporter (by mail where an address is known, else on the status page), or as internal note to the
    office. A `public` reply is read by everybody who may see the case."""
    text = words(text, _("Write something."), "text")
    with transaction.atomic():
        row = locked(key)
        only_its_office(by, row, "answer this case")
        direction = "internal" if internal else "out"
        message = say(row, text, direction=direction, channel=channel, author=by.name, public=public and not internal)
        row.updated = times.now()
        row.save(update_fields=["updated"])
        journal.record(
            by,
            "cases.note" if internal else "cases.reply",
            Ref("case", row.key),
            after={"message": message.pk, "public": message.public},
        )
        if not internal:
            mails.to_reporter(row, "reply", text)


def note(by: Reader, *, key: str, text: str) -> None:
    """What Krog itself notes on a case, as that the value behind it is normal again; whoever handles it is told."""
    require(by, what="note on a case")
    with transaction.atomic():
        row = locked(key)
        say(row, text, direction="internal", channel="rule", author=by.name)
        journal.record(by, "cases.note", Ref("case", row.key))
        if row.status in OPEN:
            mails.to_handler(row, text, by.name)


@dataclass(frozen=True)
class Received:
    """What became of a mail: attached, closed (attached and closed the case), replied (sent on to the reporter),
    already-closed, left (whoever wrote it works here no more), not-acted-on (it came from somebody else than it was
    sent to), again (had been received before) or too-many."""

    what: str
    reference: str


def receive(
    by: Reader | None, *, key: str, text: str, sender: str, message_id: str, attachments: int = 0, left: str = ""
) -> Received:
    """Takes in a mail about a case. `by` is the person whom the answered mail was sent to, if it comes from there;
    None is somebody else: kept, marked, never acted on; who has left the city is told so, in the language `left` ("":
    nobody has). The reporter is an anonymous reader.

    A person of the office whose answer begins with one of CLOSING_WORDS closes the case; with one of REPLYING_WORDS the
    rest goes to the reporter.
    """
    with transaction.atomic():
        row = locked(key)
        reference = row.key.upper()
        if models.Message.objects.filter(message_id=message_id).exists():
            return Received("again", reference)
        recent = row.messages.filter(channel="mail", time__gt=times.now() - times.HOUR).count()
        handler = by is not None and may(
            by, "clerk", "official", "operator", "planner", "digital_officer", office=row.office
        )
        reporter = by is not None and by.is_anonymous
        closing = _CLOSING.match(text) if handler else None
        outcome = text[closing.end() :].strip() if closing else ""
        say(
            row,
            text,
            direction="internal" if handler else "in",
            channel="mail",
            trusted=handler or reporter,
            author=by.name if handler and by else "" if reporter else sender[:254],
            message_id=message_id,
            attachments=attachments,
        )
        row.updated = times.now()
        row.save(update_fields=["updated"])
        who = by if by is not None else Reader(kind="anonymous")
        journal.record(who, "cases.receive", Ref("case", row.key), after={"trusted": handler or reporter})
        if recent >= MAX_MAILS_AN_HOUR:
            return Received("too-many", reference)
        if not handler:
            mails.to_handler(row, text, "" if reporter else sender, stranger=not reporter)
            if left:
                mails.to_left(row, sender, left)
                return Received("left", reference)
            return Received("attached" if reporter else "not-acted-on", reference)
        assert by is not None
        if closing and row.status in OPEN:
            close(by, key=row.key, outcome=outcome or closing[0].strip(" \t\r\n:.,;!–-"))
            return Received("closed", reference)
        if row.status not in OPEN:
            mails.already_closed(row, sender)
            return Received("already-closed", reference)
        if (replying := _REPLYING.match(text)) and text[replying.end() :].strip():
            reply(by, key=row.key, text=text[replying.end() :], channel="mail")
            return Received("replied", reference)
        return Received("attached", reference)
