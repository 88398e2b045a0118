"""What a page says about a field goes away once that no longer holds, on every page with a form."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.running.browser.factors import begin_app, type_code
from tests.running.browser.people import (
    PASSWORD,
    Browsing,
    comes_back,
    send_sign_in,
    sign_in,
    sign_up_wrongly,
    somebody,
)
from tests.running.browser.test_access import reset_link

_REFUSED = "main input[aria-invalid]"
_FOR_ALL = ["/login", "/register", "/forgotpassword", "/verifyemail"]
_FOR_MEMBERS = ["/profile/name", "/profile/security/password", "/profile/security/email", "/profile/delete"]


def _goes_when_something_is_typed(page: Page, title: str) -> None:
    """Send the form of the page empty, and type one character into each field that was missed."""
    page.locator("main input:not([type=hidden]):visible").evaluate_all(
        "fields => fields.forEach(field => field.value = '')"
    )
    page.locator("main form").first.locator("button[type=submit]").click()
    comes_back(page)
    missed = page.locator(_REFUSED).evaluate_all("fields => fields.map(field => field.id)")
    assert missed
    for field in missed:
        page.locator(f"#{field}").press_sequentially(" ")
        expect(page.locator(f"#{field}-fault")).to_be_visible()
        page.locator(f"#{field}").press_sequentially("1")
        expect(page.locator(f"#{field}-fault")).to_have_count(0)
    expect(page.locator(_REFUSED)).to_have_count(0)
    expect(page).to_have_title(title)


@pytest.mark.parametrize("path", _FOR_ALL)
def test_a_missed_field_is_mended_by_its_first_character(browsing: Browsing, path: str) -> None:
    page = browsing.page()
    page.goto(path)
    _goes_when_something_is_typed(page, page.title())


@pytest.mark.parametrize("path", _FOR_MEMBERS)
def test_so_is_one_on_a_page_of_the_account(browsing: Browsing, path: str) -> None:
    page = browsing.page()
    sign_in(page, somebody(browsing))
    page.goto(path)
    _goes_when_something_is_typed(page, page.title())


def test_so_is_one_behind_a_mailed_link(browsing: Browsing) -> None:
    page = browsing.page()
    page.goto(reset_link(browsing, somebody(browsing)))
    _goes_when_something_is_typed(page, page.title())


def test_so_is_a_code(browsing: Browsing) -> None:
    page, email = browsing.page(), somebody(browsing)
    sign_in(page, email)
    app = begin_app(page)
    _goes_when_something_is_typed(page, page.title())
    type_code(page, app.now(), "Turn on")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    other = browsing.page()
    other.goto("/login")
    send_sign_in(other, email)
    for by in ("totp", "recovery_code"):
        other.goto(f"/login/second-step?by={by}")
        _goes_when_something_is_typed(other, other.title())


def test_a_wrong_value_is_mended_by_one_that_could_be_right(browsing: Browsing) -> None:
    page = browsing.page()
    sign_up_wrongly(page)
    email, password = page.get_by_label("Email address"), page.get_by_label("Password", exact=True)
    email.fill("still no address")
    expect(page.locator("#email-fault")).to_be_visible()
    email.fill("ada@example.com")
    expect(page.locator("#email-fault")).to_have_count(0)
    assert email.get_attribute("aria-invalid") is None
    assert email.get_attribute("aria-describedby") is None
    expect(page).to_have_title(re.compile("^Please check: "))

    password.press_sequentially("battery")
    expect(page.locator("#password-fault")).to_be_visible()
    password.press_sequentially(" staple")
    expect(page.locator("#password-fault")).to_have_count(0)
    assert password.get_attribute("aria-describedby") == "password-hint"
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page).to_have_title(re.compile("^Create your account"))


def test_what_was_typed_before_the_script_ran_counts(browsing: Browsing) -> None:
    page, held = browsing.page(), list[Route]()
    page.goto("/login")
    page.route("**/static/pages.js*", lambda route: held.append(route))  # noqa: PLW0108  (Playwright marks its handlers)
    send_sign_in(page, "nobody@example.com", PASSWORD)
    comes_back(page)
    page.get_by_label("Password", exact=True).fill("another one")
    expect(page.locator("#password-fault")).to_be_visible()
    held[-1].continue_()
    expect(page.locator("#password-fault")).to_have_count(0)
