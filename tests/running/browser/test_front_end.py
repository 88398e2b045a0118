"""The example in `examples/front-end`: a page of another origin, which knows the contract and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.harness.process import given_keys, starting, wait_until_it_answers
from tests.harness.servers import free_port
from tests.running.browser.people import PASSWORD, Browsing, fresh_email

FOLDER = Path(__file__).parents[3] / "examples" / "front-end"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        """Say nothing."""


@contextmanager
def front_end() -> Iterator[str]:
    """The example, served by itself; its origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(FOLDER))) as files:
        Thread(target=files.serve_forever, daemon=True).start()
        yield f"http://localhost:{files.server_port}"
        files.shutdown()


@pytest.fixture
def at_home(browser: Browser, tmp_path: Path) -> Iterator[tuple[Browsing, str]]:
    """A Vestibule that lists this front-end, and the front-end's address."""
    port = free_port()
    with front_end() as origin, starting(tmp_path, port=port, ORIGIN=origin, **given_keys()) as server:
        wait_until_it_answers(server)
        browsing = Browsing(server, browser)
        yield browsing, f"{origin}/?server=http://localhost:{port}"
        browsing.close()
        # That somebody is not signed in is no error of the front-end's.
        assert browsing.complaints == []


def fill(page: Page, form: str, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"#{form} [name={name}]").fill(value)
    page.locator(f"#{form} button").click()


def test_the_contracts_day_from_another_origin(at_home: tuple[Browsing, str]) -> None:
    browsing, address_of_page = at_home
    context, email = browsing.device(), fresh_email()
    page = context.new_page()
    page.goto(address_of_page)
    fill(page, "register", name="Ada Lovelace", email=email, password=PASSWORD, passwordConfirm=PASSWORD)
    expect(page.get_by_role("status")).to_contain_text("An email with a verification code has been sent")
    fill(page, "login", email=email, password="wrong horse battery")
    expect(page.get_by_role("status")).to_have_text("Invalid email or password")
    fill(page, "login", email=email, password=PASSWORD)
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()

    for name in ("access_token", "logged_in"):
        context.clear_cookies(name=name)
    with page.expect_response("**/api/auth/refresh") as refreshed:
        page.get_by_role("button", name="Look again").click()
    assert refreshed.value.status == 200
    expect(page.get_by_role("status")).to_have_text("Still signed in")

    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#login")).to_be_visible()
    page.reload()
    expect(page.locator("#login")).to_be_visible()


def test_an_origin_that_is_not_listed_learns_nothing(at_home: tuple[Browsing, str]) -> None:
    browsing, address_of_page = at_home
    with front_end() as stranger:
        page = browsing.page()
        with page.expect_console_message(lambda message: "CORS" in message.text):
            page.goto(f"{stranger}/?{address_of_page.partition('?')[2]}")
        expect(page.locator("#login")).to_be_hidden()
    browsing.complaints.clear()
