"""Where a second factor is required, the pages set one up on the way in, with a script and without one."""

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import expect

from tests.harness.process import Running, given_keys, starting, wait_until_it_answers
from tests.harness.servers import free_port
from tests.running.browser.factors import next_code, type_code
from tests.running.browser.looks import found
from tests.running.browser.passkeys import Authenticator
from tests.running.browser.people import Browsing, fresh_email, send_sign_in, sign_up
from tests.running.browser.test_passkey_pages import NO_SUGGESTIONS
from vestibule.web.pages.line_breaks import page_translations


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Vestibule that requires a second factor."""
    port, rule = free_port(), {"VESTIBULE_SECOND_FACTOR": "required", "VESTIBULE_SECRET_KEY": "0" * 43}
    settings = {**given_keys(), **rule, "VESTIBULE_URL": f"http://localhost:{port}"}
    with starting(tmp_path_factory.mktemp("server"), port=port, **settings) as running:
        wait_until_it_answers(running)
        yield running


@pytest.mark.parametrize("language", ["en", "pt"])
@pytest.mark.parametrize("script", [True, False], ids=["with_script", "without_script"])
def test_f45_a_factor_is_set_up_on_the_way_in(browsing: Browsing, script: bool, language: str) -> None:
    """F45: after signing up; then the sign-in goes where it was going, and the next one asks for the factor."""
    say = page_translations(language).gettext
    page, email = browsing.page(java_script_enabled=script, locale=language), fresh_email()
    page.goto("/register?return_to=/profile/name")
    sign_up(page, email, say=say, to="**/login/enrol**")
    expect(page.get_by_role("heading", name=say("Protect your account"))).to_be_visible()
    if script:
        assert found(page) == []
    page.get_by_role("button", name=say("Continue"), exact=True).click()
    expect(page.get_by_role("img", name=say("QR code for your authenticator app"))).to_be_visible()
    expect(page.get_by_label(say("Code from your authenticator app"))).not_to_be_focused()
    if script:
        assert found(page) == []
    key = page.locator("#key").inner_text()
    type_code(page, "000000x", "Turn on and sign in", say)
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.locator("#key").inner_text() == key
    app = pyotp.TOTP(key.replace(" ", ""))
    type_code(page, app.now(), "Turn on and sign in", say)
    expect(page.get_by_role("heading", name=say("Your recovery codes"))).to_be_visible()
    page.get_by_role("button", name=say("I have saved them")).click()
    page.wait_for_url("**/profile/name")

    other = browsing.page(java_script_enabled=script, locale=language)
    other.goto("/login")
    send_sign_in(other, email, say=say)
    type_code(other, next_code(app), "Sign in", say)
    other.wait_for_url("**/profile")


@pytest.mark.parametrize("language", ["en", "de"])
def test_f45_a_passkey_is_created_on_the_way_in(browsing: Browsing, language: str) -> None:
    """F45: one that was not created says so, and leaves the way by an app."""
    say = page_translations(language).gettext
    page, email = browsing.page(locale=language), fresh_email()
    page.add_init_script(NO_SUGGESTIONS)
    authenticator = Authenticator(page)
    page.goto("/register?return_to=/profile/name")
    sign_up(page, email, say=say, to="**/login/enrol**")
    assert found(page) == []
    create = page.get_by_role("button", name=say("Create a passkey"))
    authenticator.refuse()
    create.click()
    expect(page.get_by_role("alert")).to_have_text(
        say("No passkey was created. Try again, or set up an authenticator app.")
    )
    authenticator.accept()
    create.click()
    expect(page.get_by_role("heading", name=say("Your recovery codes"))).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(say("Your passkey is added."))
    page.get_by_role("button", name=say("I have saved them")).click()
    page.wait_for_url("**/profile/name")

    page.get_by_role("button", name=say("Sign out"), exact=True).first.click()
    page.goto("/login")
    send_sign_in(page, email, say=say)
    page.get_by_role("button", name=say("Use a passkey")).click()
    page.wait_for_url("**/profile")


def test_f45_where_the_browser_has_no_passkeys_it_says_so_and_offers_the_app(browsing: Browsing) -> None:
    """F45: without a script, and in a browser that is too old for them."""
    without_script, old = browsing.page(java_script_enabled=False), browsing.page()
    old.add_init_script("delete globalThis.PublicKeyCredential")
    for page in (without_script, old):
        page.goto("/register")
        sign_up(page, fresh_email(), to="**/login/enrol**")
        expect(page.get_by_text("This browser cannot create passkeys here.")).to_be_visible()
        expect(page.get_by_role("button", name="Create a passkey")).to_be_hidden()
        expect(page.get_by_role("button", name="Continue", exact=True)).to_be_visible()


def test_f45_a_sign_in_that_waited_too_long_begins_again(browsing: Browsing) -> None:
    """F45: whose cookie ran out meanwhile, for instance."""
    page = browsing.page()
    Authenticator(page)
    page.goto("/register")
    sign_up(page, fresh_email(), to="**/login/enrol**")
    page.context.clear_cookies()
    page.get_by_role("button", name="Create a passkey").click()
    page.wait_for_url("**/login?notice=second_step_late**")
