"""What the kit does when the feed ends again and again, falls silent, or comes in one piece at its end."""

import asyncio
import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.harness.fault_proxy import Fault, in_front_of
from tests.harness.http_server import handled_by
from tests.harness.servers import wait_until
from tests.unit.client.beating import beating, hello
from tests.unit.client.counting import counting
from tests.unit.client.knowing import token_of_today
from vestibule.client import CannotTellError, Verifier, wire
from vestibule.client.feed_follower import FeedFollower
from vestibule.client.feed_reader import PATH, FeedReader
from vestibule.client.setup import Setup
from vestibule.model.clock import SystemClock
from vestibule.protocol.revocations import Revoked

CUTS = 6
"""Without heartbeats in between, the pauses after as many would be half a second, then 1, 2, 4, 5 and 5."""

BACK_SECONDS = 3.0


def test_k32_a_feed_that_is_cut_again_and_again_is_back_at_once_if_heartbeats_came_in_between() -> None:
    """K32: pauses grow by failures alone."""
    took = []
    with (
        beating() as url,
        in_front_of(urlsplit(url).port or 0) as proxy,
        Verifier(f"http://127.0.0.1:{proxy.port}", "vsk_x") as verifier,
    ):
        heard = verifier._here().memory.revoked
        for _ in range(CUTS):
            begun = time.monotonic()
            wait_until(lambda since=begun: heard.fresh_as_of > since, "a heartbeat")  # type: ignore[misc]
            took.append(time.monotonic() - begun)
            proxy.set(Fault.CUT)
            proxy.set(Fault.NONE)
    # Either of the last two, for a busy machine may hold up one of them.
    assert min(took[-2:]) < BACK_SECONDS


def test_k32_a_feed_without_heartbeats_is_left_and_said_whatever_else_it_sends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """K32: what is no event, as a comment that keeps a connection open, is silence."""
    with murmuring() as (url, asked), closing(Verifier(url, "vsk_x")) as verifier:
        with pytest.raises(CannotTellError):
            verifier.check(token_of_today("s1"))
        wait_until(lambda: asked[PATH] > 2, "another attempt")
        wait_until(lambda: "no answer in time" in caplog.text, "what the log says")


def test_k32_a_proxy_that_lets_the_beginning_of_each_stream_through_is_polled_until_it_streams(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """K32: a heartbeat before the silence is no stream; one that beats for longer than a silence lasts is."""
    caplog.set_level(logging.INFO, "vestibule.client")
    with (
        beating() as url,
        counting(urlsplit(url).port or 0, trick="beginning") as way,
        Verifier(way.base, "vsk_x"),
    ):
        wait_until(lambda: "something in between buffers" in caplog.text, "what the log says")
        polls, streams = way.polls, way.streams
        wait_until(lambda: way.streams > streams + 1, "two more streams")
        assert way.polls > polls + 1
        assert "comes as a stream again" not in caplog.text
        way.trick = ""
        wait_until(lambda: "comes as a stream again" in caplog.text, "a stream")


@contextmanager
def murmuring() -> Iterator[tuple[str, Counter[str]]]:
    """A server whose feed greets, and sends comments from then on; its URL, and what it was asked."""
    asked, over = Counter[str](), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[urlsplit(self.path).path] += 1
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(hello(self.path))
                while not over.wait(0.2):
                    self.wfile.write(b": still here\n\n")

    with handled_by(Handler) as url:
        try:
            yield url, asked
        finally:
            over.set()


@contextmanager
def collecting(*seconds: float) -> Iterator[tuple[str, list[str]]]:
    """A server behind a proxy that passes an answer on when it is whole, which takes so long each time; its URL, and
    the cursors it was asked with.
    """
    asked: list[str] = []
    left, over = list(seconds), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(parse_qs(urlsplit(self.path).query, keep_blank_values=True)["after"][0])
            over.wait(left.pop(0))
            with contextlib.suppress(OSError):
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(hello(self.path) + b'id: 1\nevent: heartbeat\ndata: {"true_at":1}\n\n')

    with handled_by(Handler) as url:
        try:
            yield url, asked
        finally:
            over.set()


async def test_k32_a_poll_that_is_told_everything_waits_for_a_proxy_that_collects_it() -> None:
    """K32: at first, and with a cursor that Vestibule does not know, each time longer; as any other, for 3 s."""
    longer = wire.READ_SECONDS + 1
    with collecting(longer, longer, longer, 0, longer) as (url, asked):
        async with wire.client(url, "", wire.context_of(url)) as http:
            reader = FeedReader(Revoked(), SystemClock(), lambda: None)
            ends = [await end_of(reader.listen(http, poll=True)) for _ in range(5)]
    silent = httpx.ReadTimeout
    assert list(zip(asked, ends, strict=True)) == [("", None), ("1", silent), ("1", None), ("1", None), ("1", silent)]


async def end_of(listening: Coroutine[None, None, None]) -> type[Exception] | None:
    try:
        await listening
    except Exception as fault:
        return type(fault)
    return None


@contextmanager
def greeting() -> Iterator[tuple[str, list[float]]]:
    """A server that ends the feed after one heartbeat; its URL, and when it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(time.monotonic())
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(hello(self.path))
            self.wfile.write(b'id: 1\nevent: heartbeat\ndata: {"true_at":1}\n\n')

    with handled_by(Handler) as url:
        yield url, asked


async def test_a_feed_that_ends_after_each_heartbeat_is_asked_for_twice_a_second() -> None:
    clock = SystemClock()
    with greeting() as (url, asked):
        async with wire.client(url, "", wire.context_of(url), idle_connections=0) as http:
            follower = FeedFollower(lambda: FeedReader(Revoked(), clock, lambda: None), Setup(), clock)
            streaming = asyncio.create_task(follower.keep_streaming(http))
            await asyncio.to_thread(wait_until, lambda: len(asked) >= 4, "four attempts")
            streaming.cancel()
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert min(pauses) >= 0.4
