"""A form is sent once, however often its button is pressed: a second answer would refuse what was just done."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.running.browser.people import PASSWORD, Browsing, fresh_email, sign_in, somebody
from tests.running.browser.test_access import reset_link

# Tell of each submission whether the script of the page held it back.
_TWICE = """button => {
    const held = [];
    window.addEventListener("submit", (event) => held.push(event.defaultPrevented));
    button.click();
    button.click();
    return held;
}"""
_LISTEN = """() => {
    window.held = [];
    window.addEventListener("submit", (event) => { held.push(event.defaultPrevented); event.preventDefault(); });
}"""
_NEW = "battery staple horse"


def _verify(browsing: Browsing, page: Page, email: str) -> Locator:
    page.goto(browsing.mailed(email, "verifyemail"))
    return page.get_by_role("button", name="Confirm my email address")


def _reset(browsing: Browsing, page: Page, email: str) -> Locator:
    page.goto(reset_link(browsing, email))
    page.get_by_label("New password", exact=True).fill(_NEW)
    return page.get_by_role("button", name="Use this password")


def _sign_up(_: Browsing, page: Page, _email: str) -> Locator:
    page.goto("/register")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Email address").fill(fresh_email())
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    return page.get_by_role("button", name="Sign up")


def _change_password(_: Browsing, page: Page, email: str) -> Locator:
    sign_in(page, email)
    page.goto("/profile/security/password")
    page.get_by_label("Current password", exact=True).fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(_NEW)
    return page.get_by_role("button", name="Change password")


def _end_session(browsing: Browsing, page: Page, email: str) -> Locator:
    sign_in(browsing.page(), email)
    sign_in(page, email)
    page.goto("/profile/security")
    return page.get_by_role("button", name="Sign out all other devices")


FORMS = {
    "sign_up": _sign_up,
    "verify": _verify,
    "reset": _reset,
    "change_password": _change_password,
    "end_session": _end_session,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_second_click_sends_nothing_and_shows_no_error(
    browsing: Browsing, form: Callable[[Browsing, Page, str], Locator]
) -> None:
    page = browsing.page()
    button = form(browsing, page, somebody(browsing))
    assert button.evaluate(_TWICE) == [False, True]
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_click_after_ten_seconds_sends_the_form_again(browsing: Browsing) -> None:
    """The first answer may have been lost, or the person may have stopped the page."""
    page = browsing.page()
    page.clock.install()
    button = _sign_up(browsing, page, "")
    page.evaluate(_LISTEN)
    for milliseconds in (9_000, 2_000, 0):
        button.click()
        page.clock.fast_forward(milliseconds)
    assert page.evaluate("held") == [False, True, False]
