"""The console in a browser: in both themes, from a phone to a desktop, with whatever people call themselves."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.running.browser.looks import found_in_all_looks
from tests.running.browser.operators import PEOPLE, at_console, find
from tests.running.browser.people import Browsing, comes_back, send_sign_in, sign_in, somebody

SCREENS = (
    "/admin",
    "/admin/people",
    "/admin/people?search=nobody",
    "/admin/letters",
    "/admin/keys",
    "/admin/keys/rotate",
    "/admin/services",
    "/admin/services/new",
    "/admin/roles",
    "/admin/roles/new",
    "/admin/health",
    "/admin/events",
    "/admin/events?person=nobody&network=x&kind=signed_in",
)


def test_axe_finds_nothing_on_the_console(browsing: Browsing) -> None:
    page = browsing.page()
    somebody(browsing)
    at_console(browsing, page)
    seen = {}
    for path in SCREENS:
        page.goto(path)
        seen[path] = found_in_all_looks(page)
    assert {path: violations for path, violations in seen.items() if violations} == {}


def test_a_person_is_found_without_a_script(browsing: Browsing) -> None:
    email = somebody(browsing, "Grace Hopper")
    page = browsing.page(java_script_enabled=False)
    at_console(browsing, page)
    find(page, email)
    expect(page.get_by_role("cell", name="Grace Hopper")).to_be_visible()


def person_of(page: Page, email: str) -> str:
    """Open the page of somebody who was found; where it is."""
    find(page, email)
    page.get_by_role("link", name=email).click()
    page.wait_for_url(f"**{PEOPLE}/*")
    return urlsplit(page.url).path


def press(page: Page, act: str, **typed: str) -> None:
    """Press an act's button, and the one on the page that asks."""
    page.get_by_role("link", name=act).click()
    for label, text in typed.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("main").get_by_role("button", name=act).click()
    expect(page.get_by_role("status")).to_be_visible()


def test_axe_finds_nothing_on_the_page_of_a_person(browsing: Browsing) -> None:
    page, email = browsing.page(), somebody(browsing)
    sign_in(browsing.page(), email)
    at_console(browsing, page)
    at = person_of(page, email)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    seen = {at: found_in_all_looks(page)}
    for act in ("disable", "delete", "send-reset"):
        page.goto(f"{at}/{act}")
        seen[act] = found_in_all_looks(page)
    page.goto(f"{at}/disable")
    page.get_by_role("main").get_by_role("button").click()
    comes_back(page)
    seen["without a reason"] = found_in_all_looks(page)
    assert {path: violations for path, violations in seen.items() if violations} == {}


def test_somebody_disabled_is_enabled_without_a_script_and_signs_in(browsing: Browsing) -> None:
    """All eight reasons, with a script: test_eight_reasons.py."""
    email, page = somebody(browsing), browsing.page(java_script_enabled=False)
    at_console(browsing, page)
    person_of(page, email)
    press(page, "Disable the account", Reason="left the <team>")
    expect(page.locator("#why")).to_contain_text("“left the <team>”")
    theirs = browsing.page()
    theirs.goto("/login")
    send_sign_in(theirs, email)
    expect(theirs.get_by_text("The email address or the password is wrong.")).to_be_visible()
    press(page, "Enable the account")
    expect(page.locator("#why")).to_contain_text("Nothing is in the way")
    sign_in(theirs, email)
