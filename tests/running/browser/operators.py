"""Operators at a browser, made as the first one is: on the command line."""

from playwright.sync_api import Page

from tests.harness.process import run
from tests.running.browser.people import Browsing, Labels, english, fresh_email, send_sign_in

PEOPLE = "/admin/people"
SECRET_KEY = "0" * 43
"""The server's, which commands have to know too."""


def new_operator(browsing: Browsing, email: str = "") -> tuple[str, str]:
    """The email and the password of a new administrator; a fresh email if none is given."""
    email = email or fresh_email()
    return email, command(browsing, "users", "create", email, "--admin")


def command(browsing: Browsing, *arguments: str) -> str:
    """What a command says that is typed where the server runs."""
    settings = {"PORT": str(browsing.server.port), "VESTIBULE_SECRET_KEY": SECRET_KEY}
    done = run(browsing.server.folder, *arguments, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def at_console(browsing: Browsing, page: Page, say: Labels = english, email: str = "") -> str:
    """Sign a new administrator in, on the way to the console; the email."""
    email, password = new_operator(browsing, email)
    page.goto("/admin")
    send_sign_in(page, email, password, say)
    page.wait_for_url("**/admin")
    return email


def find(page: Page, text: str) -> None:
    """Search as an operator does."""
    page.goto("/admin")
    page.get_by_label("Email address, name or user ID").fill(text)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(f"**{PEOPLE}?**")
