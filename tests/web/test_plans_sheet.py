"""A draft as a table: rows saved one by one and in bulk, two planners at once, all of it by plain forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from krog.plans import bulk, reads, verbs
from tests.nouns.plans_fixture import PLANNER, grant, plan

pytestmark = pytest.mark.django_db
Make = Callable[..., str]


@pytest.fixture()
def draft(dataset: Make) -> str:
    plan(dataset, facts=[{"key": "digital", "title": {"en": "Digital"}, "type": "yes_no"}])
    return verbs.begin_draft(PLANNER, plan="town", label="2026")


@pytest.fixture()
def ana(client_of: Callable[..., Client]) -> Client:
    return client_of("ana", "planner")


@pytest.fixture()
def oto(client_of: Callable[..., Client]) -> Client:
    return client_of("oto", "planner")


def _address(draft: str, query: str = "") -> str:
    return f"/desk/plans/town/drafts/{draft}/table{query}"


def _get(client: Client, draft: str, query: str = "") -> str:
    answer = client.get(_address(draft, query))
    assert answer.status_code == 200, answer.content.decode()[:3000]
    return answer.content.decode()


def _post(client: Client, draft: str, data: dict[str, Any], query: str = "", **headers: Any) -> Any:
    return client.post(_address(draft, query), data, **headers)


def _node(draft: str, key: str) -> Any:
    return reads.tree(grant(PLANNER), "town", draft).nodes[key]


def test_the_table_shows_what_the_filter_finds_and_a_row_opens_without_script(ana: Client, draft: str) -> None:
    page = _get(ana, draft)
    assert page.count("<tr id=") == 4
    found = _get(ana, draft, "?level=measure&text=GREEN")
    assert '<tr id="u3.1"' in found and found.count("<tr id=") == 1
    assert _get(ana, draft, "?missing=office").count("<tr id=") == 4
    edit = _get(ana, draft, "?level=measure&edit=u3.1")
    assert re.search(r'name="set.title.sl"', edit)
    assert re.search(r'name="was.number" value="u3.1"', edit)
    assert '<form id="edit" method="post" action="/desk/plans/town/drafts/2026/table?level=measure">' in edit


def test_a_row_is_saved_with_all_its_fields_and_the_address_is_kept(ana: Client, draft: str) -> None:
    answer = _post(
        ana,
        draft,
        {
            "act": "row",
            "node": "u3.1",
            "set.title.sl": "Parki & vrtovi",
            "was.title.sl": "",
            "set.strategic": "1",
            "was.strategic": "",
            "set.facts.digital": "yes",
            "was.facts.digital": "",
        },
        "?level=measure&edit=u3.1",
    )
    assert (answer.status_code, answer["Location"]) == (302, _address(draft, "?level=measure#u3.1"))
    node = _node(draft, "u3.1")
    assert (node.title["sl"], node.strategic, node.facts) == ("Parki & vrtovi", True, {"digital": "yes"})
    assert "Parki &amp; vrtovi" in _get(ana, draft)


def test_a_mistake_stands_beside_its_cell_and_what_was_written_is_kept(ana: Client, draft: str) -> None:
    answer = _post(
        ana,
        draft,
        {
            "act": "row",
            "node": "u3.1",
            "set.parent": "u3.2.1x",
            "was.parent": "tp3",
            "set.horizon": "x" * 60,
            "was.horizon": "",
            "set.number": "7",
            "was.number": "u3.1",
        },
        "?edit=u3.1",
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(r'data-field="horizon"[^>]*class="cell wrong"', page)
    assert f'value="{"x" * 60}"' in page and 'value="u3.2.1x"' in page
    assert _node(draft, "u3.1").number == "u3.1"
    answer = _post(ana, draft, {"act": "row", "node": "u3.1", "set.parent": "u3.2.1x", "was.parent": "tp3"})
    assert answer.status_code == 422
    assert re.search(r'data-field="parent"[^>]*class="cell wrong"', answer.content.decode())
    assert _post(ana, draft, {"act": "row", "node": "u3.1", "set.colour": "red"}).status_code == 400


def test_a_script_gets_the_row_alone(ana: Client, draft: str) -> None:
    answer = _post(
        ana,
        draft,
        {"act": "row", "node": "u3.1", "set.number": "3.1", "was.number": "u3.1"},
        headers={"X-Krog-Row": "1"},
    )
    page = answer.content.decode()
    assert answer.status_code == 200 and page.count("<tr") == 1 and 'data-value="3.1"' in page
    assert _post(ana, draft, {"act": "row", "node": "no"}, headers={"X-Krog-Row": "1"}).status_code == 404


def test_the_second_planner_sees_base_yours_and_theirs_and_chooses(ana: Client, oto: Client, draft: str) -> None:
    seen = {"was.title.en": "Green spaces", "was.horizon": ""}
    assert _post(oto, draft, {"act": "row", "node": "u3.1", "set.title.en": "Parks", **seen}).status_code == 302
    late = {"act": "row", "node": "u3.1", "set.title.en": "Gardens", "set.horizon": "2035", **seen}
    answer = _post(ana, draft, late)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert re.search(r"oto changed this field meanwhile", page)
    told = page.partition('class="clash-of"')[2].partition("</form>")[0]
    assert [re.search(rf"<dt>{word}</dt><dd>([^<]*)", told)[1] for word in ("You saw", "Yours", "Theirs")] == [  # type: ignore[index]
        "Green spaces",
        "Gardens",
        "Parks",
    ]
    node = _node(draft, "u3.1")
    assert (node.title["en"], node.horizon) == ("Parks", "2035")
    assert "oto works on this draft too" in _get(ana, draft)
    sent = dict(re.findall(r'<input type="hidden" name="((?:act|node|set|was)[^"]*)" value="([^"]*)"', told))
    assert _post(ana, draft, sent).status_code == 302
    assert _node(draft, "u3.1").title["en"] == "Gardens"


def test_many_rows_change_at_once_by_ticks_or_by_the_filter_and_are_taken_back(ana: Client, draft: str) -> None:
    assert (
        _post(
            ana,
            draft,
            {
                "act": "bulk",
                "scope": "chosen",
                "node": ["u3.1", "u3.2"],
                "set.horizon": "2035",
                "set.strategic": "1",
                "mark": "0",
                "reason": "by the council",
            },
        ).status_code
        == 302
    )
    assert [_node(draft, key).horizon for key in ("u3.1", "u3.2", "u3.2.1")] == ["2035", "2035", ""]
    assert "2 rows changed." in _get(ana, draft)
    _post(ana, draft, {"act": "bulk", "scope": "all", "set.status": "running", "mark": "0"}, "?level=project")
    assert _node(draft, "u3.2.1").status == "running" and _node(draft, "u3.1").status == ""
    _post(ana, draft, {"act": "bulk", "scope": "all", "set.strategic": "__empty__", "mark": "0"})
    assert not _node(draft, "u3.1").strategic
    batches = bulk.lately(PLANNER, plan="town", draft=draft).batches
    assert _post(ana, draft, {"act": "undo", "batch": str(batches[-1].batch)}).status_code == 302
    assert _node(draft, "u3.1").horizon == ""
    assert "Choose rows" in ana.post(_address(draft), {"act": "bulk"}, follow=True).content.decode()


def test_a_bulk_change_over_what_another_did_asks_first(ana: Client, oto: Client, draft: str) -> None:
    mark = str(bulk.lately(PLANNER, plan="town", draft=draft).mark)
    _post(oto, draft, {"act": "row", "node": "u3.1", "set.horizon": "2030", "was.horizon": ""})
    sent = {"act": "bulk", "scope": "chosen", "node": ["u3.1", "u3.2"], "set.horizon": "2035", "mark": mark}
    answer = _post(ana, draft, sent)
    page = answer.content.decode()
    assert answer.status_code == 409 and 'name="over" value="u3.1 horizon"' in page
    assert [_node(draft, key).horizon for key in ("u3.1", "u3.2")] == ["2030", ""]
    assert _post(ana, draft, {**sent, "partly": "1"}).status_code == 302
    assert [_node(draft, key).horizon for key in ("u3.1", "u3.2")] == ["2030", "2035"]
    assert _post(ana, draft, {**sent, "partly": "1", "over": "u3.1 horizon"}).status_code == 302
    assert _node(draft, "u3.1").horizon == "2035"


def test_rows_are_added_moved_and_removed(ana: Client, draft: str) -> None:
    answer = _post(ana, draft, {"act": "add", "title": "Trees", "parent": "u3.1", "level": "project"})
    assert answer.status_code == 302 and answer["Location"].endswith("edit=u3.1.1#u3.1.1")
    assert _node(draft, "u3.1.1").title == {"sl": "Trees"}
    assert _post(ana, draft, {"act": "add", "title": "", "parent": "nowhere"}).status_code == 422
    _post(ana, draft, {"act": "move", "move": "u3.2:up"})
    order = list(reads.tree(grant(PLANNER), "town", draft).nodes)
    assert order.index("u3.2") < order.index("u3.1")
    _post(ana, draft, {"act": "move", "move": "u3.2:up"})
    _post(ana, draft, {"act": "move", "move": "u3.2:down"})
    assert list(reads.tree(grant(PLANNER), "town", draft).nodes)[1] == "u3.1"
    assert _post(ana, draft, {"act": "remove", "remove": "u3.1.1"}).status_code == 302
    refused = _post(ana, draft, {"act": "remove", "remove": "u3.2"})
    assert refused.status_code == 422 and "Nothing was changed, because" in refused.content.decode()
    for bad in ({"act": "move", "move": "zz:up"}, {"act": "undo", "batch": "x"}, {"act": "eat"}, {}):
        assert _post(ana, draft, bad).status_code in (400, 404)


def test_only_planners_see_the_table_and_a_draft_out_for_comments_is_only_read(
    client_of: Callable[..., Client], ana: Client, draft: str
) -> None:
    assert client_of("ines", "official").get(_address(draft)).status_code == 403
    _post(ana, draft, {"act": "row", "node": "u3.1", "set.number": "9", "was.number": "u3.1"})
    verbs.consult(PLANNER, plan="town", draft=draft)
    page = _get(ana, draft)
    assert "not open for changes" in page and 'id="bulk"' not in page
    assert _post(ana, draft, {"act": "row", "node": "u3.1", "set.number": "1"}).status_code == 409


def test_a_large_branch_takes_few_queries_and_is_paged(
    client_of: Callable[..., Client], dataset: Make, django_assert_max_num_queries: Any
) -> None:
    plan(dataset, nodes=700)
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    ana = client_of("ana", "planner")
    _get(ana, draft)  # What the frame of the desk keeps for some seconds is counted once.
    with django_assert_max_num_queries(12):
        page = _get(ana, draft)
    assert page.count("<tr id=") == 100 and "1–100" in page
    assert _get(ana, draft, "?offset=600").count("<tr id=") == 100
    rows = {"act": "bulk", "scope": "all", "set.horizon": "2030", "mark": "0"}
    assert _post(ana, draft, rows).status_code == 302
    assert all(n.horizon == "2030" for n in reads.tree(grant(PLANNER), "town", draft).nodes.values())
