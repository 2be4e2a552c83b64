"""The mail server for answers: takes mail to addresses that Krog has given out, and to no others."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, close_old_connections, connection

from krog.base.errors import KrogError, Misconfigured
from krog.base.settings import settings
from krog.engine import notify
from krog.sources.mail import replies

log = logging.getLogger("krog.mail")

#: Largest mail that is taken, in bytes.
MAX_BYTES = 5_000_000
#: Mails that are read at the same time; the others wait.
AT_ONCE = 4
#: A connection that says nothing for so long is closed.
TIMEOUT_S = 60


class Handler:
    """What the server does with each mail; its methods are called by aiosmtpd."""

    def __init__(self) -> None:
        self.gate = asyncio.Semaphore(AT_ONCE)

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Only an address that belongs to a mail that was sent; all others are refused at the door, never bounced."""
        number = notify.mail_of(address)
        if number is None:
            return "550 5.1.1 Nobody reads this address. Answer the mail itself, or use its link."
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time."
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The mail is kept before it is acknowledged; what fails for a moment is asked for again."""
        number = notify.mail_of(envelope.rcpt_tos[0])
        data = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        if number is None:
            return "550 5.1.1 Nobody reads this address."
        async with self.gate:
            return await asyncio.to_thread(take_in, data, envelope.mail_from or "", number)


def take_in(data: bytes, envelope_from: str, number: int) -> str:
    """The server's answer to a mail: taken, refused for good, or to be sent again later."""
    close_old_connections()
    try:
        handled = replies.handle(data, envelope_from=envelope_from, mail=number)
        if handled.what == "unanswerable":
            return "550 5.7.1 This mail cannot be answered by mail. Please use the link in it."
        if handled.what == "unknown":
            return "550 5.1.1 Nobody reads this address."
        log.info("A mail came in: %s %s", handled.what, handled.reference)
        return f"250 2.0.0 {handled.what}"
    except KrogError as error:
        if replies.is_terminal(error):
            log.warning("A mail was refused: %s", error)
            return f"554 5.6.0 {error.what}".encode("ascii", "replace").decode()
        return "451 4.3.0 Please send it again later."
    except DatabaseError:
        log.exception("A mail could not be kept now.")
        return "451 4.3.0 Please send it again later."
    except Exception:
        log.exception("A mail could not be taken in.")
        return "451 4.3.0 Please send it again later."
    finally:
        connection.close()


class Server(SMTP):
    """Takes longer lines than the standard asks for: some programs send whole paragraphs as one."""

    line_length_limit = 100_000


class Listener(Controller):
    """The running server; `stop()` ends it."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            Handler(),
            hostname=host,
            port=port,
            ready_timeout=10,
            data_size_limit=MAX_BYTES,
            ident="Krog",
            timeout=TIMEOUT_S,
            enable_SMTPUTF8=True,
            decode_data=False,
            command_call_limit={"*": 50},
        )

    def factory(self) -> Any:
        return Server(self.handler, **self.SMTP_kwargs)


def start() -> Listener | None:
    """Starts the server on KROG_MAIL_HOST and KROG_MAIL_PORT; None where the port is 0."""
    port = int(settings().mail_port)
    if port == 0:
        return None
    listener = Listener(str(settings().mail_host), port)
    try:
        listener.start()
    except (OSError, TimeoutError) as error:
        raise Misconfigured(
            f"Mail cannot be taken in: {error}", "KROG_MAIL_PORT", "a free port, or 0 for none"
        ) from None
    return listener
