"""Second factors on the pages: set up, used and removed, with a script and without one, in two languages."""

import pytest
from playwright.sync_api import expect

from tests.running.browser.factors import SECURITY, begin_app, next_code, set_up_app, type_code
from tests.running.browser.looks import found_in_all_looks
from tests.running.browser.people import Browsing, comes_back, fresh_email, send_sign_in, sign_up
from vestibule.web.pages.line_breaks import page_translations

LEFT = "%(number)s of 10 left. Each signs you in once if you lose your phone."


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("script", [True, False], ids=["with_script", "without_script"])
def test_signing_in_with_a_second_step(browsing: Browsing, script: bool, language: str) -> None:
    say = page_translations(language).gettext
    page, email = browsing.page(java_script_enabled=script, locale=language), fresh_email()
    sign_up(page, email, say=say)
    app, codes = set_up_app(page, say)
    page.get_by_role("button", name=say("Sign out")).click()

    page.goto("/login?return_to=/profile/name")
    send_sign_in(page, email, say=say)
    expect(page.get_by_role("heading", name=say("Enter your code"))).to_be_visible()
    expect(page.get_by_text(email)).to_be_visible()
    expect(page.get_by_label(say("Code from your authenticator app"))).to_be_focused()
    type_code(page, app.at(0), "Sign in", say)
    expect(page.get_by_role("alert")).to_have_text(say("This code is wrong. Enter the one that the app shows now."))
    page.get_by_role("link", name=say("Use a recovery code instead")).click()
    page.get_by_label(say("Recovery code"), exact=True).fill("0-00000-00000")
    page.get_by_role("button", name=say("Sign in"), exact=True).click()
    expect(page.get_by_role("alert")).to_have_text(say("This recovery code is wrong, or was used already."))
    page.get_by_label(say("Recovery code"), exact=True).fill(codes[0])
    page.get_by_role("button", name=say("Sign in"), exact=True).click()
    page.wait_for_url("**/profile/name")

    other = browsing.page(java_script_enabled=script, locale=language)
    other.goto("/login")
    send_sign_in(other, email, say=say)
    other.get_by_role("link", name=say("Start again")).click()
    send_sign_in(other, email, say=say)
    type_code(other, next_code(app), "Sign in", say)
    other.wait_for_url("**/profile")


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("script", [True, False], ids=["with_script", "without_script"])
def test_an_authenticator_app_is_set_up_and_removed(browsing: Browsing, script: bool, language: str) -> None:
    say = page_translations(language).gettext
    page = browsing.page(java_script_enabled=script, locale=language)
    email = fresh_email()
    sign_up(page, email, say=say)
    app, codes = set_up_app(page, say)
    assert len(set(codes)) == 10
    expect(page.get_by_role("status")).to_have_text(say("Your authenticator app is set up."))
    with page.expect_download() as started:
        page.get_by_role("link", name=say("Download"), exact=True).click()
    assert started.value.suggested_filename == "recovery-codes.txt"
    assert started.value.path().read_text().split() == codes
    page.get_by_role("button", name=say("I have saved them")).click()
    factors = page.locator("#factor-list")
    expect(factors).to_contain_text(say(LEFT) % {"number": 10})
    page.get_by_role("button", name=say("Sign out"), exact=True).first.click()
    page.goto("/login?return_to=/profile/security")
    send_sign_in(page, email, say=say)
    type_code(page, next_code(app), "Sign in", say)
    page.get_by_role("link", name=say("Create new codes")).click()
    page.get_by_role("button", name=say("Create new codes")).click()
    expect(page.get_by_role("heading", name=say("Your recovery codes"))).to_be_visible()
    assert not set(page.locator("#codes").inner_text().split()) & set(codes)
    page.get_by_role("button", name=say("I have saved them")).click()
    page.get_by_role("link", name=say("Remove authenticator app")).click()
    page.get_by_role("button", name=say("Remove authenticator app")).click()
    expect(page.get_by_role("status")).to_have_text(say("The authenticator app was removed."))
    expect(factors.get_by_role("listitem")).to_have_count(1)
    expect(page.locator("#event-list")).to_contain_text(say("Way to sign in removed"))


def test_a_wrong_code_comes_back_with_the_same_qr_code(browsing: Browsing) -> None:
    page = browsing.page()
    sign_up(page, fresh_email())
    app = begin_app(page)
    type_code(page, app.at(0), "Turn on")
    comes_back(page)
    expect(page.get_by_role("alert")).to_contain_text("This code is wrong.")
    expect(page.get_by_label("Code from your authenticator app")).to_be_focused()
    expect(page.locator("#key")).to_have_text(" ".join(app.secret[at : at + 4] for at in range(0, 32, 4)))
    page.get_by_label("Code from your authenticator app").press_sequentially(app.now())
    expect(page.get_by_role("alert")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


def test_recovery_codes_are_copied_as_lines(browsing: Browsing) -> None:
    device = browsing.device()
    device.grant_permissions(["clipboard-read", "clipboard-write"])
    page = device.new_page()
    sign_up(page, fresh_email())
    _, codes = set_up_app(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").split("\n") == codes
    expect(page.get_by_role("button", name="Print")).to_be_visible()


def test_axe_finds_nothing_on_the_pages_of_factors(browsing: Browsing) -> None:
    page = browsing.page()
    email = fresh_email()
    sign_up(page, email)
    app, seen = begin_app(page), {}
    seen["key"] = found_in_all_looks(page)
    type_code(page, app.at(0), "Turn on")
    comes_back(page)
    seen["wrong code"] = found_in_all_looks(page)
    type_code(page, app.now(), "Turn on")
    expect(page.locator("#codes")).to_be_visible()
    seen["codes"] = found_in_all_looks(page)
    page.goto(SECURITY)
    seen["security"] = found_in_all_looks(page)
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.goto("/login")
    send_sign_in(page, email)
    page.wait_for_url("**/login/second-step")
    seen["code"] = found_in_all_looks(page)
    page.get_by_role("link", name="Use a recovery code instead").click()
    page.wait_for_url("**/login/second-step?by=recovery_code")
    seen["recovery code"] = found_in_all_looks(page)
    assert {name: violations for name, violations in seen.items() if violations} == {}
