"""People at a browser: what they see and do on the pages, by the labels that they read."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.harness.process import Running, text_of
from tests.harness.servers import wait_until
from tests.running.browser.chromium import WAIT_MILLISECONDS

PASSWORD = "correct horse battery"
_numbers = count(1)
_LINK = re.compile(r"http://localhost:\d+/\w+/[0-9a-f]{64}\b")


def fresh_email() -> str:
    """An email that nobody in this run has had."""
    return f"ada{next(_numbers)}@example.com"


@dataclass
class Browsing:
    """A server, a browser, and what goes wrong in it."""

    server: Running
    browser: Browser
    complaints: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def base(self) -> str:
        """By name, as people type it, and as links in letters have it."""
        return f"http://localhost:{self.server.port}"

    def device(self, **options: Any) -> BrowserContext:
        """A browser of its own, without cookies; what its console complains of is kept."""
        context = self.browser.new_context(base_url=self.base, **options)
        context.set_default_timeout(WAIT_MILLISECONDS)
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        self._contexts.append(context)
        return context

    def page(self, **options: Any) -> Page:
        """The first page of such a browser."""
        return self.device(**options).new_page()

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def mailed(self, email: str, path: str) -> str:
        """The newest mailed link to `path` that went to this email, as soon as it is there."""
        found: list[str] = []

        def arrived() -> bool:
            letters = [text_of(letter) for letter in self.server.letters if letter["To"] == email]
            found[:] = [link for text in letters for link in _LINK.findall(text) if f"/{path}/" in link]
            return bool(found)

        wait_until(arrived, f"a letter to {email} with a link to /{path}/")
        return found[-1]

    def _heard(self, message: ConsoleMessage) -> None:
        # That a form came back with a fault in it is no error of the page's.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


Labels = Callable[[str], str]


def english(text: str) -> str:
    """The words as they are."""
    return text


def sign_up_wrongly(page: Page) -> None:
    """Send the form for signing up with an email that is none and a password that is too short; it comes back."""
    page.goto("/register")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Email address").fill("no address")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Sign up").click()
    comes_back(page)


def comes_back(page: Page) -> None:
    """Wait for a form with faults in it: the page that the form was sent from has the same fields."""
    expect(page).to_have_title(re.compile("^Please check: "))


def sign_up(
    page: Page, email: str, name: str = "Ada Lovelace", say: Labels = english, to: str = "**/profile?notice=signed_up"
) -> None:
    """Fill the form in and send it, which signs in."""
    page.goto("/register")
    page.get_by_label(say("Name"), exact=True).fill(name)
    page.get_by_label(say("Email address"), exact=True).fill(email)
    page.get_by_label(say("Password"), exact=True).fill(PASSWORD)
    page.get_by_role("button", name=say("Sign up"), exact=True).click()
    page.wait_for_url(to)


def sign_in(page: Page, email: str, password: str = PASSWORD, say: Labels = english) -> None:
    """Fill the form in and send it."""
    page.goto("/login")
    send_sign_in(page, email, password, say)
    page.wait_for_url("**/profile")


def send_sign_in(page: Page, email: str, password: str = PASSWORD, say: Labels = english) -> None:
    """The same, on a page that is there already."""
    page.get_by_label(say("Email address"), exact=True).fill(email)
    page.get_by_label(say("Password"), exact=True).fill(password)
    page.get_by_role("button", name=say("Sign in"), exact=True).click()


def somebody(browsing: Browsing, name: str = "Ada Lovelace", email: str = "") -> str:
    """The email of a new account, made without the pages; a fresh one if none is given."""
    email = email or fresh_email()
    body = {"name": name, "email": email, "password": PASSWORD, "passwordConfirm": PASSWORD}
    with browsing.server.browser() as client:
        assert client.post("/api/auth/register", json=body).status_code == 201
    return email
