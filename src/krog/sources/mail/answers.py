"""Reads a mail that came in: who wrote, what is new in it, and whether a person wrote it at all. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses
from html.parser import HTMLParser

from krog.base.errors import Invalid

#: Longest text that is kept of an answer.
MAX_TEXT = 20_000
MAX_PARTS = 200
#: A mail that passed more servers than this goes in circles.
MAX_HOPS = 30

_QUOTE_BEGINS = re.compile(
    r"^\s*(?:"
    r"On .{4,200} wrote:|Dne .{4,200} (?:je|sta|so) .{0,120}napisal\S*:|V .{4,80} je .{1,120} napisal\S*:|"
    r"Il .{4,200} ha scritto:|.{1,200} <[^>\s]+@[^>\s]+> (?:wrote|je napisal\S*|ha scritto):|"
    r"-{2,} ?(?:Original Message|Izvorno sporočilo|Originalno sporočilo|Messaggio originale|Forwarded message).*|"
    r"_{20,}|(?:From|Od|Da): .+@.+"
    r")\s*$",
    re.IGNORECASE,
)
_FINAL = re.compile(r"^(?:Status|Diagnostic-Code):\s*(?:smtp;\s*)?5", re.IGNORECASE | re.MULTILINE)
_ATTRIBUTION_OPENS = re.compile(r"^\s*(?:On|Dne|Il) .{4,200}$", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    """A mail as Krog understands it. `text` is what is new in it; `automatic` says why no person wrote it ("" if one
    did): bounce, reply or loop; `failed` is set on a bounce that is final."""

    sender: str
    text: str
    subject: str
    message_id: str
    attachments: int
    automatic: str = ""
    failed: bool = False


def read(data: bytes, *, envelope_from: str, own_mark: str) -> Answer:
    """The answer in a raw mail; Invalid where it cannot be read as one."""
    try:
        message = BytesParser(policy=policy.default).parsebytes(data)
        return _read(message, envelope_from, own_mark)
    except Invalid:
        raise
    # What a hostile mail makes of the parser is its own doing: anything it raises means the same here.
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise Invalid(f"This mail cannot be read ({type(error).__name__}).", "mail") from None


def _read(message: EmailMessage, envelope_from: str, own_mark: str) -> Answer:
    senders = [address.strip().lower() for _, address in getaddresses([str(v) for v in message.get_all("From", [])])]
    for count, _part in enumerate(message.walk()):
        if count > MAX_PARTS:
            raise Invalid("This mail has too many parts.", "mail", f"at most {MAX_PARTS}")
    automatic = _automatic(message, envelope_from, own_mark)
    text, attachments = _text_of(message)
    return Answer(
        sender=_printable(senders[0]) if len(senders) == 1 else "",
        text=own_words(text)[:MAX_TEXT],
        subject=_printable(str(message.get("Subject", "")))[:300],
        message_id=_printable(str(message.get("Message-ID", ""))).strip()[:250],
        attachments=attachments,
        automatic=automatic,
        failed=automatic == "bounce" and bool(_FINAL.search(_report(message))),
    )


def _automatic(message: EmailMessage, envelope_from: str, own_mark: str) -> str:
    if message.get(own_mark) is not None or len(message.get_all("Received", [])) > MAX_HOPS:
        return "loop"
    if message.get_content_type() == "multipart/report" or envelope_from in ("", "<>"):
        return "bounce"
    submitted = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    precedence = str(message.get("Precedence", "")).strip().lower()
    if (
        submitted not in ("", "no")
        or precedence in ("bulk", "junk", "list", "auto_reply")
        or any(message.get(name) is not None for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-For"))
    ):
        return "reply"
    return ""


def _report(message: EmailMessage) -> str:
    kinds = ("message/delivery-status", "text/plain")
    return "\n".join(part.as_string()[:20_000] for part in message.walk() if part.get_content_type() in kinds)


def _text_of(message: EmailMessage) -> tuple[str, int]:
    plain, html, attachments = "", "", 0
    for part in message.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        if part.get_content_disposition() == "attachment" or kind not in ("text/plain", "text/html"):
            attachments += 1
        elif kind == "text/plain" and not plain:
            plain = _decoded(part)
        elif kind == "text/html" and not html:
            html = _decoded(part)
    return plain if plain.strip() else words_of_html(html), attachments


def _decoded(part: EmailMessage) -> str:
    data = part.get_payload(decode=True)
    raw = data if isinstance(data, bytes) else b""
    try:
        text = raw.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:
        text = raw.decode("utf-8", errors="replace")
    return _printable(text.replace("\r\n", "\n"))


def _printable(text: str) -> str:
    """Without control characters: PostgreSQL refuses a NUL, the others say nothing to a reader."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)


class _Words(HTMLParser):
    """Collects the words of a page, line by line; what is quoted, scripts and styles are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "head", "blockquote"):
            self.silent += 1
        elif tag in ("br", "p", "div", "tr", "li", "h1", "h2", "h3"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head", "blockquote"):
            self.silent = max(0, self.silent - 1)

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def words_of_html(html: str) -> str:
    """The plain words of an HTML mail."""
    reader = _Words()
    reader.feed(html[:500_000])
    lines = [" ".join(line.split()) for line in "".join(reader.words).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def own_words(text: str) -> str:
    """What the sender wrote himself: without the quoted mail and the signature."""
    lines = text.replace("\r\n", "\n").split("\n")
    kept: list[str] = []
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.rstrip() == "--" or _QUOTE_BEGINS.match(line):
            break
        # A long attribution is broken in two by many programs.
        if _ATTRIBUTION_OPENS.match(line) and _QUOTE_BEGINS.match(f"{line} {following.strip()}"):
            break
        if not line.lstrip().startswith(">"):
            kept.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
