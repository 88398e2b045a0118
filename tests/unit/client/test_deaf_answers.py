"""K32: an answer of the feed without heartbeats is left, however it keeps a service waiting, and the log says why."""

import asyncio
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import httpx
import pytest

from tests.harness.http_server import handled_by
from tests.harness.servers import WAIT_SECONDS, wait_until
from tests.unit.client.beating import hello
from tests.unit.client.knowing import token_of_today
from vestibule.client import CannotTellError, NotReachedError, Verifier, feed_reader, wire
from vestibule.client.feed_reader import PATH, FeedReader
from vestibule.model.clock import SystemClock
from vestibule.protocol.revocations import Revoked

SILENCE_SECONDS = 0.5
ATTEMPTS = 5
"""A busy machine may stop everything for longer than that silence; it does not do so each time."""
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
HELLO = b"(a greeting)"
REVOKED = b'event: revoked\ndata: {"sessions":{"s":9}}\n\n'

ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "a head that never ends": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
    "interim responses": (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    "the body of a refusal": (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9999\r\n\r\n", b" "),
    "comments": (STREAM + HELLO, b": still here\n\n"),
    "events of a later version": (STREAM + HELLO, b"event: note\ndata: {}\n\n"),
    "greetings": (STREAM, HELLO),
    "a beginning": (STREAM + HELLO, REVOKED),
}
"""What comes once, and what comes then for ever."""

ENDED: dict[str, bytes] = {
    "nothing": STREAM,
    "a greeting": STREAM + HELLO,
    "a beginning": STREAM + HELLO + REVOKED,
    "events of a later version": STREAM + HELLO + b"event: note\ndata: {}\n\n",
}


@contextmanager
def sending(once: bytes, then: bytes = b"") -> Iterator[tuple[str, Counter[str]]]:
    """A server that answers everything with these bytes; its URL, and what it was asked."""
    asked, over = Counter[str](), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[urlsplit(self.path).path] += 1
            greeting = hello(self.path)
            with contextlib.suppress(OSError):
                self.wfile.write(once.replace(HELLO, greeting))
                while then and not over.wait(SILENCE_SECONDS / 10):
                    self.wfile.write(then.replace(HELLO, greeting))

    with handled_by(Handler) as url:
        try:
            yield url, asked
        finally:
            over.set()


async def listen(url: str, *, poll: bool) -> None:
    async with wire.client(url, "", wire.context_of(url)) as http, asyncio.timeout(WAIT_SECONDS):
        await FeedReader(Revoked(), SystemClock(), lambda: None).listen(http, poll=poll)


@pytest.mark.parametrize("poll", [False, True], ids=["a stream", "a poll"])
@pytest.mark.parametrize(("once", "then"), ENDLESS.values(), ids=ENDLESS)
async def test_k32_an_answer_that_never_beats_is_left_whatever_else_it_sends(
    once: bytes, then: bytes, *, poll: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "READ_SECONDS", SILENCE_SECONDS)
    for bound in ("BEGINNING_SECONDS", "POLL_ANSWER_SECONDS"):
        monkeypatch.setattr(feed_reader, bound, 4 * SILENCE_SECONDS)
    with sending(once, then) as (url, _), pytest.raises(httpx.ReadTimeout):
        await listen(url, poll=poll)


async def test_k32_a_long_beginning_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "READ_SECONDS", SILENCE_SECONDS)
    monkeypatch.setattr(feed_reader, "BEGINNING_SECONDS", 4 * SILENCE_SECONDS)
    took = 0.0
    with sending(*ENDLESS["a beginning"]) as (url, _):
        for _ in range(ATTEMPTS):
            begun = time.monotonic()
            with pytest.raises(httpx.ReadTimeout):
                await listen(url, poll=False)
            took = max(took, time.monotonic() - begun)
            if took > 3 * SILENCE_SECONDS:
                break
    assert took > 3 * SILENCE_SECONDS


@pytest.mark.parametrize("poll", [False, True], ids=["a stream", "a poll"])
@pytest.mark.parametrize("once", ENDED.values(), ids=ENDED)
async def test_k32_an_answer_that_ends_without_a_heartbeat_has_failed(once: bytes, *, poll: bool) -> None:
    with sending(once) as (url, _), pytest.raises(NotReachedError, match="without a heartbeat"):
        await listen(url, poll=poll)


def test_k32_the_log_says_that_there_was_no_heartbeat(caplog: pytest.LogCaptureFixture) -> None:
    with sending(STREAM) as (url, asked), closing(Verifier(url, "vsk_x")) as verifier:
        with pytest.raises(CannotTellError):
            verifier.check(token_of_today("s1"))
        wait_until(lambda: asked[PATH] > 1, "another attempt")
        wait_until(lambda: "without a heartbeat" in caplog.text, "what the log says")
