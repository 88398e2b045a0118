"""What the kit does when Vestibule refuses it the feed: it waits for as long as it is told, and names the setting."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.harness.http_server import handled_by
from tests.harness.process import given_keys, run, serving
from tests.harness.servers import wait_until
from vestibule.client import NotReachedError, TooManyServicesError, Verifier, wire
from vestibule.client.feed_follower import FeedFollower
from vestibule.client.feed_reader import FeedReader
from vestibule.client.setup import Setup
from vestibule.model.clock import SystemClock
from vestibule.protocol.refusals import TOO_MANY_FOLLOWERS, TOO_MANY_POLLS, Wording
from vestibule.protocol.revocations import Revoked


@contextmanager
def refusing(wording: Wording) -> Iterator[tuple[str, list[float]]]:
    """A server that refuses the feed, and asks to wait two seconds; its URL, and when it was asked."""
    asked: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(time.monotonic())
            self.send_response(wording.status)
            self.send_header("Retry-After", "2")
            self.end_headers()
            self.wfile.write(json.dumps(wording.body).encode())

    with handled_by(Handler) as url:
        yield url, asked


@pytest.mark.parametrize("wording", [TOO_MANY_FOLLOWERS, TOO_MANY_POLLS], ids=lambda wording: wording.code)
@pytest.mark.parametrize("by", ["stream", "poll"])
async def test_n3_who_is_told_to_wait_waits(wording: Wording, by: str) -> None:
    """N3: for as long as `Retry-After` says, which is longer than the first pauses."""
    clock = SystemClock()
    with refusing(wording) as (url, asked):
        async with wire.client(url, "", wire.context_of(url), idle_connections=0) as http:
            follower = FeedFollower(lambda: FeedReader(Revoked(), clock, lambda: None), Setup(), clock)
            follower._polling.set()
            following = asyncio.create_task((follower.keep_polling if by == "poll" else follower.keep_streaming)(http))
            await asyncio.to_thread(wait_until, lambda: len(asked) >= 3, "three attempts")
            following.cancel()
    assert min(later - earlier for earlier, later in pairwise(asked)) >= 2


async def test_n3_the_kit_says_which_setting_a_service_is_refused_by() -> None:
    for wording in (TOO_MANY_FOLLOWERS, TOO_MANY_POLLS):
        answer = httpx.Response(wording.status, json=wording.body, request=httpx.Request("GET", "http://localhost/"))
        with pytest.raises(TooManyServicesError, match="VESTIBULE_FEED_FOLLOWERS"):
            await wire.require_stream(
                httpx.Response(wording.status, stream=httpx.ByteStream(answer.content), request=answer.request)
            )


def test_beyond_the_followers_there_may_be_the_log_says_so_and_it_waits_for_a_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {**given_keys(), "VESTIBULE_FEED_FOLLOWERS": "1"}
    with serving(tmp_path, **settings) as server:
        key = run(tmp_path, "services", "create", "orders", **settings).stdout.strip()
        first, second = Verifier(server.base, key), Verifier(server.base, key)
        first.start()
        second.start()
        assert "TooManyServicesError" in caplog.text
        assert "VESTIBULE_FEED_FOLLOWERS" in caplog.text
        assert "answers 503" not in caplog.text
        first.close()
        second.wait_ready(20)
        second.close()


async def test_another_503_is_no_such_refusal() -> None:
    for content in (b"", b"[]", b'{"code":"overloaded"}', b"x" * (wire.MAX_ANSWER_BYTES + 1)):
        answer = httpx.Response(
            503, stream=httpx.ByteStream(content), request=httpx.Request("GET", "http://localhost/")
        )
        with pytest.raises(NotReachedError, match="answers 503"):
            await wire.require_stream(answer)
