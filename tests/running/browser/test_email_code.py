"""Signing in by a mailed code, with a script and without one."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.harness.process import text_of
from tests.harness.servers import wait_until
from tests.running.browser.looks import found
from tests.running.browser.people import Browsing, somebody
from vestibule.web.pages.line_breaks import page_translations
from vestibule.web.pages.words import NOTICES

_CODE = re.compile(r"^\s+([0-9a-z]{4}-[0-9a-z]{4})\r?$", re.MULTILINE)


def verified(browsing: Browsing) -> str:
    """The email of a new account, which is confirmed."""
    email, page = somebody(browsing), browsing.page()
    page.goto(browsing.mailed(email, "verifyemail"))
    page.get_by_role("button", name="Confirm my email address").click()
    expect(page.get_by_role("status")).to_have_text("Your email address is confirmed.")
    return email


def mailed_code(browsing: Browsing, email: str) -> str:
    """The code that was mailed, as soon as it is there."""
    codes: list[str] = []

    def arrived() -> bool:
        codes[:] = [
            code
            for letter in browsing.server.letters
            if letter["To"] == email
            for code in _CODE.findall(text_of(letter))
        ]
        return bool(codes)

    wait_until(arrived, f"a letter to {email} with a code")
    return codes[-1]


def no_complaint(page: Page, script: bool) -> None:
    """Axe has nothing to say, as far as it can run."""
    if script:
        assert found(page) == []


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("script", [True, False], ids=["with_script", "without_script"])
def test_f49_a_mailed_code_signs_in_where_it_was_asked_for(browsing: Browsing, script: bool, language: str) -> None:
    """F49: a wrong one is said to be wrong, another browser where to type it; the right one leads to `return_to`."""
    say, email = page_translations(language).gettext, verified(browsing)
    page = browsing.page(java_script_enabled=script, locale=language)
    page.goto("/login?return_to=/profile/name")
    page.get_by_role("link", name=say("Email me a code")).click()
    expect(page.get_by_role("heading", name=say("Sign in with an emailed code"))).to_be_visible()
    expect(page.get_by_label(say("Email address"))).to_be_focused()
    no_complaint(page, script)
    page.get_by_label(say("Email address")).fill(email)
    page.get_by_role("button", name=say("Email me a code")).click()
    expect(page.get_by_role("heading", name=say("Enter your code"))).to_be_visible()
    expect(page.get_by_label(say("Code from the email"))).to_be_focused()
    expect(page.get_by_text(email)).to_be_visible()
    expect(page.get_by_role("button", name=say("Send a new code"))).to_be_disabled()
    no_complaint(page, script)

    code = mailed_code(browsing, email)
    other = browsing.page(java_script_enabled=script, locale=language)
    other.goto("/login/email-code/enter")
    expect(other.get_by_role("status")).to_have_text(say(NOTICES["code_elsewhere"]))
    no_complaint(other, script)

    page.get_by_label(say("Code from the email")).fill("zzzz-zzzz")
    page.get_by_role("button", name=say("Sign in"), exact=True).click()
    expect(page.get_by_role("alert")).to_have_text(
        say("This code is wrong. Use the one in the newest email, in the browser where you asked for it.")
    )
    no_complaint(page, script)
    page.get_by_label(say("Code from the email")).fill(code)
    page.get_by_role("button", name=say("Sign in"), exact=True).click()
    page.wait_for_url("**/profile/name")
