"""Areas and services: what belongs to a centre's offices stands on its page, and the directory finds services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from krog.base.declaration import Change
from krog.people import verbs as people
from krog.people.models import Office
from krog.people.permissions import SYSTEM
from krog.people.providers import CENTRES
from krog.registers import roles, verbs
from tests import registry, sensing


def html(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def service(key: str, title: str, **values: Any) -> Change:
    about = {"title": title, "status": "existing", "area": "environment", "life_situation": "home", **values}
    about.setdefault("centre", about["area"])
    return Change(key, {"register": "services", "values": about, "geometry": None, "valid_from": "", "valid_to": ""})


@pytest.fixture()
def services(db: None) -> None:
    """The register of services with three existing ones, one of them gone, and a proposed one."""
    sensing.dataset("services", noun="registers", access="public")
    fields: dict[str, Any] = {}
    for name, needed in roles.ROLES["services"].items():
        fields[name] = {"type": needed.types[0], "title": {"sl": name, "en": name}}
        if needed.types[0] == "choice":
            fields[name]["choices"] = list(needed.choices)
    fields["area"]["choices"] = {"environment": {"sl": "Okolje", "en": "Environment"}, "mobility": {"sl": "Promet"}}
    fields["life_situation"]["choices"] = {"road": {"sl": "Na poti", "en": "On the road"}, "home": {"sl": "Doma"}}
    registry.declare("services", data="services", geometry="none", fields=fields, title_field="title", role="services")
    changes = [
        service("s-waste", "Koledar odvoza odpadkov", address="https://example.org/odpadki", alive="yes"),
        service("s-bike", "Izposoja koles", area="mobility", life_situation="road", owner="Mestna občina"),
        service("s-old", "Stara aplikacija", alive="no"),
        service("s-idea", "Pametni zabojniki", status="proposed"),
    ]
    verbs.declare_records(SYSTEM, changes=changes)


def test_the_directory_shows_existing_services_by_what_happens_in_life(client: Client, services: None) -> None:
    page = html(client, "/sl/services/")
    assert page.index("Na poti") < page.index("Izposoja koles") < page.index("Doma") < page.index("Koledar odvoza")
    assert 'href="/sl/services/s-waste/open"' in page and "/s-bike/open" not in page
    assert "ne deluje več" in page
    assert "Za 1 storitev še nihče ni preveril" in page
    assert "Pametni zabojniki" not in page


def test_the_directory_may_be_arranged_by_area_and_narrowed_by_words(client: Client, services: None) -> None:
    page = html(client, "/sl/services/?by=area")
    assert page.index("Okolje") < page.index("Koledar odvoza") < page.index("Promet") < page.index("Izposoja koles")
    found = html(client, "/sl/services/?q=kolesa")
    assert "Izposoja koles" in found
    assert "Koledar odvoza" not in found
    assert "Pokažite vse storitve" in html(client, "/sl/services/?q=zmaj")


def test_the_directory_may_be_narrowed_to_the_services_of_a_centre(client: Client, services: None) -> None:
    page = html(client, "/sl/services/?centre=mobility&by=area")
    assert "Izposoja koles" in page
    assert "Koledar odvoza" not in page
    assert "Koledar odvoza" in html(client, "/sl/services/?centre=dragons")


def test_whether_a_service_works_is_said_where_somebody_has_looked(client: Client, services: None) -> None:
    assert "še nihče ni preveril" in html(client, "/sl/services/?by=area&q=kolesa")
    assert "še nihče ni preveril" not in html(client, "/sl/services/?q=Koledar")


def test_a_centre_shows_its_existing_services_and_leads_to_the_rest(client: Client, services: None) -> None:
    page = html(client, "/sl/centres/environment")
    assert "Koledar odvoza odpadkov" in page
    assert "Pametni zabojniki" not in page
    assert "Izposoja koles" not in page
    assert "?centre=environment" not in page
    more = [service(f"s-more-{number}", f"Storitev {number}") for number in range(11)]
    verbs.declare_records(SYSTEM, changes=more)
    page = html(client, "/sl/centres/environment")
    assert "?centre=environment" in page
    assert "Vseh 13 storitev tega področja" in page


def test_a_centre_says_what_data_it_gathers_from_whom_and_how(client: Client, db: None) -> None:
    sensing.dataset("links", noun="registers", access="public")
    fields: dict[str, Any] = {"dataset": {"type": "text", "title": {"sl": "zbirka"}}}
    for name, needed in roles.ROLES["centre-links"].items():
        fields[name] = {"type": needed.types[0], "title": {"sl": name, "en": name}}
        if needed.types[0] == "choice":
            fields[name]["choices"] = {choice: {"sl": f"je {choice}"} for choice in needed.choices}
    registry.declare("links", data="links", geometry="none", fields=fields, title_field="title", role="centre-links")
    rows = {
        "a": {"title": "Odpadki", "centre": "environment", "from_whom": "Komunala", "how": "not_yet", "dataset": "no"},
        "b": {
            "title": "Pretoki",
            "centre": "environment",
            "from_whom": "Vodovod",
            "how": "dataset",
            "dataset": "links",
        },
        "c": {"title": "Vozni redi", "centre": "mobility", "from_whom": "Prevozniki", "how": "api"},
    }
    about = {"register": "links", "geometry": None, "valid_from": "", "valid_to": ""}
    changes = [Change(key, {**about, "values": values}) for key, values in rows.items()]
    verbs.declare_records(SYSTEM, changes=changes)
    page = html(client, "/sl/centres/environment")
    assert page.index("Pretoki") < page.index("Vodovod") < page.index("Odpadki") < page.index("Komunala")
    assert "je not_yet" in page
    assert 'href="/sl/datasets/links"' in page
    assert 'href="/sl/datasets/no"' not in page
    assert "Vozni redi" not in page


def test_a_service_elsewhere_is_opened_and_counted(services: None, dataset: Any) -> None:
    from krog.catalogue import reads
    from tests.nouns.test_catalogue_usage import EVER, GRANT

    person = Client(headers={"user-agent": "Mozilla/5.0 Firefox/140.0"})
    answer = person.get("/sl/services/s-waste/open")
    assert answer.headers["Location"] == "https://example.org/odpadki"
    assert Client(headers={"user-agent": "Googlebot"}).get("/sl/services/s-waste/open").status_code == 302
    assert [(u.service, u.started) for u in reads.service_use(GRANT, *EVER)] == [("link:s-waste", 1)]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "//evil.example", "https://", "https:\\\\evil", "mailto:x@y"]
)
def test_nobody_is_led_to_what_is_no_address_of_the_web(client: Client, services: None, address: str) -> None:
    from krog.registers.models import Record

    row = Record.objects.get(key="s-waste")
    row.values = {**row.values, "address": address}
    row.save()
    assert client.get("/sl/services/s-waste/open").status_code == 404
    assert "/s-waste/open" not in html(client, "/sl/services/")


@pytest.mark.parametrize("key", ["s-bike", "s-idea", "nothing", "https:%2F%2Fevil.example", "%00"])
def test_only_services_of_the_register_are_opened(client: Client, services: None, key: str) -> None:
    assert client.get(f"/sl/services/{key}/open?next=https://evil.example").status_code == 404


def test_a_city_without_a_register_of_services_says_so(client: Client, db: None) -> None:
    assert "Mesto še ni popisalo svojih storitev" in html(client, "/sl/services/")


def test_words_of_others_in_the_directory_are_text(client: Client, services: None) -> None:
    verbs.declare_records(SYSTEM, changes=[service("s-bad", "<script>alert(1)</script>")])
    assert "<script>alert(1)" not in html(client, "/sl/services/?q=%3Cscript%3E&by=%27%22")


@pytest.fixture()
def water(db: None, dataset: Callable[..., str], own_values: None) -> None:
    """An office of the centre for the environment with a datastream, a register, and one of another centre."""
    offices = [
        Change(
            "vodovod", {"title": {"sl": "Vodovod", "en": "Water"}, "centre": "environment", "phone": "04 123 45 67"}
        ),
        Change("promet", {"title": {"sl": "Promet", "en": "Traffic"}, "centre": "mobility"}),
    ]
    people.declare(SYSTEM, model=Office, noun="office", changes=offices)
    sensing.dataset("mlaka-water", noun="streams", office="vodovod")
    sensing.dataset("rest", noun="streams", office="promet")
    sensing.declare(
        mlaka_inflow=sensing.stream(),
        elsewhere=sensing.stream(dataset="rest", title={"sl": "Drugje"}),
        secret=sensing.stream(public=False, title={"sl": "Skrivni"}),
    )
    sensing.observe("mlaka-inflow", [4.0, 5.25])
    registry.town()


def test_every_centre_has_the_same_page(client: Client, water: None) -> None:
    for key in CENTRES:
        assert 'class="page-head"' in html(client, f"/en/centres/{key}")
    listed = html(client, "/sl/centres/")
    assert all(f"/sl/centres/{key}" in listed for key in CENTRES)
    assert client.get("/sl/centres/dragons").status_code == 404


def test_a_centre_shows_what_belongs_to_its_offices_and_nothing_else(client: Client, water: None) -> None:
    page = html(client, "/sl/centres/environment")
    for words in ("Vodovod", "04 123 45 67", "Dotok v cono Mlaka", "5,25", "Odjemna mesta"):
        assert words in page, words
    for words in ("Drugje", "Skrivni", "Promet</b>"):
        assert words not in page, words
    assert "Za to področje še ne skrbi noben urad" in html(client, "/sl/centres/living")


def test_the_page_of_a_centre_costs_few_queries_however_much_belongs_to_it(
    client: Client, water: None, django_assert_max_num_queries: Any
) -> None:
    sensing.declare(**{f"more_{n}": sensing.stream() for n in range(30)})
    client.get("/sl/centres/environment")
    with django_assert_max_num_queries(12) as seen:
        html(client, "/sl/centres/environment")
    assert isinstance(seen, CaptureQueriesContext)


def test_the_desk_shows_the_centre_with_what_only_officials_see(client_of: Callable[..., Any], water: None) -> None:
    page = html(client_of("ana", "official", offices=("vodovod",)), "/desk/centres/environment/")
    for words in ("Skrivni", "/centres/environment", "Inflow to zone Mlaka", "As the public sees it"):
        assert words in page, words
