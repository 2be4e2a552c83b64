"""Computing over the real lake: the formula's result, only what changed, and the same bits again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

import pytest

from krog import lake
from krog.base.errors import Invalid
from krog.base.origin import Origin
from krog.catalogue import door
from krog.engine.compute import asking, run, verify
from krog.indicators import models, reads
from krog.indicators.shapes import Status
from krog.lake.shapes import Row
from krog.people.permissions import SYSTEM
from krog.streams import reads as streams
from tests import measuring, sensing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _lake() -> Iterator[None]:
    measuring.fresh()
    run._looked.clear()
    yield
    measuring.fresh()


def grant():
    return door.open(SYSTEM, "compute", kind="indicators")


def by_period(key: str = "night-losses"):
    return {value.period: value for value in reads.values(grant(), key)}


def test_night_losses_are_inflow_minus_the_sum_of_deliveries():
    keys = measuring.zone()
    measuring.declare(night_losses=measuring.indicator())
    day = measuring.days_ago(1)
    chance = random.Random(7)
    readings = {key: [round(chance.uniform(0.5, 9.5), 3) for _ in range(24)] for key in keys}
    measuring.night(day, readings)
    measuring.to_lake()
    assert run.compute_all() is not None
    value = by_period()[day.isoformat()]
    means = {key: sum(map(lambda v: Fraction(str(v)), values), Fraction(0)) / 24 for key, values in readings.items()}
    assert value.value == float(means["mlaka-inflow"] - sum(means[key] for key in keys[1:]))
    assert (value.status, value.origin) == (Status.CALCULATED, Origin.COMPUTED)
    made = value.provenance
    assert made is not None
    assert made.rows == 24 * 4
    assert {each["term"]: each["rows"] for each in made.inputs} == {"inflow": 24, "deliveries": 72}
    assert "duckdb" in made.engine
    assert made.inputs[0]["version"] >= 0
    assert set(reads.selections(grant(), value)["deliveries"]) == set(keys[1:])


def test_a_missing_meter_gives_no_value_and_says_which():
    keys = measuring.zone()
    measuring.declare(night_losses=measuring.indicator())
    day = measuring.days_ago(1)
    gaps = {key: [2.0] * 24 for key in keys} | {"mlaka-d2": [2.0] * 10 + [None] * 14}
    measuring.night(day, gaps)
    measuring.to_lake()
    run.compute_all()
    value = by_period()[day.isoformat()]
    assert value.value is None
    assert [(r["code"], r["stream"], r["have"], r["expected"]) for r in value.reasons] == [
        ("coverage", "mlaka-d2", 10, 24)
    ]


def test_a_night_whose_readings_have_not_come_yet_is_not_judged_missing():
    keys = measuring.zone()
    measuring.declare(night_losses=measuring.indicator())
    old, new = measuring.days_ago(2), measuring.days_ago(1)
    measuring.night(old, {key: [2.0] * 24 for key in keys})
    measuring.night(new, {key: [2.0] * 6 for key in keys})
    measuring.to_lake()
    run.compute_all()
    assert set(by_period()) == {old.isoformat()}, "nothing is said of the night that is still coming in"
    measuring.night(new, {key: [None] * 6 + [2.0] * 18 for key in keys})
    measuring.to_lake()
    run.compute_all()
    assert (by_period()[new.isoformat()].value, models.Value.objects.count()) == (-4.0, 2)


def test_a_corrected_reading_is_computed_without_the_wrong_one():
    keys = measuring.zone(1)
    measuring.declare(night_losses=measuring.indicator())
    day = measuring.days_ago(1)
    measuring.night(day, {keys[0]: [5.0] * 23 + [500.0], keys[1]: [2.0] * 24})
    measuring.to_lake()
    run.compute_all()
    assert by_period()[day.isoformat()].value == pytest.approx((5 * 23 + 500) / 24 - 2)
    number = streams.ingest_index()[keys[0]].id
    wrong = next(row for row in lake.observations([number]) if row.value == 500.0)
    with sensing.hot() as store:
        store.submit([Row(number, wrong.time, 5.0, supersedes=wrong.id)]).result(timeout=30)
    measuring.to_lake()
    run.compute_all()
    assert by_period()[day.isoformat()].value == 3.0


def test_months_are_put_together_from_days():
    keys = measuring.zone(1)
    mean = {"dataset": "mlaka-water", "agg": "mean", "unit": "m3/h", "grain": ["local_date"],
            "filter": {"streams": keys[:1]}}  # fmt: skip
    monthly = {"unit": "m3/h", "expr": ["max_over", "local_date", "day"], "terms": {"day": mean}}
    measuring.declare(night_losses=measuring.indicator(period="month", formula=monthly))
    last = measuring.days_ago(0).replace(day=1) - timedelta(days=1)
    days = [last.replace(day=number + 1) for number in range(last.day)]
    for day in days:
        measuring.night(day, {keys[0]: [float(day.day), float(day.day) + 1]})
    measuring.night(last + timedelta(days=1), {keys[0]: [0.0]})
    measuring.to_lake()
    run.compute_all()
    found = by_period()[last.isoformat()[:7]]
    assert (found.value, found.status) == (last.day + 0.5, Status.CALCULATED)
    assert verify.recompute(grant(), found).same is True


def test_simulated_readings_make_a_simulated_value():
    keys = measuring.zone()
    measuring.declare(night_losses=measuring.indicator())
    measuring.night(measuring.days_ago(2), {key: [2.0] * 24 for key in keys}, origin=Origin.REPLAYED)
    measuring.night(measuring.days_ago(1), {key: [2.0] * 24 for key in keys[1:]}, origin=Origin.REPLAYED)
    measuring.night(measuring.days_ago(1), {keys[0]: [9.0] * 24}, origin=Origin.SIMULATED)
    measuring.to_lake()
    run.compute_all()
    found = by_period()
    assert found[measuring.days_ago(2).isoformat()].origin == Origin.REPLAYED
    assert found[measuring.days_ago(1).isoformat()].origin == Origin.SIMULATED


def test_a_new_version_writes_only_what_changed_and_late_readings_supersede():
    keys = measuring.zone()
    measuring.declare(night_losses=measuring.indicator())
    old, new = measuring.days_ago(3), measuring.days_ago(1)
    measuring.night(old, {key: [1.0] * 24 for key in keys} | {"mlaka-inflow": [9.0] * 20 + [None] * 4})
    measuring.to_lake()
    run.compute_all()
    assert models.Value.objects.filter(period=old.isoformat()).count() == 1
    first = by_period()[old.isoformat()]
    assert run.compute_all() is None, "nothing is new"
    measuring.night(new, {key: [1.0] * 24 for key in keys})
    measuring.to_lake()
    run.compute_all()
    assert by_period()[old.isoformat()].id == first.id, "the old day did not change"
    assert by_period()[new.isoformat()].value == -2.0
    measuring.night(old, {"mlaka-inflow": [None] * 20 + [21.0] * 4})
    measuring.to_lake()
    run.compute_all()
    again = by_period()[old.isoformat()]
    assert (first.value, again.value) == (6.0, 8.0)
    rows = reads.history(grant(), "night-losses", period=old.isoformat()).items
    assert [(row.value, row.superseded_by) for row in rows] == [(8.0, None), (6.0, again.id)]


def test_recomputing_gives_the_same_bits_from_the_pinned_version_after_the_inputs_moved_on():
    keys = measuring.zone()
    measuring.declare(night_losses=measuring.indicator())
    day, chance = measuring.days_ago(1), random.Random(3)
    measuring.night(day, {key: [chance.uniform(0, 10) for _ in range(22)] for key in keys})
    measuring.to_lake()
    run.compute_all()
    value = by_period()[day.isoformat()]
    measuring.night(day, {key: [None] * 22 + [99.0, 98.0] for key in keys})
    measuring.to_lake()
    run.compute_all()
    assert by_period()[day.isoformat()].id != value.id
    pinned = value.provenance.inputs[0]["version"]
    assert verify.recompute(grant(), value) == verify.Finding(True, f"same {pinned}")
    models.Value.objects.filter(pk=value.id).update(value=value.value + 1e-12)
    changed = reads.value(grant(), "night-losses", value.id)
    assert verify.recompute(grant(), changed).same is False


def test_new_values_are_checked_once_and_asked_ones_again():
    keys = measuring.zone()
    measuring.declare(night_losses=measuring.indicator())
    measuring.night(measuring.days_ago(1), {key: [1.5] * 24 for key in keys})
    measuring.to_lake()
    run.compute_all()
    waiting = models.Value.objects.count()
    assert verify.check_some() == waiting
    assert verify.check_some() == 0
    value = by_period()[measuring.days_ago(1).isoformat()]
    checks = reads.checks(grant(), "night-losses", value.id)
    assert [check.same for check in checks] == [True]


def test_another_formula_computes_everything_anew_and_a_wrong_unit_holds_up_nobody():
    keys = measuring.zone()
    measuring.declare(night_losses=measuring.indicator())
    day = measuring.days_ago(1)
    measuring.night(day, {key: [3.0] * 24 for key in keys})
    measuring.to_lake()
    run.compute_all()
    doubled = {**measuring.NIGHT_LOSSES, "expr": ["*", 2, measuring.NIGHT_LOSSES["expr"]]}
    broken = {
        "unit": "kW",
        "expr": "load",
        "terms": {"load": {"dataset": "mlaka-water", "agg": "mean", "grain": ["local_date"], "unit": "kW"}},
    }
    measuring.declare(
        a_broken=measuring.indicator(unit="kW", formula=broken), night_losses=measuring.indicator(formula=doubled)
    )
    with pytest.raises(Invalid, match="does not fit"):
        run.compute_all()
    assert by_period()[day.isoformat()].value == -12.0


def test_readings_in_litres_per_second_are_converted():
    keys = measuring.zone()
    sensing.declare(mlaka_inflow=sensing.stream(unit="l/s"))
    measuring.declare(night_losses=measuring.indicator())
    day = measuring.days_ago(1)
    measuring.night(day, {key: [1.0] * 24 for key in keys})
    measuring.to_lake()
    run.compute_all()
    assert by_period()[day.isoformat()].value == pytest.approx(3.6 - 3.0, abs=1e-12)


def test_people_are_asked_once_for_the_last_ended_period(account):
    measuring.zone()
    account("ana", "official", offices=("energetika",))
    account("bor", "official", offices=("energetika",))
    measuring.declare(k3_1=measuring.entered(), k3_2=measuring.entered(owner="", confirmer=""))
    assert asking.ask_due() == 1
    assert asking.ask_due() == 0
    request = reads.requests(grant()).items[0]
    assert request.indicator == "k3-1"
