"""A real Vestibule for verifiers: somebody who is signed in, and verifiers that have heard their first heartbeat."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.harness.process import Running, given_keys, register, run, serving, sign_in
from tests.harness.servers import wait_until
from vestibule.client import (
    CallerRefusedError,
    Verifier,
)

EMAIL = "ada@example.com"
STALENESS = 5.0


@dataclass(frozen=True)
class Server:
    """A Vestibule, and the key of a service behind it."""

    running: Running
    key: str
    browsers: list[httpx.Client] = field(default_factory=list)

    def token(self) -> tuple[httpx.Client, str]:
        """Somebody who has just signed in, and the token."""
        browser = self.running.browser()
        self.browsers.append(browser)
        sign_in(browser, EMAIL)
        return browser, browser.cookies["access_token"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("vestibule")
    with serving(folder, **given_keys()) as running:
        with running.browser() as browser:
            register(browser, EMAIL)
        made = Server(running, run(folder, "services", "create", "tests", **given_keys()).stdout.strip())
        yield made
        for browser in made.browsers:
            browser.close()


@contextmanager
def verifier(server: Server, port: int | None = None, **options: Any) -> Iterator[Verifier]:
    """A verifier that has heard its first heartbeat."""
    with Verifier(f"http://127.0.0.1:{port or server.running.port}", server.key, **options) as made:
        wait_until(lambda: made.age < STALENESS, "the first heartbeat")
        yield made


def refusal(check: Verifier, token: str) -> type[CallerRefusedError] | None:
    try:
        check.check(token)
    except CallerRefusedError as refused:
        return type(refused)
    return None
