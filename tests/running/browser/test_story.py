"""The whole story, from sign-up to the end of the account: with a script and without one, in two languages."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.running.browser.people import (
    PASSWORD,
    Browsing,
    fresh_email,
    send_sign_in,
    sign_in,
    sign_up,
    sign_up_wrongly,
)
from vestibule.web.pages.line_breaks import page_translations

NEW_PASSWORD = "another horse battery"


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("script", [True, False], ids=["with_script", "without_script"])
def test_from_sign_up_to_the_device_list_and_out(browsing: Browsing, script: bool, language: str) -> None:
    """B8: from sign up to the device list and out."""
    say = page_translations(language).gettext
    email = fresh_email()
    page = browsing.page(java_script_enabled=script, locale=language)

    sign_up(page, email, say=say)
    assert page.locator("html").get_attribute("lang") == language
    page.goto(browsing.mailed(email, "verifyemail"))
    page.get_by_role("button", name=say("Confirm my email address")).click()
    expect(page.get_by_role("status")).to_have_text(say("Your email address is confirmed."))
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    expect(page.locator("dl")).to_contain_text(say("confirmed"))

    phone = browsing.page(java_script_enabled=script, locale=language, user_agent="Mozilla/5.0 (iPhone) Safari/605")
    sign_in(phone, email, say=say)
    phone.get_by_role("link", name=say("Security")).click()
    devices = phone.locator("#device-list li")
    expect(devices).to_have_count(2)
    devices.filter(has_not_text=say("this device")).get_by_role("button").click()
    expect(phone.get_by_role("status")).to_have_text(say("The device was signed out."))
    expect(devices).to_have_count(1)
    expect(phone.locator("#past-list li")).to_contain_text(say("You were signed out from another device."))
    page.reload()
    expect(page.get_by_role("heading", name=say("You are signed out"))).to_be_visible()
    expect(page.get_by_text(say("You were signed out from another device."))).to_be_visible()

    page.goto("/login")
    page.get_by_role("link", name=say("Forgot your password?")).click()
    page.get_by_label(say("Email address")).fill(email)
    page.get_by_role("button", name=say("Send me a link")).click()
    expect(page.get_by_role("heading", name=say("Check your email"))).to_be_visible()
    page.goto(browsing.mailed(email, "resetpassword"))
    page.get_by_label(say("New password"), exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name=say("Use this password")).click()
    page.wait_for_url("**/login?notice=password_reset")
    phone.reload()
    expect(phone.get_by_text(say("The password was reset with an emailed link."))).to_be_visible()
    send_sign_in(page, email, NEW_PASSWORD, say)
    page.wait_for_url("**/profile")

    page.get_by_role("button", name=say("Sign out")).click()
    expect(page.get_by_text(say("You signed out."))).to_be_visible()
    page.goto("/profile")
    page.wait_for_url("**/login")

    sign_in(page, email, NEW_PASSWORD, say)
    page.goto("/profile/security")
    page.get_by_role("link", name=say("Delete my account")).click()
    page.get_by_label(say("Current password"), exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name=say("Delete my account")).click()
    expect(page.get_by_role("status")).to_have_text(say("Your account was deleted."))
    page.goto("/login")
    send_sign_in(page, email, NEW_PASSWORD, say)
    expect(page.get_by_role("alert")).to_have_text(say("The email address or the password is wrong."))


def test_everything_that_may_be_changed(browsing: Browsing) -> None:
    email, other = fresh_email(), fresh_email()
    page = browsing.page()
    sign_up(page, email)
    page.get_by_role("button", name="Send the link again").click()
    expect(page.get_by_role("status")).to_have_text("We sent you an email with a link.")

    second = browsing.page()
    sign_in(second, email)
    page.goto("/profile/security")
    page.get_by_role("button", name="Sign out all other devices").click()
    expect(page.locator("#device-list li")).to_have_count(1)

    page.get_by_role("link", name="Change password").click()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Change password").click()
    page.wait_for_url("**/profile/security?notice=password_changed")
    expect(page.locator("#event-list")).to_contain_text("Password changed")

    with page.expect_download() as started:
        page.get_by_role("link", name="Download my data").click()
    mine = json.loads(started.value.path().read_text())
    assert mine["account"]["email"] == email
    assert [session["end_reason"] for session in mine["past"]].count("password_changed") == 1
    assert "password_hash" not in mine["account"]
    assert "argon2" not in started.value.path().read_text()

    page.get_by_role("link", name="Change email address").click()
    page.get_by_label("New email address").fill(other)
    page.get_by_label("Current password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Send me a link").click()
    page.wait_for_url("**/profile/security?notice=email_asked")
    page.goto(browsing.mailed(other, "confirmemail"))
    page.get_by_role("button", name="Use this email address").click()
    page.wait_for_url("**/login?notice=email_changed")
    send_sign_in(page, other, NEW_PASSWORD)
    page.wait_for_url("**/profile")


def _fault(page: Page, label: str) -> str:
    """What is said beside a field, by what the field itself points at."""
    names = (page.get_by_label(label, exact=True).get_attribute("aria-describedby") or "").split()
    return page.locator(f"#{names[0]}").inner_text()


def test_a_form_comes_back_with_faults_beside_their_fields_and_what_was_typed(browsing: Browsing) -> None:
    page = browsing.page()
    sign_up_wrongly(page)
    assert _fault(page, "Email address") == "Enter a valid email address."
    assert _fault(page, "Password") == "Use at least 8 characters."
    expect(page.get_by_label("Name")).to_have_value("Ada")
    expect(page.get_by_label("Email address")).to_have_value("no address")
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    expect(page.get_by_label("Email address")).to_be_focused()
    expect(page.get_by_role("alert")).to_have_count(2)


def test_a_dead_link_says_so_and_offers_another(browsing: Browsing) -> None:
    page = browsing.page()
    for path, next_page in (("verifyemail", "/verifyemail"), ("resetpassword", "/forgotpassword")):
        page.goto(f"/{path}/{'0' * 64}")
        expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()
        expect(page.get_by_role("link", name="Send me another link")).to_have_attribute("href", next_page)
