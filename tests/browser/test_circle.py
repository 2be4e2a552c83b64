"""The circle, closed on screen and by mail: reading, alert, case, answer, indicator, plan, proposal, adoption."""

from __future__ import annotations

import re
import smtplib
import subprocess
import time
from collections.abc import Callable
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import Krog, wait_until

PageAs = Callable[..., Page]
pytestmark = pytest.mark.timeout(400)
OPERATOR = "operaterka@komunala.example"


def _link(mail: EmailMessage, part: str) -> str:
    """The signed link in a mail's text."""
    found = re.search(rf"(http://\S*{part}\S*)", mail.get_content())
    assert found, mail.get_content()
    return found[1]


def _alert_mail(krog: Krog) -> EmailMessage:
    mails = wait_until(
        lambda: [m for m in krog.mails(OPERATOR) if "K-20" in str(m["Subject"])],
        150,
        "mail to the operator about the leak",
    )
    return mails[0]  # type: ignore[index]


def test_a_leak_reaches_the_operator_by_mail_who_closes_it_by_the_link_without_an_account(krog: Krog, page_as: PageAs):
    mail = _alert_mail(krog)
    reference = re.search(r"K-\d{4}-\d{6}", str(mail["Subject"]))
    assert reference
    text = mail.get_content()
    assert "m³/h" in text and "ZAKLJUČENO" in text

    page = page_as()
    page.goto(_link(mail, "/cases/link/"))
    assert reference[0] in page.inner_text("main")
    page.click("button[value=take]")
    page.click("button[value=tick-1]")
    page.fill("textarea[name=text]", "Počena cev na odseku 4 je zamenjana.")
    page.click("button[value=close]")
    assert "Počena cev" in page.inner_text("main")

    public = page_as(phone=True, script=False)
    public.goto("/sl/cases/")
    public.click(f"main a:has-text('{reference[0]}'), main a:has-text('Puščanje')")
    said = public.inner_text("main")
    assert reference[0] in said and "PREDSTAVITVENI PODATKI" in public.inner_text("body")
    assert OPERATOR not in public.content()

    page.reload()
    page.fill("textarea[name=text]", "še enkrat")
    assert page.locator("button[value=close]").count() == 0, "a closed case cannot be closed again"


def test_where_the_number_comes_from_leads_down_to_raw_readings(krog: Krog, page_as: PageAs):
    page = page_as()

    def computed() -> bool:
        page.goto("/en/indicators/night-losses")
        return (
            page.locator("main svg path, main svg polyline").count() > 0 and page.locator("main .chain a").count() > 1
        )

    wait_until(computed, 150, "computed value of the night losses")
    assert "simulated" in page.inner_text("main") and "no verdict" in page.inner_text("main").lower()
    page.click("main .chain a:has-text('readings')")
    rows = page.inner_text("main")
    assert "mlaka-inflow" in rows and "mlaka-delivery-01" in rows
    api = page.request.get("/api/v1/indicators/night-losses/values").json()
    value = next(each for each in api["items"] if each["value"] is not None)
    assert value["origin"] == "simulated"
    detail = page.request.get(f"/api/v1/indicators/night-losses/values/{value['id']}").json()
    assert detail["provenance"] and "mlaka-water" in str(detail)


def test_the_plan_node_shows_its_state_and_what_measures_it(krog: Krog, page_as: PageAs):
    page = page_as()
    page.goto("/en/plans/tus-2030/u3.2.4")
    text = page.inner_text("main")
    assert "Night losses" in text or "Nočne izgube" in text
    page.click("main a[href*='/indicators/night-losses']")
    page.wait_for_url("**/indicators/night-losses")


def test_a_proposal_becomes_part_of_the_plan_that_the_council_adopts(krog: Krog, page_as: PageAs):
    citizen = page_as(phone=True, script=False)
    citizen.goto("/sl/voice/tus-prenova?node=u3.2.4")
    citizen.fill("[name=title]", "Merilniki tudi na hidrantih")
    citizen.fill("[name=text]", "Voda odteka tudi pri hidrantih; izmerimo jo.")
    citizen.select_option("[name=node]", "u3.2.4")
    citizen.fill("[name=email]", "obcanka@example.org")
    time.sleep(3)  # The form takes nothing faster than a person can write.
    citizen.click("main form button.main")
    mail = wait_until(lambda: krog.mails("obcanka@example.org"), 30, "mail that asks to confirm the proposal")[0]  # type: ignore[index]
    citizen.goto(_link(mail, "/voice/confirm/"))
    citizen.click("main form button.main")
    citizen.goto(citizen.url)

    planner = page_as("planner")
    planner.goto("/desk/voice")
    planner.click("main a:has-text('Merilniki tudi na hidrantih')")
    proposal = planner.url.rsplit("/", 1)[1]
    planner.check("[name=decision][value=accept], [name=decision][value=accepted]")
    planner.fill("[name=text]", "Hvala, predlog bomo upoštevali.")
    planner.click("main form button.main")

    planner.goto("/desk/plans/tus-2030/review/u3.2.4")
    planner.check("[name=judgement] >> nth=1")
    planner.check("[name=decision] >> nth=1")
    planner.fill("[name=note]", "Izgube kažejo, da je meritev premalo.")
    planner.click("main form button.main")

    planner.goto("/desk/plans/tus-2030/begin")
    planner.fill("[name=label]", "Prenova 2027")
    planner.click("main form button.main")
    draft = planner.url
    planner.goto(f"{draft}/nodes/u3.2.4?because=proposal/{proposal}")
    planner.fill("[name=text_sl]", "Merimo tudi pri hidrantih.")
    planner.fill("[name=reason]", "Predlog občanke")
    planner.click("main form:has([name=title_sl]) button.main")
    planner.goto(draft)
    assert "hidrantih" in planner.inner_text("main")
    planner.fill("[name=until]", "2027-01-15")
    planner.click("form:has([value=consult]) button.main")
    planner.goto(f"{draft}/adopt")
    planner.fill("[name=body]", "Mestni svet")
    planner.fill("[name=on]", time.strftime("%Y-%m-%d"))
    planner.click("main form button.main")
    planner.click("main form button.main")

    public = page_as()
    public.goto("/sl/plans/tus-2030/u3.2.4")
    assert "hidrantih" in public.inner_text("main")
    public.goto(f"/sl/voice/proposals/{proposal}")
    said = public.inner_text("main")
    assert "Prenova 2027" in said and "Mestni svet" in said
    assert "obcanka@example.org" not in public.content()


def _photo(folder: Path) -> Path:
    """A photo as a phone makes it, with a place in its EXIF data."""
    file = folder / "svetilka.jpg"
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (46.0, 16.0, 30.0)}
    image = Image.effect_noise((1600, 1200), 60).convert("RGB")
    image.save(file, exif=exif)
    return file


def test_a_citizen_reports_a_broken_lamp_from_a_phone_without_javascript(krog: Krog, page_as: PageAs, tmp_path: Path):
    page = page_as(phone=True, script=False)
    page.goto("/sl/")
    page.click("main a[href='/sl/cases/report']")
    page.click("main a[href*='street-lamp']")
    page.click("main form button.main")
    assert page.locator(".field.wrong").count() >= 1, "an empty report says what is missing"
    page.fill("textarea[name=description]", "Svetilka pri igrišču ne gori.")
    page.fill("[name=place]", "igrišče pri šoli")
    page.set_input_files("[name=photo]", _photo(tmp_path))
    page.fill("[name=email]", "obcan@example.org")
    time.sleep(3)
    page.click("main form button.main")
    reference = re.search(r"K-\d{4}-\d{6}", page.inner_text("main"))
    assert reference, page.inner_text("main")

    mail = wait_until(lambda: krog.mails("obcan@example.org"), 30, "confirmation to the citizen")[0]  # type: ignore[index]
    status = _link(mail, "/cases/")

    official = page_as("official", phone=True)
    official.goto(f"/desk/cases/{reference[0].lower()}/")
    photo = official.locator("main img").first.get_attribute("src")
    assert photo
    stored = official.request.get(photo)
    assert stored.headers["content-type"] == "image/jpeg"
    assert not Image.open(BytesIO(stored.body())).getexif().get_ifd(0x8825), "the photo still says where it was taken"
    stranger = page_as()
    assert stranger.request.get(photo).status in (302, 303, 403, 404) or "/sign-in" in stranger.request.get(photo).url

    page.goto(status)
    assert reference[0] in page.inner_text("main")
    listed = page_as()
    listed.goto("/sl/cases/")
    assert "obcan@example.org" not in listed.content() and "Svetilka pri igrišču ne gori" not in listed.content()


def test_an_answer_by_mail_closes_the_case(krog: Krog, page_as: PageAs):
    page = page_as(phone=True, script=False)
    page.goto("/sl/cases/report?type=water")
    page.fill("textarea[name=description]", "Iz pipe teče motna voda.")
    page.fill("[name=place]", "Mlaka 12")
    time.sleep(3)
    page.click("main form button.main")
    reference = re.search(r"K-\d{4}-\d{6}", page.inner_text("main"))
    assert reference
    mail = wait_until(
        lambda: [m for m in krog.mails("komunala.example") if reference[0] in str(m["Subject"])],
        30,
        "mail to the office",
    )[0]  # type: ignore[index]
    answer = EmailMessage()
    answer["From"], answer["To"] = str(mail["To"]), str(mail["Reply-To"])
    answer["Subject"], answer["Message-ID"] = f"Re: {mail['Subject']}", "<answer.1@komunala.example>"
    answer["In-Reply-To"] = str(mail["Message-ID"])
    quoted = "\n".join(f"> {line}" for line in mail.get_content().splitlines()[:5])
    answer.set_content(f"ZAKLJUČENO Omrežje smo sprali, voda je bistra.\n\nOn Saturday Krog wrote:\n{quoted}\n")
    with smtplib.SMTP("127.0.0.1", krog.mail_port, timeout=20) as server:
        server.send_message(answer)

    def closed() -> bool:
        found = page.request.get("/api/v1/cases/").json()
        return any(c["reference"] == reference[0] and c["status"] == "done" for c in found["items"])

    wait_until(closed, 30, "case closed by the answered mail")


def test_a_value_is_entered_by_one_person_and_confirmed_by_a_second(krog: Krog, page_as: PageAs):
    asked = wait_until(lambda: krog.mails("referentka@kranj.example"), 120, "mail that asks for the yearly value")[0]  # type: ignore[index]
    page = page_as()
    page.goto(_link(asked, "/indicators/enter/"))
    page.fill("[name=value]", "veliko")
    page.fill("[name=source]", "energetsko knjigovodstvo 2025")
    page.click("main form button.main")
    assert page.locator(".field.wrong").count() == 1
    page.fill("[name=value]", "12.345,6")
    page.click("main form button.main")
    if page.locator("[name=value]").count():  # A value far from the last one is asked about once more.
        page.click("main form button.main")

    confirm = wait_until(lambda: krog.mails("potrjevalec@kranj.example"), 60, "mail to the second person")[0]  # type: ignore[index]
    second = page_as()
    second.goto(_link(confirm, "/indicators/confirm/"))
    assert "12.345,6" in second.inner_text("main") or "12.346" in second.inner_text("main")
    second.click("main form button.main")
    public = page_as()
    public.goto("/sl/indicators/k3.1")
    assert "12.34" in public.inner_text("main")


def test_a_message_typed_by_hand_is_on_the_open_page_within_two_seconds(krog: Krog, page_as: PageAs):
    page = page_as()
    page.goto("/en/streams/sava-okroglo-flow")
    page.mouse.move(300, 300)
    page.wait_for_timeout(1500)
    key_id, _, secret = krog.key.partition(".")
    subprocess.run(
        [
            "mosquitto_pub",
            "-p",
            str(krog.mqtt_port),
            "-u",
            key_id,
            "-P",
            secret,
            "-q",
            "1",
            "-t",
            "krog/sava-okroglo-flow",
            "-m",
            "77.25",
        ],
        check=True,
    )
    page.locator("[data-live='sava-okroglo-flow'] [data-live-value]:has-text('77.25')").first.wait_for(timeout=2000)


def test_a_message_that_makes_no_sense_waits_for_an_operator_with_its_reason(krog: Krog, page_as: PageAs):
    key_id, _, secret = krog.key.partition(".")
    for topic, payload in (("krog/mlaka-inflow", "<script>alert(1)</script>"), ("krog/no-such-stream", "5")):
        subprocess.run(
            [
                "mosquitto_pub",
                "-p",
                str(krog.mqtt_port),
                "-u",
                key_id,
                "-P",
                secret,
                "-q",
                "1",
                "-t",
                topic,
                "-m",
                payload,
            ],
            check=True,
        )
    page = page_as("operator")
    page.goto("/desk/set-aside/")
    text = page.inner_text("main")
    assert "no-such-stream" in text and "<script>alert(1)" in text


@pytest.mark.parametrize("account", ["operator", "planner", "official", "clerk", "digital-officer", "administrator"])
def test_everybody_finds_the_desk_usable_with_one_hand(krog: Krog, page_as: PageAs, account: str):
    page = page_as(account, phone=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"the desk is {width} px wide on a phone of 390"
