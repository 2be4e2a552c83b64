"""Sends the outbox by SMTP, again and again until the server has taken each mail or it is given up, and says so.

Each mail carries an address of its own for answers and bounces (`krog+<number>-<seal>@host`): short, without capitals,
sealed with the city's secret, so that an answer is matched without any account and nobody can make one up.
"""

from __future__ import annotations

import hmac
import logging
import re
import smtplib
import ssl
from base64 import b32encode
from collections.abc import Callable, Iterable
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from krog.base import times
from krog.base.settings import settings
from krog.base.text import say
from krog.engine import mailbox
from krog.engine.cities import city
from krog.engine.schedule import Schedule
from krog.journal import reads, verbs
from krog.journal.shapes import Mail

log = logging.getLogger("krog.work")

_TAG = re.compile(r"^([0-9]{1,15})-([a-z2-7]{16})$")
TIMEOUT_S = 20
#: Marks a mail as sent by Krog, so that one that comes back is known.
MARK = "X-Krog"


def _seal(mail: int) -> str:
    digest = hmac.new(settings().secret.encode(), f"krog.mail:{mail}".encode(), sha256).digest()
    return b32encode(digest[:10]).decode().lower()


def _sender() -> tuple[str, str]:
    local, _, host = str(settings().mail_from).rpartition("@")
    return local, host


def reply_address(mail: int) -> str:
    """The address that answers to a mail, and its bounces, come back to."""
    local, host = _sender()
    return f"{local}+{mail}-{_seal(mail)}@{host}"


def mail_of(address: str) -> int | None:
    """The number of the mail that an address was made for; None when it is not one of ours."""
    local, _, host = address.strip().lower().rpartition("@")
    name, plus, tag = local.partition("+")
    own, own_host = _sender()
    match = _TAG.match(tag)
    if not plus or name != own.lower() or host != own_host.lower() or match is None:
        return None
    number = int(match[1])
    return number if hmac.compare_digest(match[2], _seal(number)) else None


def compose(mail: Mail) -> EmailMessage:
    """The mail as it is sent. Sent again after a crash it has the same Message-ID."""
    local, host = _sender()
    here = city.current()
    message = EmailMessage()
    name = str(say(here.title, mail.language or here.languages[0])) or here.name
    message["From"] = Address(name, local, host)
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(times.to_datetime(mail.created, settings().timezone))
    message["Message-ID"] = message_id(mail.id)
    # Answers about one thing stand together in the reader's program.
    message["References"] = f"<{mail.noun}.{mail.key}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message[MARK] = here.key
    if mail.reply_token:
        message["Reply-To"] = reply_address(mail.id)
    if mail.language:
        message["Content-Language"] = mail.language
    message.set_content(f"{mail.text.rstrip()}\n\n-- \n{_signature(mail.language)}\n", cte="quoted-printable")
    if mail.html:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message


def _signature(language: str) -> str:
    """Who writes, and how else the city is reached."""
    here = city.current()
    lang = language or here.languages[0]
    return " · ".join(
        part for part in (str(say(here.title, lang)) or here.name, here.contact.phone, here.contact.email) if part
    )


def message_id(mail: int) -> str:
    """The Message-ID of a mail of the outbox."""
    return f"<krog.{mail}.{_seal(mail)}@{_sender()[1]}>"


def send() -> None:
    """Sends what is due. Mails of which the server wants to know nothing are given up, the others tried again later."""
    due = reads.mails_due()
    if not due:
        return
    url = urlsplit(str(settings().mail))
    if url.scheme not in ("smtp", "smtps"):
        for mail in due:
            _one(mail, lambda mail, message: mailbox.deliver(message))
        return
    try:
        server = _connect(
            url.scheme, url.hostname or "localhost", url.port, unquote(url.username or ""), unquote(url.password or "")
        )
    except (OSError, smtplib.SMTPException) as error:
        _all_later(due, f"The mail server does not answer: {error}")
        return
    with server:
        for mail in due:
            _one(mail, lambda mail, message: _hand_over(server, mail, message))


def _connect(scheme: str, host: str, port: int | None, user: str, password: str) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, port or 25, timeout=TIMEOUT_S)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
    if user:
        server.login(user, password)
    return server


def _hand_over(server: smtplib.SMTP, mail: Mail, message: EmailMessage) -> None:
    server.send_message(message, from_addr=reply_address(mail.id), to_addrs=[mail.to])


def _one(mail: Mail, hand_over: Callable[[Mail, EmailMessage], None]) -> None:
    """Sends one mail, and keeps what became of it; whatever is wrong with one does not hold up the others."""
    try:
        message = compose(mail)
        hand_over(mail, message)
    except smtplib.SMTPRecipientsRefused as error:
        code, reason = next(iter(error.recipients.values()), (450, b""))
        verbs.mail_failed(mail=mail.id, error=f"{code} {_words(reason)}", permanent=code >= 500)
    except smtplib.SMTPResponseException as error:
        permanent = 500 <= error.smtp_code < 600
        verbs.mail_failed(mail=mail.id, error=f"{error.smtp_code} {_words(error.smtp_error)}", permanent=permanent)
    except (OSError, smtplib.SMTPException) as error:
        verbs.mail_failed(mail=mail.id, error=str(error) or type(error).__name__)
    except (ValueError, IndexError, LookupError) as error:
        # The address or the text cannot be made a mail of; trying again would not help.
        verbs.mail_failed(mail=mail.id, error=f"This mail cannot be sent: {error}", permanent=True)
    else:
        verbs.mail_sent(mail=mail.id, message_id=str(message["Message-ID"]))


def _words(reason: bytes | str) -> str:
    return reason.decode(errors="replace") if isinstance(reason, bytes) else reason


def _all_later(due: Iterable[Mail], error: str) -> None:
    log.warning("%s", error)
    for mail in due:
        verbs.mail_failed(mail=mail.id, error=error)


SCHEDULES = (Schedule("send-mail", 2.0, send),)
