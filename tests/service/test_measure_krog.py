"""Krog counts how it works: facts of each day, once, and indicators over them like over any other table."""

from __future__ import annotations

import pytest

from krog.base import times
from krog.base.settings import settings
from krog.catalogue import door
from krog.engine import measure
from krog.engine.compute import run, verify
from krog.indicators import reads
from krog.lake import dataset_table
from krog.people import keys
from krog.people.models import Organisation
from krog.people.permissions import SYSTEM
from tests import measuring, sensing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _lake():
    measuring.fresh()
    run._looked.clear()
    sensing.dataset("tus-indicators", noun="indicators")
    yield
    measuring.fresh()


def facts(day=None):
    rows = dataset_table.read_table(measure.TABLE).to_pylist()
    return {row["fact"]: row["value"] for row in rows if day is None or row["day"] == day}


def today():
    return times.local_date(times.now(), settings().timezone).isoformat()


def test_nothing_is_counted_where_the_city_does_not_declare_the_table():
    assert measure.measure() is None
    assert dataset_table.version(measure.TABLE) is None


def test_working_datastreams_are_those_whose_newest_value_is_not_overdue():
    sensing.dataset(measure.TABLE, noun="catalogue")
    measuring.zone(3)
    sensing.observe("mlaka-inflow", [1.0])
    sensing.observe("mlaka-d1", [1.0], end=times.now() - 30 * times.DAY)
    measuring.declare(k3_1=measuring.entered())
    measuring.target("a", "k3-1", value=1.0)
    measuring.target("b", "k3-1", date="2035", parse_status="ambiguous", note="?")
    Organisation.objects.create(key="city", title={"en": "City"})
    keys.create(SYSTEM, title="Device", organisation="city")
    assert measure.measure() is not None
    found = facts(today())
    assert (found["streams-planned"], found["streams-working"]) == (4, 1)
    assert (found["sources-planned"], found["sources-fresh"]) == (1, 1)
    assert (found["targets"], found["targets-clear"], found["links"]) == (2, 1, 1)
    assert set(found) == set(measure.FACTS)
    assert measure.measure() is None, "the same facts are no new version"


def test_days_that_are_over_stay_and_the_indicator_is_computed_again_the_same():
    sensing.dataset(measure.TABLE, noun="catalogue")
    measuring.zone(3)
    sensing.observe("mlaka-inflow", [1.0])
    measure.measure(times.now() - 5 * times.DAY)
    before = facts()
    term = {"table": measure.TABLE, "agg": "sum", "field": "value", "time": "day", "grain": ["local_date"], "unit": "1",
            "required": False}  # fmt: skip
    share = {"unit": "%", "expr": ["share", "part", "whole"], "terms": {
        "part": {**term, "where": [{"field": "fact", "value": "streams-working"}]},
        "whole": {**term, "where": [{"field": "fact", "value": "streams-planned"}]}}}  # fmt: skip
    measuring.declare(krog_sensors=measuring.indicator(formula=share, unit="%", period="day"))
    measure.measure()
    assert len(dataset_table.read_table(measure.TABLE).to_pylist()) > len(before)
    run.compute_all()
    grant = door.open(SYSTEM, "compute", kind="indicators")
    value = reads.values(grant, "krog-sensors")[-1]
    assert (value.period, value.value) == (today(), 25.0)
    assert verify.recompute(grant, reads.value(grant, "krog-sensors", value.id)).same is True
