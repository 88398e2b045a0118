"""Pages over plain HTTP under a name that is not localhost, where browsers send no Fetch Metadata."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.running.browser.chromium import PLAIN_NAME
from tests.running.browser.people import PASSWORD, Browsing, fresh_email, send_sign_in, sign_up


def at_its_name(browsing: Browsing, page: Page, path: str) -> None:
    page.goto(f"http://{PLAIN_NAME}:{browsing.server.port}{path}")


def test_b11_every_form_works_at_any_name(browsing: Browsing) -> None:
    """B11: signing up, the click of a mailed link, a form for members, signing out, and signing in."""
    email = fresh_email()
    context = browsing.browser.new_context(base_url=f"http://{PLAIN_NAME}:{browsing.server.port}")
    try:
        page = context.new_page()
        sign_up(page, email)
        at_its_name(browsing, page, urlsplit(browsing.mailed(email, "verifyemail")).path)
        page.get_by_role("button", name="Confirm my email address").click()
        expect(page.get_by_role("status")).to_have_text("Your email address is confirmed.")
        expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
        at_its_name(browsing, page, "/profile/security")
        page.get_by_role("button", name="Sign out", exact=True).first.click()
        expect(page).not_to_have_url(f"http://{PLAIN_NAME}:{browsing.server.port}/profile/security")
        at_its_name(browsing, page, "/login")
        send_sign_in(page, email, PASSWORD)
        expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    finally:
        context.close()
