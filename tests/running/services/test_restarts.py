"""A service under load goes on while Vestibule is restarted and upgraded, and hears of who signed out meanwhile."""

import threading
from collections import Counter
from pathlib import Path
from typing import Self

from tests.harness.process import (
    Running,
    given_keys,
    register,
    run,
    serving,
    sign_in,
    starting,
    wait_until_it_answers,
)
from tests.harness.servers import WAIT_SECONDS, wait_until
from vestibule.client import CallerRefusedError, SessionOverError, Verifier

EMAIL = "ada@example.com"
STALENESS = 120.0
"""Longer than a restart takes on a busy machine: within it, nothing at all may be refused."""
CALLERS, RESTARTS = 3, 2


class Load:
    """Callers who ask without a pause, with tokens that were seen before and with ones that are new."""

    def __init__(self, verifier: Verifier, tokens: list[str]) -> None:
        self.fates: Counter[str] = Counter()
        self._verifier, self._tokens = verifier, tokens
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(CALLERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._over.wait(0.002):
            for token in self._tokens[-5:]:
                try:
                    self._verifier.check(token)
                    self.fates["let in"] += 1
                except CallerRefusedError as refusal:
                    self.fates[refusal.code] += 1


def test_k9_a_restart_and_an_upgrade_under_load_refuse_nobody_and_hide_no_sign_out(tmp_path: Path) -> None:
    settings, tokens = given_keys(), list[str]()
    with serving(tmp_path, **settings) as server:
        key = run(tmp_path, "services", "create", "orders", **settings).stdout.strip()
        with server.browser() as browser:
            register(browser, EMAIL)
        tokens.append(signed_in(server))
        verifier = Verifier(server.base, key, staleness=STALENESS)
        verifier.wait_ready(WAIT_SECONDS)
        server.stop()
    with verifier, Load(verifier, tokens) as load:
        for _ in range(RESTARTS):
            assert run(tmp_path, "migrate", **settings).returncode == 0
            with starting(tmp_path, port=server.port, **settings) as server:
                wait_until_it_answers(server)
                over = signed_in(server, and_out=True)
                wait_until(lambda token=over: is_over(verifier, token), "the sign-out to be heard of")  # type: ignore[misc]
                tokens.append(signed_in(server))
                wait_until(lambda: load.fates["let in"] > len(tokens) * 100, "the load to go on")
                server.stop()
        assert is_over(verifier, over)
    assert set(load.fates) == {"let in"}


def signed_in(server: Running, *, and_out: bool = False) -> str:
    """The token of a new session, which is over if `and_out`."""
    with server.browser() as browser:
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        if and_out:
            assert browser.post("/api/auth/logout").status_code == 200
    return token


def is_over(verifier: Verifier, token: str) -> bool:
    try:
        verifier.check(token)
    except SessionOverError:
        return True
    return False
