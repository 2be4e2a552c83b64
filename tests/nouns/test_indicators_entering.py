"""A value asked from a person: entered by the owner, confirmed or rejected by a second person, never changed."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from krog.base import times
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import ANONYMOUS
from krog.base.ids import Ref
from krog.catalogue import door
from krog.engine.compute.asking import ask_due
from krog.indicators import models, reads, verbs
from krog.indicators.shapes import RequestState, Status
from krog.journal import reads as journal
from krog.people import links
from krog.people.models import Account, Office
from krog.people.permissions import SYSTEM
from tests import measuring, sensing

pytestmark = pytest.mark.django_db
KEY = "k3-1.2025"


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


@pytest.fixture()
def people(account, db):
    sensing.dataset("tus-indicators", noun="indicators")
    found = {
        "ana": account("ana", "official", offices=("energetika",)),
        "bor": account("bor", "official", offices=("energetika",)),
        "cene": account("cene", "official", offices=("promet",)),
    }
    measuring.declare(k3_1=measuring.entered())
    measuring.known("k3-1", y2023=18000.0, y2024=17500.0)
    return found


def public():
    return door.open(ANONYMOUS, "portal", kind="indicators")


def inside():
    return door.open(SYSTEM, "desk", kind="indicators")


def mails():
    return [(m.to, m.subject, m.text) for m in reversed(journal.mails(ref=Ref("indicator-request", KEY)))]


def test_a_value_counts_only_after_a_second_person_confirmed_it(people):
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    to, _subject, text = mails()[0]
    assert to == "ana@example.org"
    token = re.search(r"/en/indicators/enter/(\S+)", text)[1]
    link = links.open(token, "indicator-value")
    verbs.enter(link.reader, request=link.ref.key, value=17250.5, source="Book-keeping", note="no pools")
    assert "2025" not in {v.period for v in reads.values(public(), "k3-1")}
    assert all(v.status != Status.PROVISIONAL for v in reads.history(public(), "k3-1").items)
    to, _subject, text = mails()[1]
    assert to == "bor@example.org"
    assert "17250.5 MWh" in text
    second = links.open(re.search(r"/en/indicators/confirm/(\S+)", text)[1], "indicator-confirm")
    verbs.confirm(second.reader, request=KEY)
    latest = reads.values(public(), "k3-1")[-1]
    assert (latest.period, latest.value, latest.status) == ("2025", 17250.5, Status.CONFIRMED)
    assert (latest.entered_by, latest.confirmed_by) == ("ana", "bor")
    assert [e.verb for e in journal.history(Ref("indicator-request", KEY))] == [
        "indicators.confirm",
        "indicators.enter",
        "indicators.ask",
    ]


def test_nobody_who_has_left_is_asked_for_a_value(people):
    Account.objects.filter(key="ana").update(is_active=False)
    with pytest.raises(Conflict, match="Nobody answers"):
        verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    assert journal.mails() == []


def test_where_the_office_is_empty_its_head_is_asked_else_a_planner(people, account):
    office = Office.objects.create(key="energetika", title={"en": "Energy"}, organisation="mok", head="cene")
    Account.objects.filter(key__in=["ana", "bor"]).update(is_active=False)
    planner = account("pia", "planner")
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    assert mails()[-1][0] == "cene@example.org"
    verbs.enter(people["cene"], request=KEY, value=17250.0, source="Bills")
    assert mails()[-1][0] == "pia@example.org", "who entered does not confirm"
    with pytest.raises(Forbidden):
        verbs.confirm(people["cene"], request=KEY)
    verbs.confirm(planner, request=KEY)
    assert reads.values(public(), "k3-1")[-1].value == 17250.0
    Office.objects.filter(pk=office.pk).update(head="")
    verbs.ask(SYSTEM, indicator="k3-1", period="2024")
    assert journal.mails(ref=Ref("indicator-request", "k3-1.2024"))[0].to == "pia@example.org"


def test_asking_looks_at_values_once_however_many_indicators(people):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def looks():
        with CaptureQueriesContext(connection) as found:
            ask_due(times.parse("2027-01-01T00:00:00Z"))
        return sum("indicators_value" in each["sql"] for each in found)

    measuring.known("k3-1", y2026=1.0)
    few = looks()
    measuring.declare(**{f"many_{n}": measuring.entered() for n in range(5)})
    for n in range(5):
        measuring.known(f"many-{n}", y2026=1.0)
    assert (few, looks()) == (1, 1)
    assert journal.mails() == [], "what is known is not asked for"


def test_who_entered_may_not_confirm_and_strangers_may_do_neither(people):
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    for stranger in (ANONYMOUS, people["cene"]):
        with pytest.raises(Forbidden):
            verbs.enter(stranger, request=KEY, value=17000, source="x")
    verbs.enter(people["ana"], request=KEY, value=17000, source="x")
    with pytest.raises(Forbidden, match="entered the value"):
        verbs.confirm(people["ana"], request=KEY)
    with pytest.raises(Forbidden):
        verbs.reject(people["cene"], request=KEY, reason="no")
    assert reads.request(inside(), KEY).state == RequestState.ENTERED


def test_an_official_of_the_office_may_stand_in_but_not_twice(people):
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    verbs.enter(people["bor"], request=KEY, value=17000, source="x")
    with pytest.raises(Forbidden, match="entered the value"):
        verbs.confirm(people["bor"], request=KEY)
    verbs.confirm(people["ana"], request=KEY)
    assert reads.values(public(), "k3-1")[-1].value == 17000


def test_a_rejected_value_is_kept_and_asked_for_again_with_the_reason(people):
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    verbs.enter(people["ana"], request=KEY, value=17000, source="x")
    with pytest.raises(Invalid, match="why"):
        verbs.reject(people["bor"], request=KEY, reason=" ")
    verbs.reject(people["bor"], request=KEY, reason="Schools are missing.")
    assert "Schools are missing." in mails()[-1][2]
    assert mails()[-1][0] == "ana@example.org"
    verbs.enter(people["ana"], request=KEY, value=17900, source="x")
    verbs.confirm(people["bor"], request=KEY)
    rows = reads.history(inside(), "k3-1", period="2025").items
    assert [(r.value, r.status.value) for r in rows] == [
        (17900, "confirmed"),
        (17900, "provisional"),
        (17000, "rejected"),
        (17000, "provisional"),
    ]
    assert [r.value for r in reads.history(public(), "k3-1", period="2025").items] == [17900]


def test_what_was_done_once_cannot_be_done_again(people):
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    with pytest.raises(Conflict, match="asked"):
        verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    with pytest.raises(Conflict):
        verbs.confirm(people["bor"], request=KEY)
    verbs.enter(people["ana"], request=KEY, value=17000, source="x")
    with pytest.raises(Conflict, match="entered already"):
        verbs.enter(people["ana"], request=KEY, value=17000, source="x")
    verbs.confirm(people["bor"], request=KEY)
    with pytest.raises(Conflict):
        verbs.confirm(people["bor"], request=KEY)
    with pytest.raises(NotFound):
        verbs.confirm(people["bor"], request="k3-1.1999")


def test_an_unlikely_value_needs_a_second_look(people):
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    for value, reason in ((17_250_500.0, "thousandfold"), (-17000.0, "sign"), (900.0, "jump")):
        with pytest.raises(Invalid) as caught:
            verbs.enter(people["ana"], request=KEY, value=value, source="x")
        assert caught.value.extra["unlikely"] == reason
    assert not models.Value.objects.filter(period="2025").exists()
    verbs.enter(people["ana"], request=KEY, value=900.0, source="x", sure=True)


def test_late_requests_are_found_and_reminded(people):
    verbs.ask(SYSTEM, indicator="k3-1", period="2025")
    mine = {"energetika"}
    assert reads.waiting(inside(), mine) == {"open": 1, "late": 0}
    assert reads.waiting(inside(), {"promet"}) == {"open": 0, "late": 0}
    models.Request.objects.update(due=times.now() - times.DAY)
    assert reads.waiting(inside(), mine) == {"open": 1, "late": 1}
    verbs.remind(SYSTEM, request=KEY)
    assert [to for to, _subject, _text in mails()] == ["ana@example.org"] * 2
    assert reads.requests(public()).total == 0, "nobody outside sees who is late"


def test_responsible_people_change_with_a_reason_and_stay_two(people):
    with pytest.raises(Conflict, match="second person"):
        verbs.change_responsible(people["ana"], key="k3-1", owner="ana", confirmer="ana", note="x")
    with pytest.raises(Forbidden):
        verbs.change_responsible(people["cene"], key="k3-1", owner="cene", confirmer="bor", note="x")
    with pytest.raises(NotFound):
        verbs.change_responsible(people["ana"], key="k3-1", owner="nobody", confirmer="bor", note="x")
    verbs.change_responsible(people["ana"], key="k3-1", owner="cene", confirmer="bor", note="Ana is away.")
    assert reads.indicator(inside(), "k3-1").owner == "cene"
    assert reads.indicator(public(), "k3-1").owner == ""
    entry = journal.history(Ref("indicator", "k3-1"))[0]
    assert (entry.verb, entry.reason) == ("indicators.change-responsible", "Ana is away.")
