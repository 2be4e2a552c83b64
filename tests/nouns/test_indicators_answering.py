"""Answers by mail to the question for a value; and targets that a planner clears up."""

from __future__ import annotations

import pytest
from django.utils import translation

from krog.base.errors import Forbidden, Invalid
from krog.base.ids import Ref
from krog.catalogue import door
from krog.indicators import models, numbers, reads, verbs
from krog.indicators.shapes import RequestState, Status
from krog.journal import reads as journal
from krog.people.identity import reader_of
from krog.people.models import Account
from krog.people.permissions import SYSTEM
from krog.sources.mail import replies
from tests import measuring, sensing

pytestmark = pytest.mark.django_db
KEY = "k3-1.2025"


@pytest.fixture(autouse=True)
def people(account, db):
    with translation.override("en"):
        sensing.dataset("tus-indicators", noun="indicators")
        account("ana", "official", offices=("energetika",))
        account("bor", "official", offices=("energetika",))
        measuring.declare(k3_1=measuring.entered())
        measuring.known("k3-1", y2023=18000.0, y2024=17500.0)
        yield


def mails():
    return list(reversed(journal.mails(ref=Ref("indicator-request", KEY))))


def reply(text, sender="ana@example.org", mail=None):
    asked = mail or next(m for m in mails() if m.reply_token)
    raw = f"From: {sender}\r\nTo: krog@example.org\r\nSubject: Re\r\nMessage-ID: <1@x>\r\n\r\n{text}\r\n".encode()
    return replies.handle(raw, envelope_from=sender, mail=asked.id).what


def state():
    return models.Request.objects.get(key=KEY).state


@pytest.mark.parametrize(("text", "language", "value", "unit"), [
    ("123,4", "sl", 123.4, ""),
    ("17.250,5 MWh", "sl", 17250.5, "MWh"), ("1.234", "sl", 1234.0, ""), ("-3", "sl", -3.0, ""),
    ("1,234.5", "en", 1234.5, ""), ("12 %", "it", 12.0, "%"),
])  # fmt: skip
def test_numbers_are_read_as_locals_write_them(text, language, value, unit):
    found = numbers.first_line(f"{text}\nfrom the books", language)
    assert (found.value, found.unit, found.rest) == (value, unit, "from the books")


@pytest.mark.parametrize("text", [
    "", "31. 3. 2026", "2026-03-31", "NaN", "inf", "1e400", "9" * 60, "about 12", "12 or 13", "hello",
    "12\x003 4 5 6 x 7",
])  # fmt: skip
def test_what_is_no_plain_number_is_not_guessed_at(text):
    found = numbers.first_line(text, "sl")
    assert found.value is None
    assert not found.none


def test_a_reply_with_a_number_enters_it_and_the_second_person_is_asked():
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    assert (
        reply(
            "17250.5 MWh/year\nBook-keeping 2025",
        )
        == "unclear"
    ), "the unit is MWh/leto in the vocabulary"
    assert reply("17250.5\nBook-keeping 2025") == "entered"
    row = models.Value.objects.get(period="2025")
    assert (row.value, row.status, row.source, row.entered_by) == (
        17250.5,
        Status.PROVISIONAL,
        "Book-keeping 2025",
        "ana",
    )
    assert "17250.5" in next(m for m in mails() if m.subject.startswith("Thank you")).text
    assert [m.to for m in mails() if "confirm" in m.subject.lower()] == ["bor@example.org"]


def test_a_second_reply_or_one_to_a_confirmed_value_changes_nothing_and_says_so():
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    asked = mails()[0]
    reply("17250.5\nbooks", mail=asked)
    assert reply("17999\nbooks", mail=asked) == "refused"
    assert "entered already" in mails()[-1].text
    assert models.Value.objects.filter(period="2025").count() == 1


def test_a_reply_from_somebody_else_stores_nothing_and_answers_nobody():
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    before = len(mails())
    assert reply("17250.5\nbooks", sender="eve@example.org") == "stranger"
    assert (state(), len(mails())) == (RequestState.ASKED, before)


@pytest.mark.parametrize(("text", "says"), [
    ("17250.5 kg", "wanted in"), ("31. 3. 2026", "no number"), ("NaN", "no number"), ("none", "not why"),
    ("1725000000000000000000", "no number"), ("17250500", "far from the last"),
])  # fmt: skip
def test_an_unclear_reply_is_answered_with_what_was_understood(text, says):
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    assert reply(text) in ("unclear", "refused")
    assert "Nothing has been stored" in mails()[-1].text
    assert says in mails()[-1].text
    assert not models.Value.objects.filter(period="2025").exists()
    assert state() == RequestState.ASKED


def test_that_there_is_no_value_is_an_answer_with_its_reason_and_is_confirmed_like_any_other():
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    assert reply("none\nThe meters were replaced") == "entered"
    bor = Account.objects.get(key="bor")
    verbs.confirm(reader_of(bor), request=KEY)
    one = reads.values(door.open(SYSTEM, "desk", kind="indicators"), "k3-1")[-1]
    assert (one.period, one.value, one.note, one.reasons) == (
        "2025", None, "The meters were replaced", [{"code": "not-available"}])  # fmt: skip


def test_the_office_stands_in_for_an_owner_who_has_left(account):
    account("dan", "official", offices=("energetika",))
    Account.objects.filter(key="ana").update(is_active=False)
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    asked = reads.request(door.open(SYSTEM, "desk", kind="indicators"), KEY)
    assert (mails()[0].to, asked.asked_of) == ("dan@example.org", "dan@example.org")


def test_a_planner_clears_up_a_target_once_and_it_is_judged(account):
    measuring.target(
        "t", "k3-1", value=-7.0, type="relative_to_baseline", raw="-7 %", parse_status="ambiguous", note="?"
    )
    planner = account("pia", "planner")
    with pytest.raises(Invalid):
        verbs.clarify_target(planner, key="t", clarification=" ", date="2030", type="threshold", value=16000.0)
    with pytest.raises(Forbidden):
        verbs.clarify_target(reader_of(Account.objects.get(key="bor")), key="t", clarification="x", date="2030",
                             type="threshold", value=16000.0)  # fmt: skip
    verbs.clarify_target(planner, key="t", clarification="Decision 12/2026 of the council", date="2030",
                         type="threshold", op="<=", value=18000.0)  # fmt: skip
    found = reads.indicator(door.open(SYSTEM, "desk", kind="indicators"), "k3-1").targets[0]
    assert (found.parse_status, found.raw, found.clarification) == ("ok", "-7 %", "Decision 12/2026 of the council")
    assert str(measuring.standing_of("k3-1").verdict) == "on_track"
    assert journal.history(Ref("indicator", "k3-1"))[0].verb == "indicators.clarify-target"
