"""Every page that shows a list offers it as CSV, XLSX and JSON, and all three are what they say."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from openpyxl import load_workbook

from krog.people.permissions import SYSTEM
from krog.registers import verbs as registers
from tests import registry, sensing
from tests.nouns import plans_fixture

#: Pages that show a list; each must offer it.
LISTS = {
    "portal-streams-list", "portal-streams-detail", "portal-registers-list", "portal-registers-record",
    "portal-indicators-list", "portal-indicators-detail", "portal-plans-list", "portal-plans-tree",
    "portal-rules-list", "portal-rules-detail", "portal-cases-list", "portal-voice-calls", "portal-voice-call",
    "portal-catalogue-list", "portal-people-offices", "portal-people-territories",
    "desk-streams-list", "desk-streams-aside", "desk-registers-list", "desk-registers-detail",
    "desk-indicators-list", "desk-indicators-responsible", "desk-plans-list", "desk-plans-table", "desk-plans-draft",
    "desk-rules-list", "desk-rules-detail", "desk-voice-list", "desk-work", "desk-centre", "desk-catalogue-accesses",
}  # fmt: skip


def _patterns(resolver: URLResolver, before: str = ""):
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from _patterns(each)
        elif isinstance(each, URLPattern) and each.name:
            yield each.name, each.callback


def test_every_list_page_offers_its_list():
    offering = {name for name, view in _patterns(get_resolver()) if getattr(view, "lists", None)}
    assert LISTS - offering == set()
    assert offering - LISTS == set(), "name the new list here, so that it is looked at below"


@pytest.fixture()
def town(db, dataset):
    registry.town()
    registers.declare_records(SYSTEM, changes=[registry.record("dom", name="=1+1")])
    sensing.dataset("mlaka-water", noun="streams")
    sensing.declare(inflow=sensing.stream())
    sensing.observe("inflow", [4.25, 5.5])


def _content(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def _parsed(client, address: str, language: str = "en") -> dict[str, list]:
    """The rows that each format holds under the head."""
    mark = "&" if "?" in address else "?"
    found = {}
    for kind in ("csv", "xlsx", "json"):
        answer = client.get(f"{address}{mark}format={kind}")
        assert answer.status_code == 200, (address, kind, answer.content[:500])
        assert f".{kind}" in answer["Content-Disposition"]
        content = _content(answer)
        if kind == "csv":
            assert content.startswith(b"\xef\xbb\xbf")
            text = content.decode("utf-8-sig")
            found[kind] = list(csv.reader(io.StringIO(text), delimiter="," if language == "en" else ";"))
        elif kind == "xlsx":
            book = load_workbook(io.BytesIO(content))
            assert len(book.worksheets) == 2
            assert book.worksheets[0].freeze_panes == "A2"
            assert book.worksheets[0].auto_filter.ref
            found[kind] = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
        else:
            document = json.loads(content)
            names = [column["name"] for column in document["columns"]]
            found[kind] = [names, *([item[name] for name in names] for item in document["items"])]
    assert len({len(rows) for rows in found.values()}) == 1, address
    return found


@pytest.mark.usefixtures("own_values")
@pytest.mark.parametrize(
    ("address", "least"),
    [
        ("/en/streams/", 1), ("/en/streams/inflow?range=all", 2), ("/en/registers/", 1), ("/en/registers/points", 1),
        ("/en/registers/points/dom", 1), ("/en/indicators/", 0), ("/en/plans/", 0), ("/en/rules/?list=rules", 0),
        ("/en/rules/?list=alerts", 0), ("/en/cases/", 0), ("/en/voice/?list=calls", 0),
        ("/en/voice/?list=proposals", 0),
        ("/en/datasets/", 2), ("/en/offices/?list=offices", 0), ("/en/offices/?list=organisations", 0),
        ("/en/territories/", 0),
    ],
)  # fmt: skip
def test_lists_of_the_portal_parse_in_all_formats(client, town, address, least):
    rows = _parsed(client, address)
    assert len(rows["csv"]) > least
    assert len(rows["csv"][0]) == len(rows["xlsx"][0]) == len(rows["json"][0])


@pytest.mark.usefixtures("own_values")
@pytest.mark.parametrize(
    "address",
    [
        "/desk/", "/desk/streams/", "/desk/set-aside/", "/desk/registers/", "/desk/registers/points",
        "/desk/indicators/", "/desk/indicators/?tab=all", "/desk/plans", "/desk/rules/?list=rules",
        "/desk/rules/?list=alerts", "/desk/voice", "/desk/accesses/", "/desk/centres/mobility/",
    ],
)  # fmt: skip
def test_lists_of_the_desk_parse_in_all_formats(client_of, town, address):
    _parsed(client_of("ada", "administrator", "digital_officer", offices=("vodovod",)), address)


def test_a_plan_is_downloaded_as_it_is_filtered(client, dataset):
    plans_fixture.plan(dataset)
    whole = _parsed(client, "/en/plans/town")["json"]
    assert [row[0] for row in whole[1:]] == ["tp3", "u3.1", "u3.2", "u3.2.1"]
    part = _parsed(client, "/en/plans/town?text=drinking")["json"]
    assert [row[whole[0].index("title.en")] for row in part[1:]] == ["Drinking water"]


def test_anonymous_readers_download_no_more_than_they_see(client, client_of, dataset):
    registry.town(access="official")
    registers.declare_records(SYSTEM, changes=[registry.record("dom")])
    assert client.get("/en/registers/points?format=csv").status_code == 404
    assert client.get("/desk/registers/points?format=csv").status_code == 302
    before = client_of("ana", "digital_officer")
    assert b"Dom krajanov" in _content(before.get("/desk/registers/points?format=csv"))
    from krog.catalogue import access_log

    _time, who, purpose, datasets, address = access_log.recent(1)[0]
    assert (who, purpose, address) == ("ana", "export", "/desk/registers/points")
    assert "mlaka-points" in datasets


def test_slovenian_files_are_those_of_slovenian_spreadsheets(client, town):
    for language in ("sl",):
        rows = _parsed(client, f"/{language}/registers/points", language)["csv"]
        row = dict(zip(rows[0], rows[1], strict=True))
        assert "46,2741" in row.values()
        assert "'=1+1" in row.values()
    rows = _parsed(client, "/en/registers/points")["xlsx"]
    assert "=1+1" in rows[1]
    assert 46.2741 in rows[1]
