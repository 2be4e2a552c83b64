"""The counter: a clerk enters for others by phone, desk and paper; channel and clerk are kept, the slip has the way."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from krog.base.declaration import Change
from krog.base.errors import Forbidden, Invalid
from krog.cases import verbs
from krog.cases.models import Case, Reporter
from krog.catalogue import reads as catalogue
from krog.people.models import Territory
from krog.people.permissions import SYSTEM
from krog.voice import verbs as voice
from krog.voice.models import Call, Proposal
from tests.nouns.test_catalogue_usage import EVER, GRANT

pytestmark = pytest.mark.django_db


@pytest.fixture()
def counter(dataset, client_of):
    dataset("cases", noun="cases", access="official")
    dataset("voice", noun="voice")
    for key, title in (("pothole", "Pothole"), ("light", "Street light"), ("light-new", "New street light")):
        about = {"title": {"en": title, "sl": title}, "dataset": "cases", "office": "ceste", "citizen": True}
        verbs.declare_case_types(SYSTEM, changes=[Change(key, about)])
    Call.objects.create(key="call", title={"en": "Your ideas"}, dataset="voice")
    Territory.objects.create(key="mlaka", title={"en": "Mlaka", "sl": "Mlaka"}, level="settlement", lon=14.3, lat=46.2)
    return client_of("klara", "clerk", name="Klara")


def _form(**more):
    about = {"channel": "phone", "what": "pothole", "description": "A deep hole. It grows.", "language": "sl"}
    return {**about, "place": "Mlaka street 3, mlaka", "name": "Ivan", "phone": "040 111 222", "once": "one", **more}


def test_a_call_becomes_a_case_with_its_channel_and_clerk(counter):
    answer = counter.post("/desk/clerk/", _form())
    row = Case.objects.get()
    assert (row.channel, row.opener, row.opened_by, row.type.key) == ("phone", "Klara", "citizen", "pothole")
    assert (row.lon, row.lat, row.place) == (14.3, 46.2, "Mlaka street 3, mlaka")
    assert Reporter.objects.get().phone == "040 111 222"
    page = counter.get(answer.headers["Location"]).content.decode()
    assert row.key.upper() in page and "You entered last" in page and "Pothole" in page
    used = [(u.service, u.channel, u.started, u.finished) for u in catalogue.service_use(GRANT, *EVER)]
    assert used == [("report:pothole", "phone", 1, 1)]


def test_the_slip_leads_the_person_to_the_case(counter):
    page = counter.get(counter.post("/desk/clerk/", _form(channel="desk")).headers["Location"]).content.decode()
    slip = counter.get(re.search(r'href="(/desk/clerk/slip\?[^"]+)"', page).group(1))
    address = re.search(r"<code>http://[^/]+(/sl/cases/[^<]+)</code>", slip.content.decode()).group(1)
    assert "A deep hole" in Client().get(address).content.decode()
    assert slip.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("mark", ["", "x", "x:y:z", "%00", "a" * 5000])
def test_a_slip_needs_its_mark(counter, mark):
    assert counter.get(f"/desk/clerk/slip?done={mark}").status_code == 404
    assert counter.get(f"/desk/clerk/?done={mark}").status_code in (200, 404)


def test_the_channel_stays_for_the_next_entry(counter):
    answer = counter.post("/desk/clerk/", _form(channel="paper"))
    page = counter.get(answer.headers["Location"]).content.decode()
    assert re.search(r'value="paper"[^>]*checked', page)


def test_sending_twice_is_one_entry(counter):
    for _ in range(2):
        assert counter.post("/desk/clerk/", _form()).status_code == 302
    assert Case.objects.count() == 1
    assert [u.finished for u in catalogue.service_use(GRANT, *EVER)] == [1]


def test_a_proposal_told_by_phone_waits_for_the_official(counter):
    answer = counter.post(
        "/desk/clerk/", _form(what="proposal your ideas", place="", description="More trees. Please!")
    )
    row = Proposal.objects.get()
    assert (row.title, row.channel, row.entered_by, row.state, row.author) == (
        "More trees", "phone", "Klara", "received", "Ivan",
    )  # fmt: skip
    assert row.key.upper() in counter.get(answer.headers["Location"]).content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"what": "dragon"}, "Nothing is called"),
        ({"what": "street"}, "More than one fits"), ({"what": ""}, "required"),
        ({"channel": "web"}, "Select a valid choice"), ({"description": ""}, "required"), ({"place": ""}, "Say where"),
        ({"email": "no"}, "valid email"), ({"language": "xx"}, "Select a valid choice"),
    ],
)  # fmt: skip
def test_mistakes_are_said_and_nothing_is_lost(counter, wrong, said):
    answer = counter.post("/desk/clerk/", _form(**wrong))
    text = answer.content.decode()
    assert answer.status_code == 422 and said in text and "040 111 222" in text
    assert not Case.objects.exists() and not Proposal.objects.exists()


def test_a_whole_title_wins_over_words_that_several_have(counter):
    counter.post("/desk/clerk/", _form(what="Street LIGHT"))
    assert Case.objects.get().type.key == "light"


def test_the_counter_is_for_those_who_take_reports(counter, client_of):
    for role in ("planner", "digital_officer", "citizen"):
        assert client_of(role.replace("_", "-"), role).get("/desk/clerk/").status_code == 403
    assert client_of("ofi", "official").get("/desk/clerk/").status_code == 200
    assert Client().get("/desk/clerk/").headers["Location"].startswith("/desk/sign-in")


def test_nobody_outside_says_that_he_was_at_the_counter(counter, reader):
    for channel in ("phone", "desk", "paper"):
        with pytest.raises(Forbidden):
            verbs.open(reader(), type="pothole", channel=channel, description="x", place="y")
        with pytest.raises(Forbidden):
            voice.propose(reader(), call="call", title="x", text="y", channel=channel)
    with pytest.raises(Invalid):
        voice.propose(reader("clerk"), call="call", title="x", text="y", channel="fax")


def test_a_clerk_sees_the_own_entries_alone(counter, client_of):
    counter.post("/desk/clerk/", _form())
    other = client_of("other", "clerk", name="Other").get("/desk/clerk/").content.decode()
    assert Case.objects.get().key.upper() not in other


def test_the_page_asks_little(counter, django_assert_max_num_queries):
    for number in range(20):
        counter.post("/desk/clerk/", _form(once=str(number)))
    with django_assert_max_num_queries(12):
        counter.get("/desk/clerk/")
