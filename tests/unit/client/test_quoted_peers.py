"""K11: what a peer sends is repeated as one bounded line, and the log grows by a line a minute for each subject."""

import json
import logging
from collections.abc import Callable, Sequence

import httpx
import pytest

from tests.harness.clock import ManualClock
from tests.unit.client.knowing import EXPECTED
from vestibule.client import NotReachedError, NotVestibuleError, ServiceRefusedError, SignedOutError, wire
from vestibule.client.events import Event
from vestibule.client.feed_reader import FeedReader
from vestibule.client.feed_values import require_issuer_and_audience
from vestibule.client.session_answers import Answer, refusal
from vestibule.client.setup import FEED, Setup
from vestibule.client.throttled_warnings import EVERY_SECONDS, ThrottledWarnings
from vestibule.model.clock import SystemClock
from vestibule.protocol.revocations import Revoked

FORGED = "2\nERROR a forged line \u202e" + "x" * 500_000
URL = "http://localhost:9/api/revocations?nonce=abc"
MOST = 1200


def greet(text: str) -> None:
    FeedReader(Revoked(), SystemClock(), lambda: None).handle(Event("hello", {"protocol": text, "now": 1}, None))


def refuse(text: str) -> None:
    body = json.dumps({"code": text, "message": text}).encode()
    raise refusal(Answer(401, httpx.URL("http://localhost:9/"), httpx.Headers(), body, 0.0), [])


QUOTED: dict[str, Callable[[str], None]] = {
    "the protocol": greet,
    "the issuer": lambda text: require_issuer_and_audience({"issuer": text}, EXPECTED),
    "the audience": lambda text: require_issuer_and_audience({"audience": text}, EXPECTED),
    "a refusal": refuse,
    "whatever comes later": lambda text: (_ for _ in ()).throw(NotReachedError(text)),
}


@pytest.mark.parametrize("quote", QUOTED.values(), ids=QUOTED)
def test_k11_what_a_peer_sends_is_repeated_as_one_bounded_line(quote: Callable[[str], None]) -> None:
    with pytest.raises((NotReachedError, SignedOutError)) as raised:
        quote(FORGED)
    said = [str(raised.value), getattr(raised.value, "code", "")]
    assert all(one.isprintable() and len(one) < MOST for one in said)


def answered(status: int, headers: dict[str, str], body: bytes = b"") -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body), request=httpx.Request("GET", URL))


STREAM = {"Content-Type": "text/event-stream"}
NAMED: dict[str, httpx.Response] = {
    "a page": answered(200, {"Content-Type": "text/html"}),
    "a refusal of the key": answered(401, {}),
    "a redirect": answered(308, {"Location": "https://elsewhere.example/"}),
    "another program": answered(404, {}),
    "an outage": answered(502, {}),
    "too many followers": answered(503, {}, b'{"code":"too_many_followers"}'),
    "a cache": answered(200, {**STREAM, "Age": "5"}),
    "no JSON": answered(200, STREAM, b"{"),
    "too much": answered(200, STREAM, b"x" * (wire.MAX_ANSWER_BYTES + 1)),
}


@pytest.mark.parametrize("answer", NAMED.values(), ids=NAMED)
async def test_k33_no_message_repeats_the_query(answer: httpx.Response) -> None:
    """It has a nonce that differs each time, and may hold a secret."""
    with pytest.raises(NotReachedError) as raised:
        await read(answer)
    assert "/api/revocations" in str(raised.value)
    assert "nonce" not in str(raised.value)


async def read(answer: httpx.Response) -> None:
    await wire.require_stream(answer)
    wire.require_not_cached(answer)
    await wire.json_of(answer)


A, B, AWAY = ServiceRefusedError("no such key"), NotVestibuleError("answers 404"), NotReachedError("answers 502")
TURNS: dict[str, tuple[Sequence[Exception | None], int]] = {
    "the same": ([A], 1),
    "two in turn": ([A, B], 1),
    "one and an outage in turn": ([B, AWAY], 2),
    "one and a success in turn": ([B, None], 1),
    "always another": ([NotVestibuleError(f"protocol {number}") for number in range(50)], 1),
}
"""What comes in turn, and how many lines of that there are in one minute."""


@pytest.mark.parametrize(("turns", "lines"), TURNS.values(), ids=TURNS)
def test_k11_the_log_has_a_line_a_minute_for_each_subject_whatever_comes_in_turn(
    turns: Sequence[Exception | None], lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    setup = Setup(ThrottledWarnings(clock))
    for number in range(50):
        note(setup, turns[number % len(turns)])
        clock.advance(seconds=(EVERY_SECONDS - 1) / 50)
    assert len(caplog.records) == lines


def note(setup: Setup, fault: Exception | None) -> None:
    if fault is None:
        setup.note_fetched(FEED)
    else:
        setup.note_failed(FEED, fault)


def test_k11_what_must_be_corrected_is_said_again_when_it_is_another(caplog: pytest.LogCaptureFixture) -> None:
    """Though it was not said at once, and an outage came in between."""
    clock = ManualClock()
    setup = Setup(ThrottledWarnings(clock))
    for fault in (A, A, AWAY, A, B):
        setup.note_failed(FEED, fault)
    clock.advance(seconds=EVERY_SECONDS)
    for fault in (B, B, AWAY, B):
        setup.note_failed(FEED, fault)
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [text.rpartition(": ")[2] for text in errors] == [str(A), str(B)]


def test_k11_a_stream_that_comes_and_goes_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    setup = Setup(ThrottledWarnings(ManualClock()))
    for _ in range(5):
        setup.note_held_back(httpx.ReadTimeout(""))
        setup.note_streaming()
    setup.note_held_back(AWAY)
    assert len(caplog.records) == 2
