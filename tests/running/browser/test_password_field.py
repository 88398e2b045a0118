"""The button that shows a password says what it does next, and takes nothing away from who is typing."""

import pytest
from playwright.sync_api import Page, expect

from tests.running.browser.looks import found
from tests.running.browser.people import PASSWORD, Browsing

_CURSOR = "field => [document.activeElement === field, field.selectionStart, field.selectionEnd]"


def _field(page: Page) -> None:
    page.goto("/login")
    page.get_by_label("Password", exact=True).fill(PASSWORD)


def test_its_button_says_what_it_does_next_and_its_line_what_it_has_done(browsing: Browsing) -> None:
    page = browsing.page()
    _field(page)
    field, button = page.get_by_label("Password", exact=True), page.locator("[data-show]")
    for label, text, kind, said in (
        ("Hide password", "Hide", "text", "Your password is visible."),
        ("Show password", "Show", "password", "Your password is hidden."),
    ):
        button.click()
        expect(button).to_have_accessible_name(label)
        expect(button).to_have_text(text)
        expect(field).to_have_attribute("type", kind)
        expect(page.get_by_text(said)).to_have_attribute("aria-live", "polite")
        assert found(page) == []


@pytest.mark.parametrize("at", [(3, 3), (2, 7)], ids=["cursor", "selection"])
def test_a_click_leaves_focus_and_cursor_in_the_field(browsing: Browsing, at: tuple[int, int]) -> None:
    page = browsing.page()
    _field(page)
    field = page.get_by_label("Password", exact=True)
    field.evaluate("(field, [start, end]) => field.setSelectionRange(start, end)", list(at))
    for _ in range(2):
        page.locator("[data-show]").click()
        assert field.evaluate(_CURSOR) == [True, *at]


def test_by_keyboard_the_focus_stays_on_the_button(browsing: Browsing) -> None:
    page = browsing.page()
    _field(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Hide password")).to_be_focused()


def test_it_is_sent_hidden_so_that_the_browser_offers_to_keep_it(browsing: Browsing) -> None:
    page = browsing.page()
    _field(page)
    page.get_by_role("button", name="Show password").click()
    page.evaluate("addEventListener('submit', (event) => event.preventDefault())")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "password")
    expect(page.get_by_role("button", name="Show password")).to_have_text("Show")
