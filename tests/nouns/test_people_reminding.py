"""What is overdue reminds its holder, then tells the head, each once; each Monday brings a digest, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from krog.base import times
from krog.base.errors import Forbidden
from krog.base.ids import Ref
from krog.cases import models, verbs
from krog.engine import digest, remind
from krog.journal import reads as journal
from krog.journal.models import Mail
from krog.people import absences
from krog.people import verbs as people
from krog.people.models import Account, Digest, Office
from krog.people.permissions import SYSTEM
from tests.nouns.cases_world import World, world

__all__ = ["world"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

#: A Monday at eight in the morning, UTC.
MONDAY = times.from_datetime(datetime(2026, 11, 30, 8, tzinfo=UTC))


@pytest.fixture()
def head(world: World, account):
    """Hana leads the office that Olga works in."""
    found = account("hana", "official", offices=("vodovod",), name="Hana Vodja")
    Office.objects.filter(key="vodovod").update(head="hana")
    absences.forget()
    return found


def overdue(key: str, hours: float) -> None:
    models.Case.objects.filter(key=key).update(deadline=times.now() - int(hours * times.HOUR))


def mails(to: str) -> list[str]:
    return list(Mail.objects.filter(to=to).order_by("id").values_list("subject", flat=True))


def taken(by) -> str:
    key = verbs.open(SYSTEM, type="leak", channel="phone").key
    verbs.take(by, key=key)
    Mail.objects.all().delete()
    return key


def test_an_overdue_case_reminds_its_holder_once_then_tells_the_head_once(world, head):
    key = taken(world.operator)
    assert remind.remind() == 0
    overdue(key, 1)
    assert (remind.remind(), remind.remind()) == (1, 0)
    assert [("Overdue" in subject) for subject in mails("olga@example.org")] == [True]
    assert mails("hana@example.org") == []
    overdue(key, 49)
    assert (remind.remind(), remind.remind()) == (1, 0)
    assert ["Long overdue" in subject for subject in mails("hana@example.org")] == [True]
    assert "Olga Operater" in Mail.objects.get(to="hana@example.org").text
    assert [e.verb for e in journal.history(Ref("case", key))][:2] == ["cases.escalate", "cases.remind"]


def test_a_case_that_nobody_took_reminds_whom_its_kind_names(world, head):
    models.CaseType.objects.filter(key="leak").update(holder="oto")
    key = verbs.open(SYSTEM, type="leak", channel="phone").key
    Mail.objects.all().delete()
    overdue(key, 1)
    remind.remind()
    assert len(mails("oto@example.org")) == 1 and mails("olga@example.org") == []


def test_the_reminder_of_who_is_away_reaches_the_substitute(world, head):
    key = taken(world.operator)
    absences.enter_absence(SYSTEM, account="olga", since=absences.today(), until=absences.today(), substitute="rok")
    overdue(key, 1)
    remind.remind()
    assert mails("olga@example.org") == []
    mail = Mail.objects.get(to="rok@example.org")
    assert mail.text.startswith("For Olga Operater, who is away until")


def test_closed_put_off_and_reopened_cases(world, head):
    closed, later, again = (taken(world.operator) for _ in range(3))
    verbs.close(world.operator, key=closed, outcome="Done.")
    verbs.snooze(world.operator, key=later, until=times.now() + times.DAY)
    for key in (closed, later, again):
        overdue(key, 1)
    assert remind.remind() == 1
    verbs.close(world.operator, key=again, outcome="Done.")
    verbs.reopen(world.operator, key=again, reason="Not quite.")
    assert remind.remind() == 0
    overdue(again, 1)
    assert remind.remind() == 1


def test_a_kind_of_case_may_never_escalate_and_nobody_else_may_do_it(world, head):
    models.CaseType.objects.filter(key="leak").update(escalate_hours=0)
    key = taken(world.operator)
    overdue(key, 500)
    assert (remind.remind(), remind.remind()) == (1, 0)
    with pytest.raises(Forbidden):
        verbs.remind(world.operator, key=key)
    with pytest.raises(Forbidden):
        verbs.escalate(world.operator, key=key)


def test_every_monday_brings_one_digest_to_who_has_something_open(world, head):
    late, soon = taken(world.operator), taken(world.operator)
    models.Case.objects.filter(key=late).update(deadline=MONDAY - times.DAY)
    models.Case.objects.filter(key=soon).update(deadline=MONDAY + times.DAY)
    assert digest.send(MONDAY - 4 * times.HOUR) == 0
    assert digest.send(MONDAY - times.DAY) == 0
    assert digest.send(MONDAY) == 2
    assert (digest.send(MONDAY), digest.send(MONDAY + times.DAY)) == (0, 0)
    mail = Mail.objects.get(to="olga@example.org")
    assert mail.subject == "Your week from 30. 11. 2026: 2 open, 1 late"
    assert mail.text.index(late.upper()) < mail.text.index(soon.upper())
    hers = Mail.objects.get(to="hana@example.org").text
    assert "Olga Operater: open 2, late 1" in hers
    assert Mail.objects.filter(to="rok@example.org").count() == 0
    assert digest.send(MONDAY + 7 * times.DAY) == 2


def test_an_empty_digest_is_not_sent_and_one_that_was_switched_off_neither(world, head):
    assert digest.send(MONDAY) == 0
    assert Mail.objects.count() == 0
    Digest.objects.all().delete()
    taken(world.operator)
    people.want_digest(world.operator, account="olga", wanted=False)
    digest.send(MONDAY)
    assert mails("olga@example.org") == [] and len(mails("hana@example.org")) == 1
    with pytest.raises(Forbidden):
        people.want_digest(world.other, account="olga", wanted=True)


def test_a_digest_speaks_the_persons_language_and_tells_who_is_away(world, head):
    taken(world.operator)
    Account.objects.filter(key="olga").update(language="sl")
    today = absences.today()
    absences.enter_absence(SYSTEM, account="oto", since=today, until=today, substitute="olga")
    monday = datetime.fromisoformat(today) - timedelta(days=datetime.fromisoformat(today).weekday())
    with translation.override("en"):
        digest.send(times.from_datetime(monday.replace(hour=8, tzinfo=UTC)))
    text = Mail.objects.get(to="olga@example.org").text
    assert "Dober dan" in text and "Oto Drugi" in text


def test_who_is_away_gets_no_digest_and_nobody_reads_it_instead(world, head):
    taken(world.operator)
    absences.enter_absence(SYSTEM, account="olga", since=absences.today(), until=absences.today(), substitute="rok")
    digest.send(MONDAY)
    assert mails("olga@example.org") == []
    rok = Mail.objects.get(to="rok@example.org")
    assert rok.key.startswith("rok.") and "For Olga Operater" in rok.text
