"""Take the README's pictures of the pages: `make pictures`. With a folder as argument, take every page in
every size.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.docs.paths import DOCS
from tests.harness.process import given_keys, starting, wait_until_it_answers
from tests.harness.servers import free_port
from tests.running.browser.chromium import chromium
from tests.running.browser.factors import begin_app, next_code, type_code
from tests.running.browser.operators import at_console, command, find
from tests.running.browser.passkeys import Authenticator
from tests.running.browser.people import PASSWORD, Browsing, fresh_email, send_sign_in, sign_in, sign_up, somebody

PICTURES = DOCS / "pictures"
WIDTHS = {360: 740, 768: 900, 1440: 900}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
MOST_FAILURES = 3
OPEN_TO_ALL = ("login", "register", "forgotpassword", "verifyemail", "checkemail", "signedout?reason=idle")
FOR_MEMBERS = ("profile", "profile/security", "profile/security/password", "profile/security/email", "profile/delete")


@contextmanager
def desk() -> Iterator[Browsing]:
    """Yield a browser with a server of its own, and stop both after the block."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        port = free_port()
        settings = {**given_keys(), "VESTIBULE_SECRET_KEY": "0" * 43, "VESTIBULE_URL": f"http://localhost:{port}"}
        settings |= {"VESTIBULE_CONSOLE": "password", "VESTIBULE_PASSWORD_FAILURES": str(MOST_FAILURES)}
        with starting(Path(folder), port=port, **settings) as server:
            wait_until_it_answers(server)
            made = Browsing(server, browser)
            yield made
            made.close()


def ada(at: Browsing, email: str = "") -> str:
    """Register Ada, who signs in with several devices, and return her email."""
    email = email or fresh_email()
    sign_up(at.page(), email)
    page = at.page(user_agent=FIREFOX)
    page.goto(at.mailed(email, "verifyemail"))
    page.get_by_role("button").first.click()
    sign_in(page, email)
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, email)
    sign_in(at.page(user_agent=PHONE), email)
    return email


def every_page(at: Browsing, folder: Path) -> None:
    """Take each page, in each size and theme, into `folder`."""
    email = ada(at)
    for theme in ("light", "dark"):
        for width, height in WIDTHS.items():
            context = at.device(color_scheme=theme, viewport={"width": width, "height": height})
            page = context.new_page()
            for path in (*OPEN_TO_ALL, f"verifyemail/{'0' * 64}"):
                page.goto(f"/{path}")
                shot(page, folder / f"{path.replace('/', '-')[:24].partition('?')[0]}-{width}-{theme}.png")
            page.goto("/register")
            page.get_by_label("Email address").fill("no address")
            page.get_by_label("Password", exact=True).fill("short")
            page.get_by_role("button", name="Sign up").click()
            page.get_by_label("Password", exact=True).fill("correct horse battery")
            shot(page, folder / f"faults-{width}-{theme}.png")
            sign_in(page, email)
            for path in FOR_MEMBERS:
                page.goto(f"/{path}")
                shot(page, folder / f"{path.replace('/', '-')}-{width}-{theme}.png")


def for_readme(at: Browsing) -> None:
    """Take small pictures of the sign-in page and of the security page."""
    email = ada(at)
    page = at.page(color_scheme="light", viewport={"width": 640, "height": 620})
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.screenshot(path=PICTURES / "sign-in.png")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/profile")
    page.emulate_media(color_scheme="dark")
    page.goto("/profile/security")
    page.locator("section", has=page.locator("#devices")).evaluate("section => section.scrollIntoView()")
    page.screenshot(path=PICTURES / "security.png")


def of_factors(at: Browsing) -> None:
    """Take the set-up of an authenticator app, the security page with a passkey besides, and the second step of a
    sign-in.
    """
    page, email = at.page(color_scheme="light", viewport={"width": 640, "height": 620}), fresh_email()
    authenticator = Authenticator(page)
    sign_up(page, email)
    app = begin_app(page)
    page.set_viewport_size({"width": 640, "height": 900})
    page.evaluate("scrollTo(0, 0)")  # the focus has scrolled the page
    page.screenshot(path=PICTURES / "authenticator-app.png")
    type_code(page, app.now(), "Turn on")
    page.get_by_role("button", name="I have saved them").click()
    page.goto("/reauthenticate?return_to=/profile/security/passkeys/new")
    type_code(page, next_code(app), "Continue")
    page.get_by_role("button", name="Create a passkey").click()
    page.wait_for_url("**notice=passkey_added")
    page.goto("/profile/security")
    page.screenshot(path=PICTURES / "passkeys.png")
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.set_viewport_size({"width": 640, "height": 620})
    authenticator.answer(by_itself=False)  # otherwise it would sign in by itself, as a suggestion of the email field
    page.goto("/login")
    send_sign_in(page, email)
    expect(page.get_by_role("button", name="Use a passkey")).to_be_visible()
    page.screenshot(path=PICTURES / "second-step.png")


def of_console(at: Browsing) -> None:
    """Take the console: an operator finds somebody, and reads why they cannot sign in and what happened."""
    somebody(at, "Ada Byron", "ada.byron@example.com")
    command(at, "users", "disable", somebody(at, "Adele Goldberg", "adele@example.com"), "--reason", "Left the company")
    email = ada(at, "ada@example.com")
    guesser = at.page()
    for _ in range(MOST_FAILURES + 1):
        guesser.goto("/login")
        send_sign_in(guesser, email, "not the password")
        expect(guesser.get_by_role("alert")).to_be_visible()
    page = at.page(color_scheme="light", viewport={"width": 960, "height": 620})
    at_console(at, page, email="olive@example.com")
    find(page, "ad")
    page.screenshot(path=PICTURES / "console-search.png")
    page.get_by_role("link", name=email).click()
    expect(page.locator("#why")).to_contain_text("Too many wrong passwords")
    page.screenshot(path=PICTURES / "console-person.png")
    page.emulate_media(color_scheme="dark")
    page.goto(f"/admin/events?person={email}")
    page.locator("main section", has=page.locator(".rows")).evaluate("section => section.scrollIntoView()")
    page.screenshot(path=PICTURES / "console-events.png")


def shot(page: Page, path: Path) -> None:
    """Take the whole page, also what is below the window."""
    page.screenshot(path=path, full_page=True)


def main() -> None:
    """Run the command."""
    with desk() as at:
        if len(sys.argv) > 1:
            folder = Path(sys.argv[1])
            folder.mkdir(parents=True, exist_ok=True)
            every_page(at, folder)
        else:
            PICTURES.mkdir(exist_ok=True)
            for_readme(at)
            of_factors(at)
    if len(sys.argv) == 1:
        with desk() as at:  # a new server, so that the search finds nobody else
            of_console(at)


if __name__ == "__main__":
    main()
