"""Indicators, targets and known values as a city's files declare them."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krog.base.declaration import Change
from krog.base.errors import Forbidden, Invalid, NotFound
from krog.base.grant import ANONYMOUS
from krog.catalogue import door
from krog.indicators import models, providers, reads, verbs
from krog.indicators.shapes import Verdict
from krog.indicators.verbs import declaring
from krog.people.permissions import SYSTEM
from tests import measuring, sensing

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _dataset(db):
    sensing.dataset("tus-indicators", noun="indicators")


def grant(reader=ANONYMOUS):
    return door.open(reader, "portal", kind="indicators")


def of(kind):
    return next(one for one in providers.DECLARATIONS if one.kind == kind)


def test_what_is_declared_is_read_back_the_same():
    measuring.declare(night_losses=measuring.indicator(), k3_1=measuring.entered())
    measuring.target("k3-1.2030", "k3-1", type="relative_to_baseline", value=-7.0, unit="%", raw="-7 %")
    measuring.known("k3-1", y2023=18000.0)
    before = {kind: dict(of(kind).read()) for kind in ("indicator", "target", "value")}
    assert set(before["indicator"]) == {"night-losses", "k3-1"}
    assert before["value"]["k3-1.2023"]["source"] == "SURS"
    for kind, things in before.items():
        of(kind).write(SYSTEM, [Change(key, fields) for key, fields in things.items()])
    assert {kind: dict(of(kind).read()) for kind in before} == before
    assert models.Value.objects.count() == 1, "an unchanged value is not written again"


def test_every_mistake_of_an_indicator_is_told_at_once():
    wrong = measuring.indicator(
        unit="parsec",
        direction="sideways",
        due="02-30",
        owner="ana",
        confirmer="ana",
        formula={**measuring.NIGHT_LOSSES, "expr": ["-", "inflow", "deliveries"]},
        baseline={"period": "soon"},
    )
    with pytest.raises(Invalid) as caught:
        measuring.declare(bad=wrong)
    told = str(caught.value)
    for part in ("parsec", "sideways", "02-30", "same person", "counts twice", "baseline"):
        assert part in told, part
    assert not models.Indicator.objects.exists()
    with pytest.raises(Forbidden):
        verbs.declare_indicators(ANONYMOUS, changes=[Change("x", measuring.indicator())])


def test_a_changed_value_supersedes_and_one_taken_out_ends():
    measuring.declare(k3_1=measuring.entered())
    measuring.known("k3-1", y2023=18000.0, y2024=17000.0)
    measuring.known("k3-1", y2023=18100.0)
    assert [v.value for v in reads.values(grant(), "k3-1")] == [18100.0, 17000.0]
    rows = reads.history(grant(), "k3-1", period="2023").items
    assert [(r.value, r.superseded_by is None) for r in rows] == [(18100.0, True), (18000.0, False)]
    verbs.declare_values(SYSTEM, changes=[Change("k3-1.2024", None)])
    assert [v.period for v in reads.values(grant(), "k3-1")] == ["2023"]
    assert "k3-1.2024" not in of("value").read()
    measuring.known("k3-1", y2024=17000.0)
    assert [v.period for v in reads.values(grant(), "k3-1")] == ["2023", "2024"]
    with pytest.raises(Invalid, match="key of a value"):
        verbs.declare_values(SYSTEM, changes=[Change("other", {"indicator": "k3-1", "period": "2023", "value": 1.0})])
    with pytest.raises(NotFound):
        measuring.known("nothing", y2023=1.0)


def test_values_say_where_they_are_from_or_are_not_stored():
    from django.db import IntegrityError, transaction

    measuring.declare(k3_1=measuring.entered())
    row = models.Indicator.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        models.Value.objects.create(
            indicator=row, period="2023", start=0, end=1, value=1.0, status="official", origin=5, recorded=0
        )


def test_an_ambiguous_target_keeps_its_words_and_gets_no_verdict():
    measuring.declare(k3_1=measuring.entered(baseline={"period": "2014", "value": 20000.0}))
    measuring.target(
        "a",
        "k3-1",
        type="relative_to_baseline",
        value=-7.0,
        raw="-7 %",
        parse_status="ambiguous",
        note="The baseline is not stated.",
    )
    measuring.target("b", "k3-1", date="2035", value=17000.0)
    measuring.known("k3-1", y2023=18000.0)
    found = reads.standings(grant())["k3-1"]
    assert found.evaluation.verdict == Verdict.NOT_EVALUABLE
    assert found.evaluation.reasons == ("target-ambiguous",)
    assert found.evaluation.target.raw == "-7 %"
    with pytest.raises(Invalid, match="why the target"):
        measuring.target("c", "k3-1", parse_status="contradictory")


def test_a_closed_dataset_shows_nothing_and_a_row_rule_some(account):
    measuring.declare(k1_1=measuring.entered(code="K1.1"), night_losses=measuring.indicator())
    sensing.dataset("tus-indicators", noun="indicators", access="official")
    assert reads.indicators(grant()).items == []
    with pytest.raises(NotFound):
        reads.indicator(grant(), "k1-1")
    assert len(reads.indicators(grant(account("ana", "official"))).items) == 2
    sensing.dataset("tus-indicators", noun="indicators", public_rows={"field": "kind", "op": "=", "value": "computed"})
    assert [one.key for one in reads.indicators(grant()).items] == ["night-losses"]
    assert set(reads.standings(grant())) == {"night-losses"}
    with pytest.raises(NotFound):
        reads.values(grant(), "k1-1")


def test_retired_indicators_leave_the_lists_and_keep_their_values():
    measuring.declare(k3_1=measuring.entered())
    measuring.known("k3-1", y2023=1.0)
    verbs.declare_indicators(SYSTEM, changes=[Change("k3-1", None)])
    assert reads.indicators(grant()).items == []
    assert models.Value.objects.count() == 1


CHANGES = st.lists(
    st.tuples(st.sampled_from(["2021", "2022", "2023"]), st.none() | st.integers(0, 3)), min_size=1, max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_rows_are_only_ever_added_and_the_last_word_counts(changes):
    key = f"h{uuid.uuid4().hex[:10]}"
    measuring.declare(**{key: measuring.entered(code=key)})
    rows, said = [], {}
    for period, value in changes:
        about = {"indicator": key, "period": period, "value": value, "source": "s"}
        verbs.declare_values(SYSTEM, changes=[Change(f"{key}.{period}", about if value is not None else None)])
        if value is not None:
            said[period] = value
        else:
            said.pop(period, None)
        now = list(models.Value.objects.filter(indicator__key=key).order_by("id").values())
        assert now[: len(rows)] == rows, "what was stored once stays as it was"
        rows = now
        assert {v.period: v.value for v in reads.values(grant(), key)} == said


def test_a_unit_that_is_no_code_needs_a_sentence_and_cannot_be_computed():
    odd = measuring.entered(kind="imported", unit="count per visitor", owner="", confirmer="")
    with pytest.raises(Invalid) as caught:
        measuring.declare(odd=odd)
    assert "unit_note" in str(caught.value.problems[0].todo)
    measuring.declare(odd={**odd, "unit_note": "The source does not say which visitors."})
    assert reads.indicator(grant(), "odd").unit == "count per visitor"
    measuring.target("odd.2030", "odd", value=3.0, unit="count per visitor")
    assert measuring.standing_of("odd").verdict is Verdict.NO_DATA


def test_a_target_in_a_unit_of_another_kind_is_refused():
    measuring.declare(k3_1=measuring.entered())
    with pytest.raises(Invalid):
        measuring.target("k3-1.2030", "k3-1", value=3.0, unit="t")
    measuring.target("k3-1.2030", "k3-1", value=3.0, unit="kW.h/a")
    assert reads.indicator(grant(), "k3-1").targets[0].unit == "kW.h/a"


def test_other_codes_areas_and_baselines_of_targets_come_back_as_declared():
    measuring.declare(
        k1_1=measuring.entered(aliases=["K1.1", "OI0.1"], frameworks=["RCR26"], theme="tp1", level="result"),
        k1_1_si=measuring.entered(area="Slovenija", series_of="k1-1"),
    )
    measuring.target("k1-1.2030", "k1-1", value=-7.0, type="relative_to_baseline", unit="%", plan="tus",
                     baseline={"period": "2018", "value": 90.0, "raw": "okoli 90"})  # fmt: skip
    found = reads.indicator(grant(), "k1-1")
    assert (found.aliases, found.frameworks, found.theme, found.level) == (
        ("K1.1", "OI0.1"),
        ("RCR26",),
        "tp1",
        "result",
    )
    assert (found.targets[0].baseline.value, found.targets[0].plan) == (90.0, "tus")
    assert reads.indicator(grant(), "k1-1-si").series_of == "k1-1"
    with pytest.raises(Invalid):
        measuring.declare(bad=measuring.entered(series_of="k1-1"))


@pytest.mark.parametrize(("fields", "field"), [
    ({"date": "", "value": 3.0}, "date"), ({"type": "range", "value": 5.0, "value_to": 3.0}, "value_to"),
    ({"type": "range", "value": 5.0}, "value_to"), ({"value": 1.0, "tolerance": -1.0}, "tolerance"),
    ({"value": 1.0, "comparator": "k"}, "comparator"), ({"value": 1.0, "baseline": {"period": "then"}}, "baseline"),
])  # fmt: skip
def test_what_a_target_cannot_be_is_said_with_its_field(fields, field):
    about = {"indicator": "k", "date": "2030", "type": "absolute", **fields}
    assert any(field in problem.where for problem in declaring.target_problems("t", about))


def test_a_target_without_a_year_stands_where_it_is_said_to_be_unclear():
    about = {
        "indicator": "k",
        "date": "",
        "type": "absolute",
        "value": 3.0,
        "parse_status": "ambiguous",
        "note": "No year.",
    }
    assert not declaring.target_problems("t", about)


def test_that_there_is_no_value_is_kept_with_its_reason():
    measuring.declare(k1=measuring.entered(kind="imported", owner="", confirmer=""))
    about = {"indicator": "k1", "period": "2023", "value": None, "source": "SURS", "note": "NP", "on": "2024-01-01"}
    verbs.declare_values(SYSTEM, changes=[Change("k1.2023", about)])
    one = reads.values(grant(), "k1")[0]
    assert (one.value, one.reasons, one.note, one.on) == (None, [{"code": "not-available"}], "NP", "2024-01-01")
