"""A process of Vestibule that cannot read its own record goes on beating: a service leaves it for another one."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from typing import NoReturn

import httpx
import pytest

from tests.harness.http_server import handled_by
from tests.harness.servers import wait_until
from tests.unit.client.beating import beating, hello
from vestibule.client import NotReachedError, Verifier, wire
from vestibule.client.feed_follower import FeedFollower
from vestibule.client.feed_reader import FeedReader
from vestibule.client.setup import Setup
from vestibule.model.clock import SystemClock
from vestibule.protocol.revocations import Revoked

STALENESS = 0.3
OLD, RECENT = (b'id: 1\nevent: heartbeat\ndata: {"true_at":%d}\n\n' % true_at for true_at in (-59, 1_000_000_000))
each_way = pytest.mark.parametrize("poll", [False, True], ids=["streamed", "polled"])


@contextmanager
def balanced(*beats: bytes) -> Iterator[tuple[str, list[float]]]:
    """A balancer that gives each connection the next process, and the last one for ever: all that a process beats. Its
    URL, and when connections were made.
    """
    made: list[float] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            self.beat = beats[min(len(made), len(beats) - 1)]
            made.append(time.monotonic())

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            greeting = hello(self.path)
            with contextlib.suppress(OSError):
                if "poll=1" in self.path:
                    self.send_header("Content-Length", str(len(greeting + self.beat)))
                    self.end_headers()
                    self.wfile.write(greeting + self.beat)
                    return
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(greeting)
                while not over.is_set():
                    self.wfile.write(self.beat)
                    over.wait(0.05)

    with handled_by(Handler) as url:
        try:
            yield url, made
        finally:
            over.set()


@each_way
async def test_k32_a_process_that_lags_is_left_with_its_connection(poll: bool) -> None:
    """K32: when it has told nothing recent for longer than revocations may be old, and not sooner."""
    revoked, begun = Revoked(), time.monotonic()
    with balanced(OLD, RECENT) as (url, made):
        async with wire.client(url, "", wire.context_of(url)) as http:
            reader = FeedReader(revoked, SystemClock(), lambda: None, staleness=STALENESS)
            with pytest.raises(NotReachedError, match="has not known its own record for 6"):
                await listen_until_left(reader, http, poll)
            assert (time.monotonic() - begun > STALENESS, len(made), reader.steady) == (True, 1, False)
            listening = asyncio.create_task(reader.listen(http, poll=poll))
            await asyncio.to_thread(wait_until, lambda: revoked.fresh_as_of > begun, "a recent heartbeat")
            listening.cancel()
            await asyncio.wait([listening])
    assert len(made) == 2


async def listen_until_left(reader: FeedReader, http: httpx.AsyncClient, poll: bool) -> NoReturn:
    while True:
        await reader.listen(http, poll=poll)


@each_way
async def test_k32_one_that_is_all_there_is_is_not_asked_in_a_loop(poll: bool) -> None:
    """K32: pauses grow, as after failures."""
    clock = SystemClock()
    with balanced(OLD) as (url, made):
        async with wire.client(url, "", wire.context_of(url), idle_connections=1 if poll else 0) as http:
            follower = FeedFollower(
                lambda: FeedReader(Revoked(), clock, lambda: None, staleness=STALENESS), Setup(), clock
            )
            follower._polling.set()
            following = asyncio.create_task((follower.keep_polling if poll else follower.keep_streaming)(http))
            await asyncio.to_thread(wait_until, lambda: len(made) >= 5, "five connections")
            following.cancel()
    assert [later - earlier for earlier, later in pairwise(made)][3] > 1.5


def test_k32_a_service_goes_on_with_a_process_that_does_not_lag_and_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with beating(old=1000, connections=1) as url, Verifier(url, "vsk_x", staleness=2) as verifier:
        verifier.wait_ready(20)
        assert verifier.age is not None
        assert verifier.age <= 2
    assert caplog.text.count("has not known its own record for") == 1
