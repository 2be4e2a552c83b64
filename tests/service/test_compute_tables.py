"""Formulas over registers, tables of facts and other indicators: pinned, exact, and the same bits again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from krog.base import times
from krog.base.declaration import Change
from krog.base.errors import Invalid
from krog.base.origin import Origin
from krog.base.settings import settings
from krog.catalogue import door
from krog.engine.compute import run, tables, verify
from krog.indicators import models, periods, reads
from krog.indicators.shapes import Status
from krog.lake import dataset_table
from krog.people.permissions import SYSTEM
from krog.registers import models as register_models
from krog.registers import verbs as registers
from tests import measuring, sensing

pytestmark = pytest.mark.django_db(transaction=True)
THIS = periods.of_moment(times.now(), "month", "Europe/Ljubljana")


@pytest.fixture(autouse=True)
def _lake() -> Iterator[None]:
    measuring.fresh()
    run._looked.clear()
    tables._written.clear()
    sensing.dataset("tus-indicators", noun="indicators")
    yield
    measuring.fresh()


def grant():
    return door.open(SYSTEM, "compute", kind="indicators")


def computed(formula, **about):
    return measuring.indicator(**{"period": "month", "unit": formula["unit"], "formula": formula, **about})


def by_period(key):
    return {value.period: value for value in reads.values(grant(), key)}


def again(key, period):
    return verify.recompute(grant(), reads.value(grant(), key, by_period(key)[period].id))


def buildings(**areas):
    sensing.dataset("buildings", noun="registers", fields={"secret": {"access": "restricted"}})
    fields = {
        "name": {"type": "text", "required": True}, "area": {"type": "number", "unit": "m2"},
        "renovated": {"type": "boolean"}, "use": {"type": "text"}, "secret": {"type": "number"},
    }  # fmt: skip
    registers.declare_registers(SYSTEM, changes=[Change("buildings", {
        "title": {"en": "Buildings"}, "dataset": "buildings", "geometry": "none", "fields": fields,
        "title_field": "name",
    })])  # fmt: skip
    return fields


def record(key, **values):
    registers.declare_records(
        SYSTEM, changes=[Change(key, {"register": "buildings", "values": {"name": key, **values}})]
    )


def count(*where, **more):
    return {"table": "buildings", "agg": "count", "unit": "1", "where": list(where), **more}


SHARE = {
    "unit": "%", "expr": ["share", "done", "all"],
    "terms": {"done": count({"field": "renovated", "op": "=", "value": True}), "all": count()},
}  # fmt: skip


def test_a_share_of_a_register_s_records_follows_its_changes_and_is_computed_again_from_the_old_version():
    buildings()
    for key, done in (("a", True), ("b", False), ("c", False)):
        record(key, renovated=done, area=100.0)
    measuring.declare(renovated=computed(SHARE))
    assert run.compute_all() is not None
    first = by_period("renovated")[THIS]
    assert (first.value, first.status, first.origin) == (100 / 3, Status.PROVISIONAL, Origin.COMPUTED)
    made = {each["term"]: each for each in first.provenance.inputs}
    assert (made["done"]["dataset"], made["done"]["rows"], made["all"]["rows"]) == ("buildings", 1, 3)
    assert again("renovated", THIS).same is True
    assert run.compute_all() is None, "nothing has changed"
    record("b", renovated=True, area=100.0)
    models.Value.objects.update(recorded=0)
    run.compute_all()
    second = by_period("renovated")[THIS]
    assert second.value == 200 / 3
    assert second.provenance.inputs[0]["version"] > made["done"]["version"]
    old = reads.value(grant(), "renovated", first.id)
    assert verify.recompute(grant(), old).same is True, "the version it was computed from is still there"


def test_another_result_of_the_same_rows_is_noticed():
    buildings()
    record("a", renovated=True)
    measuring.declare(renovated=computed(SHARE))
    run.compute_all()
    models.Value.objects.update(value=55.0)
    found = again("renovated", THIS)
    assert (found.same, found.detail) == (False, "differs 100.0")


def test_groups_and_conditions_keep_what_is_apart_apart():
    buildings()
    record("a", area=100.0, use="school")
    record("b", area=50.5, use="school")
    record("c", area=70.0, use="office")
    record("d", use="office")
    total = {"table": "buildings", "agg": "sum", "field": "area", "unit": "m2"}
    largest = {"unit": "m2", "expr": ["max_over", "group", "a"],
               "terms": {"a": {**total, "by": "use", "grain": ["group"]}}}  # fmt: skip
    known = {"unit": "1", "expr": "n", "terms": {"n": count(
        {"field": "area", "op": "known"}, {"field": "use", "op": "in", "value": ["school", "office"]})}}  # fmt: skip
    none = {
        "unit": "m2",
        "expr": "a",
        "terms": {"a": {**total, "where": [{"field": "use", "op": "=", "value": "pool"}]}},
    }
    measuring.declare(largest=computed(largest), known=computed(known), none=computed(none))
    run.compute_all()
    assert by_period("largest")[THIS].value == 150.5
    assert by_period("known")[THIS].value == 3
    assert THIS not in by_period("none"), "a sum of no row is not 0, and the month still runs"


@pytest.mark.parametrize("term", [
    {"table": "buildings", "agg": "sum", "field": "secret", "unit": "1"},
    {"table": "buildings", "agg": "sum", "field": "name", "unit": "1"},
    {"table": "buildings", "agg": "sum", "field": "height", "unit": "1"},
    {"table": "buildings", "agg": "count", "unit": "1", "where": [{"field": "area", "value": "much"}]},
])  # fmt: skip
def test_a_field_that_is_restricted_or_does_not_fit_is_refused_by_name(term):
    buildings()
    record("a", area=1.0, secret=3.0)
    measuring.declare(bad=computed({"unit": "1", "expr": "x", "terms": {"x": term}}), good=computed(SHARE))
    with pytest.raises(Invalid):
        run.compute_all()
    assert not by_period("bad")
    assert "secret" not in dataset_table.read_table("buildings").column_names


def test_a_register_with_personal_data_does_not_go_to_formulas():
    buildings()
    sensing.dataset("buildings", noun="registers", personal=True, access="official")
    record("a", area=1.0)
    measuring.declare(bad=computed(SHARE))
    with pytest.raises(Invalid, match="personal"):
        run.compute_all()
    assert dataset_table.version("buildings") is None


def facts(*rows):
    columns = {"day": "string", "fact": "string", "value": "float64", "origin": "string"}
    return dataset_table.write_table("facts", [dict(zip(columns, row, strict=True)) for row in rows], columns=columns)


def fact(name, agg="sum", grain="local_date", **more):
    return {"table": "facts", "agg": agg, "field": "value", "time": "day", "grain": [grain], "unit": "1",
            "required": False, "where": [{"field": "fact", "value": name}], **more}  # fmt: skip


def test_a_month_of_daily_facts_is_a_mean_of_the_days_that_were_measured():
    facts(("2026-09-01", "up", 8.0, "measured"), ("2026-09-01", "all", 10.0, "measured"),
          ("2026-09-03", "up", 5.0, "measured"), ("2026-09-03", "all", 10.0, "measured"))  # fmt: skip
    share = {"unit": "%", "expr": ["mean_over", "local_date", ["share", "up", "all"]],
             "terms": {"up": fact("up"), "all": fact("all")}}  # fmt: skip
    days = {"unit": "1", "expr": ["count_over", "local_date", "<", 8, "1", "up"], "terms": {"up": fact("up")}}
    measuring.declare(share=computed(share), days=computed(days))
    run.compute_all()
    value = by_period("share")["2026-09"]
    assert (value.value, value.status, value.origin) == (65.0, Status.CALCULATED, Origin.COMPUTED)
    assert by_period("days")["2026-09"].value == 1
    assert by_period("share")["2026-10"].value is None, "a month without a measurement is not 0"
    assert again("share", "2026-09").same is True
    run._looked.clear()
    facts(("2026-09-01", "up", 8.0, "simulated"), ("2026-09-01", "all", 10.0, "measured"))
    run.compute_all()
    later = by_period("share")["2026-09"]
    assert (later.value, later.origin) == (80.0, Origin.SIMULATED)
    assert again("share", "2026-09").same is True


def ref(key, **more):
    return {"indicator": key, "unit": "1", **more}


def test_an_indicator_of_indicators_takes_the_same_year_and_says_what_is_missing():
    measuring.declare(
        ours=measuring.entered(kind="imported", unit="1", owner="", confirmer=""),
        theirs=measuring.entered(kind="imported", unit="1", owner="", confirmer=""),
        index=computed({"unit": "%", "expr": ["share", "a", "b"], "terms": {"a": ref("ours"), "b": ref("theirs")}},
                       period="year"),
        change=computed({"unit": "%", "expr": ["delta_vs_baseline", "now", "then"],
                         "terms": {"now": ref("ours"), "then": ref("ours", at="2014")}}, period="year"),
        growth=computed({"unit": "1", "expr": ["-", "now", "before"],
                         "terms": {"now": ref("ours"), "before": ref("ours", lag=1)}}, period="year"),
    )  # fmt: skip
    measuring.known("ours", y2014=50.0, y2015=60.0)
    measuring.known("theirs", y2014=100.0, y2016=0.0)
    run.compute_all()
    index = by_period("index")
    assert index["2014"].value == 50.0
    assert [r["code"] for r in index["2015"].reasons] == ["no-value"]
    assert by_period("change")["2015"].value == 20.0
    assert (by_period("growth")["2015"].value, by_period("growth")["2014"].value) == (10.0, None)
    taken = {each["term"]: each for each in index["2014"].provenance.inputs}
    assert (taken["a"]["indicator"], taken["a"]["period"]) == ("ours", "2014")
    assert again("index", "2014").same is True
    measuring.known("ours", y2014=75.0)
    run.compute_all()
    assert by_period("index")["2014"].value == 75.0
    old = models.Value.objects.filter(indicator__key="index", period="2014").order_by("id")[0]
    assert verify.recompute(grant(), reads.value(grant(), "index", old.pk)).same is True


def test_what_is_replayed_below_is_replayed_above():
    measuring.declare(
        ours=measuring.entered(kind="imported", unit="1", owner="", confirmer=""),
        twice=computed({"unit": "1", "expr": ["*", 2, "a"], "terms": {"a": ref("ours")}}, period="year"),
    )
    measuring.known("ours", y2014=50.0)
    models.Value.objects.update(origin=int(Origin.REPLAYED))
    run.compute_all()
    assert by_period("twice")["2014"].origin is Origin.REPLAYED


def test_an_indicator_cannot_be_computed_from_itself_by_any_way():
    def formula(key):
        return {"unit": "1", "expr": "a", "terms": {"a": ref(key)}}

    measuring.declare(one=computed(formula("two")))
    measuring.declare(two=computed(formula("three")))
    with pytest.raises(Invalid, match="from itself"):
        measuring.declare(three=computed(formula("one")))
    assert not models.Indicator.objects.filter(key="three").exists()


def test_a_state_of_a_month_that_is_over_is_read_from_the_version_of_its_end():
    buildings()
    record("a", renovated=True)
    measuring.declare(renovated=computed(SHARE))
    zone = settings().timezone
    end = periods.bounds(THIS, zone)[1]
    run.compute_all(now=end - times.HOUR)
    run._looked.clear()
    record("b", renovated=False)
    run.compute_all(now=end + times.DAY)
    values = by_period("renovated")
    assert values[THIS].status == Status.CALCULATED
    assert register_models.Record.objects.count() == 2
    assert values[periods.after(THIS)].value == 50.0
