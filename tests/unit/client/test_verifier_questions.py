"""What a verifier asks of Vestibule: nothing for a check, one fetch for many unknown keys, nothing elsewhere."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.harness.servers import WAIT_SECONDS
from tests.stories.hostile.forgery import encode, json_bytes
from tests.unit.client.counting import Counting, counting
from tests.unit.client.verified import Server, refusal, server, verifier
from vestibule.client import (
    CallerRefusedError,
    CannotTellError,
    Verifier,
)
from vestibule.client.caller_errors import KeyUnknownError

__all__ = ["server"]


def test_many_checks_ask_nothing_and_many_unknown_keys_ask_once(server: Server) -> None:
    """T14: keys are fetched again at most once a minute, whatever the tokens name."""
    with counting(server.running.port) as way:
        check = Verifier(way.base, server.key, key_refetch=60)
        try:
            token = server.token()[1]
            check.check(token)
            before = way.asked.total()
            for _ in range(1000):
                check.check(token)
            assert way.asked.total() == before, "no call for a request"
            assert fates_of_strangers(check, token) == {KeyUnknownError}
            assert way.asked["/.well-known/jwks.json"] == 1, "it was fetched within the minute"
        finally:
            check.close()


def fates_of_strangers(check: Verifier, token: str) -> set[type[CallerRefusedError] | None]:
    """A thousand tokens, each with a key id that somebody made up, from sixteen threads."""
    _, claims, signature = token.split(".")
    headers = [encode(json_bytes({"alg": "RS256", "kid": f"k{number}", "typ": "at+jwt"})) for number in range(1000)]
    with ThreadPoolExecutor(16) as threads:
        return set(threads.map(lambda header: refusal(check, f"{header}.{claims}.{signature}"), headers))


def test_sixteen_threads_that_meet_a_new_key_cause_one_fetch(server: Server) -> None:
    with counting(server.running.port) as way:
        check = Verifier(way.base, server.key, key_refetch=1)
        try:
            token = server.token()[1]
            check.check(token)
            memory = check._here().memory
            memory.keys = {"another": next(iter(memory.keys.values()))}
            memory._callers.clear()
            time.sleep(1.1)
            with ThreadPoolExecutor(16) as threads:
                callers = list(threads.map(check.check, [token] * 16))
            assert {caller.role for caller in callers} == {"user"}
            assert way.asked["/.well-known/jwks.json"] == 2
        finally:
            check.close()


@pytest.mark.parametrize("trick", ["redirect", "endless", "silent"])
def test_a_server_that_tricks_is_not_followed(server: Server, trick: str) -> None:
    """T14: no redirect, and a limit to size and time, for keys and for everything else."""
    with counting(server.running.port, trick=trick) as way:
        check = Verifier(way.base, server.key)
        try:
            begun = time.monotonic()
            fate = refusal(check, server.token()[1])
            assert fate is not None
            assert issubclass(fate, CannotTellError)
            assert time.monotonic() - begun < WAIT_SECONDS
            assert way.asked["/elsewhere"] == 0
        finally:
            check.close()


def test_httpx_logs_the_requests_of_the_service_and_not_the_kits(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "httpx")
    with verifier(server):
        assert [each for each in caplog.records if each.name == "httpx"] == []
        httpx.get(f"http://127.0.0.1:{server.running.port}/api/health", timeout=60)
    assert "/api/health" in caplog.text


def test_counting_is_what_it_says(server: Server) -> None:
    with counting(server.running.port) as way:
        assert isinstance(way, Counting)
        httpx.get(f"{way.base}/api/healthchecker", timeout=WAIT_SECONDS)
        assert way.asked["/api/healthchecker"] == 1
