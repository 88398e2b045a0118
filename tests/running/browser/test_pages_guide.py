"""docs/guides/pages.md: its commands and its app, from nothing to signed in and out again."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.docs.paths import DOCS
from tests.harness.process import environment, starting, wait_until_it_answers
from tests.harness.servers import free_port, listening, wait_until
from tests.running.browser.people import Browsing, fresh_email, send_sign_in, sign_up

GUIDE = (DOCS / "guides" / "pages.md").read_text()
SERVER, APP, STATIC = "8000", "9000", "5173"
START_SECONDS = 60
SIGN_IN = re.compile(r"/login\?return_to=")
BLOCKS = dict(re.findall(r"^## \d\. (.*?)$.*?^```\w+\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))


def settings_of(command: str) -> dict[str, str]:
    """What stands before `make serve`."""
    *settings, make, serve = shlex.split(command)
    assert (make, serve) == ("make", "serve")
    return dict(setting.split("=", 1) for setting in settings)


@contextmanager
def typed(command: str, folder: Path, port: int) -> Iterator[None]:
    """A block of commands, until something listens at the port; dead afterwards."""
    command = command.replace(".venv/bin/", f"{sys.prefix}/bin/")
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            ["bash", "-ec", command],
            cwd=folder,
            env=environment(folder, {}),
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        wait_until(lambda: listening(port) or process.poll() is not None, command, START_SECONDS)
        assert process.poll() is None, (folder / "said").read_text()
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_guide_to_the_pages_from_start_to_sign_out(browser: Browser, tmp_path: Path) -> None:
    port, app_port = free_port(), free_port()
    serve, app, start = (
        BLOCKS[title].replace(SERVER, str(port)).replace(APP, str(app_port))
        for title in ("Start Vestibule with your name and colour", "Save the app", "Start the app")
    )
    (tmp_path / "orders.py").write_text(app)
    with starting(tmp_path, port=port, **settings_of(serve)) as server:
        wait_until_it_answers(server)
        browsing, email = Browsing(server, browser), fresh_email()
        orders = f"http://localhost:{app_port}/orders"
        with typed(start, tmp_path, app_port):
            page = browsing.page()
            page.goto(orders)
            page.wait_for_url(SIGN_IN)
            expect(page.get_by_text("Orders").first).to_be_visible()
            sign_up(page, email, to=orders)
            expect(page.get_by_role("heading", name="Orders of")).to_be_visible()
            # On a phone, which has no cookie of this browser's.
            phone = browsing.page()
            phone.goto(browsing.mailed(email, "verifyemail"))
            assert f":{port}/" in phone.url
            phone.get_by_role("button", name="Confirm my email address").click()
            expect(phone.get_by_role("status")).to_be_visible()
            expect(phone.get_by_label("Email address")).to_have_value(email)
            send_sign_in(phone, email)
            phone.wait_for_url(orders)
            page.goto(browsing.mailed(email, "verifyemail"))
            expect(page.get_by_role("heading", name="Your email address is confirmed")).to_be_visible()
            page.goto(orders)
            expect(page.get_by_role("heading", name="Orders of")).to_be_visible()
            page.context.clear_cookies(name="access_token")  # as if it had expired
            page.goto(orders)
            expect(page.get_by_role("heading", name="Orders of")).to_be_visible()
            page.get_by_role("link", name="Your account").click()
            page.get_by_role("button", name="Sign out", exact=True).first.click()
            page.wait_for_url(f"{browsing.base}/**")
            expect(page.get_by_role("button", name="Sign out", exact=True)).to_have_count(0)
            page.goto(orders)
            page.wait_for_url(SIGN_IN)
        browsing.close()
        assert browsing.complaints == []


def test_the_app_without_a_server_signs_in_and_out(browser: Browser, tmp_path: Path) -> None:
    port, app_port = free_port(), free_port()
    section = GUIDE.partition("\n## An app without a server\n")[2].partition("\n## ")[0]
    serve, app = (
        block.replace(SERVER, str(port)).replace(STATIC, str(app_port))
        for block in re.findall(r"^```\w+\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    )
    (start,) = re.findall(r"`(python3 -m http\.server \d+ --bind 127\.0\.0\.1)`", section)
    (tmp_path / "index.html").write_text(app)
    with (
        starting(tmp_path, port=port, **settings_of(serve)) as server,
        typed(start.replace(STATIC, str(app_port)), tmp_path, app_port),
    ):
        wait_until_it_answers(server)
        browsing, email = Browsing(server, browser), fresh_email()
        page = browsing.page()
        page.goto(f"http://localhost:{app_port}/")
        page.wait_for_url(SIGN_IN)
        sign_up(page, email, to=f"http://localhost:{app_port}/")
        page.goto(browsing.mailed(email, "verifyemail"))
        page.get_by_role("button", name="Confirm my email address").click()
        page.wait_for_url(f"http://localhost:{app_port}/")
        expect(page.get_by_role("heading", name="Orders of")).to_be_visible()
        page.context.clear_cookies(name="access_token")  # as if it had expired
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(SIGN_IN)
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        page.goto(f"http://localhost:{app_port}/")
        page.wait_for_url(SIGN_IN)
        browsing.close()
        assert browsing.complaints == []
