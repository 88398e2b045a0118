"""The life of a passkey on the pages, with Chromium's virtual authenticator, in two languages."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.running.browser.factors import SECURITY, begin_app, next_code, set_up_app, type_code
from tests.running.browser.looks import found_in_all_looks
from tests.running.browser.passkeys import SIGNALS, Authenticator
from tests.running.browser.people import Browsing, Labels, english, fresh_email, send_sign_in, sign_up
from tests.running.browser.test_passkey_pages import NO_SUGGESTIONS
from vestibule.web.pages.line_breaks import page_translations

NEW = f"{SECURITY}/passkeys/new"


def create(page: Page, say: Labels = english) -> None:
    """Add a passkey from the security page."""
    page.goto(SECURITY)
    page.get_by_role("link", name=say("Add a passkey")).click()
    page.get_by_role("button", name=say("Create a passkey")).click()


def sign_out(page: Page, say: Labels = english) -> None:
    page.get_by_role("button", name=say("Sign out"), exact=True).first.click()
    page.wait_for_url("**/signedout**")


def press(page: Page, name: str, role: Any = "button") -> None:
    page.get_by_role(role, name=name, exact=True).click()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_whole_life_of_a_passkey(browsing: Browsing, language: str) -> None:
    say = page_translations(language).gettext
    page, email = browsing.page(locale=language), fresh_email()
    page.add_init_script(NO_SUGGESTIONS)
    page.add_init_script(SIGNALS)
    Authenticator(page)
    sign_up(page, email, say=say)

    create(page, say)
    expect(page.get_by_role("heading", name=say("Your recovery codes"))).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(say("Your passkey is added."))
    codes = page.locator("#codes").inner_text().split()
    press(page, say("I have saved them"))
    mine = page.locator("#passkey-list")
    expect(mine.get_by_role("listitem")).to_have_count(1)
    expect(mine).to_contain_text(say("on one device only"))

    sign_out(page, say)
    page.goto("/login")
    press(page, say("Sign in with a passkey"))
    page.wait_for_url("**/profile")

    sign_out(page, say)
    page.goto("/login?return_to=/profile/name")
    send_sign_in(page, email, say=say)
    expect(page.get_by_role("heading", name=say("Use your passkey"))).to_be_visible()
    press(page, say("Use a passkey"))
    page.wait_for_url("**/profile/name")

    page.goto(SECURITY)
    mine.get_by_role("link", name=re.compile(say("Rename passkey %(name)s") % {"name": ""})).click()
    page.get_by_label(say("Name"), exact=True).fill("Ada's key")
    press(page, say("Save"))
    expect(page.get_by_role("status")).to_have_text(say("The passkey was renamed."))

    kept = page.evaluate("signals")
    assert [name for name, _ in kept] == ["signalAllAcceptedCredentials"]
    (credential,) = kept[0][1]["allAcceptedCredentialIds"]
    mine.get_by_role("link", name=say("Remove passkey %(name)s") % {"name": "Ada's key"}).click()
    press(page, say("Remove passkey"))
    expect(page.get_by_role("status")).to_have_text(say("The passkey was removed."))
    unknown, accepted = page.evaluate("signals")
    assert unknown == ["signalUnknownCredential", {"rpId": "localhost", "credentialId": credential}]
    assert (accepted[0], accepted[1]["allAcceptedCredentialIds"]) == ("signalAllAcceptedCredentials", [])
    assert accepted[1]["userId"] == kept[0][1]["userId"]
    expect(mine).to_have_count(0)
    assert len(codes) == 10


@pytest.mark.parametrize("language", ["en", "fr"])
def test_signing_in_again_with_a_passkey_leads_back(browsing: Browsing, language: str) -> None:
    """Beside a passkey that was just added the sign-in by password is not enough: the next deed asks for it."""
    say = page_translations(language).gettext
    page = browsing.page(locale=language)
    authenticator = Authenticator(page)
    sign_up(page, fresh_email(), say=say)
    create(page, say)
    press(page, say("I have saved them"))
    press(page, say("Change password"), "link")
    expect(page.get_by_role("heading", name=say("Confirm that it is you"))).to_be_visible()
    assert found_in_all_looks(page) == []
    authenticator.refuse()
    press(page, say("Use a passkey"))
    expect(page.get_by_role("alert")).to_have_text(say("No passkey was used. Try again, or use another way."))
    authenticator.accept()
    press(page, say("Use a passkey"))
    page.wait_for_url("**/profile/security/password")
    expect(page.get_by_label(say("New password"), exact=True)).to_be_visible()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("script", [True, False], ids=["with_script", "without_script"])
def test_signing_in_again_with_a_code_leads_back(browsing: Browsing, script: bool, language: str) -> None:
    say = page_translations(language).gettext
    page = browsing.page(java_script_enabled=script, locale=language)
    sign_up(page, fresh_email(), say=say)
    app, codes = set_up_app(page, say)
    press(page, say("I have saved them"))
    press(page, say("Download my data"), "link")
    type_code(page, "000000", "Continue", say)
    expect(page.get_by_role("alert")).to_have_text(say("This code is wrong. Enter the one that the app shows now."))
    press(page, say("Use a recovery code instead"), "link")
    page.get_by_label(say("Recovery code"), exact=True).fill(codes[0])
    press(page, say("Continue"))
    expect(page.get_by_role("status")).to_have_text(say("It is confirmed that it is you. You can go on now."))
    with page.expect_download() as started:
        press(page, say("Download my data"), "link")
    assert started.value.suggested_filename == "my-data.json"
    page.goto("/reauthenticate?return_to=/profile/delete")
    type_code(page, next_code(app), "Continue", say)
    page.wait_for_url("**/profile/delete")


def test_without_a_script_the_page_says_that_passkeys_need_one(browsing: Browsing) -> None:
    page = browsing.page(java_script_enabled=False)
    sign_up(page, fresh_email())
    page.goto(NEW)
    expect(page.get_by_text("This browser cannot create passkeys here")).to_be_visible()
    expect(page.get_by_role("button", name="Create a passkey")).to_be_hidden()


def test_an_authenticator_that_has_one_already_says_so(browsing: Browsing) -> None:
    page = browsing.page()
    Authenticator(page)
    sign_up(page, fresh_email())
    create(page)
    press(page, "I have saved them")
    page.goto(f"/reauthenticate?return_to={NEW}")
    press(page, "Use a passkey")
    page.wait_for_url(f"**{NEW}")
    press(page, "Create a passkey")
    expect(page.get_by_role("alert")).to_contain_text("There is a passkey for your account already")
    assert found_in_all_looks(page) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NotAllowedError", "No passkey was created."),
        ("NotSupportedError", "This device cannot keep a passkey."),
        ("SecurityError", "Passkeys do not work at this address."),
        ("UnknownError", "Something went wrong."),
    ],
)
def test_what_goes_wrong_in_the_browser_has_its_words(browsing: Browsing, name: str, said: str) -> None:
    page = browsing.page()
    page.add_init_script(f"navigator.credentials.create = async () => {{ throw new DOMException('', '{name}'); }}")
    sign_up(page, fresh_email())
    create(page)
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_role("button", name="Create a passkey")).to_be_enabled()


def test_a_passkey_is_the_second_step_beside_the_code(browsing: Browsing) -> None:
    page, email = browsing.page(), fresh_email()
    page.add_init_script(NO_SUGGESTIONS)
    Authenticator(page)
    sign_up(page, email)
    app = begin_app(page)
    type_code(page, app.now(), "Turn on")
    press(page, "I have saved them")
    page.goto(f"/reauthenticate?return_to={NEW}")
    type_code(page, next_code(app), "Continue")
    press(page, "Create a passkey")
    expect(page.get_by_role("status")).to_have_text("Your passkey is added.")
    sign_out(page)
    page.goto("/login")
    send_sign_in(page, email)
    expect(page.get_by_label("Code from your authenticator app")).to_be_focused()
    assert found_in_all_looks(page) == []
    for name in ("Sign in", "Use a passkey", "Use a recovery code instead", "I lost my phone", "Start again"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == name
    press(page, "Use a passkey")
    page.wait_for_url("**/profile")


def test_axe_finds_nothing_on_the_pages_of_passkeys(browsing: Browsing) -> None:
    page = browsing.page()
    Authenticator(page)
    sign_up(page, fresh_email())
    page.goto(NEW)
    seen = {"new": found_in_all_looks(page)}
    press(page, "Create a passkey")
    press(page, "I have saved them")
    page.goto(f"/reauthenticate?return_to={SECURITY}")
    press(page, "Use a passkey")
    page.wait_for_url("**notice=reauthenticated")
    seen["security"] = found_in_all_looks(page)
    paths = page.locator("#passkey-list a").evaluate_all("links => links.map((link) => link.pathname)")
    for path in paths:
        page.goto(path)
        seen[path] = found_in_all_looks(page)
    assert len(paths) == 2
    assert {name: violations for name, violations in seen.items() if violations} == {}
