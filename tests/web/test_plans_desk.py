"""The planner's desk: what waits, reviews of many nodes, milestones, and a node that two people change."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from krog.plans import milestones, reads, verbs
from tests.nouns.plans_fixture import PLANNER, grant, plan
from tests.nouns.test_plans_states import _belongs, _indicator

pytestmark = pytest.mark.django_db
Make = Callable[..., str]


@pytest.fixture()
def ana(client_of: Callable[..., Client], dataset: Make) -> Client:
    plan(dataset)
    return client_of("ana", "planner")


def _text(answer: object) -> str:
    return html.unescape(answer.content.decode())  # type: ignore[attr-defined]


def test_what_waits_for_the_planner_is_counted_and_found(ana: Client, dataset: Make) -> None:
    dataset("figures", noun="indicators")
    _indicator("losses", {"2014": 0.0, "2024": 1.0})
    _belongs("u3.2", "losses")
    day = milestones.today() - timedelta(days=1)
    milestones.add_milestone(PLANNER, plan="town", node="u3.1", title={"en": "Permit"}, due=day)
    page = _text(ana.get("/desk/plans/town"))
    waiting = dict(re.findall(r'<span class="st warn">([^<]+)</span></a> (\d+)', page))
    assert waiting == {
        "nobody is named": "4",
        "no role-holder": "4",
        "no indicator measures it": "3",
        "no status": "4",
        "reviews are due": "1",
        "milestones are late": "1",
    }
    found = _text(ana.get("/desk/plans/town?review=due"))
    assert re.findall(r'<tr id="([^"]+)"', found) == ["u3.2"]
    verbs.review(PLANNER, plan="town", node="u3.2", judgement="on_track", decision="keep")
    assert "reviews are due" not in _text(ana.get("/desk/plans/town"))
    assert "Permit" in _text(ana.get("/desk/plans/town/milestones?late=1"))


def test_many_nodes_are_reviewed_together_or_none(ana: Client, client_of: Callable[..., Client]) -> None:
    given = {"judgement": "on_track", "decision": "keep", "note": "", "on": verbs.today().isoformat()}
    assert ana.post("/desk/plans/town", {**given, "node": ["u3.1", "u3.2"]}).status_code == 302
    assert {each.node for each in reads.reviews(grant(), "town")} == {"u3.1", "u3.2"}
    for bad in ({**given, "node": ["u3.1", "u9"]}, given, {**given, "decision": "stop", "node": ["u3.1"]}):
        assert ana.post("/desk/plans/town", bad).status_code == 422
    assert len(reads.reviews(grant(), "town")) == 2
    official = client_of("ines", "official")
    assert official.post("/desk/plans/town", {**given, "node": ["u3.1"]}).status_code == 403


def test_milestones_are_kept_by_plain_forms_and_shown_to_everybody(
    ana: Client, client: Client, client_of: Callable[..., Client]
) -> None:
    here = "/desk/plans/town/milestones/u3.1"
    day = verbs.today()
    late = (day - timedelta(days=3)).isoformat()
    assert ana.post(here, {"act": "add", "title_sl": "", "due": "never"}).status_code == 422
    assert ana.post(here, {"act": "add", "title_sl": "Dovoljenje <b>", "due": late}).status_code == 302
    (one,) = milestones.milestones(grant(), "town")
    public = client.get("/en/plans/town/u3.1").content.decode()
    assert "Dovoljenje &lt;b&gt;" in public and "late, was due" in public
    assert ana.post(here, {"act": "due", "milestone": one.key, "day": "soon"}).status_code == 400
    ana.post(here, {"act": "done", "milestone": one.key, "day": day.isoformat()})
    assert milestones.milestones(grant(), "town")[0].done_on == day
    assert "done on" in client.get("/en/plans/town/u3.1").content.decode()
    ana.post(here, {"act": "open", "milestone": one.key})
    assert milestones.milestones(grant(), "town")[0].done_on is None
    assert client_of("ines", "official").post(here, {"act": "remove", "milestone": one.key}).status_code == 403
    ana.post(here, {"act": "remove", "milestone": one.key})
    assert "There are no milestones yet" in _text(ana.get("/desk/plans/town/milestones"))
    assert ana.post(here, {"act": "eat", "milestone": one.key}).status_code == 400


def test_the_form_of_a_node_merges_and_asks_about_what_both_changed(
    ana: Client, client_of: Callable[..., Client]
) -> None:
    draft = verbs.begin_draft(PLANNER, plan="town", label="2026")
    here = f"/desk/plans/town/drafts/{draft}/nodes/u3.1"
    page = _text(ana.get(here))
    found = re.search(r'name="seen" value="(\{.*?\})"', page)
    assert found is not None
    form = {
        "act": "save",
        "seen": found[1],
        "title_sl": "Vrtovi",
        "title_en": "Gardens",
        "level": "measure",
        "number": "u3.1",
        "parent": "tp3",
        "order": "1",
        "horizon": "2035",
    }
    fields = {"title": {"en": "Parks"}, "note": "from another"}
    verbs.change_node(PLANNER, plan="town", draft=draft, node="u3.1", fields=fields)
    refused = ana.post(here, form)
    told = _text(refused)
    assert refused.status_code == 409 and "Petra Planner changed this field meanwhile" in told
    assert re.search(r"<dd><p>Green spaces</p></dd>|<dd>Green spaces</dd>", told) and "Parks" in told
    node = reads.node(grant(PLANNER), "town", "u3.1", draft)
    assert (node.title, node.horizon) == ({"en": "Parks"}, "")
    again = re.search(r'name="seen" value="(\{.*?\})"', told)
    assert again is not None
    kept = {**form, "seen": again[1]}
    assert ana.post(here, {**kept, "take.title.en": "theirs"}).status_code == 302
    node = reads.node(grant(PLANNER), "town", "u3.1", draft)
    assert (node.title, node.horizon, node.note) == ({"en": "Parks", "sl": "Vrtovi"}, "2035", "from another")
    wrong = ana.post(here, {**kept, "horizon": "x" * 60, "seen": "[[[["})
    assert wrong.status_code == 422
