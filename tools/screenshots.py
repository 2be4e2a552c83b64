"""Pictures of pages for people to look at: `tools/screenshots.py OUT http://127.0.0.1:8000/sl/ …`.

Each page at 1440 and 390 px, light, and at 1440 px dark; `--only desk|phone|dark|print|narrow|zoom` picks some.
`--login ACCOUNT:PASSWORD` signs in first (pages of the desk). Chromium is the system's; see CONTRIBUTING.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Browser, sync_playwright

#: name → (width, height, colour scheme, device scale, medium)
VIEWS: dict[str, tuple[int, int, str, float, str]] = {
    "desk": (1440, 900, "light", 1, "screen"),
    "phone": (390, 844, "light", 2, "screen"),
    "dark": (1440, 900, "dark", 1, "screen"),
    "darkphone": (390, 844, "dark", 2, "screen"),
    "narrow": (360, 740, "light", 2, "screen"),
    "zoom": (720, 450, "light", 2, "screen"),
    "print": (794, 1123, "light", 1, "print"),
}
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]  # fmt: skip


def name_of(address: str) -> str:
    """A file name for an address."""
    parts = urlsplit(address)
    return re.sub(r"[^a-z0-9]+", "-", f"{parts.path}-{parts.query}".lower()).strip("-") or "root"


def shoot(browser: Browser, address: str, view: str, out: Path, login: str, script: bool) -> Path:
    """One picture; what the browser complains about goes to standard error."""
    width, height, scheme, scale, medium = VIEWS[view]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=scale,
        java_script_enabled=script,
    )  # fmt: skip
    page = context.new_page()
    page.on("console", lambda m: print(f"{address} [{view}] {m.type}: {m.text}", file=sys.stderr)
            if m.type in ("error", "warning") and "GPU stall" not in m.text else None)  # fmt: skip
    page.on("pageerror", lambda e: print(f"{address} [{view}] {e}", file=sys.stderr))
    if login:
        account, _, password = login.partition(":")
        page.goto(urljoin(address, "/desk/sign-in"))
        page.fill("[name=username]", account)
        page.fill("[name=password]", password)
        page.press("[name=password]", "Enter")
        page.wait_for_load_state()
    page.emulate_media(media=medium, color_scheme=scheme)
    page.goto(address, wait_until="load")
    if script and page.locator("[data-map]").count():
        page.wait_for_selector("[data-map][data-ready], [data-map][hidden]", state="attached", timeout=15000)
        page.wait_for_timeout(700)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if overflow > 0:
        print(f"{address} [{view}] runs {overflow} px out of the window", file=sys.stderr)
    file = out / f"{name_of(address)}.{view}{'' if script else '.noscript'}.png"
    page.screenshot(path=str(file), full_page=True)
    context.close()
    return file


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/screenshots.py", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("addresses", nargs="+")
    parser.add_argument("--only", action="append", choices=sorted(VIEWS))
    parser.add_argument("--login", default="")
    parser.add_argument("--no-script", action="store_true", help="as a browser without JavaScript sees it")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("There is no Chromium. On Debian: apt-get install chromium", file=sys.stderr)
        return 2
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for address in given.addresses:
            for view in given.only or ("desk", "phone", "dark"):
                print(shoot(browser, address, view, given.out, given.login, not given.no_script))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
