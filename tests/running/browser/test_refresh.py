"""Nobody is sent away because an access token has run out: one page, a form, ten tabs; with and without a script."""

from playwright.sync_api import BrowserContext, expect

from tests.harness.servers import wait_until
from tests.running.browser.people import Browsing, sign_in, somebody

TABS = 10
_MORE_THAN_A_TOKENS_LIFE = 45


def value_of(context: BrowserContext, name: str) -> str | None:
    """A cookie, as long as the browser keeps it."""
    return next((cookie["value"] for cookie in context.cookies() if cookie["name"] == name), None)


def without_access(context: BrowserContext) -> None:
    """As the browser is when the access token's time is over."""
    for name in ("access_token", "logged_in"):
        context.clear_cookies(name=name)


def test_a_page_goes_on_when_the_access_token_has_run_out(browsing: Browsing) -> None:
    context = browsing.device(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, somebody(browsing))
    before = value_of(context, "refresh_token")
    page.goto("/profile/security")
    wait_until(
        lambda: value_of(context, "access_token") is None, "the end of the access token", _MORE_THAN_A_TOKENS_LIFE
    )
    page.get_by_role("link", name="Profile").click()
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    assert value_of(context, "access_token")
    assert value_of(context, "refresh_token") != before
    page.goto("/profile/security")
    expect(page.locator("#device-list li")).to_have_count(1)


def test_a_form_that_was_open_is_still_good(browsing: Browsing) -> None:
    context = browsing.device()
    page = context.new_page()
    email = somebody(browsing)
    sign_in(browsing.page(), email)
    sign_in(page, email)
    page.goto("/profile/security")
    without_access(context)
    page.get_by_role("button", name="Sign out all other devices").click()
    expect(page.get_by_role("status")).to_have_text("Every other device was signed out.")
    assert value_of(context, "access_token")


def test_ten_tabs_at_once_stay_signed_in(browsing: Browsing) -> None:
    context = browsing.device()
    tabs = [context.new_page() for _ in range(TABS)]
    sign_in(tabs[0], somebody(browsing))
    for tab in tabs:
        tab.goto("/profile")
    for _ in range(3):
        without_access(context)
        for tab in tabs:
            tab.evaluate("() => { setTimeout(() => location.assign('/profile/security'), 0); }")
        for tab in tabs:
            expect(tab.locator("#device-list li")).to_have_count(1)
            tab.goto("/profile")
    assert value_of(context, "refresh_token")
