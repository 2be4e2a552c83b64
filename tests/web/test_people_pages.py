"""Pages of people in the desk: what nobody answers for, given to somebody and taken back."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.cache import cache

from krog.base.grant import ANONYMOUS
from krog.cases import verbs as cases
from krog.engine.cities.apply import apply
from krog.people import absences
from krog.people.permissions import SYSTEM
from krog.plans.models import Node

KRANJ = Path(__file__).parents[2] / "cities" / "kranj"
PAGE = "/desk/people/without/"

pytestmark = pytest.mark.django_db


@pytest.fixture()
def kranj() -> None:
    apply(KRANJ, SYSTEM)


@pytest.fixture()
def planner(kranj, client_of):
    return client_of("ana", "planner", "digital_officer", offices=("kabinet",))


def holders() -> dict[str, str]:
    return dict(Node.objects.filter(draft=None, until=None).values_list("key", "holder"))


def test_the_page_of_many_costs_few_queries(planner, django_assert_max_num_queries):
    planner.get(PAGE)
    with django_assert_max_num_queries(12):
        page = planner.get(f"{PAGE}?noun=node").content.decode()
    assert "Without a responsible person" in page and page.count('name="thing"') == 50


def test_what_was_ticked_is_given_and_taken_back(planner):
    given = {"thing": ["node/sc3", "node/oc3.1"], "to_holder": "planner", "reason": "new", "noun": "node"}
    answer = planner.post(f"{PAGE}assign", given)
    assert answer.status_code == 302 and "noun=node" in answer.url
    assert (holders()["sc3"], holders()["oc3.1"], holders()["oc3.2"]) == ("planner", "planner", "")
    page = planner.get(answer.url).content.decode()
    undo = re.search(r'action="(/desk/people/without/undo/[^"]+)"', page)
    assert undo and "2 things" in page
    planner.post(undo[1])
    assert set(holders().values()) == {""}


def test_all_that_was_found_means_what_the_filter_found(planner):
    planner.post(f"{PAGE}assign", {"all": "1", "noun": "node", "office": "okolje", "to_holder": "official"})
    offices = dict(Node.objects.filter(draft=None, until=None).values_list("key", "office"))
    assert all((holder == "official") == (offices[key] == "okolje") for key, holder in holders().items())
    assert "official" in holders().values()


def test_a_branch_of_the_plan_is_an_area(planner):
    planner.post(f"{PAGE}assign", {"all": "1", "noun": "node", "area": "tp3", "to_holder": "planner"})
    assert holders()["oc3.1"] == "planner"
    assert planner.get(f"{PAGE}?noun=node&area=nonsense").status_code == 200


def test_nothing_chosen_and_wrong_choices_are_said_and_change_nothing(planner):
    for given in (
        {"to_holder": "planner"},
        {"thing": ["node/sc3"]},
        {"thing": ["node/sc3"], "to_holder": "nobody"},
        {"thing": ["what/ever", "node"], "to_holder": "planner"},
    ):
        answer = planner.post(f"{PAGE}assign", given, follow=True)
        assert "notice bad" in answer.content.decode() or "bad" in answer.content.decode()
    assert set(holders().values()) == {""}
    assert "There is no such assignment" in planner.post(f"{PAGE}undo/nothing", follow=True).content.decode()


def test_others_see_the_page_but_give_nothing(kranj, client_of, client):
    official = client_of("bor", "official", offices=("okolje",))
    assert official.get(PAGE).status_code == 200
    official.post(f"{PAGE}assign", {"thing": ["node/sc3"], "to_holder": "planner"})
    assert holders()["sc3"] == ""
    assert client.get(PAGE).status_code == 302


def test_the_rail_counts_what_nobody_answers_for(planner):
    page = planner.get("/desk/").content.decode()
    assert re.search(r'href="/desk/people/without/"[^>]*><span>[^<]*</span><span class="badge">\d', page)


def test_a_departure_hands_over_everything_and_ends_access_at_once(kranj, client_of):
    official = client_of("bor", "official", offices=("okolje",))
    boss = client_of("ana", "administrator")
    Node.objects.filter(key__in=["sc3", "oc3.1"], draft=None, until=None).update(holder="bor")
    page = boss.get("/desk/people/of/bor/").content.decode()
    assert "Hand over and close the account" in page and 'name="node/sc3"' in page
    boss.post("/desk/people/of/bor/depart", {"node/sc3": "planner"})
    assert holders()["sc3"] == "bor", "nobody takes over the rest, so nothing happens"
    assert official.get("/desk/").status_code == 200
    official.post("/desk/people/of/planner/depart", {"rest": "bor"})
    assert official.get("/desk/people/of/planner/").status_code == 200, "only administrators close accounts"
    boss.post("/desk/people/of/bor/depart", {"node/sc3": "planner", "rest": "official", "reason": "retired"})
    assert (holders()["sc3"], holders()["oc3.1"]) == ("planner", "official")
    assert official.get("/desk/").status_code == 302
    assert boss.get("/desk/people/of/bor/").status_code == 404


def test_an_absence_is_entered_seen_and_called_off_in_the_desk(kranj, client_of):
    official = client_of("bor", "official", offices=("okolje",))
    day = absences.today()
    given = {"account": "bor", "since": day, "until": day, "substitute": "planner"}
    official.post("/desk/people/absent", given)
    page = official.get("/desk/people/").content.decode()
    number = re.search(r"/desk/people/absent/(\d+)/end", page)
    assert number and "Call off" in page
    official.post("/desk/people/absent", {**given, "account": "planner"})
    assert len(absences.standing().offices) == 1, "of others it is refused"
    official.post(f"/desk/people/absent/{number[1]}/end")
    assert absences.standing().offices == {}


def test_the_digest_is_switched_off_where_its_mail_leads(kranj, client_of):
    official = client_of("bor", "official", offices=("okolje",))
    assert "Switch off" in official.get("/desk/people/me/").content.decode()
    official.post("/desk/people/me/digest")
    assert "Switch on" in official.get("/desk/people/me/").content.decode()


def test_everybody_reads_who_leads_an_office_and_only_staff_the_deputies(kranj, client_of, client):
    for reader, deputy in ((client, False), (client_of("bor", "official", offices=("okolje",)), True)):
        page = reader.get("/en/offices/").content.decode()
        assert "Vodja vodovoda" in page
        assert ("Drugi operater vodovoda" in page) is deputy


def test_a_territory_counts_what_belongs_to_it_and_leads_to_the_list(kranj, client, django_assert_max_num_queries):
    cases.open(ANONYMOUS, type="road", channel="web", description="Luknja", place="Ob potoku 3, Mlaka pri Kranju")
    cases.open(ANONYMOUS, type="road", channel="web", description="Luknja", place="Kranj")
    client.get("/en/territories/mlaka-pri-kranju")
    cache.clear()
    with django_assert_max_num_queries(12):
        page = client.get("/en/territories/mlaka-pri-kranju").content.decode()
    for path in ("streams/?territory=mlaka-pri-kranju", "cases/?open=1&amp;territory=mlaka-pri-kranju"):
        assert f"/en/{path}" in page
    rows = client.get("/en/cases/?open=1&territory=mlaka-pri-kranju").content.decode()
    assert "Ob potoku 3" in rows and rows.count('<th scope="row">') == 1
    assert client.get("/en/cases/?open=1&territory=mo-kranj").content.decode().count('<th scope="row">') == 2
    assert client.get("/en/streams/?territory=nonsense").status_code == 404


def test_who_is_away_is_told_by_week(kranj, client_of):
    boss = client_of("ana", "administrator")
    assert "by week" not in boss.get("/desk/people/").content.decode()
    first = date.fromisoformat(absences.today())
    given = {"account": "planner", "since": first.isoformat(), "until": (first + timedelta(days=7)).isoformat()}
    boss.post("/desk/people/absent", given)
    page = boss.get("/desk/people/").content.decode()
    weeks = page.partition("by week")[2].partition("</section>")[0]
    assert weeks.count("<li>") == 2 and weeks.count("Načrtovalka razvoja") == 2
