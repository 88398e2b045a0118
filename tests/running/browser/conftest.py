"""Fixtures for tests in a browser. One server and one browser serve all tests of a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import not_to_be_had
from tests.harness.process import Running, given_keys, starting, wait_until_it_answers
from tests.harness.servers import NotToBeHad, free_port
from tests.running.browser.chromium import chromium
from tests.running.browser.operators import SECRET_KEY
from tests.running.browser.people import Browsing

# As few as is allowed, so that one can be seen to run out.
SETTINGS = {
    "VESTIBULE_ACCESS_TOKEN_SECONDS": "30",
    "VESTIBULE_CLOCK_LEEWAY_SECONDS": "0",
    "VESTIBULE_EMAIL_CODE": "on",  # so that all pages are there
    "VESTIBULE_CONSOLE": "password",  # so that operators need no second factor
}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    try:
        with chromium() as started:
            yield started
    except NotToBeHad as reason:
        not_to_be_had(reason)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Vestibule that sends its letters to a folder."""
    folder: Path = tmp_path_factory.mktemp("server")
    port = free_port()
    settings = {
        **SETTINGS,
        **given_keys(),
        "VESTIBULE_SECRET_KEY": SECRET_KEY,
        "VESTIBULE_URL": f"http://localhost:{port}",
    }
    with starting(folder, port=port, **settings) as running:
        wait_until_it_answers(running)
        yield running


@pytest.fixture
def browsing(browser: Browser, server: Running) -> Iterator[Browsing]:
    """Where a test sits; at its end, no console may have complained."""
    made = Browsing(server, browser)
    yield made
    made.close()
    assert made.complaints == []
