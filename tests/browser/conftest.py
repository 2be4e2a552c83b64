"""Journeys: a real Chromium before the demo city of `tests.demo`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.demo import Krog, running, wait_until

__all__ = ["Krog", "wait_until"]

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="package")
def krog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Krog]:
    """`krog demo kranj` on free ports, with everything it writes in a folder of its own."""
    with running(tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        pytest.fail("The journeys need Chromium. Type: sudo apt-get install chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        )
        yield found
        found.close()


@pytest.fixture()
def page_as(browser: Browser, krog: Krog) -> Iterator[Callable[..., Page]]:
    """Opens a page as somebody: `page_as()` anonymous, `page_as("planner")` signed in, `phone=True`, `script=False`."""
    contexts: list[BrowserContext] = []

    def make(account: str = "", *, phone: bool = False, script: bool = True, dark: bool = False) -> Page:
        context = browser.new_context(
            base_url=krog.url,
            viewport=PHONE if phone else DESKTOP,
            java_script_enabled=script,
            has_touch=phone,
            locale="sl-SI",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        if account:
            page.goto("/desk/sign-in")
            page.fill("input[name=username]", account)
            page.fill("input[name=password]", krog.password)
            page.click("main button")
            page.wait_for_url("**/desk/")
        return page

    yield make
    for context in contexts:
        context.close()
