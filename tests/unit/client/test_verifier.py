"""The verifier before real servers: a log-out is refused here too, a cut feed lets nobody in, and faults are named."""

import asyncio
import os
import threading
import time
from datetime import datetime, timedelta

import pytest

from tests.harness.fault_proxy import Fault, FaultProxy, in_front_of
from tests.harness.servers import SLACK_SECONDS, WAIT_SECONDS, wait_until
from tests.unit.client.counting import counting
from tests.unit.client.verified import STALENESS, Server, refusal, server, verifier
from vestibule.client import (
    CannotTellError,
    ServiceRefusedError,
    SessionOverError,
    Verifier,
    WrongIssuerError,
    WrongSetupError,
)
from vestibule.client.caller_errors import ClocksDifferError
from vestibule.model.clock import SystemClock

__all__ = ["server"]
AFTERWARDS_SECONDS = 1.0


def test_a_log_out_is_refused_here_at_once_in_threads_and_in_tasks(server: Server) -> None:
    with verifier(server) as check:
        browser, token = server.token()
        assert check.check(token).role == "user"
        assert asyncio.run(check.check_async(token)) == check.check(token)
        assert browser.post("/api/auth/logout").status_code == 200
        begun = time.monotonic()
        wait_until(lambda: refusal(check, token) is SessionOverError, "the refusal")
        assert time.monotonic() - begun < SLACK_SECONDS
        with pytest.raises(SessionOverError):
            asyncio.run(check.check_async(token))


def test_the_first_check_waits_for_the_first_look(server: Server) -> None:
    check = Verifier(server.running.base, server.key)
    try:
        assert check.check(server.token()[1]).role == "user"
    finally:
        check.close()


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.BLACK_HOLE])
def test_a_cut_or_half_open_feed_lets_nobody_in_beyond_the_bound_and_heals(server: Server, fault: Fault) -> None:
    with in_front_of(server.running.port) as proxy, verifier(server, proxy.port) as check:
        browser, token = server.token()
        assert check.check(token)
        proxy.set(fault)
        assert browser.post("/api/auth/logout").status_code == 200
        ended, last_in = time.monotonic(), time.monotonic()
        while time.monotonic() - ended < STALENESS + AFTERWARDS_SECONDS:
            asked = time.monotonic()
            if refusal(check, token) is None:
                last_in = asked
            time.sleep(0.005)
        assert last_in - ended <= STALENESS
        assert refusal(check, token) is CannotTellError
        healed(proxy, check, token)


def healed(proxy: FaultProxy, check: Verifier, token: str) -> None:
    """With the way back, it comes back by itself, and has heard of the log-out."""
    proxy.set(Fault.NONE)
    wait_until(lambda: refusal(check, token) is SessionOverError, "the feed to come back")


def test_asked_when_stale_the_server_decides(server: Server) -> None:
    """The feed is refused through this way, and introspection is not."""
    with counting(server.running.port, refuse="/api/revocations") as way:
        check = Verifier(way.base, server.key, "ask")
        try:
            browser, token = server.token()
            assert check.check(token).role == "user"
            assert asyncio.run(check.check_async(token)).role == "user"
            browser.post("/api/auth/logout")
            assert refusal(check, token) is SessionOverError
            assert way.asked["/api/auth/introspect"] == 3
        finally:
            check.close()


class WrongClock(SystemClock):
    """The clock of a service, ahead of the right one by some seconds."""

    ahead = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead)


@pytest.mark.parametrize("ahead", [-1000, -65, 65, 1000])
def test_k14_with_a_wrong_clock_nobody_is_let_in_and_vestibule_is_not_asked(server: Server, ahead: float) -> None:
    """K14: it would call a good token inactive if its own clock is the wrong one, and strangers' garbage would cost it
    a question each. Once the clock is right again, a good token is good.
    """
    clock = WrongClock()
    with counting(server.running.port) as way, Verifier(way.base, server.key, "ask", clock=clock) as check:
        token = server.token()[1]
        wait_until(lambda: refusal(check, token) is None, "the first heartbeat")
        clock.ahead = ahead
        assert {refusal(check, each) for each in (token, "garbage")} == {ClocksDifferError}
        assert way.asked["/api/auth/introspect"] == 0
        clock.ahead = 0
        assert refusal(check, token) is None


def test_a_key_that_is_not_in_force_is_told_to_operators_and_lets_nobody_in(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    check = Verifier(server.running.base, "vsk_wrong")
    with pytest.raises(ServiceRefusedError, match="does not know the service key"):
        check.start()
    assert refusal(check, server.token()[1]) is WrongSetupError
    check.close()
    assert "does not know the service key" in caplog.text
    assert "vsk_wrong" not in caplog.text


def test_a_closed_verifier_leaves_no_thread_and_no_check_starts_one(server: Server) -> None:
    with verifier(server) as check:
        assert check.check(server.token()[1])
    assert [thread.name for thread in threading.enumerate() if thread.name == "vestibule-client"] == []
    assert refusal(check, server.token()[1]) is None
    check._here().memory.drop()
    assert refusal(check, server.token()[1]) is CannotTellError
    assert [thread.name for thread in threading.enumerate() if thread.name == "vestibule-client"] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_follows_by_itself(server: Server) -> None:
    """As under gunicorn with a preloaded application."""
    with verifier(server) as check:
        browser, token = server.token()
        check.check(token)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(reader, 1)
            end = time.monotonic() + WAIT_SECONDS
            while refusal(check, token) is not SessionOverError and time.monotonic() < end:
                time.sleep(0.01)
            os._exit(0 if refusal(check, token) is SessionOverError else 1)
        browser.post("/api/auth/logout")
        os.write(writer, b"x")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("url", ["http://auth.example.com", "ftp://x", "auth.example.com", "https://a/?b", "https://"])
def test_an_address_to_which_secrets_would_travel_in_the_open_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"://|address"):
        Verifier(url, "vsk_x")


@pytest.mark.parametrize("name", ["issuer", "audience"])
def test_k5_another_issuer_is_said_at_start_once_in_the_log_and_by_checks(
    server: Server, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = f"the tokens of this Vestibule have {name} 'vestibule', and this service expects 'another'"
    check = Verifier(server.running.base, server.key, **{name: "another"})  # type: ignore[arg-type]
    with pytest.raises(WrongIssuerError, match=told):
        check.start()
    token = server.token()[1]
    wait_until(lambda: refusal(check, token) is WrongSetupError, "the check to know that the setup is wrong")
    with pytest.raises(WrongSetupError, match="not set up correctly") as refused:
        asyncio.run(check.check_async(token))
    assert told in refused.value.fault
    check.close()
    assert len([record for record in caplog.records if told in record.getMessage()]) <= 2  # at start, at the check


def test_while_the_issuer_moves_both_are_accepted(server: Server) -> None:
    for issuers in (["vestibule", "https://auth.example.com"], ("https://auth.example.com", "vestibule")):
        with verifier(server, issuer=issuers) as check:
            assert check.check(server.token()[1]).claims["iss"] == "vestibule"
    with pytest.raises(WrongIssuerError, match="this service expects 'one' or 'another'"):
        Verifier(server.running.base, server.key, issuer=["one", "another"]).start()
