"""What an answer does: which thing it is about, whether the person who was asked wrote it, and the verb it calls."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from krog.base.errors import Forbidden, KrogError
from krog.base.grant import ANONYMOUS, Reader
from krog.cases import mails as case_mails
from krog.cases import verbs as cases
from krog.engine import notify
from krog.indicators import verbs as indicators
from krog.journal import reads as journal
from krog.journal import verbs as journal_verbs
from krog.journal.shapes import Mail
from krog.people import links
from krog.sources.mail.answers import Answer, read

log = logging.getLogger("krog.mail")


@dataclass(frozen=True)
class Handled:
    """What became of a mail, as a word: that of the verb, or ignored with the reason."""

    what: str
    reference: str = ""


def handle(data: bytes, *, envelope_from: str, mail: int) -> Handled:
    """Takes in a mail that came to the address of an outgoing one."""
    asked = journal.mail(mail)
    if asked is None:
        return Handled("unknown")
    answer = read(data, envelope_from=envelope_from, own_mark=notify.MARK)
    if answer.automatic == "bounce":
        if answer.failed:
            journal_verbs.mail_failed(mail=mail, error=f"Came back: {answer.subject}", permanent=True)
        return Handled("bounce")
    if answer.automatic:
        log.info(
            "A mail about %s/%s was written by a program (%s) and is not kept.", asked.noun, asked.key, answer.automatic
        )
        return Handled(f"ignored-{answer.automatic}")
    receive = RECEIVERS.get(asked.noun)
    if receive is None or not asked.reply_token:
        return Handled("unanswerable")
    identity = answer.message_id or f"<{hashlib.sha256(data).hexdigest()[:40]}@without-id>"
    return receive(asked, answer, f"{asked.key} {identity}"[:250])


def _reader(asked: Mail, answer: Answer, purpose: str) -> tuple[Reader | None, bool]:
    """Who answers: the person whom the mail was sent to, if it comes from that address and the person still may; and
    whether it is that person, but has left meanwhile."""
    if not answer.sender or answer.sender != asked.to.strip().lower():
        return None, False
    if asked.reply_token == case_mails.REPORTER:
        return ANONYMOUS, False
    try:
        link = links.open(asked.reply_token, purpose)
    except Forbidden as refused:
        return None, "left" in refused.extra
    return (link.reader if (link.ref.noun, link.ref.key) == (asked.noun, asked.key) else None), False


def _case(asked: Mail, answer: Answer, identity: str) -> Handled:
    text = answer.text or answer.subject or "(–)"
    reader, left = _reader(asked, answer, case_mails.PURPOSE)
    found = cases.receive(
        reader,
        key=asked.key,
        text=text,
        sender=answer.sender,
        message_id=identity,
        attachments=answer.attachments,
        left=(asked.language or "en") if left else "",
    )
    return Handled(found.what, found.reference)


def _value(asked: Mail, answer: Answer, identity: str) -> Handled:
    what = indicators.receive(
        _reader(asked, answer, "indicator-value")[0],
        request=asked.key,
        text=answer.text,
        to=asked.to,
        language=asked.language or "en",
        reply_token=asked.reply_token,
    )
    return Handled(what, asked.key)


#: By noun: what takes in the answers to its mails.
RECEIVERS: Mapping[str, Callable[[Mail, Answer, str], Handled]] = {"case": _case, "indicator-request": _value}


def is_terminal(error: KrogError) -> bool:
    """Whether the sending server should not try again."""
    return error.status < 500
