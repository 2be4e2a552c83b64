"""Formulas: what is accepted, what is refused and how, and that a hash means the same formula."""

from __future__ import annotations

import copy
import json
import textwrap
import time
import tomllib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krog.base.errors import Invalid
from krog.base.units import UNITS
from krog.indicators import formula, quantities
from tests.formulas import NIGHT_LOSSES


def night(**changes):
    return {**copy.deepcopy(NIGHT_LOSSES), **changes}


def refused(document, period="day"):
    with pytest.raises(Invalid) as caught:
        formula.parse(document, period)
    return str(caught.value)


def test_the_example_of_the_docstring_is_a_formula():
    text = formula.__doc__
    toml = textwrap.dedent(text[text.index("    [indicator.formula]") : text.index("**Terms.**")])
    parsed = formula.parse(tomllib.loads(toml)["indicator"]["formula"], "day")
    assert parsed.datasets == ("zone-water",)
    of_the_zone = json.loads(json.dumps(night()).replace("mlaka", "zone"))
    assert parsed.id == formula.parse(of_the_zone, "day").id
    assert formula.read(night(), "day") == formula.parse(night(), "day")


def shuffled(value, draw):
    if isinstance(value, dict):
        keys = draw(st.permutations(list(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    return value


@given(st.data())
def test_the_hash_does_not_depend_on_the_order_of_keys_or_streams_or_on_titles(data):
    document = night()
    streams = ["a", "b", "c"]
    document["terms"]["inflow"]["filter"]["streams"] = streams
    first = formula.parse(document, "day").id
    other = shuffled(copy.deepcopy(document), data.draw)
    other["terms"]["inflow"]["filter"]["streams"] = data.draw(st.permutations(streams))
    other["terms"]["inflow"]["title"] = {"en": data.draw(st.text(max_size=5))}
    other["terms"]["deliveries"]["grain"] = data.draw(st.permutations(["stream", "local_date"]))
    assert formula.parse(other, "day").id == first
    assert json.loads(formula.canonical(formula.parse(other, "day"))) == json.loads(
        formula.canonical(formula.parse(document, "day"))
    )


@pytest.mark.parametrize("change", [
    {"expr": ["-", ["sum_over", "stream", "deliveries"], "inflow"]},
    {"expr": ["-", "inflow", ["mean_over", "stream", "deliveries"]]},
    {"unit": "l/s"},
])  # fmt: skip
def test_another_formula_has_another_hash(change):
    assert formula.parse(night(**change), "day").id != formula.parse(night(), "day").id


@pytest.mark.parametrize(("expr", "part"), [
    (["eval", "inflow"], "not an operator"),
    (["__import__", "os"], "not an operator"),
    ([], "not an operator"),
    ({"a": 1}, "not an operator"),
    (None, "not an operator"),
    (["-", "inflow"], "arguments"),
    (["-", "inflow", "unknown"], "no term"),
    (["sum_over", "nation", "deliveries"], "dimension"),
    (["+", "inflow", "deliveries"], "counts twice"),
    (["-", "inflow", 5], "number without unit"),
    (["*", "inflow", ["sum_over", "stream", "deliveries"]], "gives length"),
    (["+", "inflow", float("nan")], "number cannot"),
    (["+", "inflow", float("inf")], "number cannot"),
    (["+", "inflow", 10**400], "number cannot"),
    (["+", "inflow", True], "not an operator"),
    ("inflow", "does not use"),
    (["fill", "inflow", 0], "optional term"),
])  # fmt: skip
def test_expressions_that_mean_nothing_are_refused_with_the_reason(expr, part):
    assert part in refused(night(expr=expr))


@pytest.mark.parametrize(("field", "value", "part"), [
    ("agg", "percentile", "aggregation"), ("agg", ["mean"], "aggregation"), ("unit", "furlong", "unit"),
    ("grain", ["stream"], "grain"), ("grain", ["local_date", "local_month"], "grain"), ("grain", "local_date", "grain"),
    ("grain", ["local_date", "local_date"], "grain"), ("filter", {"sql": "1=1"}, "filter"), ("filter", 3, "filter"),
    ("filter", {"local_hour": [4, 2]}, "hours"), ("filter", {"local_hour": [2, 25]}, "hours"),
    ("filter", {"local_hour": [True, 3]}, "hours"), ("filter", {"streams": ["../x"]}, "keys"),
    ("filter", {"streams": ["s"] * 3000}, "keys"), ("min_coverage", 1.5, "share"), ("min_coverage", "all", "share"),
    ("required", 1, "true or false"), ("measure", "text", "value"), ("dataset", "Mlaka Water", "dataset"),
    ("title", "inflow", "title"), ("sql", "SELECT 1", "no such field"),
])  # fmt: skip
def test_terms_that_mean_nothing_are_refused_with_the_place(field, value, part):
    document = night()
    document["terms"]["inflow"][field] = value
    told = refused(document)
    assert part in told
    assert "terms.inflow" in told


def test_all_mistakes_are_told_at_once():
    document = night(unit="furlong")
    document["terms"]["inflow"]["agg"] = "x"
    document["terms"]["deliveries"]["unit"] = "y"
    told = refused(document)
    assert "terms.inflow.agg" in told
    assert "terms.deliveries.unit" in told


def nested(depth):
    expr = "inflow"
    for _ in range(depth):
        expr = ["neg", expr]
    return expr


@pytest.mark.parametrize("document", [
    night(expr=nested(20)),
    night(expr=nested(100_000)),
    night(expr=["+", *["inflow"] * 49, ["+", *["inflow"] * 50], *[["+", *["inflow"] * 50]] * 6]),
    night(expr=["+", *["inflow"] * 1_000_000]),
    night(terms={f"t{i}": NIGHT_LOSSES["terms"]["inflow"] for i in range(5000)}),
    night(terms={"a" * 1000: NIGHT_LOSSES["terms"]["inflow"]}),
    night(terms={}), night(terms=[]), night(terms=None), {}, [], "x", None, 5,
])  # fmt: skip
def test_hostile_documents_are_refused_quickly(document):
    start = time.monotonic()
    refused(document)
    assert time.monotonic() - start < 2


@given(st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.sampled_from(["inflow", "+"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4), max_leaves=30,
))  # fmt: skip
def test_whatever_is_given_is_a_formula_or_refused(anything):
    for document in (anything, night(expr=anything), night(terms=anything)):
        with suppress(Invalid):
            formula.parse(document, "day")


def test_a_period_that_a_formula_cannot_have():
    assert "period" in refused(night(), "week")
    assert "dimensions local_date" in refused(night(), "month")
    assert "coarser" in refused(
        night(terms={"m": {"dataset": "d", "agg": "mean", "grain": ["local_month"], "unit": "m3/h"}}, expr="m")
    )
    monthly = night(expr=["mean_over", "local_date", NIGHT_LOSSES["expr"]])
    assert formula.parse(monthly, "month").id != formula.parse(night(), "day").id


def test_every_unit_of_the_vocabulary_has_an_exact_scale():
    assert set(quantities._CODES) == set(UNITS)
    assert quantities.scale("m3/h") / quantities.scale("l/s") == quantities.Fraction(10, 36)
    assert quantities.convertible("kW.h", "MW.h")
    assert not quantities.convertible("kW.h", "kW")
    assert not quantities.convertible("{person}", "{vehicle}/d")
