"""Reading mails: whatever comes, it is read or refused, and only a person's own words are kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from krog.base.errors import Invalid
from krog.sources.mail.answers import MAX_TEXT, Answer, own_words, read, words_of_html

headers = st.sampled_from(
    [
        b"From: olga@example.org", b"From: <<>>", b"From: =?utf-8?b?////?= <x@y>", b"Subject: =?x?q?=00?=",
        b"Content-Type: multipart/mixed; boundary=B", b"Content-Type: multipart/mixed",
        b"Content-Type: text/html",
        b"Content-Type: text/plain; charset=utf-16", b"Content-Type: ;;;", b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: x-uuencode", b"MIME-Version: 9",
        b"Content-Disposition: attachment; filename*0*=x'y'z", b"Message-ID: <\xff>", b"Auto-Submitted: no; x=1",
        b"Content-Type: message/rfc822", b"Content-Type: multipart/report; boundary=B", b" folded",
        b"\xff\xfe: x", b":",
    ]
)  # fmt: skip
bodies = st.lists(
    st.one_of(
        st.binary(max_size=60), st.sampled_from([b"--B", b"--B--", b"", b"DONE", b"> old", b"<p>x", b"begin 644 x"])
    ),
    max_size=15,
)


@given(st.lists(headers, max_size=8), bodies, st.sampled_from(["", "<>", "x@example.org"]))
def test_any_mail_is_read_or_refused(head: list[bytes], body: list[bytes], envelope: str) -> None:
    data = b"\r\n".join([*head, b"", *body])
    try:
        found = read(data, envelope_from=envelope, own_mark="X-Krog")
    except Invalid:
        return
    assert isinstance(found, Answer)
    assert len(found.text) <= MAX_TEXT
    assert "\x00" not in found.text + found.sender + found.subject + found.message_id
    assert envelope == "x@example.org" or found.automatic


@given(st.text(max_size=400))
def test_nothing_quoted_is_kept_and_reading_twice_changes_nothing(text: str) -> None:
    once = own_words(text)
    assert not any(line.lstrip().startswith(">") for line in once.split("\n"))
    assert own_words(once) == once


@given(st.text(alphabet=st.sampled_from("<>/abcpscript =\"'&;!-\n"), max_size=200))
def test_any_html_becomes_words(html: str) -> None:
    assert isinstance(words_of_html(html), str)
