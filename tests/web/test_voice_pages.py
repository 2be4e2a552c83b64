"""From a citizen's form to the adopted plan, page by page; nothing is lost on an error and no address leaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from krog.base.errors import Invalid
from krog.journal import reads as journal
from krog.plans import verbs as plans
from krog.voice import models
from tests.nouns.plans_fixture import PLANNER, plan
from tests.nouns.test_voice_proposals import SECRET, call

pytestmark = pytest.mark.django_db

Make = Callable[..., str]
FORM = {"title": "Fix the pipes", "text": "They leak at night.", "place": "Mlaka 5", "node": "u3.2", "author": "Ana"}


def _page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content.decode()[:3000]
    return str(answer.content.decode())


def _send(client: Client, **fields: str) -> Any:
    return client.post("/en/voice/water", {**FORM, **fields})


def test_the_loop_from_a_proposal_to_the_adopted_plan(client: Client, client_of: Any, dataset: Make) -> None:
    plan(dataset)
    call(dataset)
    assert "What should we do for water?" in _page(client.get("/en/voice/"))
    assert '<option value="u3.2" selected>' in _page(client.get("/en/voice/water?node=u3.2"))
    assert "/en/voice/water?node=u3.2#propose" in _page(client.get("/en/plans/town/u3.2"))
    sent = _send(client, email=SECRET)
    assert sent.status_code == 302
    key = sent.headers["Location"].rpartition("/")[2]
    waiting = _page(client.get(sent.headers["Location"]))
    assert "confirm; until then nobody reads" in waiting
    assert "Fix the pipes" not in waiting
    mail = journal.mails()[0]
    link = re.search(r"/en/voice/confirm/\S+", mail.text)
    assert link
    assert "Confirm the proposal" in _page(client.get(link[0]))
    assert models.Proposal.objects.get(key=key).state == "unconfirmed"
    assert client.post(link[0]).status_code == 302
    assert models.Proposal.objects.get(key=key).state == "received"
    assert "It is confirmed already" in _page(client.get(link[0]))

    planner = client_of("petra", "planner")
    assert "Fix the pipes" in _page(planner.get("/desk/voice"))
    desk = _page(planner.get(f"/desk/voice/{key}"))
    assert "They leak at night." in desk
    assert SECRET not in desk
    wrong = planner.post(f"/desk/voice/{key}", {"decision": "decline", "text": ""})
    assert "Say why" in _page(wrong, 422)
    assert planner.post(f"/desk/voice/{key}", {"decision": "accept", "text": "We look at it."}).status_code == 302

    begun = planner.post("/desk/plans/town/begin", {"label": "Plan 2026"})
    draft = begun.headers["Location"].rpartition("/")[2]
    assert "Change the node that it is about" in _page(planner.get(f"/desk/voice/{key}"))
    address = f"/desk/plans/town/drafts/{draft}/nodes/u3.2"
    page = _page(planner.get(f"{address}?because=proposal/{key}"))
    assert f'value="proposal/{key}" selected' in page
    fields = {
        "act": "save",
        "title_sl": "Voda brez izgub",
        "title_en": "Water without losses",
        "order": "2",
        "parent": "tp3",
        "level": "measure",
        "number": "u3.2",
        "because": f"proposal/{key}",
        "reason": "asked for",
    }
    refused = _page(planner.post(address, {**fields, "parent": "u3.2.1"}), 422)
    assert "It stands below itself" in refused
    assert "Water without losses" in refused
    assert planner.post(address, fields).status_code == 302
    shown = _page(planner.get(f"/desk/plans/town/drafts/{draft}"))
    assert "<ins>en: Water without losses" in shown
    assert planner.post(f"/desk/plans/town/drafts/{draft}", {"act": "consult", "until": ""}).status_code == 302
    assert "out for comments" in _page(client.get(f"/en/voice/proposals/{key}"))

    adopt = f"/desk/plans/town/drafts/{draft}/adopt"
    given = {"body": "Town council", "on": plans.today().isoformat(), "gazette": "UL 9/26"}
    assert "This field is required" in _page(planner.post(adopt, {"body": ""}), 422)
    assert "Please check once more" in _page(planner.post(adopt, given))
    assert "Water without losses" not in _page(client.get("/en/plans/town"))
    assert planner.post(adopt, {**given, "confirmed": "1"}).status_code == 302
    assert "Water without losses" in _page(client.get("/en/plans/town"))
    final = _page(client.get(f"/en/voice/proposals/{key}"))
    for words in ("Taken up in the plan", "Town council", "Plan 2026", "We look at it.", "Fix the pipes"):
        assert words in final
    assert "Fix the pipes" in _page(client.get("/en/plans/town/u3.2"))
    assert journal.mails()[0].subject == "Your proposal is part of the plan"
    for page in (
        final,
        _page(client.get("/en/voice/water")),
        _page(client.get("/api/v1/voice/proposals")),
        _page(client.get(f"/api/v1/voice/proposals/{key}")),
        _page(planner.get(f"/desk/voice/{key}")),
        _page(planner.get("/api/v1/voice/proposals")),
    ):
        assert SECRET not in page
        assert "example.org" not in page.replace("petra@example.org", "")
    again = planner.post(adopt, {**given, "confirmed": "1"})
    assert "status adopted" in _page(again, 422)


def test_nothing_is_lost_on_an_error_and_every_error_is_named(client: Client, dataset: Make) -> None:
    plan(dataset)
    call(dataset)
    page = _page(_send(client, title="", email="ana@", text="<script>x</script> kept"), 422)
    assert "This field is required" in page
    assert "Enter a valid email address" in page
    assert "&lt;script&gt;x&lt;/script&gt; kept" in page
    assert "Mlaka 5" in page
    assert "catches programs" in _page(_send(client, website="http://spam"), 422)
    assert "Select a valid choice" in _page(_send(client, node="nowhere"), 422)
    assert not models.Proposal.objects.exists()
    models.Call.objects.update(closes=plans.today() - timedelta(days=1))
    page = _page(_send(client), 422)
    assert "closed in the meantime" in page
    assert "They leak at night." in page
    assert "closed" in _page(client.get("/en/voice/water"))


def test_a_double_click_is_one_proposal_and_a_flood_is_asked_to_wait(
    client: Client, dataset: Make, client_of: Any
) -> None:
    plan(dataset)
    call(dataset)
    mark = re.search(r'name="form" value="([^"]+)"', _page(client.get("/en/voice/water")))
    assert mark
    one, two = (_send(client, form=mark[1]) for _ in range(2))
    assert one.headers["Location"] == two.headers["Location"]
    for _ in range(3):
        assert _send(client).status_code == 302
    page = _page(_send(client), 422)
    assert "in ten minutes" in page
    assert "They leak at night." in page
    assert models.Proposal.objects.count() == 4
    assert _send(client, **{}).status_code == 422
    assert client_of("clerk", "clerk").post("/en/voice/water", FORM).status_code == 302


def test_what_is_not_answered_yet_is_not_public(client: Client, dataset: Make, client_of: Any) -> None:
    plan(dataset)
    call(dataset)
    key = _send(client).headers["Location"].rpartition("/")[2]
    for address in (
        "/en/voice/",
        "/en/voice/water",
        f"/en/voice/proposals/{key}",
        "/api/v1/voice/proposals",
        f"/api/v1/voice/proposals/{key}",
        "/en/plans/town/u3.2",
        "/api/v1/plans/town/u3.2",
    ):
        assert "They leak" not in _page(client.get(address))
        assert "Fix the pipes" not in _page(client.get(address))
    assert client.get("/desk/voice").status_code == 302
    official = client_of("oto", "official")
    assert "Fix the pipes" in _page(official.get("/desk/voice"))
    assert "Take it into a draft" not in _page(official.get(f"/desk/voice/{key}"))
    for address in ("/desk/plans/town/begin", "/desk/plans/town/review/u3.1"):
        assert official.get(address).status_code == 403
    assert (
        client_of("op", "operator").post(f"/desk/voice/{key}", {"decision": "accept", "text": "x"}).status_code == 403
    )
    assert models.Proposal.objects.get(key=key).state == "received"
    for wrong in ("/en/voice/nothing", "/en/voice/proposals/nothing", "/api/v1/voice/nothing", "/desk/voice/nothing"):
        assert official.get(wrong).status_code == 404
    assert client.get("/en/voice/confirm/abc").status_code == 403


def test_odd_addresses_are_met(client: Client, dataset: Make) -> None:
    plan(dataset)
    call(dataset)
    for query in ("from=%C2%B2", "from=-1", "from=99999999999", "node=%F0%9F%8C%8A", "from=%D9%A3"):
        _page(client.get(f"/en/voice/water?{query}"))
    _page(client.get("/api/v1/voice/proposals?limit=-5&offset=99999999999999999999"))


def test_pages_take_few_queries(
    client: Client, dataset: Make, client_of: Any, django_assert_max_num_queries: Any
) -> None:
    plan(dataset, nodes=141)
    call(dataset)
    keys = []
    for n in range(40):
        models.Proposal.objects.create(
            key=f"p-{n}",
            call=models.Call.objects.get(),
            title=f"T{n}",
            text="x",
            node=f"n{n}",
            state="accepted",
            created=n,
        )
        keys.append(f"p-{n}")
    planner = client_of("petra", "planner")
    for reader, addresses in (
        (
            client,
            ("/en/voice/", "/en/voice/water", "/en/voice/proposals/p-3", "/api/v1/voice/", "/api/v1/voice/proposals"),
        ),
        (planner, ("/desk/voice?state=accepted", "/desk/voice/p-3", "/desk/plans/town", "/en/voice/water")),
    ):
        reader.get("/en/voice/")
        for address in addresses:
            with django_assert_max_num_queries(12):
                _page(reader.get(address))


def test_a_planner_reviews_and_works_on_a_draft(client_of: Any, client: Client, dataset: Make) -> None:
    plan(dataset)
    planner = client_of("petra", "planner")
    assert planner.get("/desk/plans").headers["Location"] == "/desk/plans/town"
    table = _page(planner.get("/desk/plans/town?nobody=1"))
    assert table.count("nobody is named") > 4
    wrong = planner.post(
        "/desk/plans/town/review/u3.1", {"judgement": "at_risk", "decision": "change", "on": "2026-01-01"}
    )
    assert "Say what should change" in _page(wrong, 422)
    sent = {"judgement": "at_risk", "decision": "change", "on": "2026-01-01", "note": "Trees die"}
    assert planner.post("/desk/plans/town/review/u3.1", sent).status_code == 302
    assert "Trees die" in _page(client.get("/en/plans/town/u3.1"))
    draft = planner.post("/desk/plans/town/begin", {"label": "Next"}).headers["Location"]
    assert planner.get(f"{draft}/open?node=u3.1").headers["Location"] == f"{draft}/nodes/u3.1"
    page = _page(planner.get(f"{draft}/nodes/u3.1"))
    assert "Review of 2026-01-01" in page
    new = {"key": "u3.9", "title_sl": "Novo", "order": "9", "parent": "tp3"}
    assert "cannot be the key" in _page(planner.post(f"{draft}/add", {**new, "key": "Ne gre"}), 422)
    assert planner.post(f"{draft}/add", new).status_code == 302
    link = {"act": "link", "type": "contributes", "target": "u3.2"}
    assert planner.post(f"{draft}/nodes/u3.9", link).status_code == 302
    assert "already" in _page(planner.post(f"{draft}/nodes/u3.9", link), 422)
    assert "u3.9--contributes--u3.2" in _page(planner.get(draft))
    for role in ("measures", ""):
        with pytest.raises(Invalid):
            plans.set_indicator(
                PLANNER, plan="town", draft=draft.rpartition("/")[2], node="u3.9", indicator="a\x00b", role=role
            )
    unlink = {"act": "unlink", "source": "u3.9", "type": "contributes", "target": "u3.2"}
    assert planner.post(f"{draft}/nodes/u3.9", unlink).status_code == 302
    assert planner.post(f"{draft}/nodes/u3.2.1", {"act": "remove", "reason": "double"}).status_code == 302
    assert "double" in _page(planner.get(draft))
    assert planner.post(draft, {"act": "undo", "node": "u3.2.1"}).status_code == 302
    assert planner.post(draft, {"act": "withdraw", "reason": "no more"}).status_code == 302
    assert "given up" in _page(planner.get(draft))
