"""Mail out and in over real SMTP servers: sent, answered, closed; and whatever hostile or foolish things come back."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from krog.base import times
from krog.cases import models, reads, verbs
from krog.catalogue import door
from krog.engine import mailbox, notify
from krog.journal import reads as journal
from krog.sources.mail import answers
from krog.sources.mail.listener import Listener
from tests.nouns.cases_world import World, world
from tests.nouns.test_cases_handling import report

__all__ = ["world"]

pytestmark = pytest.mark.django_db(transaction=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """A mail server of somebody else: what it was handed, and what it answers."""

    port: int
    got: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    answer: str = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.answer.startswith(("4", "5")):
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.senders.append(envelope.mail_from)
        self.got.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture()
def outside(use_mail: Callable[[str], None]) -> Iterator[Server]:
    server = Server(free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    use_mail(f"smtp://127.0.0.1:{server.port}")
    yield server
    controller.stop()


@pytest.fixture()
def use_mail(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets KROG_MAIL for one test."""
    from krog.base.settings import settings

    def use(url: str) -> None:
        monkeypatch.setitem(settings()._values, "KROG_MAIL", url)

    return use


@pytest.fixture()
def listener() -> Iterator[int]:
    port = free_port()
    running = Listener("127.0.0.1", port)
    running.start()
    yield port
    running.stop()


def grant(by: Any) -> Any:
    return door.open(by, "desk", kind="cases")


def answer_to(original: EmailMessage, text: str, *, sender: str = "", **headers: str) -> EmailMessage:
    """What a mail program makes of the button Answer."""
    reply = EmailMessage()
    reply["From"] = sender or str(original["To"])
    reply["To"] = str(original["Reply-To"])
    reply["Subject"] = f"Re: {original['Subject']}"
    reply["Message-ID"] = f"<{times.now()}@example.org>"
    for name, value in headers.items():
        reply[name.replace("_", "-")] = value
    quoted = "\n".join(f"> {line}" for line in original.get_content().splitlines())
    reply.set_content(f"{text}\n\nDne 1. 1. 2026 ob 10.00 je Kranj <krog@localhost> napisal:\n{quoted}\n")
    return reply


def post(port: int, message: EmailMessage | bytes, *, to: str = "", sender: str = "somebody@example.org") -> int:
    """Hands a mail to the listener; gives the code of its answer."""
    data = message if isinstance(message, bytes) else message.as_bytes(policy=policy.SMTP)
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as server:
        try:
            server.sendmail(sender, [to or str(message["To"])], data)  # type: ignore[call-overload]
        except smtplib.SMTPRecipientsRefused as error:
            return next(iter(error.recipients.values()))[0]
        except smtplib.SMTPResponseException as error:
            return error.smtp_code
    return 250


def to_operator(outside: Server) -> EmailMessage:
    notify.send()
    return next(mail for mail in outside.got if mail["To"] == "olga@example.org")


def test_an_operator_closes_a_case_by_answering_its_mail(world: World, outside: Server, listener: int) -> None:
    key = world.leak()
    mail = to_operator(outside)
    assert "Urgent" in str(mail["Subject"])
    assert "Mlaka 2" in mail.get_content()
    assert "1. Check the meter" in mail.get_content()
    assert str(mail["From"]) == "Krog <krog@localhost>"
    assert mail.get_content().splitlines()[-2:] == ["-- ", "Krog"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert len(str(mail["Reply-To"]).split("@")[0]) <= 64
    assert journal.mail_counts() == {"sent": 1}

    assert post(listener, answer_to(mail, "Gremo pogledat.")) == 250
    assert post(listener, answer_to(mail, "ZAKLJUČENO\n\nCev je zamenjana.")) == 250
    case = reads.case(grant(world.operator), key)
    assert (case.status, case.outcome, case.closed_by) == ("done", "Cev je zamenjana.", "Olga Operater")
    first = case.messages[0]
    assert (first.author, first.text, first.direction) == ("Olga Operater", "Gremo pogledat.", "internal")
    assert ">" not in "".join(m.text for m in case.messages)


def test_the_reporter_is_told_and_can_answer(world: World, outside: Server, listener: int) -> None:
    opened = report()
    notify.send()
    confirmation = next(mail for mail in outside.got if mail["To"] == "ana@example.org")
    assert opened.address in confirmation.get_content()
    assert post(listener, answer_to(confirmation, "Luknja je še večja. DONE?")) == 250
    verbs.reply(world.stranger, key=opened.key, text="Pridemo v torek.")
    verbs.close(world.stranger, key=opened.key, outcome="Zakrpano.")
    notify.send()
    told = [mail.get_content() for mail in outside.got if mail["To"] == "ana@example.org"]
    assert "Pridemo v torek." in told[1]
    assert "Zakrpano." in told[2]
    passed_on = [mail for mail in outside.got if mail["To"] == "rok@example.org"]
    assert any("Luknja je še večja." in mail.get_content() for mail in passed_on)
    case = reads.case(grant(world.stranger), opened.key)
    assert [m.text for m in case.messages if m.direction == "in"] == ["Luknja je še večja. DONE?"]


def test_a_reporter_cannot_close_by_a_word(world: World, outside: Server, listener: int) -> None:
    opened = report()
    notify.send()
    confirmation = next(mail for mail in outside.got if mail["To"] == "ana@example.org")
    assert post(listener, answer_to(confirmation, "ZAKLJUČENO")) == 250
    assert reads.case(grant(world.stranger), opened.key).status == "new"


def test_an_answer_from_somebody_else_is_kept_and_not_acted_on(world: World, outside: Server, listener: int) -> None:
    key = world.leak()
    mail = to_operator(outside)
    assert post(listener, answer_to(mail, "ZAKLJUČENO nič ni", sender="eve@evil.example")) == 250
    case = reads.case(grant(world.operator), key)
    assert case.status == "new"
    assert [(m.author, m.trusted) for m in case.messages] == [("eve@evil.example", False)]
    notify.send()
    assert "eve@evil.example" in outside.got[-1].get_content()
    assert outside.got[-1]["To"] == "olga@example.org"


def test_who_has_left_the_office_acts_no_more(world: World, outside: Server, listener: int) -> None:
    from krog.people.models import Account

    key = world.leak()
    mail = to_operator(outside)
    Account.objects.filter(key="olga").update(is_active=False)
    assert post(listener, answer_to(mail, "ZAKLJUČENO")) == 250
    assert reads.case(grant(world.other), key).status == "new"
    notify.send()
    told = next(
        mail
        for mail in outside.got
        if mail["To"] == "olga@example.org" and "your account is closed" in mail.get_content()
    )
    assert key.upper() in told["Subject"] and "http" not in told.get_content().partition("-- ")[0]
    passed_on = next(mail for mail in outside.got if mail["To"] == "oto@example.org")
    assert "ZAKLJUČENO" in passed_on.get_content()


def test_the_same_answer_twice_counts_once_and_a_later_one_is_kept(
    world: World, outside: Server, listener: int
) -> None:
    key = world.leak()
    mail = to_operator(outside)
    first = answer_to(mail, "DONE. Tesnilo.")
    assert [post(listener, first), post(listener, first)] == [250, 250]
    assert models.Message.objects.count() == 1
    assert post(listener, answer_to(mail, "Done, še enkrat.")) == 250
    case = reads.case(grant(world.operator), key)
    assert case.outcome == "Tesnilo."
    assert len(case.messages) == 2
    notify.send()
    assert "had been closed before" in outside.got[-1].get_content()


@pytest.mark.parametrize(
    ("headers", "envelope"),
    [
        ({"Auto_Submitted": "auto-replied"}, "x@example.org"),
        ({"Precedence": "bulk"}, "x@example.org"),
        ({"X_Autoreply": "yes"}, "x@example.org"),
        ({"X_Krog": "kranj"}, "x@example.org"),
        ({}, ""),
    ],
    ids=["vacation", "bulk", "autoreply", "loop", "null-sender"],
)
def test_what_a_program_wrote_is_taken_and_does_nothing(
    world: World, outside: Server, listener: int, headers: dict[str, str], envelope: str
) -> None:
    key = world.leak()
    mail = to_operator(outside)
    assert post(listener, answer_to(mail, "ZAKLJUČENO", **headers), sender=envelope) == 250
    case = reads.case(grant(world.operator), key)
    assert (case.status, case.messages) == ("new", ())
    notify.send()
    assert len(outside.got) == 1


def test_a_bounce_is_seen_as_a_failed_mail(world: World, outside: Server, listener: int) -> None:
    world.leak()
    mail = to_operator(outside)
    [sender] = outside.senders
    assert sender == mail["Reply-To"]
    bounce = (
        f"From: MAILER-DAEMON@example.org\r\nTo: {sender}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n"
        "--B\r\nContent-Type: text/plain\r\n\r\nCould not deliver.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Final-Recipient: rfc822; olga@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--B--\r\n"
    ).encode()
    assert post(listener, bounce, to=sender, sender="") == 250
    assert journal.mail_counts() == {"failed": 1}
    assert "Undelivered" in journal.mails("failed")[0].error


def test_only_addresses_of_sent_mails_are_read(world: World, outside: Server, listener: int) -> None:
    world.leak()
    mail = to_operator(outside)
    good = str(mail["Reply-To"])
    local, host = good.split("@")
    number, seal = local.split("+")[1].split("-")
    wrong = [
        "krog@localhost",
        "somebody@example.org",
        f"krog+{number}-{'a' * 16}@{host}",
        f"krog+{int(number) + 1}-{seal}@{host}",
        f"{local}@elsewhere.example",
        f"krog+{number}@{host}",
    ]
    assert [post(listener, answer_to(mail, "x"), to=to) for to in wrong] == [550] * len(wrong)
    assert models.Message.objects.count() == 0
    assert post(listener, answer_to(mail, "x"), to=good.upper()) == 250


def test_too_many_mails_about_a_case_are_answered_no_more(
    world: World, outside: Server, listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from krog.cases.verbs import talking

    monkeypatch.setattr(talking, "MAX_MAILS_AN_HOUR", 3)
    world.leak()
    mail = to_operator(outside)
    for number in range(6):
        assert post(listener, answer_to(mail, f"Nekdo {number}", sender="eve@evil.example")) == 250
    notify.send()
    assert len(outside.got) == 1 + 3
    assert models.Message.objects.count() == 6


OLGA = b"From: olga@example.org\r\n"
BASE64 = OLGA + b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
HOSTILE = {
    "nested": b"From: olga@example.org\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
    + b"--B\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n" * 3000,
    "charset": b"From: olga@example.org\r\nContent-Type: text/plain; charset=x-no-such\r\n\r\nDober dan\xff\xfe",
    "no headers": b"\r\n\r\n\r\n",
    "binary": bytes(range(1, 256)) * 50,
    "many parts": b"From: olga@example.org\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
    + b"--B\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 5000
    + b"--B--\r\n",
    "nul": BASE64 + b"AGEAYg==\r\n",
    "bad base64": BASE64 + b"!!!\r\n",
    "header bomb": b"From: olga@example.org\r\n" + b"X-A: b\r\n" * 20000 + b"\r\nx",
    "two senders": b"From: olga@example.org, eve@evil.example\r\n\r\nZAKLJUCENO\r\n",
    "broken from": b"From: =?utf-8?q?=00?= <<olga@@example>>\r\nSubject: =?x?z?=\r\n\r\nDONE\r\n",
    "script": OLGA + b"Content-Type: text/html\r\n\r\n<script>DONE</script><p>Zdravo<blockquote>DONE",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_neither_acts_nor_breaks_anything(
    world: World, outside: Server, listener: int, name: str
) -> None:
    key = world.leak()
    mail = to_operator(outside)
    code = post(listener, HOSTILE[name], to=str(mail["Reply-To"]), sender="olga@example.org")
    assert code in (250, 554)
    case = reads.case(grant(world.operator), key)
    assert case.status == "new"
    assert all("script" not in m.text and "\x00" not in m.text for m in case.messages)
    assert post(listener, answer_to(mail, "ZAKLJUČENO. Še vedno deluje.")) == 250
    assert reads.case(grant(world.operator), key).status == "done"


def test_a_mail_that_is_too_large_is_refused(world: World, outside: Server, listener: int) -> None:
    world.leak()
    mail = to_operator(outside)
    assert post(listener, b"From: olga@example.org\r\n\r\n" + b"x" * 900 * 7000, to=str(mail["Reply-To"])) == 552
    assert models.Message.objects.count() == 0


def test_a_server_that_is_down_is_asked_again_later(world: World, outside: Server, use_mail: Any) -> None:
    from krog.journal.models import Mail

    world.leak()
    use_mail(f"smtp://127.0.0.1:{free_port()}")
    notify.send()
    [mail] = journal.mails()
    assert (mail.state, mail.attempts) == ("queued", 1)
    assert "does not answer" in mail.error
    notify.send()
    assert journal.mails()[0].attempts == 1
    Mail.objects.update(next_attempt=0)
    use_mail(f"smtp://127.0.0.1:{outside.port}")
    notify.send()
    assert journal.mail_counts() == {"sent": 1}
    assert len(outside.got) == 1


def test_a_refused_address_is_given_up_and_a_busy_server_is_not(world: World, outside: Server) -> None:
    from krog.journal.models import Mail

    world.leak()
    outside.answer = "450 4.2.1 busy"
    notify.send()
    assert journal.mails()[0].state == "queued"
    Mail.objects.update(next_attempt=0)
    outside.answer = "550 5.1.1 no such user"
    notify.send()
    [mail] = journal.mails()
    assert mail.state == "failed"
    assert "no such user" in mail.error


def test_one_mail_that_cannot_be_sent_does_not_hold_up_the_others(world: World, outside: Server) -> None:
    from krog.base.ids import Ref
    from krog.journal import verbs as journal_verbs

    journal_verbs.post_mail(to="nobody", subject="x", text="x", ref=Ref("case", "x"))
    journal_verbs.post_mail(to="a@b.example\r\nBcc: all@example.org", subject="x", text="x", ref=Ref("case", "x"))
    world.leak()
    notify.send()
    assert [mail["To"] for mail in outside.got][-1] == "olga@example.org"
    assert all("all@example.org" not in str(mail) for mail in outside.got)


def test_in_a_demo_mails_are_kept_in_a_mailbox_and_can_be_answered(world: World, use_mail: Any, listener: int) -> None:
    use_mail("embedded")
    key = world.leak()
    notify.send()
    letter = next(each for each in mailbox.letters() if each.to == "olga@example.org" and key.upper() in each.subject)
    assert mailbox.letter(letter.name) == letter
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Subject"] = letter.to, letter.reply_to, f"Re: {letter.subject}"
    reply.set_content("DONE Popravljeno.")
    assert post(listener, reply) == 250
    assert reads.case(grant(world.operator), key).outcome == "Popravljeno."


@pytest.mark.parametrize(
    ("mail", "own"),
    [
        ("Zdravo.\n\n> staro\n> staro", "Zdravo."),
        ("Da.\n\nOn Mon, 1 Jan 2026 at 10:00, Kranj <k@x.si> wrote:\n> x", "Da."),
        ("Da.\n\nOn Mon, 1 Jan 2026 at 10:00, Mestna občina Kranj\n<k@x.si> wrote:\n> x", "Da."),
        ("Da.\n\nDne 1. 1. 2026 ob 10:00 je Kranj <k@x.si> napisal(a):\nstaro", "Da."),
        ("Da.\n\n-----Original Message-----\nFrom: x", "Da."),
        ("Da.\n\n________________________________\nFrom: Kranj <k@x.si>\nSent: x", "Da."),
        ("Da.\n\nOd: Kranj <k@x.si>\nPoslano: x", "Da."),
        ("Da.\n-- \nOlga\n041", "Da."),
        ("Vrstica.\n\n\n\n\nDruga.", "Vrstica.\n\nDruga."),
        ("On je tukaj.\nDne 5. smo končali.", "On je tukaj.\nDne 5. smo končali."),
    ],
)
def test_only_what_is_new_in_an_answer_is_kept(mail: str, own: str) -> None:
    assert answers.own_words(mail) == own


def test_a_mail_in_html_is_read_as_words() -> None:
    html = "<p>Dober&nbsp;dan,<br>gremo.</p><style>p{}</style><blockquote>staro</blockquote>"
    assert answers.words_of_html(html) == "Dober dan,\ngremo."
