"""Who answers for what: what nobody answers for is found over all nouns, given to somebody at once, and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import ANONYMOUS
from krog.base.ids import Ref
from krog.cases import verbs as cases
from krog.catalogue import door
from krog.engine import responsibility
from krog.engine.cities.apply import apply
from krog.engine.cities.compare import compare
from krog.journal import reads as journal
from krog.people import absences
from krog.people.holdings import Responsible, Wanted
from krog.people.models import Account
from krog.people.permissions import SYSTEM
from krog.plans import reads as plans
from krog.plans.models import Node

KRANJ = Path(__file__).parents[2] / "cities" / "kranj"

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture()
def kranj() -> None:
    apply(KRANJ, SYSTEM)


@pytest.fixture()
def planner(reader):
    return reader("planner", "digital_officer", "official", offices={"kabinet"})


def nobodys(by, **wanted) -> list[str]:
    found = responsibility.found(by, responsibility.without(Wanted(**wanted)), limit=None)
    return [str(held.ref) for held in found]


def test_every_noun_is_asked_in_two_statements(kranj, planner, django_assert_max_num_queries):
    wanted = responsibility.without()
    door.open(planner, "desk", kind="plans")
    with django_assert_max_num_queries(2):
        counts = responsibility.count(planner, wanted)
        found = responsibility.found(planner, wanted, limit=20)
    assert {"node", "rule", "dataset", "case_type"} <= set(counts)
    assert len(found) == 20 and sum(counts.values()) == len(nobodys(planner))


def test_pages_hold_each_thing_once(kranj, planner):
    wanted, total = responsibility.without(), len(nobodys(planner))
    pages = [responsibility.found(planner, wanted, limit=7, offset=offset) for offset in range(0, total, 7)]
    refs = [held.ref for page in pages for held in page]
    assert len(refs) == total == len(set(refs))


def test_all_that_is_found_is_given_to_somebody_at_once_and_taken_back(kranj, planner):
    before = nobodys(planner, nouns=("node",))
    nodes = {row.key: row.holder for row in Node.objects.filter(until=None)}
    assert before
    done = responsibility.assign(
        planner,
        to=Responsible(organisation="mok", holder="planner"),
        wanted=responsibility.without(Wanted(nouns=("node",))),
    )
    assert done.count == len(before) and nobodys(planner, nouns=("node",)) == []
    node = before[0].split("/")[1]
    last = journal.history(Ref("node", node))[0]
    assert (last.verb, last.after["holder"]) == ("plans.answer", "planner")
    assert responsibility.undo(planner, assignment=done.key) == (done.count, 0)
    assert nobodys(planner, nouns=("node",)) == before
    assert {row.key: row.holder for row in Node.objects.filter(until=None)} == nodes
    with pytest.raises(Conflict, match="already"):
        responsibility.undo(planner, assignment=done.key)


def test_taking_back_leaves_alone_what_was_changed_since(kranj, planner):
    two = [Ref("node", key) for key in ("sc3", "oc3.1")]
    done = responsibility.assign(planner, to=Responsible(holder="planner"), refs=two)
    responsibility.assign(planner, to=Responsible(holder="official"), refs=[two[0]])
    assert responsibility.undo(planner, assignment=done.key) == (1, 1)
    assert Node.objects.get(key="sc3", until=None, draft=None).holder == "official"


def test_an_office_is_enough_for_an_organisation_but_not_for_a_holder(kranj, planner):
    assert "node/sc3" in nobodys(planner)
    responsibility.assign(planner, to=Responsible(holder="planner"), refs=[Ref("node", "sc3")])
    assert "node/sc3" not in nobodys(planner)
    Node.objects.filter(key="sc3").update(office="")
    assert "node/sc3" in nobodys(planner)
    responsibility.assign(planner, to=Responsible(organisation="mok"), refs=[Ref("node", "sc3")])
    assert "node/sc3" not in nobodys(planner)


def test_whose_holder_has_left_is_without_again(kranj, planner):
    responsibility.assign(planner, to=Responsible(holder="official"), refs=[Ref("rule", "night-flow")])
    assert "rule/night-flow" not in nobodys(planner)
    Account.objects.filter(key="official").update(is_active=False)
    assert "rule/night-flow" in nobodys(planner)
    with pytest.raises(NotFound):
        responsibility.assign(planner, to=Responsible(holder="official"), refs=[Ref("rule", "night-flow")])


def test_a_case_that_nobody_took_is_answered_by_its_kind(kranj, planner):
    case = cases.open(SYSTEM, type="water", channel="phone")
    assert f"case/{case.key}" in nobodys(planner)
    responsibility.assign(planner, to=Responsible(holder="operator"), refs=[Ref("case_type", "water")])
    assert f"case/{case.key}" not in nobodys(planner)
    held = responsibility.found(planner, Wanted(nouns=("case",)))[0]
    assert (held.responsible.holder, held.own.holder) == ("operator", "")


def test_one_that_cannot_be_given_stops_all(kranj, planner):
    both = [Ref("node", "sc3"), Ref("indicator", "night-losses")]
    with pytest.raises(Conflict, match="confirms"):
        responsibility.assign(planner, to=Responsible(holder="official"), refs=both)
    assert Node.objects.get(key="sc3", until=None, draft=None).holder == ""


def test_others_may_neither_look_nor_give(kranj, planner, reader):
    refs = [Ref("node", "sc3")]
    assert responsibility.found(ANONYMOUS, Wanted()) == [] and responsibility.count(ANONYMOUS, Wanted()) == {}
    with pytest.raises(Invalid):
        responsibility.assign(ANONYMOUS, to=Responsible(holder="planner"), refs=refs)
    with pytest.raises(Forbidden):
        responsibility.assign(reader("official", offices={"kabinet"}), to=Responsible(holder="planner"), refs=refs)
    with pytest.raises(Invalid):
        responsibility.assign(planner, to=Responsible(), refs=refs)
    with pytest.raises(NotFound):
        responsibility.assign(planner, to=Responsible(office="nowhere"), refs=refs)


def test_only_people_of_the_city_learn_who_answers_for_a_node(kranj, planner):
    responsibility.assign(planner, to=Responsible(holder="planner"), refs=[Ref("node", "sc3")])
    inside = plans.nodes_named(door.open(planner, "desk", kind="plans"), ["sc3"])
    outside = plans.nodes_named(door.open(ANONYMOUS, "portal", kind="plans"), ["sc3"])
    assert (inside["sc3"].holder, outside["sc3"].holder) == ("planner", "")
    plan = inside["sc3"].plan
    for entry in plans.history(door.open(ANONYMOUS, "portal", kind="plans"), plan, "sc3"):
        assert "planner" not in f"{entry.before}{entry.after}{entry.who}"


def test_what_the_desk_assigned_survives_the_next_apply(kranj, planner):
    responsibility.assign(planner, to=Responsible(holder="planner"), refs=[Ref("node", "sc3")])
    assert not compare(KRANJ).conflicts
    apply(KRANJ, SYSTEM)
    assert Node.objects.get(key="sc3", until=None, draft=None).holder == "planner"


def test_who_takes_over_gets_one_mail_in_his_language_or_who_stands_in(kranj, planner):
    Account.objects.filter(key="planner").update(language="en")
    wanted = responsibility.without(Wanted(nouns=("node",)))
    before = len(journal.mails())
    done = responsibility.assign(planner, to=Responsible(holder="planner"), wanted=wanted)
    mail, *others = journal.mails()[: len(journal.mails()) - before]
    assert others == [] and mail.to == "nacrtovalka@kranj.example"
    assert f"{done.count} things are yours" in mail.subject
    assert f"and {done.count - 10} more" in mail.text and "/desk/people/of/planner/" in mail.text
    day = absences.today()
    absences.enter_absence(SYSTEM, account="official", since=day, until=day, substitute="confirmer")
    node = Ref("node", Node.objects.filter(until=None, draft=None).values_list("key", flat=True)[0])
    responsibility.assign(planner, to=Responsible(holder="official"), refs=[node])
    assert journal.mails()[0].to == "potrjevalec@kranj.example"
    count = len(journal.mails())
    responsibility.assign(planner, to=Responsible(office="finance", holder="official"), refs=[node])
    assert len(journal.mails()) == count, "who answered for it already is not told again"
