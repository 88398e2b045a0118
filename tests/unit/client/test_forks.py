"""A worker that is forked from a running process, as under gunicorn with a preloaded application, stands by itself."""

import ctypes
from contextlib import closing
from typing import get_args

import pytest

from tests.harness.process import Running, sign_in
from tests.harness.servers import free_port, wait_until
from tests.unit.client.forking import BY_THREAD_AND_BY_TASK, EMAIL, Check, fate, forked, needs_fork, server
from tests.unit.client.knowing import Knowing, token_of_today
from vestibule.client import CannotTellError, SessionOverError, Verifier, WrongSetupError
from vestibule.client.memory import WhenStale
from vestibule.model.clock import SystemClock
from vestibule.protocol.revocations import Revoked

__all__ = ["server"]
pytestmark = needs_fork


@pytest.mark.parametrize("check", BY_THREAD_AND_BY_TASK.values(), ids=BY_THREAD_AND_BY_TASK)
@pytest.mark.parametrize("policy", get_args(WhenStale))
def test_k9_the_first_check_of_a_forked_worker_hears_for_itself(
    server: tuple[Running, str], policy: WhenStale, check: Check
) -> None:
    """K9: whatever the policy; the session ends after the fork, and nothing that was inherited lets it in."""
    running, key = server
    with running.browser() as browser, Verifier(running.base, key, policy) as verifier:
        wait_until(lambda: verifier.age < 5, "the first heartbeat")
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        verifier.check(token)
        with forked(lambda: fate(check, verifier, token) is SessionOverError) as go:
            browser.post("/api/auth/logout")
            go()
        wait_until(lambda: fate(check, verifier, token) is SessionOverError, "the parent's hearing of it")


@pytest.mark.parametrize("check", BY_THREAD_AND_BY_TASK.values(), ids=BY_THREAD_AND_BY_TASK)
def test_k9_what_the_parent_knows_is_not_known_to_a_worker(check: Check) -> None:
    """K9: in an outage too, and by the policy that takes whatever is old."""
    knowing = Knowing("accept")
    verifier = Verifier(f"http://127.0.0.1:{free_port()}", "vsk_x", "accept")
    memory = verifier._here().memory
    memory.keys = knowing.memory.keys
    memory.revoked.renew(SystemClock().monotonic())
    good, over = token_of_today("s1"), token_of_today("over")
    assert verifier.check(good).session == "s1"
    assert verifier.check(over).session == "over"
    memory.end(over)
    with forked(lambda: [fate(check, verifier, each) for each in (good, over)] == [CannotTellError] * 2) as go:
        go()
    assert verifier.check(good).session == "s1"
    assert fate(check, verifier, over) is SessionOverError


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("policy", get_args(WhenStale))
def test_k9_a_worker_that_has_fetched_keys_and_heard_nothing_lets_nobody_in(policy: WhenStale, lost: bool) -> None:
    """K9: though the feed is what it waits for, and its policy takes whatever is old. Also one that lost it all."""
    knowing = Knowing(policy)
    token, keys = knowing.token(), knowing.memory.keys
    if lost:
        knowing.memory.drop()
    else:
        knowing.memory.revoked = Revoked()
    knowing.memory.keys = keys
    with pytest.raises(CannotTellError):
        knowing.memory.decide(token)
    knowing.memory.revoked.renew(knowing.clock.monotonic())
    assert knowing.memory.decide(token).session == "s1"


@pytest.mark.parametrize("policy", get_args(WhenStale))
def test_k9_who_was_signed_out_stays_out_of_a_service_that_no_feed_reaches(
    server: tuple[Running, str], policy: WhenStale
) -> None:
    """K9: a wrong service key gets no feed, but the keys are public."""
    running, _ = server
    with running.browser() as browser:
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        browser.post("/api/auth/logout")
    with closing(Verifier(running.base, "vsk_" + "x" * 43, policy)) as verifier:
        refused = [fate(BY_THREAD_AND_BY_TASK["threads"], verifier, token) for _ in range(2)]
        wait_until(lambda: bool(verifier._here().memory.keys), "the keys")
        refused.append(fate(BY_THREAD_AND_BY_TASK["threads"], verifier, token))
    assert set(refused) <= {WrongSetupError, CannotTellError}


@pytest.mark.parametrize("check", BY_THREAD_AND_BY_TASK.values(), ids=BY_THREAD_AND_BY_TASK)
def test_k9_a_worker_that_was_forked_in_c_hears_for_itself(server: tuple[Running, str], check: Check) -> None:
    """K9: as uWSGI forks, which calls none of Python's hooks."""
    running, key = server
    with running.browser() as browser, Verifier(running.base, key) as verifier:
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        check(verifier, token)
        work = lambda: fate(check, verifier, token) is SessionOverError and verifier.age < 5  # noqa: E731
        with forked(work, ctypes.PyDLL(None).fork) as go:
            browser.post("/api/auth/logout")
            go()
