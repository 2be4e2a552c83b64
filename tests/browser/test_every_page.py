"""Every page in every language: no error, no finding of axe, no sideways scrolling, no message in the console."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Krog

PageAs = Callable[..., Page]
pytestmark = pytest.mark.timeout(400)

PORTAL = (
    "",
    "now/",
    "streams/",
    "streams/mlaka-inflow",
    "streams/mlaka-inflow?range=30d",
    "things/mlaka-zone",
    "registers/",
    "registers/mlaka-points",
    "indicators/",
    "indicators/night-losses",
    "indicators/k3.1",
    "indicators/k3.2",
    "plans/",
    "plans/tus-2030",
    "plans/tus-2030?view=matrix",
    "plans/tus-2030?text=promet",
    "plans/tus-2030?open=tp3,u3.2",
    "plans/tus-2030/tp1",
    "plans/tus-2030/oc1.1",
    "plans/tus-2030/u1.1",
    "plans/tus-2030/u3.2.4",
    "plans/tus-2030/u3.2.4/history",
    "plans/tus-2030/sc3",
    "plans/tus-2030/versions",
    "cases/",
    "cases/report",
    "cases/report?type=street-lamp",
    "cases/follow",
    "rules/",
    "rules/night-flow",
    "voice/",
    "voice/tus-prenova",
    "datasets/",
    "datasets/mlaka-water",
    "datasets/cases",
    "offices/",
    "territories/",
    "territories/mlaka-pri-kranju",
    "pages/accessibility",
    "pages/privacy",
    "nothing-here",
)
DESK = (
    ("operator", "/desk/"),
    ("operator", "/desk/centres/environment/"),
    ("operator", "/desk/streams/"),
    ("operator", "/desk/set-aside/"),
    ("operator", "/desk/streams/mlaka-inflow"),
    ("operator", "/desk/rules/"),
    ("operator", "/desk/rules/night-flow/"),
    ("operator", "/desk/mail/"),
    ("operator", "/desk/mailbox/"),
    ("official", "/desk/indicators/"),
    ("official", "/desk/registers/"),
    ("official", "/desk/registers/mlaka-points"),
    ("official", "/desk/cases/new"),
    ("planner", "/desk/plans"),
    ("planner", "/desk/plans/tus-2030"),
    ("planner", "/desk/plans/tus-2030/review/u3.2.4"),
    ("planner", "/desk/plans/tus-2030/begin"),
    ("planner", "/desk/plans/tus-2030/milestones"),
    ("planner", "/desk/plans/tus-2030/milestones/u3.2.4"),
    ("planner", "/desk/voice"),
    ("digital-officer", "/desk/inspect/"),
    ("administrator", "/components/"),
    ("administrator", "/desk/"),
    ("administrator", "/desk/centres/control/"),
    ("administrator", "/desk/people/"),
    ("administrator", "/desk/people/without/"),
    ("administrator", "/desk/people/without/?noun=node"),
    ("administrator", "/desk/people/of/official/"),
    ("administrator", "/desk/people/me/"),
)


def _findings(page: Page) -> list[str]:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found]


def _listen(page: Page) -> list[str]:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


def _check(page: Page, address: str, said: list[str]) -> list[str]:
    answer = page.goto(address)
    assert answer
    page.wait_for_timeout(150)
    problems = []
    expected = 404 if address.endswith("nothing-here") else 200
    if answer.status != expected:
        problems.append(f"answers {answer.status}")
    if not page.locator(".demo-band").is_visible():
        problems.append("has no band that says that its data are for demonstration")
    problems += _findings(page)
    page.set_viewport_size({"width": 360, "height": 740})
    if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
        problems.append(f"is {width} px wide on a phone of 360")
    page.set_viewport_size({"width": 1440, "height": 900})
    problems += [f"console: {text}" for text in said if "404" not in text]
    said.clear()
    return [f"{address}: {problem}" for problem in problems]


@pytest.mark.parametrize("language", ["sl", "en"])
def test_pages_of_the_portal_are_clean(krog: Krog, page_as: PageAs, language: str):
    page = page_as(dark=language == "en")
    said = _listen(page)
    problems = [problem for path in PORTAL for problem in _check(page, f"/{language}/{path}", said)]
    assert problems == []


def test_pages_of_the_desk_are_clean(krog: Krog, page_as: PageAs):
    problems, page, said, signed = [], None, [], ""
    for account, address in DESK:
        if account != signed:
            page, signed = page_as(account), account
            said = _listen(page)
        assert page
        problems += _check(page, address, said)
    assert problems == []


def test_pages_are_walked_with_the_keyboard_alone(krog: Krog, page_as: PageAs):
    page = page_as()
    page.goto("/sl/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main", (
        "the first stop skips to the content"
    )
    page.keyboard.press("Enter")
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate("(({tagName, href, name}) => `${tagName} ${href || name || ''}`)(document.activeElement)")
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"{seen[-1]} shows no focus"
    assert any("cases/report" in each for each in seen)


@pytest.mark.parametrize(
    "path", ["", "indicators/night-losses", "streams/mlaka-inflow", "plans/tus-2030", "cases/report"]
)
def test_reading_needs_no_javascript(krog: Krog, page_as: PageAs, path: str):
    page = page_as(script=False)
    page.goto(f"/sl/{path}")
    assert len(page.inner_text("main")) > 200
    assert page.locator("main h1").count() == 1


def test_programs_get_json_at_the_same_address(krog: Krog, page_as: PageAs):
    page = page_as()
    for address in (
        "/streams/mlaka-inflow",
        "/indicators/night-losses",
        "/plans/tus-2030/u3.2.4",
        "/registers/mlaka-points",
        "/datasets/mlaka-water",
        "/territories/mlaka-pri-kranju",
        "/voice/tus-prenova",
    ):
        answer = page.request.get(address, headers={"Accept": "application/json"})
        assert answer.status == 200, address
        assert answer.headers["content-type"].startswith("application/json"), address
        assert answer.json()["key"] == address.rsplit("/", 1)[1]
