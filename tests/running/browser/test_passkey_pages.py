"""Passkeys on the sign-in page, with Chromium's virtual authenticator, in two languages."""

import pytest
from playwright.sync_api import Page, expect

from tests.running.browser.looks import found
from tests.running.browser.passkeys import SIGNALS, Authenticator, add_passkey, remove_passkeys
from tests.running.browser.people import Browsing, Labels, english, fresh_email, sign_up
from vestibule.web.pages.line_breaks import page_translations

NO_SUGGESTIONS = "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
"""For the button alone: the virtual authenticator chooses among suggestions at once."""


def signed_out(
    browsing: Browsing, say: Labels = english, language: str = "en", *, remove: bool = False
) -> tuple[Page, Authenticator]:
    """A page where somebody with a passkey has signed out, and the authenticator, which answers when it is told to."""
    page = browsing.page(locale=language)
    authenticator = Authenticator(page)
    sign_up(page, fresh_email(), say=say)
    add_passkey(page)
    if remove:
        remove_passkeys(page)
    authenticator.answer(by_itself=False)
    page.get_by_role("button", name=say("Sign out")).click()
    page.wait_for_url("**/signedout**")
    return page, authenticator


@pytest.mark.parametrize("language", ["en", "de"])
def test_signing_in_with_a_passkey_alone(browsing: Browsing, language: str) -> None:
    say = page_translations(language).gettext
    page, authenticator = signed_out(browsing, say, language)
    page.add_init_script(NO_SUGGESTIONS)
    page.goto("/login?return_to=/profile/name")
    authenticator.answer(by_itself=True)
    page.get_by_role("button", name=say("Sign in with a passkey")).click()
    page.wait_for_url("**/profile/name")


def test_a_passkey_is_chosen_among_the_suggestions_at_the_email_field(browsing: Browsing) -> None:
    page, authenticator = signed_out(browsing)
    authenticator.answer(by_itself=True)  # and so chooses by itself
    page.goto("/login")
    page.wait_for_url("**/profile")


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_prompt_that_is_taken_away_says_so(browsing: Browsing, language: str) -> None:
    say = page_translations(language).gettext
    page, authenticator = signed_out(browsing, say, language)
    page.add_init_script(NO_SUGGESTIONS)
    page.goto("/login")
    authenticator.refuse()
    authenticator.answer(by_itself=True)
    page.get_by_role("button", name=say("Sign in with a passkey")).click()
    expect(page.get_by_role("alert")).to_have_text(say("No passkey was used. Try again, or use another way."))
    authenticator.accept()
    page.get_by_role("button", name=say("Sign in with a passkey")).click()
    page.wait_for_url("**/profile")


def test_a_passkey_that_was_removed_says_so(browsing: Browsing) -> None:
    """To its owner, and to the password manager."""
    page, authenticator = signed_out(browsing, remove=True)
    page.add_init_script(NO_SUGGESTIONS)
    page.add_init_script(SIGNALS)
    page.goto("/login?return_to=/profile/name")
    authenticator.answer(by_itself=True)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("This passkey is not known here.")
    (removed,) = authenticator.credentials
    assert page.evaluate("signals") == [["signalUnknownCredential", {"rpId": "localhost", "credentialId": removed}]]
    assert page.url.endswith("/login?return_to=%2Fprofile%2Fname")
    assert found(page) == []


def test_where_the_browser_has_no_passkeys_none_is_offered(browsing: Browsing) -> None:
    without_script, old = browsing.page(java_script_enabled=False), browsing.page()
    old.add_init_script("delete globalThis.PublicKeyCredential")
    for page in (without_script, old):
        page.goto("/login")
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
