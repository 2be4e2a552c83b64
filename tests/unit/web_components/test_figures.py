"""Sentences of the home page: what an indicator says, what may not be said of it, and what is near."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from django.utils.translation import override

from krog.base import times
from krog.base.origin import Origin
from krog.cases.shapes import Status as Case
from krog.indicators.shapes import Evaluation, Indicator, Standing, Status, Target, Value, Verdict
from krog.people.shapes import Territory
from krog.rules.hysteresis import Limits
from krog.rules.shapes import Alert, Rule
from krog.rules.shapes import Standing as RuleStanding
from krog.rules.signals import Part, Term
from krog.voice.shapes import Call
from krog.web.portal import figures, today

NOON = times.parse("2026-05-12T12:00:00", "Europe/Ljubljana")
MLAKA = Territory("mlaka", {"sl": "Mlaka"}, "settlement", "", 14.3475, 46.2741)


@pytest.fixture(autouse=True)
def _slovenian() -> Any:
    with override("sl"):
        yield


def standing(value: float | None = 25353, verdict: Verdict | None = None, op: str = ">=", **about: Any) -> Standing:
    indicator = Indicator(
        key="k1.1", code="K1.1", title={"sl": "Delovna mesta"}, definition={}, unit=about.get("unit", "{person}"),
        decimals=0, direction="up", period="year", kind="imported", aggregation="", dataset="d", office="", owner="",
        confirmer="", formula=None, formula_id="", baseline=None, raw="", parse_status="ok", parse_note="", same_as="",
        due="", source="SURS",
    )  # fmt: skip
    latest = None
    if value is not None:
        latest = Value(1, "k1.1", about.get("period", "2023"), 0, 1, value, Status.OFFICIAL, Origin.IMPORTED, "", "", 0)
    target = Target("t", "k1.1", "2030", "absolute", op, 26000, None, "", "26.000", "ok", "")
    evaluation = None
    if verdict is not None:
        evaluation = Evaluation(
            target, verdict, about.get("reasons", ()), goal=about.get("goal", 26000.0), goal_to=about.get("goal_to")
        )
    return Standing(indicator, latest, evaluation)


def test_a_figure_is_a_sentence_with_value_period_and_target() -> None:
    said = figures.sentence(standing(verdict=Verdict.ON_TRACK))
    assert said.text.replace("\u00a0", " ") == ("Delovna mesta: 25.353 oseb (2023). Cilj za 2030 je vsaj 26.000 oseb.")
    assert (said.state, said.word, said.source) == ("ok", "na poti", "SURS")


@pytest.mark.parametrize(
    ("op", "words"), [("<", "manj kot 26.000"), ("<=", "največ 26.000"), (">", "več kot 26.000"), ("=", "je 26.000")]
)
def test_a_target_is_said_with_its_direction(op: str, words: str) -> None:
    assert words in figures.sentence(standing(verdict=Verdict.AT_RISK, op=op)).text


def test_a_range_names_both_ends() -> None:
    said = figures.sentence(standing(verdict=Verdict.ON_TRACK, goal=1.0, goal_to=2.0, unit="%"))
    assert said.text.replace("\u00a0", " ").endswith("je od 1 % do 2 %.")


def test_there_is_no_verdict_where_the_data_carry_none() -> None:
    said = figures.sentence(standing(verdict=Verdict.NOT_EVALUABLE, reasons=("target-ambiguous",), goal=None))
    assert (said.state, said.word) == ("", "")
    assert said.remark == "cilj je v načrtu zapisan dvoumno"
    assert "Cilj za" not in said.text
    demo = figures.sentence(standing(verdict=Verdict.NOT_EVALUABLE, reasons=("demo-data",)))
    assert demo.remark == "predstavitvenih podatkov ne presojamo"


def test_periods_are_written_in_the_language() -> None:
    assert "(12.\u00a05.\u00a02026)" in figures.sentence(standing(period="2026-05-12")).text
    assert "(5.\u00a02026)" in figures.sentence(standing(period="2026-05")).text


def test_the_most_telling_figures_come_first_and_silent_ones_not_at_all() -> None:
    plain, judged, off, silent = (
        standing(), standing(verdict=Verdict.ON_TRACK), standing(verdict=Verdict.OFF_TRACK), standing(None),
    )  # fmt: skip
    words = [one.word for one in figures.sentences([plain, judged, silent, off])]
    assert words == ["zamuja", "na poti", ""]


def alert(stream: str) -> Alert:
    return Alert(
        key="a1", rule="night-flow", title={"sl": "Puščanje v coni Mlaka"}, dataset="rules", office="vodovod",
        unit="m3/h", state="raised", since=NOON, start=NOON, raised_at=NOON, cleared=None, value=6.5, last_value=7.25,
        last_time=NOON, peak=7.5, threshold=4.0, origin=Origin.SIMULATED,
        readings=(Part(stream, 1, "mean", 7.25, 15, 15, NOON, NOON, "simulated"),), case="", acknowledged_by="",
    )  # fmt: skip


def test_an_alert_shows_where_it_belongs_with_value_limit_and_origin() -> None:
    here = frozenset({"mlaka-inflow"})
    (item,) = today.alerts([alert("mlaka-inflow")], here)
    assert (item.state, item.title, item.origin) == ("bad", "Puščanje v coni Mlaka", Origin.SIMULATED)
    assert item.meta.replace("\u00a0", " ") == "7,25 m³/h, meja 4"
    assert today.alerts([alert("elsewhere")], here) == []


@pytest.mark.parametrize(("found", "told"), [("clear", "ok"), ("unknown", "none"), ("never", "none")])
def test_good_news_is_told_by_rules_that_have_seen_enough(found: str, told: str) -> None:
    rule = Rule(
        id=1, key="night-flow", title={}, description={}, dataset="rules", office="vodovod", protocol="", case_type="",
        severity="normal", unit="m3/h", terms=(Term("mlaka-inflow"),), window={}, limits=Limits(raise_above=4.0),
        min_coverage=0.8, mode="act", samples=(), standing=RuleStanding(found, None, 0.0, None, None, 0),
    )  # fmt: skip
    (calm,) = today.alerts([alert("elsewhere")], frozenset({"mlaka-inflow"}), rules=[rule])
    assert calm.state == told
    assert today.alerts([], frozenset({"elsewhere"}), rules=[rule]) == []


def test_where_nothing_is_measured_no_good_news_is_invented() -> None:
    assert today.alerts([], frozenset()) == []


def case(lon: float | None, severity: str = "normal") -> Case:
    return Case(
        reference="K-1", own=False, type="leak", type_title={"sl": "Puščanje"}, title={"sl": "Mokra cesta"},
        description="", place="Mlaka 12", lon=lon, lat=None if lon is None else 46.2741, office="vodovod",
        status="taken", severity=severity, opened=NOON, deadline=NOON, closed=None, overdue=False, outcome="",
        public_note="", events=(), photos=(), cause=None,
    )  # fmt: skip


def test_only_cases_nearby_are_shown() -> None:
    near = today.cases([case(14.36, "urgent"), case(14.45), case(None)], MLAKA)
    assert [(item.title, item.state, item.meta) for item in near] == [("Mokra cesta", "warn", "Mlaka 12")]
    assert today.cases([case(14.36)], None) == []


def test_a_leak_is_told_once_as_alert_or_as_case() -> None:
    assert today.cases([case(14.3475)], MLAKA, {"k-1"}) == []
    assert len(today.cases([case(14.3475)], MLAKA, {"k-2"})) == 1
    (item,) = today.alerts([replace(alert("m"), case="k-1")], frozenset({"m"}))
    assert item.meta.endswith("v obravnavi")
    (item,) = today.alerts([replace(alert("m"), case="K-1")], frozenset({"m"}), {"k-1"})
    assert "v obravnavi" not in item.meta and "zaključena" in item.meta


def call(phase: str, closes: date | None) -> Call:
    return Call("c", {"sl": "Prenova strategije"}, {}, "tus", None, closes, "proposals", phase)


def test_open_calls_say_how_long_they_are_open() -> None:
    day = date(2026, 4, 28)
    found = today.calls([call("open", date(2026, 4, 30)), call("closed", date(2026, 1, 1))], day.toordinal())
    assert [item.meta.replace("\u00a0", " ") for item in found] == ["predlogi do 30. 4. 2026 · še 2 dneva"]
    (last,) = today.calls([call("open", day)], day.toordinal())
    assert last.meta.endswith("zadnji dan")
    (endless,) = today.calls([call("open", None)], day.toordinal())
    assert endless.meta == ""
