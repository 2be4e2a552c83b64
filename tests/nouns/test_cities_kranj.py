"""Kranj, the demo city: its files are sound, apply whole, come back by export, and survive any text of the desk."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krog.base.declaration import Change
from krog.base.ids import Ref
from krog.catalogue import door
from krog.engine.cities import city
from krog.engine.cities.apply import apply
from krog.engine.cities.check import check
from krog.engine.cities.compare import compare, state
from krog.engine.cities.export import export
from krog.engine.cities.kinds import collect
from krog.journal import reads as journal
from krog.people import reads as people
from krog.people.permissions import SYSTEM

KRANJ = Path(__file__).parents[2] / "cities" / "kranj"
WATER = ["mlaka-inflow", *(f"mlaka-delivery-{number:02}" for number in range(1, 9))]

pytestmark = pytest.mark.django_db


@pytest.fixture()
def kranj() -> dict[str, dict[str, Any]]:
    """The state of every kind after Kranj was applied."""
    apply(KRANJ, SYSTEM)
    return {one.kind: state(one) for one in collect()}


def test_the_files_have_neither_mistakes_nor_warnings() -> None:
    assert [str(found) for found in check(KRANJ)] == []


def test_applied_twice_nothing_changes(kranj: dict[str, dict[str, Any]]) -> None:
    again = apply(KRANJ, SYSTEM)
    assert (again.written, again.diff.changes) == (False, ())


def test_every_declaration_is_in_the_journal(kranj: dict[str, dict[str, Any]]) -> None:
    for ref in (
        Ref("datastream", "mlaka-inflow"),
        Ref("rule", "night-flow"),
        Ref("office", "vodovod"),
        Ref("city", "kranj"),
    ):
        assert len(journal.history(ref)) == 1, ref


def test_export_and_apply_give_the_same_city(kranj: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    export(copy)
    assert [str(found) for found in check(copy)] == []
    assert compare(copy).changes == ()
    done = apply(copy, SYSTEM)
    assert not done.written
    assert {one.kind: state(one) for one in collect()} == kranj
    again = tmp_path / "again"
    export(again)
    assert {path.relative_to(copy): path.read_bytes() for path in copy.rglob("*") if path.is_file()} == {
        path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()
    }


def test_an_unchanged_city_is_exported_without_touching_its_files(
    kranj: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    shutil.copytree(KRANJ, tmp_path / "kranj")
    done = export(tmp_path / "kranj")
    assert done.written == {}
    assert done.removed == ()


text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t\"'\\|,;#=[]{}"), min_size=1, max_size=40
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sl=text, en=text, cell=text, number=st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_whatever_the_desk_wrote_survives_export(
    kranj: dict[str, dict[str, Any]], sl: str, en: str, cell: str, number: float
) -> None:
    kinds = collect()
    edits: dict[str, tuple[str, dict[str, Any]]] = {
        "dataset": ("mlaka-water", {"title": {"sl": sl, "en": en}, "source": cell}),
        "call": ("tus-prenova", {"text": {"sl": sl, "en": en}}),
        "thing": ("mlaka-zone", {"description": {"sl": sl}, "source": cell}),
        "value": ("k3.2.2018", {"value": number, "note": cell}),
        "record": (
            "mlaka-valve-01",
            {"values": {**kranj["record"]["mlaka-valve-01"]["values"], "note": cell.strip() or "x"}},
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


def test_every_centre_has_an_office_and_every_office_somebody(kranj: dict[str, dict[str, Any]]) -> None:
    offices = kranj["office"]
    assert {office["centre"] for office in offices.values()} == {
        "mobility", "environment", "energy", "buildings", "economy", "administration", "living", "control",
    }  # fmt: skip
    grant = door.open(SYSTEM, "desk", kind="people")
    for key in offices:
        assert people.role_holder(grant, key) is not None, key
    assert {role for account in kranj["account"].values() for role in account["roles"]} == {
        "operator", "official", "planner", "digital_officer", "clerk", "administrator",
    }  # fmt: skip
    for account in kranj["account"].values():
        assert account["demo"]
        assert account["email"].endswith(".example")


def test_thematic_area_three_is_whole(kranj: dict[str, dict[str, Any]]) -> None:
    nodes = kranj["node"]
    assert len(nodes) == 141
    assert {f"oc3.{number}" for number in range(1, 6)} | {f"u3.{number}" for number in range(1, 6)} | {
        "tp3",
        "sc3",
    } <= set(nodes)
    assert [key for key, node in nodes.items() if not (node["title"].get("sl") and node["title"].get("en"))] == []
    assert sum(node["strategic"] for node in nodes.values()) == 10


def test_what_is_ambiguous_in_the_source_says_why(kranj: dict[str, dict[str, Any]]) -> None:
    indicators = {key: one for key, one in kranj["indicator"].items() if key.startswith("k3.")}
    assert set(indicators) == {"k3.1", "k3.2", "k3.3", "k3.4"}
    assert {key: one["parse_status"] for key, one in indicators.items()} == {
        "k3.1": "ambiguous", "k3.2": "contradictory", "k3.3": "ambiguous", "k3.4": "ok",
    }  # fmt: skip
    for one in indicators.values():
        assert one["raw"]
        assert bool(one["parse_note"]) == (one["parse_status"] != "ok")
    for target in kranj["target"].values():
        assert target["note"] or target["parse_status"] == "ok"


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
    assert used | {"people", "catalogue", "service-use"} == set(kranj["dataset"])
    for key, dataset in kranj["dataset"].items():
        assert all(dataset[name] for name in ("organisation", "office", "steward", "licence", "frequency")), key
        assert set(dataset["description"]) == {"sl", "en"}, key


def test_the_city_has_the_pages_that_its_footer_leads_to(kranj: dict[str, dict[str, Any]]) -> None:
    assert {"accessibility", "privacy", "api", "data"} <= {page.key for page in city.pages()}
    assert city.current().languages == ("sl", "en")
    document = tomllib.loads((KRANJ / "city.toml").read_text("utf-8"))
    assert city.current().name == document["name"]
