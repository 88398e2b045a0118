"""docs/guides/second-factors.md: its front-end, from the password by Vestibule's pages and back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyotp
from playwright.sync_api import Browser, Page, expect

from tests.docs.paths import DOCS
from tests.harness.process import run, starting, wait_until_it_answers
from tests.harness.servers import free_port
from tests.running.browser.factors import next_code, set_up_app, type_code
from tests.running.browser.people import PASSWORD, Browsing, fresh_email, sign_up
from tests.running.browser.test_pages_guide import SERVER, STATIC, settings_of, typed

GUIDE = (DOCS / "guides" / "second-factors.md").read_text()
SECTION = GUIDE.partition("\n## A front-end of your own\n")[2].partition("\n## ")[0]


@contextmanager
def front_end(browser: Browser, folder: Path, **settings: str) -> Iterator[tuple[Browsing, str]]:
    """Vestibule and the front-end of the guide, and where this is."""
    port, app_port = free_port(), free_port()
    app, serve = (
        block.replace(SERVER, str(port)).replace(STATIC, str(app_port))
        for block in re.findall(r"^```\w+\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)
    )
    (start,) = re.findall(r"`(python3 -m http\.server \d+ --bind 127\.0\.0\.1)`", SECTION)
    (folder / "index.html").write_text(app)
    with (
        starting(folder, port=port, **settings_of(serve), **settings) as server,
        typed(start.replace(STATIC, str(app_port)), folder, app_port),
    ):
        wait_until_it_answers(server)
        browsing = Browsing(server, browser)
        yield browsing, f"http://localhost:{app_port}/"
        browsing.close()
        assert browsing.complaints == []


def send_password(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_the_front_end_sends_to_the_second_step_and_gets_back(browser: Browser, tmp_path: Path) -> None:
    with front_end(browser, tmp_path) as (browsing, app_url):
        email = fresh_email()
        page = browsing.page()
        sign_up(page, email)
        app, _ = set_up_app(page)
        page = browsing.page()
        page.goto(app_url)
        send_password(page, email, "not my password")
        expect(page.get_by_role("alert")).to_have_text("Invalid email or password")
        send_password(page, email)
        page.wait_for_url("**/login/second-step?**")
        type_code(page, next_code(app), "Sign in")
        page.wait_for_url(app_url)
        expect(page.get_by_role("heading", name="Orders of")).to_be_visible()


def test_who_must_have_one_sets_it_up_and_gets_back(browser: Browser, tmp_path: Path) -> None:
    with front_end(browser, tmp_path, VESTIBULE_SECOND_FACTOR="required") as (browsing, app_url):
        made = run(tmp_path, "users", "create", "ada@example.com", PORT=str(browsing.server.port))
        page = browsing.page()
        page.goto(app_url)
        send_password(page, "ada@example.com", made.stdout.split()[-1])
        page.wait_for_url("**/login/enrol?**")
        page.get_by_role("button", name="Continue").click()
        app = pyotp.TOTP(page.locator("#key").inner_text().replace(" ", ""))
        type_code(page, app.now(), "Turn on and sign in")
        page.get_by_role("button", name="I have saved them").click()
        page.wait_for_url(app_url)
        expect(page.get_by_role("heading", name="Orders of")).to_be_visible()
