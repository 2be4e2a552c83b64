"""Verdicts: each type of target, and every case in which none is given."""

from __future__ import annotations

import pytest

from krog.base.origin import Origin
from krog.indicators import evaluation
from krog.indicators.shapes import Baseline, Indicator, Status, Target, Value, Verdict

JOBS = {"2014": 22144.0, "2023": 25353.0}


def indicator(**about):
    fields = {
        "key": "k", "code": "", "title": {}, "definition": {}, "unit": "1", "decimals": 0, "direction": "up",
        "period": "year", "kind": "imported", "aggregation": "", "dataset": "d", "office": "", "owner": "",
        "confirmer": "", "formula": None, "formula_id": "", "baseline": None, "raw": "", "parse_status": "ok",
        "parse_note": "", "same_as": "", "due": "", "source": "", **about,
    }  # fmt: skip
    return Indicator(**fields)


def target(**about):
    return Target(**{"key": "t", "indicator": "k", "date": "2030", "type": "absolute", "op": "", "value": None,
                     "value_to": None, "unit": "", "raw": "", "parse_status": "ok", "note": "", **about})  # fmt: skip


def values(by_period, origin=Origin.IMPORTED):
    return [
        Value(id=i, indicator="k", period=p, start=0, end=1, value=v, status=Status.OFFICIAL, origin=origin, source="s",
              note="", recorded=0)
        for i, (p, v) in enumerate(by_period.items())
    ]  # fmt: skip


def verdict(about, aim, known, origin=Origin.IMPORTED):
    found = evaluation.evaluate(about, aim, values(known, origin))
    return found.verdict, found.reasons


BASED = indicator(baseline=Baseline("2014", 22144.0))


def test_jobs_in_kranj_are_on_track():
    found = evaluation.evaluate(BASED, target(value=26000), values(JOBS))
    assert (found.verdict, found.reasons) == (Verdict.ON_TRACK, ("pace-enough",))
    assert (found.expected, found.goal) == (pytest.approx(24313), 26000)
    assert found.forecast is None, "two points are no trend"


@pytest.mark.parametrize(("now", "expected"), [
    (25353, (Verdict.ON_TRACK, ("pace-enough",))), (24000, (Verdict.AT_RISK, ("pace-slow",))),
    (23000, (Verdict.OFF_TRACK, ("pace-far-too-slow",))), (22000, (Verdict.OFF_TRACK, ("pace-away",))),
    (26500, (Verdict.ON_TRACK, ("met-early",))),
])  # fmt: skip
def test_pace(now, expected):
    assert verdict(BASED, target(value=26000), {"2023": now}) == expected


@pytest.mark.parametrize(("value", "expected"), [(26000, Verdict.ACHIEVED), (25999, Verdict.OFF_TRACK)])
def test_at_its_date_a_target_is_met_or_missed(value, expected):
    assert verdict(BASED, target(value=26000), {"2030": value})[0] is expected


@pytest.mark.parametrize("status", ["ambiguous", "contradictory", "missing"])
def test_a_target_that_cannot_be_read_is_never_judged(status):
    assert verdict(BASED, target(value=26000, parse_status=status), {"2030": 30000}) == (
        Verdict.NOT_EVALUABLE,
        (f"target-{status}",),
    )


@pytest.mark.parametrize("origin", [Origin.REPLAYED, Origin.SIMULATED])
def test_what_is_no_fact_is_never_judged(origin):
    assert verdict(BASED, target(value=26000), {"2030": 30000}, origin) == (Verdict.NOT_EVALUABLE, ("demo-data",))
    mixed = values({"2023": 1.0}) + values({"2030": 30000}, origin)
    assert evaluation.evaluate(BASED, target(value=26000), mixed).reasons == ("demo-data",)


def test_missing_data_are_no_verdict():
    assert verdict(BASED, target(value=26000), {}) == (Verdict.NO_DATA, ("no-values",))
    assert verdict(BASED, target(value=26000), {"2030": None}) == (Verdict.NO_DATA, ("no-values",))
    assert verdict(indicator(), target(type="relative_to_baseline", value=-7), {"2023": 5})[1] == ("no-baseline",)
    assert verdict(indicator(), target(value=26000), {"2023": 5}) == (Verdict.NOT_EVALUABLE, ("no-path",))


@pytest.mark.parametrize(("aim", "goal"), [
    (target(type="relative_to_baseline", value=-25), 75.0), (target(type="delta_cumulative", value=-40), 60.0),
    (target(type="index", value=80), 80.0), (target(type="keep"), 100.0), (target(type="keep", value=70), 70.0),
])  # fmt: skip
def test_targets_as_levels(aim, goal):
    falling = indicator(direction="down", baseline=Baseline("2014", 100.0))
    assert evaluation.evaluate(falling, aim, values({"2020": 90.0})).goal == goal


def test_thresholds_use_their_own_sign():
    exceedances = indicator(direction="down")
    strict, loose = target(type="threshold", op="<", value=15), target(type="threshold", op="<=", value=15)
    assert verdict(exceedances, strict, {"2030": 15})[0] is Verdict.OFF_TRACK
    assert verdict(exceedances, loose, {"2030": 15})[0] is Verdict.ACHIEVED
    assert verdict(exceedances, strict, {"2024": 14}) == (Verdict.ON_TRACK, ("met-now",))


def test_keep_and_range():
    steady = indicator(direction="keep", baseline=Baseline("2014", 100.0))
    assert verdict(steady, target(type="keep"), {"2023": 101}) == (Verdict.ON_TRACK, ("kept",))
    assert verdict(steady, target(type="keep"), {"2023": 90}) == (Verdict.OFF_TRACK, ("not-kept",))
    between = target(type="range", value=5, value_to=10)
    assert verdict(steady, between, {"2023": 7}) == (Verdict.ON_TRACK, ("in-range",))
    assert verdict(steady, between, {"2030": 7})[0] is Verdict.ACHIEVED
    assert verdict(steady, between, {"2023": 11})[0] is Verdict.OFF_TRACK
    assert verdict(steady, target(type="range", value=5), {"2023": 7})[1] == ("target-without-value",)


def test_a_direction_is_judged_by_a_clear_trend_only():
    aim, down = target(type="direction_only"), indicator(direction="down")
    falling = {str(2016 + i): 100.0 - 5 * i + (i % 2) for i in range(6)}
    assert verdict(down, aim, falling) == (Verdict.ON_TRACK, ("trend-right",))
    assert verdict(indicator(direction="up"), aim, falling) == (Verdict.OFF_TRACK, ("trend-wrong",))
    assert verdict(down, aim, {"2020": 5.0, "2021": 4.0, "2022": 3.0})[1] == ("too-few-values",)
    jumping = {"2019": 1.0, "2020": 5.0, "2021": 0.0, "2022": 4.0, "2023": 2.0}
    assert verdict(down, aim, jumping) == (Verdict.AT_RISK, ("no-clear-trend",))
    assert verdict(indicator(direction="none"), aim, falling)[1] == ("no-direction",)


def test_a_delivery_is_done_or_not_yet():
    aim = target(type="milestone_bool")
    assert verdict(indicator(), aim, {"2024": 1})[0] is Verdict.ACHIEVED
    assert verdict(indicator(), aim, {"2024": 0}) == (Verdict.NOT_EVALUABLE, ("not-yet",))
    assert verdict(indicator(), aim, {"2030": 0})[0] is Verdict.OFF_TRACK


def test_without_a_baseline_a_trend_may_judge_but_not_far_ahead():
    rising = {str(2014 + i): 20.0 + i for i in range(10)}
    assert verdict(indicator(), target(value=30), rising) == (Verdict.ON_TRACK, ("trend-meets",))
    assert verdict(indicator(), target(value=60), rising) == (Verdict.OFF_TRACK, ("trend-misses",))
    assert verdict(indicator(), target(value=60, date="2060"), rising) == (Verdict.NOT_EVALUABLE, ("no-path",))


def test_days_are_judged_by_the_mean_of_four_weeks():
    nights = {f"2026-10-{day:02d}": 100.0 for day in range(1, 4)} | {f"2026-11-{day:02d}": 2.0 for day in range(1, 29)}
    found = evaluation.level(indicator(period="day"), values(nights))
    assert (found.value, found.period) == (2.0, "2026-11-28")


def test_a_list_shows_the_next_target():
    all_of = [evaluation.evaluate(BASED, target(key=y, date=y, value=1.0), []) for y in ("2023", "2035", "2030")]
    assert evaluation.pick(all_of, 2026).target.date == "2030"
    assert evaluation.pick(all_of, 2040).target.date == "2035"
    assert evaluation.pick([], 2026) is None
