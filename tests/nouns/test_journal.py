"""The journal: append-only, sealed, erasable without breaking its chain."""

from __future__ import annotations

import pytest

from krog.base.ids import Ref
from krog.journal import models, reads, verbs
from krog.people.permissions import SYSTEM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def test_history_gives_who_what_before_and_after_newest_first(reader):
    who = reader("planner", name="Ana")
    verbs.record(who, "plans.change", Ref("node", "u1"), before={"status": "idea"}, after={"status": "running"})
    verbs.record(who, "plans.change", Ref("node", "u1"), after={"status": "done"}, reason="built")
    newest, first = reads.history(Ref("node", "u1"))
    assert (newest.reason, newest.before, first.who) == ("built", None, "Ana")
    assert first.changed == [("status", "idea", "running")]
    assert reads.history(Ref("node", "u2")) == []


def test_sealing_covers_each_entry_once_and_verifies():
    for n in range(7):
        verbs.record(SYSTEM, "test", Ref("thing", str(n)), after={"n": n})
    assert verbs.seal() == 7
    assert verbs.seal() == 0
    verbs.record(SYSTEM, "test", Ref("thing", "later"))
    check = reads.verify()
    assert (check.sealed, check.unsealed, check.broken) == (7, 1, "")


@pytest.mark.parametrize("column, value", [("verb", "forged"), ("reason", "x"), ("after_hash", "0" * 64)])
def test_a_changed_entry_breaks_the_seal(column, value):
    verbs.record(SYSTEM, "test", Ref("thing", "a"), after={"n": 1})
    verbs.seal()
    models.Entry.objects.update(**{column: value})
    assert reads.verify().broken


def test_a_removed_entry_and_a_changed_payload_are_found():
    verbs.record(SYSTEM, "test", Ref("thing", "a"), after={"n": 1})
    verbs.record(SYSTEM, "test", Ref("thing", "b"), after={"n": 2})
    verbs.seal()
    models.Payload.objects.filter(entry__key="b").update(after={"n": 3})
    assert "payload" in reads.verify().broken


def test_erasing_payloads_keeps_the_chain_and_says_so():
    verbs.record(SYSTEM, "cases.open", Ref("case", "k-1"), after={"reporter": "ana@example.org"})
    verbs.seal()
    assert verbs.erase(SYSTEM, ref=Ref("case", "k-1"), reason="asked by the person") == 1
    verbs.seal()
    assert reads.verify().broken == ""
    assert [e.after for e in reads.history(Ref("case", "k-1"))] == [None, None]


def test_mail_waits_longer_after_each_failure_and_is_given_up_at_last():
    mail = verbs.post_mail(to="a@example.org", subject="Two\nlines", text="t", ref=Ref("case", "k-1"))
    assert [m.subject for m in reads.mails_due()] == ["Two lines"]
    verbs.mail_failed(mail=mail, error="connection refused")
    assert reads.mails_due() == []
    for _ in verbs.RETRY_AFTER_S:
        verbs.mail_failed(mail=mail, error="connection refused")
    assert reads.mail_counts() == {"failed": 1}
    verbs.mail_again(SYSTEM, mail=mail)
    assert len(reads.mails_due()) == 1


def test_mails_to_one_address_are_erased_and_not_sent_any_more():
    about = Ref("case", "k-1")
    sent, waiting = (
        verbs.post_mail(to="ana@example.org", subject="Ana's report", text="Dear Ana", ref=about) for _ in range(2)
    )
    office = verbs.post_mail(to="office@example.org", subject="A report", text="Look", ref=about)
    verbs.post_mail(to="office@example.org", subject="News", text="Ana@example.org wrote.", ref=about)
    verbs.mail_sent(mail=sent, message_id="<1@krog>")
    assert verbs.erase_mails(SYSTEM, ref=about, address="ana@example.org", reason="asked by the person") == 3
    verbs.mail_failed(mail=waiting, error="ana@example.org is unknown here")
    verbs.mail_sent(mail=waiting, message_id="<2@krog>")
    assert [mail.id for mail in reads.mails_due()] == [office]
    assert reads.mail_counts() == {"erased": 3, "queued": 1}
    assert reads.mail(sent).sent is not None
    assert "ana" not in str(reads.mails()).lower() + str(reads.history(about)).lower()


def test_the_sealer_looks_back_for_what_committed_late(monkeypatch):
    monkeypatch.setattr(verbs, "LOOK_BACK", 3)
    for n in range(6):
        verbs.record(SYSTEM, "test", Ref("thing", str(n)))
    late = models.Entry.objects.get(key="4")
    models.Entry.objects.filter(pk=late.pk).delete()
    assert verbs.seal() == 5
    late.save(force_insert=True)
    assert verbs.seal() == 1
    assert reads.verify().unsealed == 0


def test_applied_keeps_replaces_and_forgets():
    verbs.applied("thing", {"a": {"x": 1}, "b": {"x": 2}})
    verbs.applied("thing", {"a": {"x": 3}, "b": None})
    assert reads.applied("thing") == {"a": {"x": 3}}
