"""Koper, the second city: its files are sound, apply whole, come back by export, and hold all that the sources say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.urls import resolve

from krog.engine.cities import city
from krog.engine.cities.apply import apply
from krog.engine.cities.check import check
from krog.engine.cities.compare import compare, state
from krog.engine.cities.export import export
from krog.engine.cities.kinds import collect
from krog.people.permissions import SYSTEM

KOPER = Path(__file__).parents[2] / "cities" / "koper"

pytestmark = pytest.mark.django_db


@pytest.fixture()
def koper() -> dict[str, dict[str, Any]]:
    """The state of every kind after Koper was applied."""
    apply(KOPER, SYSTEM)
    return {one.kind: state(one) for one in collect()}


def test_the_files_have_neither_mistakes_nor_warnings() -> None:
    assert [str(found) for found in check(KOPER)] == []


def test_the_city_is_whole_and_comes_back_by_export(koper: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    """One look at everything, because applying a city takes a while."""
    _export_and_apply_give_the_same_city(koper, tmp_path)
    _it_speaks_three_languages(koper)
    _places_have_the_names_of_the_register(koper)
    _two_trees_stand_over_the_same_measures(koper)
    _the_process_logic_table_is_whole(koper)
    _every_centre_has_an_office_and_every_office_somebody(koper)
    _what_was_measured_elsewhere_says_where(koper)
    _every_dataset_is_described(koper)
    _every_indicator_is_there_and_what_is_unclear_says_why(koper)
    _every_printed_target_is_there(koper)
    _general_indicators_have_their_values(koper)
    _every_table_is_a_register(koper)
    _nothing_of_a_register_is_hidden_by_the_dictionary_of_its_dataset(koper)
    _existing_systems_are_services_and_what_is_asked_for_says_what_serves_it(koper)
    _every_centre_says_what_it_collects_and_from_whom(koper)


def _export_and_apply_give_the_same_city(koper: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    assert not apply(KOPER, SYSTEM).written, "applied twice nothing changes"
    export(tmp_path)
    assert [str(found) for found in check(tmp_path)] == []
    assert compare(tmp_path).changes == ()
    assert {one.kind: state(one) for one in collect()} == koper


def _it_speaks_three_languages(koper: dict[str, dict[str, Any]]) -> None:
    assert city.current().languages == ("sl", "it", "en")
    ours = (
        "organisation",
        "office",
        "dataset",
        "thing",
        "datastream",
        "plan",
        "rule",
        "case_type",
        "protocol",
        "call",
        "page",
    )
    for kind in ours:
        for key, thing in koper[kind].items():
            for name in ("title", "description", "text"):
                if thing.get(name):
                    assert set(thing[name]) == {"sl", "it", "en"}, (kind, key, name)


def _places_have_the_names_of_the_register(koper: dict[str, dict[str, Any]]) -> None:
    places = koper["territory"]
    assert Counter(one["level"] for one in places.values()) == {
        "municipality": 1, "settlement": 104, "local_community": 22, "school_district": 14,
    }  # fmt: skip
    assert places["bertoki"]["title"] == {"sl": "Bertoki", "it": "Bertocchi", "en": "Bertoki"}
    assert "it" not in places["abitanti"]["title"], "nobody makes up an Italian name"
    assert sum("it" in one["title"] for one in places.values() if one["level"] == "settlement") == 12
    assert places["mo-koper"]["outline"]["type"] == "MultiPolygon"


def _two_trees_stand_over_the_same_measures(koper: dict[str, dict[str, Any]]) -> None:
    nodes = {key: one for key, one in koper["node"].items() if one["plan"] == "pametno-mesto"}
    assert Counter(one["level"] for one in nodes.values()) == {
        "axis": 3, "strategic_goal": 12, "area": 8, "goal": 37, "measure": 129, "action": 195,
    }  # fmt: skip
    links = [one for one in koper["link"].values() if one["source"] in nodes]
    assert len(links) == 1090
    levels = Counter((nodes[one["source"]]["level"], nodes[one["target"]]["level"]) for one in links)
    assert levels["measure", "axis"] and levels["measure", "strategic_goal"] and levels["action", "measure"]
    linked = {one["source"] for one in links}
    without = {key for key, one in nodes.items() if one["level"] == "measure" and key not in linked}
    assert without == set()
    assert "6.7.g1.a1--contributes--6.7.g2.m2" in koper["link"], "links of area 6.7 lead across its goals"
    for key in ("6.1.g3.a3", "6.1.g3.a4"):
        assert nodes[key]["note"].startswith("Nerazrešena povezava")
    for level in ("goal", "measure", "action"):
        assert all(one["parent"] for one in nodes.values() if one["level"] == level)


def _the_process_logic_table_is_whole(koper: dict[str, dict[str, Any]]) -> None:
    nodes = {key: one for key, one in koper["node"].items() if one["plan"] == "procesna-logika"}
    again = [one for one in koper["link"].values() if one["source"] in nodes]
    assert sum(one["level"] == "theme" for one in nodes.values()) == 4
    assert len(nodes) - 4 + len(again) == 124, "every entry of the table is a part or a second link of one"
    titles = [(one["level"], one["title"]["sl"]) for one in nodes.values()]
    assert len(titles) == len(set(titles)), "one text is one part"
    assert "pl-t1.m3--contributes--pl-t2" in koper["link"]


def _every_centre_has_an_office_and_every_office_somebody(koper: dict[str, dict[str, Any]]) -> None:
    offices = koper["office"]
    assert {one["centre"] for one in offices.values()} == {
        "mobility", "environment", "energy", "buildings", "economy", "administration", "living", "control",
    }  # fmt: skip
    assert {key for account in koper["account"].values() for key in account["offices"]} == set(offices)
    for account in koper["account"].values():
        assert account["demo"] and account["email"].endswith(".example")


def _what_was_measured_elsewhere_says_where(koper: dict[str, dict[str, Any]]) -> None:
    for key, stream in koper["datastream"].items():
        thing = koper["thing"][stream["thing"]]
        assert thing["true_place"] and thing["source"] and thing["operator"] and thing["territory"], key
        assert thing["demo_place"] == (thing["operator"] != "arso"), key
        assert koper["sensor"][stream["sensor"]]["accuracy"], key
    assert {"rizana-dekani-level", "sea-koper-level", "sea-koper-temperature"} <= set(koper["datastream"])


def _every_dataset_is_described(koper: dict[str, dict[str, Any]]) -> None:
    used = {thing["dataset"] for kind in koper.values() for thing in kind.values() if thing.get("dataset")}
    assert used | {"people", "catalogue", "service-use", "krog-facts"} == set(koper["dataset"])
    for key, dataset in koper["dataset"].items():
        assert all(dataset[name] for name in ("organisation", "office", "steward", "licence", "frequency")), key


def _every_indicator_is_there_and_what_is_unclear_says_why(koper: dict[str, dict[str, Any]]) -> None:
    indicators = koper["indicator"]
    monitored = {key: one for key, one in indicators.items() if key[0] == "6"}
    assert len(monitored) == 171
    assert Counter(key[:3] for key in monitored) == {
        "6.1": 12, "6.2": 50, "6.3": 15, "6.4": 9, "6.5": 26, "6.6": 16, "6.7": 7, "6.8": 36,
    }  # fmt: skip
    for key, one in indicators.items():
        assert one["parse_status"] == "ok" or one["parse_note"], key
        assert one["theme"] in koper["node"], key
        assert koper["node_indicator"][f"{one['theme']}--{key}"], key
        assert one["office"], key
    unclear = Counter(one["parse_status"] for one in monitored.values())
    assert unclear["contradictory"] == 1 and unclear["ambiguous"] > 40 and unclear["missing"] > 40
    assert monitored["6.1.i2"]["parse_status"] == "contradictory"
    computed = [one for one in indicators.values() if one["kind"] == "computed"]
    assert len(computed) >= 6 and all(one["formula"] for one in computed)
    assert len([one for one in indicators.values() if one["kind"] == "entered"]) >= 10
    assert monitored["6.6.i7"]["unit_note"], "a unit that the vocabulary has not is kept as text with a note"
    assert monitored["6.2.g2.i12"]["same_as"] == "6.2.g1.i6"
    assert sum(one["kind"] == "entered" for one in indicators.values()) >= 10
    for one in indicators.values():
        assert one["kind"] != "entered" or (one["owner"] and one["confirmer"] and one["due"])


def _every_printed_target_is_there(koper: dict[str, dict[str, Any]]) -> None:
    targets = koper["target"]
    assert {f"target-{number}" for number in range(1, 17)} <= set(targets)
    milestones = {one["indicator"] for one in targets.values() if one["type"] == "milestone_bool"}
    assert milestones == {key for key, one in koper["indicator"].items() if one["unit"] == "{yes}"}
    assert len(milestones) == 44
    for key, one in targets.items():
        assert one["raw"], key
        assert one["parse_status"] == "ok" or one["note"], key
        assert one["date"] or one["parse_status"] != "ok", key
    assert {targets[f"target-{number}"]["parse_status"] for number in (1, 3)} == {"contradictory"}
    assert targets["6.4.i6.2020"]["parse_status"] == "ambiguous"
    assert (targets["target-14"]["value"], targets["target-14"]["baseline"]) == (-20, {"period": "1990"})


def _general_indicators_have_their_values(koper: dict[str, dict[str, Any]]) -> None:
    general = {key: one for key, one in koper["indicator"].items() if key.startswith("t16-")}
    assert len(general) == 23
    values = {one["indicator"]: one for one in koper["value"].values()}
    assert set(general) - set(values) == {"t16-1"}, "a number without a year is in no series"
    assert (general["t16-1"]["raw"], general["t16-1"]["parse_status"]) == ("311", "missing")
    assert (values["t16-19"]["value"], values["t16-6"]["period"]) == (1004.6, "2014-12")


def _every_table_is_a_register(koper: dict[str, dict[str, Any]]) -> None:
    assert Counter(one["register"] for one in koper["record"].values()) == {
        "private-parking": 38, "heating": 4, "school-energy": 7, "electricity-network": 7, "boilers": 9,
        "solar-potential": 15, "transport-figures": 61, "broadband-figures": 19, "water-figures": 5,
        "energy-figures": 30, "health-culture-safety": 39, "population-economy": 28,
        "services": 115, "systems": 263, "centre-links": 24,
    }  # fmt: skip
    assert sum(one["values"]["spaces"] for one in _records(koper, "private-parking")) == 4595
    assert sum(one["values"]["spaces_disabled"] for one in _records(koper, "private-parking")) == 128
    assert round(sum(one["values"]["koper_percent"] for one in _records(koper, "heating")), 2) == 100
    for register in koper["register"].values():
        for name, about in register["fields"].items():
            assert set(about["title"]) == {"sl", "it", "en"}, name
    doubtful = {key for key, one in koper["dataset"].items() if one["doubts"]}
    assert {"smart-plan", "smart-indicators", "transport-figures", "population-economy", "services"} <= doubtful


def _nothing_of_a_register_is_hidden_by_the_dictionary_of_its_dataset(koper: dict[str, dict[str, Any]]) -> None:
    for key, register in koper["register"].items():
        shown = koper["dataset"][register["dataset"]]["fields"]
        assert not shown or set(shown) >= set(register["fields"]), key


def _existing_systems_are_services_and_what_is_asked_for_says_what_serves_it(koper: dict[str, dict[str, Any]]) -> None:
    for one in _records(koper, "services"):
        values = one["values"]
        assert values["description"] and values["area"] and values["life_situation"] and values["alive"] != "yes"
    served = [one["values"] for one in _records(koper, "systems")]
    assert sorted(int(one["number"]) for one in served) == list(range(1, 264))
    for one in served:
        assert (one["served_by"] == "not_yet") == (not one.get("where")), one["number"]
        if address := one.get("where"):
            _leads_somewhere(koper, address)
    assert sum(one["served_by"] == "not_yet" for one in served) > 150, "what Krog does not do is not hidden"


def _leads_somewhere(koper: dict[str, dict[str, Any]], address: str) -> None:
    kinds = {"plans": "plan", "registers": "register", "indicators": "indicator", "streams": "datastream",
             "pages": "page", "voice": "call", "rules": "rule"}  # fmt: skip
    resolve(address)
    room, _, key = address.removeprefix("/sl").strip("/").partition("/")
    if room in kinds and key:
        assert key in koper[kinds[room]], address


def _every_centre_says_what_it_collects_and_from_whom(koper: dict[str, dict[str, Any]]) -> None:
    links = [one["values"] for one in _records(koper, "centre-links")]
    assert {one["centre"] for one in links} == {one["centre"] for one in koper["office"].values()}
    for one in links:
        assert (one["how"] == "dataset") == bool(one.get("dataset")), one
        assert one.get("dataset", "catalogue") in koper["dataset"]


def _records(koper: dict[str, dict[str, Any]], register: str) -> list[dict[str, Any]]:
    return [one for one in koper["record"].values() if one["register"] == register]
