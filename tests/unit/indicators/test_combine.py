"""Combining: each term on its own grain, exact, in any order; what is missing stays missing."""

from __future__ import annotations

import copy
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.indicators import combine, formula, periods
from krog.indicators.combine import Cell, Input
from tests.formulas import NIGHT_LOSSES

DAY = "2026-11-20"
NIGHT = formula.parse(NIGHT_LOSSES, "day")
#: Readings as meters give them: at most nine places.
READING = st.decimals(min_value=-1000, max_value=1000, places=4).map(Fraction)


def cell(values):
    return Cell(len(values), sum(values, Fraction(0)), min(values), max(values))


def given_input(streams, *, unit="m3/h", expected=0, buckets=(DAY,)):
    cells = {place: cell([Fraction(v) for v in values]) for place, values in streams.items() if values}
    names = dict.fromkeys(name for name, _bucket in streams)
    return Input(cells, dict.fromkeys(names, unit), buckets, {place: expected for place in streams})


def of(expr, period="day", unit="m3/h", **terms):
    return formula.parse({"unit": unit, "expr": expr, "terms": terms}, period)


def term(**about):
    return {"dataset": "d", "agg": "mean", "grain": ["local_date"], "unit": "m3/h", **about}


@given(st.lists(READING, min_size=1, max_size=30),
       st.dictionaries(st.sampled_from("abcdef"), st.lists(READING, min_size=1, max_size=10), min_size=1))  # fmt: skip
def test_own_grain_equals_counting_by_hand(inflow, deliveries):
    found = combine.combine(NIGHT, {
        "inflow": given_input({("in", DAY): inflow}),
        "deliveries": given_input({(name, DAY): values for name, values in deliveries.items()}),
    }, DAY)  # fmt: skip
    by_hand = sum(inflow) / len(inflow) - sum(sum(values) / len(values) for values in deliveries.values())
    assert found == combine.Result(float(by_hand))


@given(st.lists(st.lists(READING, min_size=1, max_size=6), min_size=1, max_size=5), st.randoms())
def test_neither_order_nor_grouping_changes_a_bit(streams, chance):
    whole = of("m", m=term())
    first = given_input({(f"s{i}", DAY): values for i, values in enumerate(streams)})
    for values in streams:
        chance.shuffle(values)
    mixed = list(enumerate(streams))
    chance.shuffle(mixed)
    second = given_input({(f"s{i}", DAY): values for i, values in mixed})
    one, two = (combine.combine(whole, {"m": each}, DAY) for each in (first, second))
    assert one == two
    assert combine.fingerprint({"m": first}) == combine.fingerprint({"m": second})


def test_joining_before_aggregating_would_give_another_number():
    """kWh per m2 of two buildings with two and one meters: the area must not be counted once for each meter."""
    energy = of(["/", "kwh", "area"], unit="kW.h", kwh=term(agg="sum", unit="kW.h"), area=term(agg="sum", unit="1"))
    found = combine.combine(energy, {
        "kwh": given_input({("m1", DAY): [1000], ("m2", DAY): [1300], ("m3", DAY): [2300]}, unit="kW.h"),
        "area": given_input({("b1", DAY): [100], ("b2", DAY): [50]}, unit="1"),
    }, DAY)  # fmt: skip
    assert found.value == pytest.approx(30.6667, abs=1e-4)


@pytest.mark.parametrize(("have", "known"), [(24, True), (18, True), (17, False), (0, False)])
def test_coverage_is_counted_for_each_stream(have, known):
    found = combine.combine(NIGHT, {
        "inflow": given_input({("in", DAY): [5] * 24}, expected=24),
        "deliveries": given_input({("a", DAY): [1] * 24, ("b", DAY): [1] * have}, expected=24),
    }, DAY)  # fmt: skip
    assert (found.value is not None) is known
    if not known:
        assert found.reasons == (
            {"code": "coverage", "term": "deliveries", "stream": "b", "bucket": DAY, "have": have, "expected": 24},
        )


def test_what_is_required_and_missing_is_never_zero():
    empty = {"inflow": given_input({("in", DAY): []}), "deliveries": given_input({("a", DAY): [1]})}
    found = combine.combine(NIGHT, empty, DAY)
    assert found.value is None
    assert found.reasons[0]["stream"] == "in"
    alone = {"inflow": given_input({("in", DAY): [1]}), "deliveries": Input({}, {}, [DAY])}
    nobody = combine.combine(NIGHT, alone, DAY)
    assert nobody.reasons == ({"code": "no-streams", "term": "deliveries"},)


def test_optional_terms_take_those_that_are_there_or_the_fill():
    mean = of(["+", "a", ["fill", "b", 2]], a=term(), b=term(required=False))
    some = {"a": given_input({("x", DAY): [1]}), "b": given_input({("y", DAY): [7], ("z", DAY): []})}
    assert combine.combine(mean, some, DAY).value == 8
    none = {**some, "b": given_input({("y", DAY): []})}
    assert combine.combine(mean, none, DAY).value == 3
    unfilled = of(["+", "a", "b"], a=term(), b=term(required=False))
    assert combine.combine(unfilled, none, DAY).value is None


def test_division_by_zero_has_no_value():
    share = of(["safe_div", "a", "b"], unit="1", a=term(), b=term())
    found = combine.combine(share, {"a": given_input({("x", DAY): [1]}), "b": given_input({("y", DAY): [0]})}, DAY)
    assert found == combine.Result(None, ({"code": "division-by-zero"},))


def test_units_are_converted_exactly():
    both = of(["-", "a", "b"], a=term(), b=term(unit="l/s"))
    given = {"a": given_input({("x", DAY): [36]}), "b": given_input({("y", DAY): [3]}, unit="l/s")}
    found = combine.combine(both, given, DAY)
    assert found.value == 36 - 3 * 3.6


@pytest.mark.parametrize(("operator", "result"), [
    ("sum_over", 12.0), ("mean_over", 4.0), ("min_over", 1.0), ("max_over", 8.0),
])  # fmt: skip
def test_dimensions_are_taken_away(operator, result):
    month = of([operator, "local_date", "m"], period="month", m=term())
    days = {("s", "2026-11-01"): [1], ("s", "2026-11-02"): [3], ("s", "2026-11-03"): [8]}
    found = combine.combine(month, {"m": given_input(days, buckets=[bucket for _s, bucket in days])}, "2026-11")
    assert found.value == result


@pytest.mark.parametrize(("agg", "unit", "result"), [
    ("sum", "m3/h", 9.0), ("mean", "m3/h", 3.0), ("min", "m3/h", 1.0), ("max", "m3/h", 5.0), ("count", "1", 3.0),
])  # fmt: skip
def test_aggregates(agg, unit, result):
    one = of("m", unit=unit, m=term(agg=agg, unit=unit))
    assert combine.combine(one, {"m": given_input({("s", DAY): [1, 3, 5]}, unit=unit)}, DAY).value == result


@pytest.mark.parametrize(("expr", "result"), [
    (["neg", "m"], -4.0), (["abs", ["neg", "m"]], 4.0), (["min", "m", ["*", 2, "m"]], 4.0),
    (["max", "m", ["*", 2, "m"], ["/", "m", 4]], 8.0), (["+", "m", "m", "m"], 12.0), (["-", "m", "m"], 0.0),
])  # fmt: skip
def test_operators(expr, result):
    assert combine.combine(of(expr, m=term()), {"m": given_input({("s", DAY): [4]})}, DAY).value == result


def test_another_reading_another_fingerprint():
    one = given_input({("s", DAY): [1, 3]})
    other = copy.deepcopy(one)
    other.cells["s", DAY] = Cell(2, Fraction(4), Fraction(1), Fraction(3), ids=7)
    assert combine.fingerprint({"m": one}) != combine.fingerprint({"m": other})


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 1), ("2026-10-25", 3), ("2026-06-01", 2)])
def test_the_night_is_as_long_as_the_citys_clock_makes_it(day, hours):
    (bucket,) = periods.buckets(day, "day", (2, 4), "Europe/Ljubljana")
    assert (bucket.end - bucket.start) / 3_600_000_000 == hours
    start, end = periods.bounds(day, "Europe/Ljubljana")
    assert start < bucket.start < bucket.end < end


def test_hours_that_the_clock_jumps_over_have_no_bucket():
    assert periods.buckets("2026-03-29", "day", (2, 3), "Europe/Ljubljana") == []


def test_periods():
    assert [periods.after(p) for p in ("2026-12-31", "2026-12", "2026")] == ["2027-01-01", "2027-01", "2027"]
    assert [periods.before(p) for p in ("2026-03-01", "2026-01", "2026")] == ["2026-02-28", "2025-12", "2025"]
    assert len(periods.buckets("2026-02", "day", (2, 4), "Europe/Ljubljana")) == 28
    assert len(periods.buckets("2026", "month", None, "Europe/Ljubljana")) == 12
    assert periods.position("2023") == 2023.0
    assert 2023.49 < periods.position("2023-07-02") < 2023.51
    assert [str(periods.due_day(p, d)) for p, d in (("2025", "03-31"), ("2025", "12-31"), ("2026-11", ""))] == [
        "2026-03-31",
        "2026-12-31",
        "2026-12-31",
    ]
    for wrong in ("2026-13", "2026-02-30", "26", "", "2026-1-1", "２０２６"):
        with pytest.raises(Exception, match="not a period"):
            periods.kind_of(wrong)
