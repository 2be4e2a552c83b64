"""Anybody proposes; the address is confirmed, an official answers in public, the plan takes it up; no address leaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krog.base import times
from krog.base.declaration import Change
from krog.base.errors import Conflict, Forbidden, Invalid, NotFound
from krog.base.grant import ANONYMOUS
from krog.base.ids import Ref
from krog.engine.forget import forget
from krog.journal import reads as journal
from krog.people.permissions import SYSTEM
from krog.plans import verbs as plans
from krog.voice import mails, models, providers, reads, verbs
from tests.nouns.plans_fixture import PLANNER, english, grant, plan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures(english.__name__)]

Make = Callable[..., str]
SECRET = "ana.novak@example.org"


def call(dataset: Make, *, key: str = "water", opens: int = -10, closes: int = 10) -> None:
    """A call on the plan, opening and closing so many days from now."""
    dataset("proposals", noun="voice", personal=True)
    verbs.declare_calls(
        SYSTEM,
        changes=[
            Change(
                key,
                {
                    "title": {"en": "What should we do for water?", "sl": "Kaj naj storimo za vodo?"},
                    "text": {},
                    "plan": "town",
                    "opens": (reads.today() + timedelta(days=opens)).isoformat(),
                    "closes": (reads.today() + timedelta(days=closes)).isoformat(),
                    "dataset": "proposals",
                },
            )
        ],
    )


def propose(**fields: Any) -> str:
    return verbs.propose(ANONYMOUS, **{"call": "water", "title": "Fix the pipes", "text": "They leak.", **fields})


@pytest.fixture()
def official(reader: Callable[..., Any]) -> Any:
    return reader("official", name="Oto Official")


def test_a_proposal_without_an_address_waits_for_an_official(dataset: Make, official: Any) -> None:
    plan(dataset)
    call(dataset)
    key = propose(title=" Fix \n the pipes ", node="u3.2", place="Mlaka 5", author="Ana")
    assert reads.waiting(grant(official)) == 1
    assert reads.waiting(grant()) == 0
    assert reads.proposals(grant()).items == ()
    outside = reads.proposal(grant(), key)
    assert (outside.state, outside.title, outside.text, outside.author) == ("received", "", "", "")
    assert reads.proposal(grant(official), key).title == "Fix the pipes"
    verbs.answer(official, key=key, accept=True, text="We will look at it.")
    shown = reads.proposals(grant(), node="u3.2").items[0]
    assert (shown.title, shown.author, shown.answer, shown.answered_by) == (
        "Fix the pipes",
        "Ana",
        "We will look at it.",
        "",
    )
    assert reads.calls(grant())[0].proposals == 1
    with pytest.raises(Conflict, match="Oto Official"):
        verbs.answer(official, key=key, accept=False, text="No.")


def test_an_address_is_confirmed_before_anybody_reads_the_proposal(dataset: Make, official: Any) -> None:
    plan(dataset)
    call(dataset)
    key = propose(email=SECRET, language="en")
    assert reads.proposal(grant(), key).state == "unconfirmed"
    assert reads.proposals(grant(official)).total == 0
    with pytest.raises(NotFound):
        verbs.answer(official, key=key, accept=True, text="Yes")
    mail = journal.mails(ref=Ref("proposal", key))[0]
    assert mail.to == SECRET
    token = mail.text.split("/voice/confirm/")[1].split()[0]
    for wrong in ("", token[:-2], token + "x", mails.token_of("p-other")[:-1], "a~b~c"):
        with pytest.raises(Forbidden):
            verbs.confirm(ANONYMOUS, token=wrong)
    assert verbs.confirm(ANONYMOUS, token=token) == key
    assert verbs.confirm(ANONYMOUS, token=token) == key
    assert reads.proposal(grant(), key).state == "received"
    verbs.answer(official, key=key, accept=False, text="Not the city's pipes.", withhold=True)
    answer = journal.mails(ref=Ref("proposal", key))[0]
    assert (answer.to, answer.subject) == (SECRET, "Your proposal was declined")
    assert "Not the city's pipes." in answer.text
    outside = reads.proposal(grant(), key)
    assert (outside.answer, outside.title, outside.text) == ("Not the city's pipes.", "", "")
    assert reads.proposals(grant()).total == 0


def test_the_plan_takes_a_proposal_up_and_its_author_hears_of_it(dataset: Make, official: Any) -> None:
    plan(dataset)
    call(dataset)
    key = propose(email=SECRET, node="u3.2", language="en")
    verbs.confirm(ANONYMOUS, token=mails.token_of(key))
    verbs.answer(official, key=key, accept=True, text="Good.")
    draft = plans.begin_draft(PLANNER, plan="town", label="2026")
    plans.change_node(
        PLANNER,
        plan="town",
        draft=draft,
        node="u3.2",
        fields={"title": {"en": "New pipes"}},
        because=Ref("proposal", key),
    )
    steps = [step.code for step in reads.steps(grant(), reads.proposal(grant(), key))]
    assert steps == ["received", "confirmed", "accepted"]
    assert reads.steps(grant(PLANNER), reads.proposal(grant(PLANNER), key))[-1].code == "draft"
    plans.consult(PLANNER, plan="town", draft=draft)
    assert reads.taken_up(grant(), [key]) == {key: "consultation"}
    with pytest.raises(Conflict):
        verbs.tell_adopted(PLANNER, plan="town", version=draft)
    plans.adopt(PLANNER, plan="town", version=draft, body="Town council", on=plans.today())
    last = reads.steps(grant(), reads.proposal(grant(), key))[-1]
    assert (last.code, last.label, last.body, last.on, last.node) == (
        "adopted",
        "2026",
        "Town council",
        plans.today(),
        "u3.2",
    )
    assert verbs.tell_adopted(PLANNER, plan="town", version=draft) == 1
    assert verbs.tell_adopted(PLANNER, plan="town", version=draft) == 0
    assert "Town council" in journal.mails(ref=Ref("proposal", key))[0].text
    with pytest.raises(Forbidden):
        verbs.tell_adopted(official, plan="town", version=draft)


def test_no_address_and_no_name_leaks(dataset: Make, official: Any, reader: Callable[..., Any]) -> None:
    plan(dataset)
    call(dataset)
    key = propose(email=SECRET, author="Ana Novak")
    verbs.confirm(ANONYMOUS, token=mails.token_of(key))
    for by in (ANONYMOUS, official, PLANNER, reader("administrator")):
        assert SECRET not in str(asdict(reads.proposal(grant(by), key)))
    for entry in journal.history(Ref("proposal", key)):
        assert SECRET not in str(entry)
        assert "Ana" not in str(entry)
    verbs.answer(official, key=key, accept=True, text="ok")
    with pytest.raises(Forbidden):
        verbs.erase_author(official, key=key, reason="asked")
    verbs.erase_author(reader("digital_officer"), key=key, reason="asked on 1 May")
    assert reads.proposal(grant(), key).author == ""
    assert not models.Proposal.objects.exclude(email="").exists()
    dataset(
        "proposals",
        noun="voice",
        personal=True,
        fields={
            "title": {"type": "text"},
            "text": {"type": "text"},
            "author": {"type": "text", "access": "restricted"},
        },
    )
    other = propose(author="Bojan")
    verbs.answer(official, key=other, accept=True, text="ok")
    assert reads.proposal(grant(), other).author == ""


def test_a_closed_call_and_a_wrong_form_are_refused_with_every_mistake(dataset: Make) -> None:
    plan(dataset)
    call(dataset)
    call(dataset, key="over", opens=-9, closes=-1)
    call(dataset, key="coming", opens=1, closes=9)
    call(dataset, key="last-day", opens=0, closes=0)
    assert [c.key for c in reads.calls(grant())] == ["last-day", "water", "coming", "over"]
    propose(call="last-day")
    with pytest.raises(Conflict, match="closed on"):
        propose(call="over")
    with pytest.raises(Conflict, match="opens on"):
        propose(call="coming")
    with pytest.raises(NotFound):
        propose(call="nothing")
    with pytest.raises(Invalid) as refused:
        propose(title=" ", text="x" * 5001, place="x" * 201, author="x" * 101, email="ana@", node="nowhere")
    assert [problem.where for problem in refused.value.problems] == [
        "title",
        "text",
        "place",
        "author",
        "email",
        "node",
    ]
    assert models.Proposal.objects.count() == 1


def test_the_same_form_sent_twice_is_one_proposal(dataset: Make) -> None:
    plan(dataset)
    call(dataset)
    assert propose(form="abc", email=SECRET) == propose(form="abc", email=SECRET)
    assert propose(form="abd") != propose(form="abe")
    assert len(journal.mails()) == 1


def test_only_people_of_the_city_answer(dataset: Make, official: Any, reader: Callable[..., Any]) -> None:
    plan(dataset)
    call(dataset)
    key = propose()
    for by in (ANONYMOUS, reader("citizen"), reader("operator")):
        with pytest.raises(Forbidden):
            verbs.answer(by, key=key, accept=True, text="x")
    with pytest.raises(Invalid, match="why"):
        verbs.answer(official, key=key, accept=False, text=" ")
    with pytest.raises(Invalid, match="withheld"):
        verbs.answer(official, key=key, accept=True, text="x", withhold=True)
    verbs.answer(official, key=key, accept=True, text="")


def test_what_nobody_confirms_is_forgotten(dataset: Make, official: Any) -> None:
    plan(dataset)
    call(dataset)
    old, new, plain = propose(email=SECRET, text="Secret words"), propose(email=SECRET), propose()
    models.Proposal.objects.filter(key__in=[old, plain]).update(created=times.now() - 31 * times.DAY)
    with pytest.raises(Forbidden):
        verbs.forget_unconfirmed(official)
    forget()
    assert {row.key for row in models.Proposal.objects.all()} == {new, plain}
    assert "Secret words" not in str(journal.history(Ref("proposal", old)))
    assert SECRET not in str(journal.mails(ref=Ref("proposal", old)))
    assert SECRET in str(journal.mails(ref=Ref("proposal", new)))
    with pytest.raises(NotFound):
        verbs.confirm(ANONYMOUS, token=mails.token_of(old))


def test_calls_of_files_are_read_back_and_retired(dataset: Make) -> None:
    plan(dataset)
    call(dataset)
    declaration = providers.DECLARATIONS[0]
    state = declaration.read()
    assert set(state["water"]) == set(declaration.shape.__struct_fields__) - {"key"}
    declaration.write(SYSTEM, [Change(key, fields) for key, fields in state.items()])
    assert declaration.read() == state
    declaration.write(SYSTEM, [Change("water", None)])
    assert declaration.read() == {}
    assert reads.calls(grant()) == []
    with pytest.raises(Forbidden):
        verbs.declare_calls(PLANNER, changes=[Change("x", {"title": {"en": "x"}, "dataset": "proposals"})])
    assert declaration.check
    assert declaration.check({"title": {"en": "x"}, "dataset": "d", "opens": "2026-05-02", "closes": "2026-05-01"}) == [
        "closes before it opens."
    ]
    assert len(declaration.check({"opens": "1. 5. 2026"})) == 3


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=st.text(max_size=200), text=st.text(max_size=300), place=st.text(max_size=220), email=st.text(max_size=40))
def test_any_words_are_kept_or_refused_with_a_reason(
    dataset: Make, title: str, text: str, place: str, email: str
) -> None:
    if not models.Call.objects.exists():
        plan(dataset)
        call(dataset)
    count = models.Proposal.objects.count()
    try:
        key = propose(title=title, text=text, place=place, email=email)
    except Invalid:
        assert models.Proposal.objects.count() == count
        return
    assert reads.proposal(grant(SYSTEM), key).title == " ".join(verbs.plain(title).split())
