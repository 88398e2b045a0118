"""Where a second factor is required, the pages set one up on the way in, with a script and without one."""

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import expect

from tests.harness.process import Running, given_keys, starting, wait_until_it_answers
from tests.harness.servers import free_port
from tests.running.browser.factors import next_code, type_code
from tests.running.browser.people import Browsing, fresh_email, send_sign_in, sign_up
from tests.running.browser.test_access import found
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
    expect(page.get_by_label(say("Code from your authenticator app"))).to_be_focused()
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
