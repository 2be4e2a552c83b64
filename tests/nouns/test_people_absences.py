"""While a person is away, tasks and mail reach who stands in; without chains, without circles."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import Grant
from krog.base.ids import Ref
from krog.journal import reads as journal
from krog.journal.models import Mail
from krog.people import absences, letters, links, reads
from krog.people.models import Absence, Account, Office
from krog.people.permissions import SYSTEM, is_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

TODAY = date.fromisoformat(absences.today())


def day(number: int) -> str:
    return (TODAY + timedelta(days=number)).isoformat()


@pytest.fixture()
def office(account):
    """Ana and Bor of one office that Cilka leads; Eva works elsewhere."""
    Office.objects.create(key="water", title={"en": "Water"}, organisation="mok", head="cilka", deputy="bor")
    Office.objects.create(key="roads", title={"en": "Roads"}, organisation="mok")
    return {
        "ana": account("ana", "operator", offices=("water",), name="Ana Kos"),
        "bor": account("bor", "official", offices=("water",)),
        "cilka": account("cilka", "official", offices=("water",)),
        "eva": account("eva", "official", offices=("roads",)),
    }


def away(account: str, substitute: str = "", since: int = 0, until: int = 3) -> int:
    return absences.enter_absence(SYSTEM, account=account, since=day(since), until=day(until), substitute=substitute)


def reached(account: str) -> str | None:
    found = letters.reaches(account)
    return found[0].key if found else None


def test_mail_goes_to_the_substitute_only_while_the_absence_lasts(office):
    assert reached("ana") == "ana"
    away("ana", "eva", since=1)
    assert reached("ana") == "ana"
    Absence.objects.update(since=day(0))
    absences.forget()
    assert reached("ana") == "eva"
    Absence.objects.update(until=day(-1), since=day(-2))
    absences.forget()
    assert reached("ana") == "ana"


def test_the_mail_says_for_whom_it_is_and_carries_a_link_of_its_reader(office):
    away("ana", "eva")
    ref = Ref("case", "k-1")

    def compose(to):
        return letters.Letter("Hello", f"Dear {to.name}", ref, links.sign("case", ref, to.key, days=3))

    assert letters.write("ana", compose).key == "eva"
    mail = Mail.objects.get()
    last = TODAY + timedelta(days=3)
    assert mail.to == "eva@example.org"
    assert mail.text == f"For Ana Kos, who is away until {last.day}. {last.month}. {last.year}.\n\nDear eva"
    assert links.open(mail.reply_token, "case").account == "eva"


def test_a_substitute_who_is_away_too_is_passed_over_for_the_head_then_the_deputy(office):
    away("ana", "eva")
    away("eva")
    assert reached("ana") == "cilka"
    away("cilka")
    assert reached("ana") == "bor"
    assert reached("cilka") == "bor"


def test_where_nobody_can_stand_in_the_mail_still_reaches_the_person(account):
    account("ana", "operator", offices=("water",))
    away("ana")
    assert reached("ana") == "ana"


def test_who_has_left_gets_no_mail_and_stands_in_for_nobody(office):
    away("ana", "eva")
    Account.objects.filter(key="eva").update(is_active=False)
    absences.forget()
    assert reached("ana") == "cilka"
    assert reached("eva") is None and letters.write("eva", lambda to: pytest.fail("nobody reads it")) is None


def test_who_stands_in_may_what_the_absent_may(office):
    away("ana", "eva")
    now = reads.reader(office["eva"].id)
    assert now is not None and now.offices == {"roads", "water"} and now.leads == frozenset()
    away("cilka", "eva")
    now = reads.reader(office["eva"].id)
    assert now is not None and now.leads == {"water"}
    token = links.sign("case", Ref("case", "k-1"), "eva", days=3)
    assert "water" in links.open(token, "case").reader.offices
    absences.end_absence(SYSTEM, absence=Absence.objects.get(account="ana").pk)
    absences.end_absence(SYSTEM, absence=Absence.objects.get(account="cilka").pk)
    now = reads.reader(office["eva"].id)
    assert now is not None and now.offices == {"roads"}


def test_absences_are_entered_by_the_person_the_head_or_an_administrator(office, reader):
    cilka = reads.reader(office["cilka"].id)
    ana = reads.reader(office["ana"].id)
    assert cilka and ana and cilka.leads == {"water"}
    absences.enter_absence(ana, account="ana", since=day(10), until=day(12))
    absences.enter_absence(cilka, account="ana", since=day(20), until=day(22))
    made = absences.enter_absence(reader("administrator"), account="ana", since=day(30), until=day(32))
    with pytest.raises(Forbidden):
        absences.enter_absence(office["eva"], account="ana", since=day(40), until=day(41))
    with pytest.raises(Forbidden):
        absences.end_absence(office["eva"], absence=made)
    entry = journal.history(Ref("account", "ana"))[0]
    assert entry.verb == "people.enter-absence" and entry.after["until"] == day(32)


@pytest.mark.parametrize(
    ("given_", "error", "said"),
    [
        ({"since": "tomorrow"}, Invalid, "is not a day"),
        ({"until": "2026-02-30"}, Invalid, "is not a day"),
        ({"since": day(2), "until": day(1)}, Invalid, "before the first"),
        ({"since": day(-9), "until": day(-1)}, Invalid, "already over"),
        ({"until": day(500)}, Invalid, "longer than a year"),
        ({"substitute": "ana"}, Invalid, "Somebody else"),
        ({"substitute": "nobody"}, NotFound, "no account"),
        ({"substitute": "citizen"}, Invalid, "does not work for the city"),
        ({"substitute": "eva"}, Conflict, "is away too"),
        ({"account": "eva"}, Conflict, "entered already"),
        ({"account": "nobody"}, NotFound, "no account"),
    ],
)
def test_a_wrong_absence_is_refused_with_the_reason(office, account, given_, error, said):
    account("citizen", "citizen")
    away("eva", since=1, until=2)
    whole = {"account": "ana", "since": day(0), "until": day(3), "substitute": "bor", **given_}
    if whole["account"] == "eva":
        whole["substitute"] = ""
    with pytest.raises(error, match=said):
        absences.enter_absence(SYSTEM, **whole)
    assert Absence.objects.count() == 1


def test_only_people_of_the_city_see_who_is_away(office, reader):
    away("ana", "eva")
    assert [one.name for one in reads.absences(Grant(office["bor"], "desk"))] == ["Ana Kos"]
    assert reads.absences(Grant(reader(), "portal")) == []


PEOPLE = ("p0", "p1", "p2", "p3")


@given(
    st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(("", *PEOPLE)), max_size=4),
    st.sampled_from(("", *PEOPLE)),
)
def test_nobody_who_is_away_stands_in_whatever_is_entered(substitutes, head):
    """Also with substitutes in a circle, which people could make one after the other."""
    Absence.objects.all().delete()
    Account.objects.all().delete()
    Office.objects.all().delete()
    Office.objects.create(key="o", head=head, organisation="mok")
    for key in PEOPLE:
        Account.objects.create(key=key, name=key, email=f"{key}@x.org", roles=["official"], offices=["o"])
    for key, substitute in substitutes.items():
        Absence.objects.create(account=key, substitute=substitute, since=day(0), until=day(1), entered=0)
    absences.forget()
    there = set(PEOPLE) - set(substitutes)
    for key in PEOPLE:
        if key in there or there:
            assert reached(key) in there
        else:
            assert reached(key) == key
    assert all(is_staff(reads.reader(row.pk)) for row in Account.objects.all())
