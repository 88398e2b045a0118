"""Back after a refused and then accepted form: the browser shows a page, and never asks to send the form again."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.running.browser.looks import found
from tests.running.browser.people import PASSWORD, Browsing, comes_back, fresh_email, sign_in, somebody
from tests.running.browser.test_access import reset_link

EMAIL, NAME = "Email address", "Name"
OLD, NEW = "Current password", "New password"
BETTER, WRONG = "battery staple horse", "wrong horse battery"
FREE, ADA = "a free email", "the email of the account"


@dataclass(frozen=True)
class Form:
    """A page, its button, and what is typed by label: first what is refused, then what is accepted. `leads_to` is the
    path of the page that follows.
    """

    path: str
    button: str
    refused: dict[str, str]
    accepted: dict[str, str]
    leads_to: str


FORMS = [
    Form("/login", "Sign in", {EMAIL: ADA, "Password": WRONG}, {"Password": PASSWORD}, "/profile"),
    Form(
        "/register",
        "Sign up",
        {NAME: "Eve", EMAIL: FREE, "Password": "short"},
        {"Password": PASSWORD},
        "/profile?notice=signed_up",
    ),
    Form("/forgotpassword", "Send me a link", {EMAIL: "nobody"}, {EMAIL: ADA}, "/checkemail?about=reset"),
    Form("/verifyemail", "Send me a link", {EMAIL: "nobody"}, {EMAIL: ADA}, "/checkemail?about=verify"),
    Form("/resetpassword/", "Use this password", {NEW: "short"}, {NEW: BETTER}, "/login?notice=password_reset"),
    Form("/profile/name", "Save", {NAME: " "}, {NAME: "Eve"}, "/profile?notice=name_changed"),
    Form(
        "/profile/security/password",
        "Change password",
        {OLD: WRONG, NEW: BETTER},
        {OLD: PASSWORD, NEW: BETTER},
        "/profile/security?notice=password_changed",
    ),
    Form(
        "/profile/security/email",
        "Send me a link",
        {"New email address": FREE, OLD: WRONG},
        {OLD: PASSWORD},
        "/profile/security?notice=email_asked",
    ),
    Form("/profile/delete", "Delete my account", {OLD: WRONG}, {OLD: PASSWORD}, "/signedout?reason=deleted"),
]


@pytest.mark.parametrize("script", [True, False], ids=["with_script", "without_script"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path)
def test_back_never_asks_to_send_a_form_again(browsing: Browsing, form: Form, script: bool) -> None:
    page = browsing.page(java_script_enabled=script, viewport={"width": 360, "height": 740})
    email = somebody(browsing)
    if form.path.startswith("/profile"):
        sign_in(page, email)
    page.goto(reset_link(browsing, email) if form.path == "/resetpassword/" else form.path)
    form_at, emails = page.url, {ADA: email, FREE: fresh_email()}
    send(page, form, {label: emails.get(text, text) for label, text in form.refused.items()})
    comes_back(page)
    assert page.url == form_at
    expect(page.locator("[aria-invalid]").first).to_be_focused()
    if script:
        assert found(page) == []
    for label in form.refused.keys() - form.accepted.keys():
        expect(page.get_by_label(label, exact=True)).to_have_value(emails.get(form.refused[label], form.refused[label]))
    send(page, form, {label: emails.get(text, text) for label, text in form.accepted.items()})
    page.wait_for_url(f"**{form.leads_to}")
    # Playwright raises net::ERR_CACHE_MISS where Chromium would ask whether to send the form again.
    while page.go_back() is not None and page.url != "about:blank":
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("[aria-invalid]")).to_have_count(0)


def send(page: Page, form: Form, typed: dict[str, str]) -> None:
    for label, text in typed.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name=form.button, exact=True).click()
