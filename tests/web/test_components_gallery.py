"""The gallery shows every component in all its states, without anything that the content policy forbids."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client

from krog.web.components.examples import EXAMPLES

WEB = Path(__file__).parents[2] / "src/krog/web"
NAMES = [example.name for example in EXAMPLES]
LANGUAGES = ("sl", "en")


class Page(HTMLParser):
    """Ids, references to ids, inline styles and scripts, and open tags of a page."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})

    def __init__(self, html: str):
        super().__init__()
        self.ids: list[str] = []
        self.refs: list[str] = []
        self.inline: list[str] = []
        self.stack: list[str] = []
        self.unbalanced: list[str] = []
        self.headings: list[int] = []
        self.unnamed: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for name in ("for", "aria-labelledby", "aria-describedby"):
            self.refs += str(given.get(name) or "").split()
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and not given.get("src") and given.get("type") != "application/json"):
            self.inline.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img" and "alt" not in given:
            self.unnamed.append("img")
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.unbalanced.append(tag)


@pytest.fixture()
def page(db: None, client: Client):  # type: ignore[no-untyped-def]
    def get(address: str, language: str = "sl") -> Page:
        response = client.get(address, headers={"Accept-Language": language})
        assert response.status_code == 200, address
        return Page(response.content.decode())

    return get


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["", *NAMES])
def test_every_example_is_a_sound_page(page, name: str, language: str) -> None:  # type: ignore[no-untyped-def]
    shown = page(f"/components/{name}", language)
    assert not shown.inline
    assert not shown.unbalanced
    assert not shown.unnamed
    assert [one for one, count in Counter(shown.ids).items() if count > 1] == [] or name == "field"
    assert set(shown.refs) <= set(shown.ids)
    assert shown.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(shown.headings, shown.headings[1:], strict=False))


def test_every_component_stands_in_the_gallery() -> None:
    folders = [WEB / "templates" / name for name in ("components", "cotton")]
    files = [file for folder in folders for file in folder.glob("*.html")]
    files += [WEB / "templates/base.html", WEB / "templates/portal/page.html"]
    shown = "".join(file.read_text("utf-8") for file in files)
    unused = [
        file.stem for file in (WEB / "templates/cotton").glob("*.html")
        if f"<c-{file.stem.replace('_', '-')}" not in shown
    ]  # fmt: skip
    assert not unused


def test_an_unknown_component_is_told_which_there_are(client: Client, db: None) -> None:
    response = client.get("/components/nothing")
    assert response.status_code == 404
    assert b"navigation" in response.content


def test_an_error_keeps_what_was_written_and_points_at_the_field(page, client: Client) -> None:  # type: ignore[no-untyped-def]
    html = client.get("/components/field", headers={"Accept-Language": "en"}).content.decode()
    wrong = html[html.index("form-errors") :]
    assert 'value="ana.novak"' in wrong
    assert 'aria-invalid="true"' in wrong
    assert 'href="#id_email"' in wrong
    assert re.search(r'aria-describedby="id_what_error id_what_hint"', wrong)


def test_replayed_and_simulated_values_are_marked(client: Client, db: None) -> None:
    html = client.get("/components/status", headers={"Accept-Language": "sl"}).content.decode()
    assert "predvajano" in html
    assert "simulirano" in html


def test_numbers_and_texts_follow_the_language(client: Client, db: None) -> None:
    slovenian = client.get("/components/live", headers={"Accept-Language": "sl"}).content.decode()
    english = client.get("/components/live", headers={"Accept-Language": "en"}).content.decode()
    assert "1.234.567,5" in slovenian
    assert "1,234,567.5" in english
    assert 'lang="it">Acquedotto' in slovenian
    assert 'lang="sl">Vodovod' in english


def test_the_demo_says_so_on_every_page(client: Client, db: None) -> None:
    for address in ("/components/", "/sl/", "/sl/now/", "/sl/nothing-here"):
        html = client.get(address, headers={"Accept-Language": "sl"}).content.decode()
        assert "PREDSTAVITVENI PODATKI" in html, address


def test_styles_and_scripts_carry_a_mark_of_their_content(client: Client, db: None) -> None:
    html = client.get("/sl/").content.decode()
    marked = re.findall(r'/static/krog/(krog\.css|krog\.js)\?v=[0-9a-f]{10}"', html)
    assert sorted(marked) == ["krog.css", "krog.js"]
