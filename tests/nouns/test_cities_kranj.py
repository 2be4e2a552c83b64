"""Kranj, the demo city: its files are sound, apply whole, come back by export, and survive any text of the desk."""

from __future__ import annotations

import re
import shutil
import tempfile
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.urls import resolve
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from krog.base.declaration import Change
from krog.base.grant import ANONYMOUS
from krog.base.ids import Ref
from krog.catalogue import door
from krog.engine.cities import city
from krog.engine.cities.apply import apply
from krog.engine.cities.check import check, examine
from krog.engine.cities.compare import compare, state
from krog.engine.cities.export import export
from krog.engine.cities.kinds import collect
from krog.indicators import reads as indicators
from krog.journal import reads as journal
from krog.people import reads as people
from krog.people.permissions import SYSTEM
from krog.people.providers import CENTRES
from krog.registers import reads as registers

KRANJ = Path(__file__).parents[2] / "cities" / "kranj"
WATER = ["mlaka-inflow", *(f"mlaka-delivery-{number:02}" for number in range(1, 9))]

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def kranj() -> dict[str, dict[str, Any]]:
    """What the files say, by kind and key; the state after applying is the same (a test below)."""
    reading = examine(KRANJ, collect())[0]
    return {one.kind: {str(item.key): item.whole for item in reading.of(one.kind)} for one in collect()}


@pytest.fixture()
def applied() -> dict[str, dict[str, Any]]:
    """The state of every kind after Kranj was applied."""
    apply(KRANJ, SYSTEM)
    return {one.kind: state(one) for one in collect()}


def test_the_files_have_neither_mistakes_nor_warnings() -> None:
    assert [str(found) for found in check(KRANJ)] == []


def test_applied_it_is_what_the_files_say_and_a_second_time_nothing_changes(
    kranj: dict[str, dict[str, Any]], applied: dict[str, dict[str, Any]]
) -> None:
    assert applied == kranj
    again = apply(KRANJ, SYSTEM)
    assert (again.written, again.diff.changes) == (False, ())


def test_every_declaration_is_in_the_journal(applied: dict[str, dict[str, Any]]) -> None:
    for ref in (
        Ref("datastream", "mlaka-inflow"),
        Ref("rule", "night-flow"),
        Ref("office", "vodovod"),
        Ref("city", "kranj"),
    ):
        assert len(journal.history(ref)) == 1, ref


def test_export_and_apply_give_the_same_city(applied: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    export(copy)
    assert [str(found) for found in check(copy)] == []
    assert compare(copy).changes == ()
    done = apply(copy, SYSTEM)
    assert not done.written
    assert {one.kind: state(one) for one in collect()} == applied
    again = tmp_path / "again"
    export(again)
    assert {path.relative_to(copy): path.read_bytes() for path in copy.rglob("*") if path.is_file()} == {
        path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()
    }


def test_an_unchanged_city_is_exported_without_touching_its_files(
    applied: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    shutil.copytree(KRANJ, tmp_path / "kranj")
    done = export(tmp_path / "kranj")
    assert done.written == {}
    assert done.removed == ()


text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\"'\\|,;#=[]{}"), min_size=1, max_size=40
)


@settings(
    max_examples=4, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sl=text, en=text, cell=text, number=st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_whatever_the_desk_wrote_survives_export(
    applied: dict[str, dict[str, Any]], sl: str, en: str, cell: str, number: float
) -> None:
    kinds = collect()
    edits: dict[str, tuple[str, dict[str, Any]]] = {
        "dataset": ("mlaka-water", {"title": {"sl": sl, "en": en}, "source": cell}),
        "call": ("tus-prenova", {"text": {"sl": sl, "en": en}}),
        "thing": ("mlaka-zone", {"description": {"sl": sl}, "source": cell}),
        "value": ("k2.1.2018", {"value": number, "note": cell}),
        "record": (
            "mlaka-valve-01",
            {"values": {**applied["record"]["mlaka-valve-01"]["values"], "note": cell.strip() or "x"}},
        ),
    }
    for kind, (key, fields) in edits.items():
        kinds[kind].write(SYSTEM, [Change(key, {**state(kinds[kind])[key], **fields}, "test")])
    before = {one.kind: state(one) for one in kinds}
    with tempfile.TemporaryDirectory() as place:
        export(Path(place) / "copy")
        assert [str(found) for found in check(Path(place) / "copy") if not found.warning] == []
        diff = compare(Path(place) / "copy")
        assert diff.changes == ()
    assert {one.kind: state(one) for one in kinds} == before


def test_the_pilot_has_what_the_story_needs(kranj: dict[str, dict[str, Any]]) -> None:
    streams = kranj["datastream"]
    assert len(streams) == 21
    assert set(WATER) <= set(streams)
    for key, stream in streams.items():
        thing = kranj["thing"][stream["thing"]]
        assert thing["operator"], key
        assert thing["owner"], key
        assert kranj["sensor"][stream["sensor"]]["accuracy"], key
        assert stream["minimum"] < stream["maximum"], key
        assert thing["demo_place"] == key.startswith("mlaka-"), key
        assert thing["true_place"], key
        assert thing["source"], key
    terms = {term["stream"]: term["weight"] for term in kranj["rule"]["night-flow"]["signal"]["terms"]}
    assert terms == {"mlaka-inflow": 1, **{key: -1 for key in WATER[1:]}}
    fires = [sample["fires"] for sample in kranj["rule"]["night-flow"]["samples"]]
    assert True in fires
    assert False in fires
    assert kranj["node_indicator"]["u3.2.4--night-losses"]["role"] == "measures"
    entered = kranj["indicator"]["k3.1"]
    assert entered["owner"] != entered["confirmer"]
    assert kranj["protocol"]["puscanje"]["steps"]


def test_every_centre_has_an_office_and_every_office_somebody(applied: dict[str, dict[str, Any]]) -> None:
    offices = applied["office"]
    assert {office["centre"] for office in offices.values()} == {
        "mobility", "environment", "energy", "buildings", "economy", "administration", "living", "control",
    }  # fmt: skip
    grant = door.open(SYSTEM, "desk", kind="people")
    for key in offices:
        assert people.role_holder(grant, key) is not None, key
    assert {role for account in applied["account"].values() for role in account["roles"]} == {
        "operator", "official", "planner", "digital_officer", "clerk", "administrator",
    }  # fmt: skip
    for account in applied["account"].values():
        assert account["demo"]
        assert account["email"].endswith(".example")


def test_the_strategy_is_whole(kranj: dict[str, dict[str, Any]]) -> None:
    nodes = kranj["node"]
    assert Counter(node["level"] for node in nodes.values()) == {
        "area": 9, "strategic_goal": 6, "operational_goal": 28, "measure": 30, "programme": 121, "project": 495,
    }  # fmt: skip
    assert [key for key, node in nodes.items() if not (node["title"].get("sl") and node["title"].get("en"))] == []
    assert sum(node["strategic"] for node in nodes.values()) == 62
    assert Counter(node["horizon"] for node in nodes.values() if node["horizon"]) == {
        "2030": 33, "2035": 28, "2030, 2035": 1,
    }  # fmt: skip
    assert sum(bool(node["status"]) for node in nodes.values()) == 22
    assert sum("(DUO)" in node["note"] for node in nodes.values()) >= 12
    assert nodes["u2.5.2.1"]["organisation"] == "rs"
    assert [key for key, node in nodes.items() if not node["source"]] == []
    # Two parts that name each other are one link.
    assert len(kranj["link"]) == 79
    pairs = {frozenset((link["source"], link["target"])) for link in kranj["link"].values()}
    assert len(pairs) == 79
    assert {"u1.5.3.b8--relates_to--u3.4.3", "u3.3.sp2030--relates_to--u3.3.4.1"} <= set(kranj["link"])


RESULTS = {
    "k1.1", "k1.2", "k1.3", "k2.1", "k2.2", "k2.3", "k3.1", "k3.2", "k3.3", "k3.4", "k4.1", "k4.2", "k4.3", "k5.1",
    "k5.2", "k5.3", "k5.4", "k5.5", "k6.1", "k6.2", "k6.2.2", "k6.3", "k6.4",
}  # fmt: skip


def test_every_result_indicator_is_there_as_printed_and_none_is_guessed(kranj: dict[str, dict[str, Any]]) -> None:
    indicators = {key: one for key, one in kranj["indicator"].items() if re.match(r"k\d", key)}
    assert set(indicators) == RESULTS
    statuses = Counter(one["parse_status"] for one in indicators.values())
    assert statuses["contradictory"] >= 3
    assert statuses["ambiguous"] >= 6
    for key, one in indicators.items():
        assert one["raw"].startswith("("), key
        assert bool(one["parse_note"]) == (one["parse_status"] != "ok"), key
    targets = [target for target in kranj["target"].values() if target["indicator"] in RESULTS]
    assert {target["indicator"] for target in targets} == RESULTS
    for target in targets:
        assert target["raw"], target
        assert target["note"] or target["parse_status"] == "ok", target
        assert target["date"] != "2023" or target["parse_status"] in ("ambiguous", "missing"), target
    assert {target["type"] for target in targets} == {
        "absolute", "relative_to_baseline", "delta_cumulative", "threshold", "direction_only", "keep", "index",
    }  # fmt: skip
    assert kranj["target"]["k1.2.2035"]["comparator"] == "ri-value-added-per-employee-si"
    assert kranj["target"]["k6.4.undated"]["date"] == ""
    assert kranj["target"]["k5.4.2023"]["parse_status"] == "missing"


def test_values_come_by_each_way_and_what_registers_hold_is_computed(kranj: dict[str, dict[str, Any]]) -> None:
    kinds = Counter(one["kind"] for one in kranj["indicator"].values())
    assert kinds["entered"] + kinds["imported"] >= 10
    assert kinds["computed"] >= 12
    share = kranj["indicator"]["renovated-share"]["formula"]["terms"]
    rows = [one["values"] for one in kranj["record"].values() if one["register"] == "renovations"]
    met = [row for row in rows if all(row[c["field"]] == c["value"] for c in share["done"]["where"])]
    assert (len(met), len(rows)) == (27, 46), "58.7 %"


def test_the_slot_of_2023_is_no_measurement(applied: dict[str, dict[str, Any]]) -> None:
    grant = door.open(SYSTEM, "desk", kind="indicators")
    jobs = {value.period: value.value for value in indicators.values(grant, "k1.1")}
    assert jobs == {"2014": 22144, "2023": 25353}
    assert {value.period for value in indicators.values(grant, "k2.2")} == set()
    population = indicators.standings(grant, ["k4.3"])["k4.3"]
    assert population.evaluation is not None
    assert population.evaluation.goal == pytest.approx(55623 * 1.045)


def test_development_indicators_have_their_values_by_year_with_source(kranj: dict[str, dict[str, Any]]) -> None:
    keys = {key for key in kranj["indicator"] if key.startswith("ri-")}
    assert len(keys) == 35
    values = {key: one for key, one in kranj["value"].items() if one["indicator"] in keys}
    assert sum(one["value"] is not None for one in values.values()) == 66
    assert all(one["source"] and one["origin"] == "imported" for one in values.values())
    assert values["ri-dwellings.2011"]["value"] == 20748
    assert "2014" in values["ri-dwellings.2011"]["note"]
    assert values["ri-gross-investment.2023"]["value"] is None
    assert "160,5" in values["ri-value-added-per-employee-si.2023"]["note"]
    assert {kranj["indicator"][key]["series_of"] for key in keys if key.endswith("-si")} < keys


def records(kranj: dict[str, dict[str, Any]], register: str) -> list[dict[str, Any]]:
    return [one["values"] for one in kranj["record"].values() if one["register"] == register]


@pytest.mark.parametrize(
    ("register", "count"),
    [
        ("services", 50), ("systems", 206), ("renovations", 46), ("population", 21), ("commuting", 19),
        ("satisfaction-survey", 25), ("implementation", 8), ("ghg", 9), ("other-figures", 49), ("priority-fields", 8),
        ("funding-mechanisms", 4), ("centre-links", 18), ("related-documents", 14), ("settlements", 49),
    ],
)  # fmt: skip
def test_registers_hold_every_row_of_the_documents(kranj: dict[str, dict[str, Any]], register: str, count: int) -> None:
    found = records(kranj, register)
    assert len(found) == count
    assert all(one["source"] for one in found)
    dataset = kranj["dataset"][register]
    assert set(dataset["fields"]) >= set(kranj["register"][register]["fields"]) - {"title_en"}
    assert dataset["source"]


def test_every_centre_has_services_or_says_what_it_gathers(kranj: dict[str, dict[str, Any]]) -> None:
    assert {one["centre"] for one in records(kranj, "services")} >= set(CENTRES) - {"control"}
    links = records(kranj, "centre-links")
    assert {one["centre"] for one in links} == set(CENTRES)
    for one in links:
        assert (one["how"] == "dataset") == bool(one.get("dataset")), one
        assert one.get("dataset", "services") in kranj["dataset"]


def test_the_directory_of_services_is_by_area_and_life_situation(applied: dict[str, dict[str, Any]]) -> None:
    services = records(applied, "services")
    assert Counter(one["status"] for one in services) == {"existing": 18, "proposed": 13, "elsewhere": 19}
    assert all(one["area"] and one["life_situation"] and one["description"] for one in services)
    assert {one["title"] for one in services if one["status"] == "existing"} >= {
        "Občinsko oko",
        "KrPovej",
        "Parkmewise",
    }
    grant = door.open(ANONYMOUS, "portal", kind="registers")
    assert registers.register_of(grant, "services") is not None
    assert registers.register_of(grant, "systems") is None


def test_what_serves_a_system_is_there(kranj: dict[str, dict[str, Any]]) -> None:
    systems = records(kranj, "systems")
    assert {one["number"] for one in systems} == {str(number) for number in range(1, 207)}
    for one in systems:
        assert (one["served_by"] == "not_yet") == ("where" not in one), one["number"]
        if "where" not in one:
            continue
        resolve(one["where"])
        noun, _, key = one["where"].strip("/").partition("/")
        kind = {"registers": "register", "datasets": "dataset", "plans": "plan", "indicators": "indicator"}.get(noun)
        if kind:
            assert key in kranj[kind], one["number"]


def test_local_communities_are_territories(kranj: dict[str, dict[str, Any]]) -> None:
    levels = Counter(one["level"] for one in kranj["territory"].values())
    assert levels == {"municipality": 1, "settlement": 49, "local_community": 26}


def test_the_public_sees_of_cases_only_how_they_stand(kranj: dict[str, dict[str, Any]]) -> None:
    fields = kranj["dataset"]["cases"]["fields"]
    assert {name for name, about in fields.items() if about.get("access") == "official"} == {
        "outcome", "description", "reporter", "messages",
    }  # fmt: skip
    assert kranj["dataset"]["proposals"]["fields"]["email"]["access"] == "restricted"


def test_every_dataset_is_described(kranj: dict[str, dict[str, Any]]) -> None:
    used = {thing["dataset"] for kind in kranj.values() for thing in kind.values() if thing.get("dataset")}
    doubtful = [doubt for dataset in kranj["dataset"].values() for doubt in dataset["doubts"]]
    assert doubtful
    assert all(set(doubt) == {"sl", "en"} for doubt in doubtful)
    assert used | {"people", "catalogue", "service-use", "krog-facts"} == set(kranj["dataset"])
    for key, dataset in kranj["dataset"].items():
        assert all(dataset[name] for name in ("organisation", "office", "steward", "licence", "frequency")), key
        assert set(dataset["description"]) == {"sl", "en"}, key


def test_the_city_has_the_pages_that_its_footer_leads_to(applied: dict[str, dict[str, Any]]) -> None:
    assert {"accessibility", "privacy", "api", "data"} <= {page.key for page in city.pages()}
    assert city.current().languages == ("sl", "en")
    document = tomllib.loads((KRANJ / "city.toml").read_text("utf-8"))
    assert city.current().name == document["name"]
