"""Small things at a page: what is sent too often comes back as it was typed, and what is shown can be copied."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.harness.process import given_keys, starting, wait_until_it_answers
from tests.running.browser.looks import found
from tests.running.browser.people import Browsing, sign_in, somebody


@pytest.fixture
def strict(browser: Browser, tmp_path: Path) -> Iterator[Browsing]:
    """A server that is asked for one letter a minute, and no more."""
    with starting(tmp_path, VESTIBULE_SIGN_INS_PER_NETWORK="1", **given_keys()) as server:
        wait_until_it_answers(server)
        made = Browsing(server, browser)
        yield made
        made.close()
        assert made.complaints == []


@pytest.mark.parametrize("script", [True, False], ids=["with_script", "without_script"])
def test_a_form_that_is_sent_too_often_says_when_and_keeps_what_was_typed(strict: Browsing, script: bool) -> None:
    page = strict.page(java_script_enabled=script, viewport={"width": 360, "height": 740})
    ask(page, "ada@example.com")
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    ask(page, "grace@example.com")
    expect(page.get_by_role("alert")).to_contain_text("You can try again in")
    expect(page.get_by_label("Email address")).to_have_value("grace@example.com")
    if script:
        assert found(page) == []


def ask(page: Page, email: str) -> None:
    page.goto("/forgotpassword")
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Send me a link").click()


def test_the_account_number_is_copied(browsing: Browsing) -> None:
    page = browsing.page(permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, somebody(browsing))
    number = page.locator("#account-id").inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == number


def test_without_a_script_no_button_is_shown_that_does_nothing(browsing: Browsing) -> None:
    page = browsing.page(java_script_enabled=False)
    sign_in(page, somebody(browsing))
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.goto("/profile/security/password")
    expect(page.get_by_role("button", name="Show password")).to_have_count(0)
