"""The second city: the same Krog with other files, three languages and two trees; its main pages are clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.demo import Krog, running

pytestmark = pytest.mark.timeout(600)

#: What differs from the first city: languages, two trees, long names, many registers.
PAGES = (
    "/it/",
    "/en/now/",
    "/it/plans/pametno-mesto/6.2.g1.m2",
    "/en/plans/procesna-logika",
    "/it/indicators/6.1.i2",
    "/sl/registers/",
    "/it/registers/heating",
    "/it/pages/data",
)
#: Long ones, looked at without axe.
LONG = (
    "/sl/",
    "/sl/plans/pametno-mesto",
    "/it/plans/pametno-mesto?tree=osi",
    "/sl/indicators/",
    "/en/registers/services",
)


@pytest.fixture(scope="module")
def koper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Krog]:
    with running(tmp_path_factory.mktemp("koper"), "koper") as demo:
        yield demo


def test_pages_of_the_second_city_are_clean_in_three_languages(koper: Krog, browser: Browser) -> None:
    assert "semedela-inflow" in koper.log.read_text(), "the welcome shows a datastream of the city that runs"
    context = browser.new_context(base_url=koper.url, viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    page = context.new_page()
    problems = []
    for address in (*PAGES, *LONG):
        answer = page.goto(address)
        assert answer
        if answer.status != 200:
            problems.append(f"{address} answers {answer.status}")
            continue
        if page.evaluate("document.documentElement.lang") != address[1:3]:
            problems.append(f"{address} does not say its language")
        if (width := page.evaluate("document.documentElement.scrollWidth")) > 360:
            problems.append(f"{address} is {width} px wide on a phone of 360")
        if address in LONG:
            continue
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        problems += [f"{address} {each['id']}: {each['nodes'][0]['html'][:160]}" for each in found]
    context.close()
    assert problems == []
