"""An authenticator app in somebody's hands, at a browser; its codes are by pyotp."""

from datetime import UTC, datetime, timedelta

import pyotp
from playwright.sync_api import Page, expect

from tests.running.browser.people import Labels, english

SECURITY = "/profile/security"


def begin_app(page: Page, say: Labels = english) -> pyotp.TOTP:
    """Begin to set up an app from the security page: the app, which has scanned the QR code."""
    page.goto(SECURITY)
    page.get_by_role("link", name=say("Set up an authenticator app")).click()
    page.get_by_role("button", name=say("Continue"), exact=True).click()
    expect(page.get_by_role("img", name=say("QR code for your authenticator app"))).to_be_visible()
    return pyotp.TOTP(page.locator("#key").inner_text().replace(" ", ""))


def type_code(page: Page, code: str, button: str, say: Labels = english) -> None:
    """Type a code of the app, and send it."""
    page.get_by_label(say("Code from your authenticator app")).fill(code)
    page.get_by_role("button", name=say(button), exact=True).click()


def next_code(app: pyotp.TOTP) -> str:
    """The code that the app shows next, which is accepted already: the one of now was used to set the app up."""
    return app.at(datetime.now(UTC) + timedelta(seconds=30))  # noqa: TID251


def set_up_app(page: Page, say: Labels = english) -> tuple[pyotp.TOTP, list[str]]:
    """Set up an app: it, and the recovery codes that came with it. The page shows these."""
    app = begin_app(page, say)
    type_code(page, app.now(), "Turn on", say)
    expect(page.get_by_role("heading", name=say("Your recovery codes"))).to_be_visible()
    return app, page.locator("#codes").inner_text().split()
