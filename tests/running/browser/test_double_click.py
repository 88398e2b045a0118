"""A form is sent once, however often its button is pressed: a second answer would refuse what was just done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness.fault_proxy import Fault, FaultProxy, in_front_of
from tests.harness.servers import wait_until
from tests.running.browser.factors import begin_app
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


def _turn_on(_: Browsing, page: Page, email: str) -> Locator:
    sign_in(page, email)
    app = begin_app(page)
    page.get_by_label("Code from your authenticator app").fill(app.now())
    return page.get_by_role("button", name="Turn on")


FORMS = {
    "sign_up": _sign_up,
    "verify": _verify,
    "reset": _reset,
    "change_password": _change_password,
    "end_session": _end_session,
    "turn_on": _turn_on,
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


@dataclass
class _OnABadLine(Browsing):
    """The same browser and server, with a network between them that loses answers when told to."""

    proxy: FaultProxy = field(kw_only=True)

    @property
    def base(self) -> str:
        return f"http://localhost:{self.proxy.port}"

    def mailed(self, email: str, path: str) -> str:
        return super().mailed(email, path).replace(f":{self.server.port}/", f":{self.proxy.port}/")


@pytest.fixture
def bad_line(browsing: Browsing) -> Iterator[_OnABadLine]:
    with in_front_of(browsing.server.port) as proxy:
        made = _OnABadLine(browsing.server, browsing.browser, browsing.complaints, proxy=proxy)
        yield made
        made.close()


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_without_a_script_the_second_click_brings_the_answer_that_the_first_one_lost(
    bad_line: _OnABadLine, form: Callable[[Browsing, Page, str], Locator]
) -> None:
    page = bad_line.page(java_script_enabled=False)
    button = form(bad_line, page, somebody(bad_line))
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    bad_line.proxy.set(Fault.KEEP_ANSWER)
    page.mouse.click(box["x"] + 5, box["y"] + 5)  # a locator would wait for the answer
    wait_until(lambda: bad_line.proxy.answers_kept > 0, "the answer to the first form")
    bad_line.proxy.set(Fault.NONE)
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("heading", name="You are signed out")).to_have_count(0)


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
