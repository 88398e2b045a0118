"""An operator acts as somebody by the console, looks around, is refused what is the owner's alone, and comes back."""

import pytest
from playwright.sync_api import Page, expect

from tests.running.browser.looks import found_in_all_looks
from tests.running.browser.operators import at_console
from tests.running.browser.people import Browsing, sign_in, somebody
from tests.running.browser.test_console import person_of

ACT_AS, STOP, BACK = "Act as this person", "End and return to the console", "Return to the console"
NOT_HERE = "Not while you act as somebody else"
OF_ANYBODY = ("/login", "/register", "/forgotpassword", "/nowhere")
OF_OWNERS = ("/profile/name", "/profile/security/email", "/profile/delete", "/profile/data", "/admin")


def act_as(page: Page, email: str) -> str:
    """Act as somebody, from the page of the person; where that is."""
    at = person_of(page, email)
    page.get_by_role("link", name=ACT_AS).click()
    page.get_by_label("Reason").fill("Ticket 4711: sees no invoices")
    page.get_by_role("main").get_by_role("button", name=ACT_AS).click()
    page.wait_for_url("**/profile")
    return at


@pytest.mark.parametrize("script", [True, False])
def test_o66_an_operator_acts_as_somebody_and_comes_back(browsing: Browsing, *, script: bool) -> None:
    page, email = browsing.page(java_script_enabled=script), somebody(browsing)
    at_console(browsing, page)
    at = act_as(page, email)
    banner = page.get_by_text(f"You are acting as {email}.")
    expect(banner).to_be_visible()
    page.goto("/profile/security")
    page.get_by_role("link", name="Change password").click()
    expect(page.get_by_role("heading", name=NOT_HERE)).to_be_visible()
    for path in OF_OWNERS:
        page.goto(path)
        expect(page.get_by_role("heading", name=NOT_HERE)).to_be_visible()
        expect(banner).to_be_visible()
    for path in OF_ANYBODY:
        page.goto(path)
        expect(banner).to_be_visible()
    page.get_by_role("button", name=STOP).click()
    page.wait_for_url(f"**{at}?done=acting-ended")
    expect(page.get_by_role("status")).to_have_text("You are no longer acting as this person.")
    expect(page.get_by_role("link", name=ACT_AS)).to_be_visible()
    expect(banner).to_be_hidden()


def test_o66_the_owner_ends_it_and_the_operator_is_led_back(browsing: Browsing) -> None:
    page, email = browsing.page(), somebody(browsing)
    theirs = browsing.page()
    sign_in(theirs, email)
    at_console(browsing, page)
    at = act_as(page, email)
    theirs.goto("/profile/security")
    theirs.get_by_role("button", name="End session on An administrator, signed in as you").click()
    theirs.wait_for_url("**/profile/security?**")
    page.goto("/profile")
    expect(page.get_by_text(f"You are no longer acting as {email}.")).to_be_visible()
    page.get_by_role("button", name=BACK).click()
    page.wait_for_url(f"**{at}?done=acting-ended")


def test_axe_finds_nothing_while_acting(browsing: Browsing) -> None:
    page, email = browsing.page(), somebody(browsing)
    at_console(browsing, page)
    page.goto(f"{person_of(page, email)}/impersonate")
    seen = {"before": found_in_all_looks(page)}
    act_as(page, email)
    for path in ("/profile", "/profile/security", "/admin", "/login"):
        page.goto(path)
        seen[path] = found_in_all_looks(page)
    assert {path: violations for path, violations in seen.items() if violations} == {}
