"""Takes the README's pictures of the pages: `make pictures`. With a folder's name, every page in every size instead."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from tests.docs.paths import DOCS
from tests.harness.process import given_keys, starting, wait_until_it_answers
from tests.harness.servers import free_port
from tests.running.browser.chromium import chromium
from tests.running.browser.people import PASSWORD, Browsing, fresh_email, sign_in, sign_up

PICTURES = DOCS / "pictures"
WIDTHS = {360: 740, 768: 900, 1440: 900}
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
OPEN_TO_ALL = ("login", "register", "forgotpassword", "verifyemail", "checkemail", "signedout?reason=idle")
FOR_MEMBERS = ("profile", "profile/security", "profile/security/password", "profile/security/email", "profile/delete")


@contextmanager
def desk() -> Iterator[Browsing]:
    """A server of its own, with a browser."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        port = free_port()
        settings = {**given_keys(), "VESTIBULE_URL": f"http://localhost:{port}"}
        with starting(Path(folder), port=port, **settings) as server:
            wait_until_it_answers(server)
            made = Browsing(server, browser)
            yield made
            made.close()


def ada(at: Browsing) -> str:
    """Somebody with a few devices behind her."""
    email = fresh_email()
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
    """Each page, in each size and theme."""
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
    """A few, small ones."""
    email = ada(at)
    page = at.page(color_scheme="light", viewport={"width": 640, "height": 560})
    page.goto("/login")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.screenshot(path=PICTURES / "sign-in.png")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/profile")
    page.emulate_media(color_scheme="dark")
    page.goto("/profile/security")
    page.locator("section", has=page.locator("#devices")).evaluate("section => section.scrollIntoView()")
    page.screenshot(path=PICTURES / "security.png")


def shot(page: Page, path: Path) -> None:
    """Take all of the page, below the fold too."""
    page.screenshot(path=path, full_page=True)


def main() -> None:
    """Take them."""
    with desk() as at:
        if len(sys.argv) > 1:
            folder = Path(sys.argv[1])
            folder.mkdir(parents=True, exist_ok=True)
            every_page(at, folder)
        else:
            PICTURES.mkdir(exist_ok=True)
            for_readme(at)


if __name__ == "__main__":
    main()
