"""The console in a browser: in both themes, from a phone to a desktop, with whatever people call themselves."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.running.browser.operators import at_console, find
from tests.running.browser.people import Browsing, somebody
from tests.running.browser.test_access import found

SCREENS = ("/admin", "/admin/people", "/admin/people?search=nobody")


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_the_console(browsing: Browsing, theme: Any, width: int) -> None:
    page = browsing.page(color_scheme=theme, viewport={"width": width, "height": 800})
    somebody(browsing)
    at_console(browsing, page)
    seen = {}
    for path in SCREENS:
        page.goto(path)
        seen[path] = found(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert {path: violations for path, violations in seen.items() if violations} == {}


def test_a_person_is_found_without_a_script(browsing: Browsing) -> None:
    email = somebody(browsing, "Grace Hopper")
    page = browsing.page(java_script_enabled=False)
    at_console(browsing, page)
    find(page, email)
    expect(page.get_by_role("cell", name="Grace Hopper")).to_be_visible()
