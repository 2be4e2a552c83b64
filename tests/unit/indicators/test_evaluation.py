"""Verdicts: each type of target, and every case in which none is given."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from krog.base import units
from krog.base.origin import Origin
from krog.indicators import evaluation, periods, shapes
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
    zero = indicator(baseline=Baseline("2014", 0.0))
    assert verdict(zero, target(type="relative_to_baseline", value=-7), {"2023": 5})[1] == ("baseline-zero",)
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


def test_a_target_of_the_source_s_other_unit_is_converted():
    energy = indicator(unit="MW.h/a", direction="down")
    found = evaluation.evaluate(energy, target(type="threshold", op="<=", value=5_000_000, unit="kW.h/a"),
                                values({"2030": 4999.0}))  # fmt: skip
    assert (found.goal, found.verdict) == (5000.0, Verdict.ACHIEVED)
    aside = evaluation.evaluate(energy, target(value=5, unit="t"), values({"2030": 4999.0}))
    assert (aside.verdict, aside.reasons) == (Verdict.NOT_EVALUABLE, ("unit-differs",))


def test_a_target_with_its_own_baseline_is_measured_from_that():
    falling = indicator(direction="down", baseline=Baseline("2014", 100.0))
    own = target(type="relative_to_baseline", value=-10, baseline=Baseline("2020", 50.0))
    assert evaluation.evaluate(falling, own, values({"2023": 47.0})).goal == 45.0


def test_a_goal_behind_the_baseline_is_not_guessed_at():
    index = indicator(direction="up", baseline=Baseline("2014", 103.5))
    assert verdict(index, target(value=95), {"2023": 91.4}) == (Verdict.NOT_EVALUABLE, ("direction-contradicts",))
    assert verdict(index, target(value=95, op=">="), {"2030": 96})[0] is Verdict.ACHIEVED
    assert verdict(indicator(direction="none"), target(value=95), {"2030": 96})[1] == ("no-direction",)
    by_side = indicator(direction="none", baseline=Baseline("2014", 90.0))
    assert verdict(by_side, target(value=95), {"2030": 96})[0] is Verdict.ACHIEVED


def test_an_index_is_made_against_the_same_period_of_another_series():
    pay, aim = indicator(unit="EUR"), target(type="index", op=">", value=100, comparator="si")
    ours, theirs = values({"2014": 38.0, "2029": 61.0, "2030": 70.0}), values({"2014": 40.0, "2030": 60.0})
    found = evaluation.evaluate(pay, aim, ours, comparator=theirs)
    assert (found.verdict, found.unit, found.observed) == (Verdict.ACHIEVED, "{index}", pytest.approx(116.67, abs=0.01))
    alone = evaluation.evaluate(pay, aim, ours, comparator=[])
    assert (alone.verdict, alone.reasons) == (Verdict.NOT_EVALUABLE, ("no-comparator",))
    nothing = evaluation.evaluate(pay, aim, ours, comparator=values({"2030": 0.0}))
    assert nothing.reasons == ("no-comparator",)
    played = evaluation.evaluate(pay, aim, ours, comparator=values({"2030": 60.0}, Origin.REPLAYED))
    assert played.reasons == ("demo-data",)


def test_keep_takes_its_tolerance_and_its_side():
    steady = indicator(direction="keep", baseline=Baseline("2014", 100.0))
    assert verdict(steady, target(type="keep", tolerance=15.0), {"2023": 90})[1] == ("kept",)
    assert verdict(steady, target(type="keep", op=">="), {"2023": 140})[1] == ("kept",)
    assert verdict(steady, target(type="keep", op=">="), {"2023": 90})[1] == ("not-kept",)
    assert verdict(steady, target(type="keep", date=""), {"2023": 100})[0] is Verdict.ON_TRACK


def test_a_delivery_without_a_date_is_done_or_says_nothing():
    undated = target(type="milestone_bool", date="")
    assert verdict(indicator(), undated, {"2014": 1}) == (Verdict.ACHIEVED, ("done",))
    assert verdict(indicator(), undated, {"2014": 0}) == (Verdict.NOT_EVALUABLE, ("not-yet",))


def test_values_of_long_ago_judge_nothing():
    known, aim = values({"2014": 90.0}), target(type="threshold", op="<", value=95)
    assert evaluation.evaluate(indicator(), aim, known, year=2026).reasons == ("old-value",)
    passed = target(type="threshold", op="<", value=95, date="2020")
    assert evaluation.evaluate(indicator(), passed, known, year=2026).reasons == ("no-value-at-date",)
    assert evaluation.evaluate(indicator(), passed, values({"2020": 90.0}), year=2026).verdict is Verdict.ACHIEVED
    done = evaluation.evaluate(indicator(), target(type="milestone_bool"), values({"2014": 1}), year=2026)
    assert done.verdict is Verdict.ACHIEVED


def test_a_month_in_the_target_s_year_is_not_yet_its_end():
    monthly = indicator(period="month", direction="down")
    aim = target(type="threshold", op="<", value=10)
    assert verdict(monthly, aim, {"2030-03": 12}) == (Verdict.NOT_EVALUABLE, ("no-path",))
    assert verdict(monthly, aim, {"2030-12": 12})[0] is Verdict.OFF_TRACK


NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)
AIMS = st.builds(
    target, type=st.sampled_from(shapes.TARGET_TYPES), op=st.sampled_from(["", *shapes.OPERATORS]),
    value=st.none() | NUMBERS, value_to=st.none() | NUMBERS, unit=st.sampled_from(["", "1", "%", "t"]),
    date=st.sampled_from(["", "2020", "2030"]), parse_status=st.sampled_from(["ok", "ok", "ambiguous"]),
    comparator=st.sampled_from(["", "other"]), tolerance=st.none() | st.floats(0, 1e6),
)  # fmt: skip
ABOUTS = st.builds(
    indicator, direction=st.sampled_from(shapes.DIRECTIONS), period=st.sampled_from(["year", "month", "day"]),
    baseline=st.none() | st.builds(Baseline, st.just("2014"), st.none() | NUMBERS),
)  # fmt: skip
SETTLED = {Verdict.ACHIEVED, Verdict.ON_TRACK, Verdict.AT_RISK, Verdict.OFF_TRACK}


def series(about, numbers, **more):
    start = {"year": "2015", "month": "2019-01", "day": "2026-10-01"}[about.period]
    found = {}
    for number in numbers:
        found[start] = number
        start = periods.after(start)
    return values(found, **more)


def allowed(aim):
    return aim.date or aim.type in shapes.WITHOUT_DATE or not aim.readable


@given(ABOUTS, AIMS.filter(allowed), st.lists(st.none(), max_size=6), NUMBERS)
def test_no_verdict_comes_from_missing_data(about, aim, missing, other):
    found = evaluation.evaluate(about, aim, series(about, missing), comparator=series(about, [other] * 6), year=2026)
    assert found.verdict not in SETTLED
    assert found.reasons


@given(ABOUTS, AIMS.filter(allowed), st.lists(st.none() | NUMBERS, min_size=1, max_size=6))
def test_every_target_on_any_values_says_something_and_why(about, aim, numbers):
    assert evaluation.evaluate(about, aim, series(about, numbers), year=2026).reasons
    played = evaluation.evaluate(about, aim, series(about, numbers, origin=Origin.SIMULATED), year=2026)
    assert played.verdict not in SETTLED


@given(NUMBERS, NUMBERS, NUMBERS, st.sampled_from(["absolute", "threshold"]))
def test_a_better_value_never_gets_a_worse_verdict(base, goal, value, kind):
    assume(base < goal)
    about, aim = indicator(baseline=Baseline("2014", base)), target(type=kind, value=goal)
    order = [Verdict.OFF_TRACK, Verdict.AT_RISK, Verdict.ON_TRACK]
    worse, better = (evaluation.evaluate(about, aim, values({"2023": v})) for v in (value, value + abs(value) + 1))
    assert order.index(worse.verdict) <= order.index(better.verdict)


@given(NUMBERS, st.sampled_from(["km", "m", "cm"]), st.sampled_from(["km", "m", "cm"]))
def test_a_verdict_does_not_depend_on_the_unit_it_is_said_in(value, one, other):
    said = units.convert(value, one, other)
    assert units.convert(said, other, one) == pytest.approx(value, rel=1e-12)
    same = {
        evaluation.evaluate(indicator(unit=other, direction="up"), target(type="threshold", value=v, unit=u),
                            values({"2030": said + abs(said) * 1e-6 + 1e-3})).verdict
        for v, u in ((value, one), (said, other))
    }  # fmt: skip
    assert same == {Verdict.ACHIEVED}
