"""A whole Krog for journeys: the demo city in a process group of its own, a real Chromium, the demo's mailbox."""

from __future__ import annotations

import email
import email.policy
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Krog:
    """A running demo."""

    url: str
    var: Path
    mqtt_port: int
    mail_port: int
    log: Path

    @property
    def password(self) -> str:
        return (self.var / "demo-password").read_text().strip()

    @property
    def key(self) -> str:
        return (self.var / "demo-key").read_text().strip()

    def mails(self, to: str = "") -> list[EmailMessage]:
        """The mails that the demo has delivered, oldest first."""
        found = []
        for file in sorted((self.var / "mail").glob("**/new/*"), key=lambda f: f.stat().st_mtime_ns):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if not to or to in str(mail["To"]):
                found.append(mail)
        return found  # type: ignore[return-value]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(question: Callable[[], object], seconds: float, what: str) -> object:
    """What `question` answers as soon as it is true; fails naming `what` after the time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if answer := question():
            return answer
        time.sleep(0.25)
    pytest.fail(f"After {seconds} s still no {what}.")


@pytest.fixture(scope="session")
def krog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Krog]:
    """`krog demo kranj` on free ports, with everything it writes in a folder of its own."""
    home = tmp_path_factory.mktemp("demo")
    log = home / "demo.log"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("KROG_", "DJANGO_"))}
    if shared := os.environ.get("KROG_SHARED"):
        env["KROG_SHARED"] = shared
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "krog.cli.main", "demo", "kranj", "--port", str(_free_port()), "--var", str(home / "var")],
            cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )
    try:
        wait_until(lambda: "Krog is running" in log.read_text() or process.poll() is not None, 120, "running demo")
        said = log.read_text()
        assert process.poll() is None, said
        url = re.search(r"Krog is running:\s+(\S+)/", said)
        mqtt = re.search(r"mosquitto_pub -p (\d+)", said)
        mail = re.search(r"by mail \(SMTP\) on port (\d+)", said)
        assert url and mqtt and mail, said
        yield Krog(url[1], home / "var", int(mqtt[1]), int(mail[1]), log)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
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
            base_url=krog.url, viewport=PHONE if phone else DESKTOP, java_script_enabled=script, has_touch=phone,
            locale="sl-SI", color_scheme="dark" if dark else "light", reduced_motion="reduce",
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
