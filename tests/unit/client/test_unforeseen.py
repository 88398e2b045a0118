"""K11: whatever a server says or the background meets, following goes on, and a check meanwhile is a refusal."""

import asyncio

import pytest

from tests.harness.clock import ManualClock
from tests.harness.servers import free_port, wait_until
from tests.unit.client.knowing import Knowing
from tests.unit.client.speaking import BEAT, DEEP, HELLO, speaking
from vestibule.client import CannotTellError, Verifier
from vestibule.client.caller_errors import TokenInvalidError
from vestibule.client.throttled_warnings import EVERY_SECONDS, ThrottledWarnings


@pytest.mark.parametrize("odd", ['{"sessions":["a"]}', '{"accounts":{"A":[1e400,5]}}', DEEP])
def test_k11_following_goes_on_after_whatever_the_feed_has_said(odd: str) -> None:
    said = [HELLO + b"event: revoked\ndata: " + odd.encode() + b"\n\n"]
    with speaking(said) as url:
        verifier = Verifier(url, "vsk_x")
        try:
            verifier.start()
            assert verifier.age == float("inf")
            said.append(HELLO + BEAT)
            wait_until(lambda: verifier.age < 60, "the feed to be heard")
        finally:
            verifier.close()


def both_fates(verifier: Verifier) -> list[type[Exception]]:
    token, fates = Knowing().token(), list[type[Exception]]()
    for check in (lambda: verifier.check(token), lambda: asyncio.run(verifier.check_async(token))):
        try:
            check()
        except Exception as fault:
            fates.append(type(fault))
    return fates


@pytest.mark.parametrize("place", ["vestibule.client.supervised.Background", "vestibule.client.wire.client"])
def test_k11_a_background_that_died_is_started_anew_and_checks_are_refusals(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    """K11: of one that could not start, the next checks start another; one that ran starts again by itself."""
    with speaking([HELLO + BEAT]) as url:
        verifier = Verifier(url, "vsk_x", "accept")
        with monkeypatch.context() as broken:
            broken.setattr(place, lambda *_, **__: 1 / 0)
            assert both_fates(verifier) == [CannotTellError, CannotTellError]
            wait_until(lambda: "ZeroDivisionError" in caplog.text, "the reason to be logged")
            assert both_fates(verifier) == [CannotTellError, CannotTellError]
        if place.endswith("client"):
            wait_until(lambda: verifier.age < 60, "the feed to be heard")
        wait_until(lambda: both_fates(verifier) == [TokenInvalidError, TokenInvalidError], "the keys to be fetched")
        verifier.close()
    assert both_fates(verifier) == [TokenInvalidError, TokenInvalidError], "closed, it decides by what it knows"
    verifier._here().memory.drop()
    assert both_fates(verifier) == [CannotTellError, CannotTellError]


def test_k11_what_was_known_when_following_ended_lets_nobody_in() -> None:
    """K11: or a policy that takes whatever is old would let everybody in for ever."""
    knowing = Knowing("accept")
    verifier = Verifier(f"http://127.0.0.1:{free_port()}", "vsk_x", "accept", clock=knowing.clock)
    following = verifier._here()
    following.memory.keys = knowing.memory.keys
    following.memory.revoked.renew(knowing.clock.monotonic())
    assert verifier.check(knowing.token()).session == "s1"
    following._note_end(ZeroDivisionError(), 0.5)
    with pytest.raises(CannotTellError):
        following.memory.decide(knowing.token())


def test_k11_what_goes_wrong_all_the_time_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    warnings = ThrottledWarnings(clock)
    for _ in range(3):
        warnings.warn("a", "b")
    assert len(caplog.records) == 1
    clock.advance(seconds=EVERY_SECONDS)
    warnings.warn("a", "b")
    warnings.warn("c", "d")
    assert len(caplog.records) == 3
