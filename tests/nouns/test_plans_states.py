"""A node shows how it is doing from its indicators; without data it says so. Reviews keep what was known then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from krog.base.declaration import Change
from krog.base.errors import Invalid, NotFound
from krog.base.ids import Ref
from krog.indicators import providers as indicator_files
from krog.journal import reads as journal
from krog.people.permissions import SYSTEM
from krog.plans import applying, reads, states, verbs
from krog.plans.shapes import Fact, Node, NodeIndicator
from tests.nouns.plans_fixture import PLANNER, english, grant, plan

Make = Callable[..., str]
pytestmark = pytest.mark.usefixtures(english.__name__)


def _declare(kind: str, *changes: Change) -> None:
    next(each for each in indicator_files.DECLARATIONS if each.kind == kind).write(SYSTEM, changes)


def _indicator(key: str, values: dict[str, float], goal: float | None = 100, parse_status: str = "ok") -> None:
    _declare(
        "indicator",
        Change(
            key,
            {
                "title": {"en": f"Indicator {key}"},
                "unit": "1",
                "direction": "up",
                "period": "year",
                "kind": "imported",
                "dataset": "figures",
                "baseline": {"period": "2014", "value": 0.0, "note": ""},
                "code": key,
            },
        ),
    )
    if goal is not None:
        _declare(
            "target",
            Change(
                f"{key}.2030",
                {
                    "indicator": key,
                    "date": "2030",
                    "type": "absolute",
                    "op": ">=",
                    "value": goal,
                    "raw": str(goal),
                    "parse_status": parse_status,
                    "note": "" if parse_status == "ok" else "Two readings.",
                },
            ),
        )
    _declare(
        "value",
        *(
            Change(f"{key}.{period}", {"indicator": key, "period": period, "value": value, "source": "test"})
            for period, value in values.items()
        ),
    )


def _belongs(node: str, indicator: str, role: str = "measures") -> None:
    applying.declare_indicators(
        SYSTEM, [Change(f"{node}--{indicator}", {"node": node, "indicator": indicator, "role": role})]
    )


def _node(status: str = "", *indicators: NodeIndicator) -> Node:
    return Node("n", "p", "", "", {}, {}, "", 0, "", status, False, "", "", "", indicators=indicators)


def _fact(key: str, verdict: str, value: float | None = 1.0) -> Fact:
    return Fact(key, {}, "2024", value, "1", verdict)


@pytest.mark.parametrize(
    ("status", "verdicts", "state"),
    [
        ("", [], "no_data"),
        ("running", [], "no_data"),
        ("done", [], "done"),
        ("stopped", ["on_track"], "stopped"),
        ("", ["achieved"], "on_track"),
        ("", ["achieved", "at_risk"], "at_risk"),
        ("done", ["off_track"], "off_track"),
        ("", ["on_track", "off_track", "at_risk"], "off_track"),
        ("", ["no_data"], "no_data"),
        ("", ["not_evaluable"], "no_verdict"),
        ("", ["not_evaluable", "on_track"], "on_track"),
    ],
)
def test_the_worst_verdict_is_the_state_and_nothing_is_guessed(status: str, verdicts: list[str], state: str) -> None:
    facts = {f"i{n}": _fact(f"i{n}", verdict) for n, verdict in enumerate(verdicts)}
    measured = [NodeIndicator("n", key, "measures") for key in facts]
    assert states.state_of(_node(status, *measured), facts).code == state
    as_context = [NodeIndicator("n", key, "context") for key in facts]
    expected = {"done": "done", "stopped": "stopped"}.get(status, "no_data")
    assert states.state_of(_node(status, *as_context), facts).code == expected


def test_the_reasons_name_every_measuring_indicator() -> None:
    node = _node("running", NodeIndicator("n", "a", "measures"), NodeIndicator("n", "gone", "measures"))
    state = states.state_of(node, {"a": _fact("a", "on_track")})
    assert [(r.code, r.about) for r in state.reasons] == [
        ("indicator_on_track", "a"),
        ("indicator_unknown", "gone"),
        ("status_running", "running"),
    ]
    assert [r.code for r in states.state_of(_node(), {}).reasons] == ["no_indicator"]


@pytest.mark.django_db()
def test_a_node_takes_its_state_from_real_indicators(
    dataset: Make, django_assert_max_num_queries: Callable[..., object]
) -> None:
    plan(dataset)
    dataset("figures", noun="indicators")
    _indicator("jobs", {"2014": 0.0, "2024": 99.0})
    _indicator("losses", {"2014": 0.0, "2023": 1.0, "2024": 1.0})
    _indicator("unclear", {"2024": 5.0}, parse_status="ambiguous")
    _indicator("aimless", {"2024": 5.0}, goal=None)
    _belongs("u3.1", "jobs")
    _belongs("u3.2", "losses")
    _belongs("u3.2", "jobs", "context")
    _belongs("u3.2.1", "unclear")
    _belongs("tp3", "aimless")
    given = grant()
    with django_assert_max_num_queries(8):
        tree = reads.tree(given, "town")
    assert tree.nodes["u3.1"].state.code == "on_track"
    assert tree.nodes["u3.2"].state.code == "off_track"
    assert tree.nodes["u3.2.1"].state.code == "no_verdict"
    assert tree.nodes["u3.2.1"].state.reasons[0].details == ("target-ambiguous",)
    assert tree.nodes["tp3"].state.reasons[0].details == ("no-target",)
    assert states.counts(tree, tree.below("tp3")) == {"off_track": 1, "on_track": 1, "no_verdict": 1}
    assert [(n.key, n.role) for n in reads.nodes_of_indicator(given, "jobs")] == [
        ("u3.1", "measures"),
        ("u3.2", "context"),
    ]
    assert reads.nodes_of_indicator(given, "nothing") == ()


@pytest.mark.django_db()
def test_an_indicator_that_the_reader_may_not_see_gives_no_verdict_away(dataset: Make) -> None:
    plan(dataset)
    dataset("figures", noun="indicators", access="restricted", roles=["planner"])
    _indicator("secret", {"2014": 0.0, "2024": 1.0})
    _belongs("u3.1", "secret")
    assert reads.node(grant(PLANNER), "town", "u3.1").state.code == "off_track"
    state = reads.node(grant(), "town", "u3.1").state
    assert (state.code, state.reasons[0].code) == ("no_data", "indicator_unknown")


@pytest.mark.django_db()
def test_a_review_keeps_what_the_indicators_said_then(dataset: Make) -> None:
    plan(dataset)
    dataset("figures", noun="indicators")
    _indicator("losses", {"2014": 0.0, "2024": 1.0})
    _belongs("u3.2", "losses")
    key = verbs.review(
        PLANNER, plan="town", node="u3.2", judgement="off_track", decision="change", note="Renew pipes first"
    )
    _declare("value", Change("losses.2025", {"indicator": "losses", "period": "2025", "value": 95.0, "source": "test"}))
    review = reads.reviews(grant(), "town", "u3.2")[0]
    assert (review.key, review.judgement, review.decision, review.version) == (key, "off_track", "change", 1)
    assert [(f.indicator, f.period, f.value, f.verdict) for f in review.facts] == [("losses", "2024", 1.0, "off_track")]
    assert review.reviewer == ""
    assert reads.reviews(grant(PLANNER), "town", "u3.2")[0].reviewer == "Petra Planner"
    assert journal.history(Ref("node", "u3.2"))[0].verb == "plans.review"
    assert all(entry.who == "" for entry in reads.history(grant(), "town", "u3.2"))
    with pytest.raises(Invalid) as refused:
        verbs.review(
            PLANNER,
            plan="town",
            node="u3.2",
            judgement="fine",
            decision="change",
            note="",
            on=verbs.today() + timedelta(days=1),
        )
    assert {problem.where for problem in refused.value.problems} == {"judgement", "note", "on"}
    with pytest.raises(NotFound):
        verbs.review(PLANNER, plan="town", node="nowhere", judgement="on_track", decision="keep")


@pytest.mark.django_db()
def test_what_the_dictionary_keeps_from_the_public_is_nowhere_to_be_read(dataset: Make) -> None:
    dictionary = {"note": {"type": "text", "access": "official"}, "office": {"type": "text"}}
    plan(dataset)
    dataset("town-plan", noun="plans", fields=dictionary)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields={"note": "between us"})
    verbs.consult(PLANNER, plan="town", draft=draft)
    verbs.adopt(PLANNER, plan="town", version=draft, body="Council", on=verbs.today())
    assert reads.node(grant(PLANNER), "town", "u3.1").note == "between us"
    assert reads.node(grant(), "town", "u3.1").note == ""
    assert "between us" not in str(reads.history(grant(), "town", "u3.1"))
    assert "between us" not in str(reads.diff(grant(), "town", "first", draft))
    dataset("town-plan", noun="plans", public_rows={"field": "key", "op": "!=", "value": "u3.2"})
    assert list(reads.tree(grant(), "town").nodes) == ["tp3", "u3.1"]
    verbs.review(PLANNER, plan="town", node="u3.2", judgement="on_track", decision="keep")
    assert len(reads.reviews(grant(PLANNER), "town")) == 1
    assert reads.reviews(grant(), "town") == reads.reviews(grant(), "town", "u3.2") == []
    with pytest.raises(NotFound):
        reads.history(grant(), "town", "u3.2")
    dataset("town-plan", noun="plans", access="restricted")
    assert reads.plans(grant()) == []
    with pytest.raises(NotFound):
        reads.tree(grant(), "town")
