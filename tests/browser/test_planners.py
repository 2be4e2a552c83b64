"""Planners at work: a draft edited as a table by keyboard, two of them at one cell, many rows at once and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Krog

PageAs = Callable[..., Page]
pytestmark = pytest.mark.timeout(400)


def _cell(page: Page, field: str) -> str:
    return f'tr[data-node="u3.2.4"] td[data-field="{field}"]'


def _write(page: Page, field: str, text: str) -> None:
    """Opens a cell with Enter, writes over what stands there and saves with Enter."""
    page.focus(_cell(page, field))
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_two_planners_edit_a_draft_as_a_table_by_keyboard(krog: Krog, page_as: PageAs):
    first = page_as("planner")
    first.goto("/desk/plans/tus-2030/begin")
    first.fill("main input[name=label]", "Tabela 2027")
    first.press("main input[name=label]", "Enter")
    first.wait_for_url("**/drafts/*")
    table = first.url.partition("?")[0] + "/table?text=u3.2.4"
    first.goto(table)
    second = page_as("planner")
    second.goto(table)

    # One edits a title with the keyboard alone; arrows lead from cell to cell.
    first.locator("td.cell[tabindex='0']").focus()
    first.keyboard.press("ArrowRight")
    expect(first.locator(_cell(first, "title.sl"))).to_be_focused()
    _write(first, "title.sl", "Obnova vodovodov")
    expect(first.locator(f"{_cell(first, 'title.sl')} .shown")).to_have_text("Obnova vodovodov")
    first.keyboard.press("Enter")
    first.keyboard.type(" in še kaj")
    first.keyboard.press("Escape")
    expect(first.locator(f"{_cell(first, 'title.sl')} .shown")).to_have_text("Obnova vodovodov")

    # The other, who still sees the old title, is shown both and chooses.
    _write(second, "title.sl", "Obnova vodovodnih sistemov")
    clash = second.locator(f"{_cell(second, 'title.sl')} .clash-of")
    expect(clash).to_contain_text("Obnova vodovodov")
    expect(clash).to_contain_text("Obnova vodovodnih sistemov")
    clash.locator("button").click()
    expect(second.locator(f"{_cell(second, 'title.sl')} .shown")).to_have_text("Obnova vodovodnih sistemov")

    # All rows that a filter finds at once, and back again.
    first.goto(table.replace("text=u3.2.4", "area=tp3&level=measure"))
    rows = first.locator("tbody tr[data-node]").count()
    assert rows > 1
    first.check("#bulk input[value=all]")
    horizon = first.locator("#bulk [name='set.horizon']")
    horizon.fill("2033")
    first.click("#bulk button.main")
    shown = first.locator("td[data-field='horizon'] .shown", has_text="2033")
    expect(shown).to_have_count(rows)
    first.locator("form:has(input[value=undo]) button").first.click()
    expect(shown).to_have_count(0)
