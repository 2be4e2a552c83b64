"""The mailbox that mails go to with KROG_MAIL=embedded: a Maildir in KROG_VAR/mail, so that a demo can be tried out."""

from __future__ import annotations

import mailbox
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from krog.base import times
from krog.base.errors import NotFound
from krog.base.settings import settings


@dataclass(frozen=True)
class Letter:
    """A mail that was delivered; `reply_to` is where an answer goes."""

    name: str
    time: int
    sender: str
    to: str
    reply_to: str
    subject: str
    message_id: str
    text: str


def _box() -> mailbox.Maildir:
    folder = Path(settings().var) / "mail"
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    return mailbox.Maildir(folder, factory=None)


def deliver(message: EmailMessage) -> None:
    """Puts a mail into the mailbox."""
    _box().add(message.as_bytes())


def letters(limit: int = 100) -> list[Letter]:
    """The newest mails of the mailbox."""
    box = _box()
    names = sorted(box.iterkeys(), reverse=True)[:limit]
    return [_letter(box, name) for name in names]


def letter(name: str) -> Letter:
    """One mail of the mailbox, or NotFound."""
    box = _box()
    if name not in set(box.iterkeys()):
        raise NotFound("There is no such mail.", "mail")
    return _letter(box, name)


def _letter(box: mailbox.Maildir, name: str) -> Letter:
    message = BytesParser(policy=policy.default).parsebytes(box.get_bytes(name))
    body = message.get_body(preferencelist=("plain",))
    return Letter(
        name=name,
        time=times.from_datetime(parsedate_to_datetime(str(message["Date"]))),
        sender=str(message["From"]),
        to=str(message["To"]),
        reply_to=str(message["Reply-To"] or ""),
        subject=str(message["Subject"]),
        message_id=str(message["Message-ID"]),
        text=body.get_content() if body else "",
    )
