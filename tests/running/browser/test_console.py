"""The console in a browser: in both themes, from a phone to a desktop, with whatever people call themselves."""

from playwright.sync_api import expect

from tests.running.browser.looks import found_in_all_looks
from tests.running.browser.operators import at_console, find
from tests.running.browser.people import Browsing, somebody

SCREENS = ("/admin", "/admin/people", "/admin/people?search=nobody")


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
