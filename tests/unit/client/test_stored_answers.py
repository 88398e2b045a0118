"""K32: an answer of the feed that was made for another request, as a cache keeps it, proves nothing about now."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest

from tests.harness.http_server import handled_by
from tests.unit.client.beating import hello
from vestibule.client import NotReachedError, wire
from vestibule.client.feed_reader import PATH, FeedReader
from vestibule.model.clock import SystemClock
from vestibule.protocol.revocations import Revoked

ANOTHER = f"{PATH}?nonce=another"
BEAT = b'id: 1\nevent: heartbeat\ndata: {"true_at":1}\n\n'
KEPT = {
    "for another request": (ANOTHER, "0", BEAT),
    "without a nonce": (PATH, "0", BEAT),
    "says Age": ("", "1", BEAT),
    "says an Age that is no number": ("", "soon", BEAT),
    "without a greeting": (None, "0", BEAT),
}
each_way = pytest.mark.parametrize("poll", [False, True], ids=["streamed", "polled"])


@contextmanager
def telling(greets: str | None, age: str, text: bytes, asked: list[tuple[str, str]]) -> Iterator[str]:
    """A server that tells this after the greeting of a request, the very one if it is empty; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Cache-Control"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Age", age)
            self.end_headers()
            self.wfile.write((b"" if greets is None else hello(greets or self.path)) + text)

    with handled_by(Handler) as url:
        yield url


async def listen(url: str, poll: bool, revoked: Revoked) -> None:
    async with wire.client(url, "", wire.context_of(url)) as http:
        await FeedReader(revoked, SystemClock(), lambda: None).listen(http, poll=poll)


@each_way
@pytest.mark.parametrize("kept", KEPT.values(), ids=KEPT)
async def test_k32_what_was_kept_is_no_heartbeat(kept: tuple[str | None, str, bytes], poll: bool) -> None:
    revoked = Revoked()
    with telling(*kept, []) as url, pytest.raises(NotReachedError):
        await listen(url, poll, revoked)
    assert revoked.fresh_as_of == float("-inf")


@each_way
async def test_k32_each_request_has_a_nonce_of_its_own_and_asks_caches_to_ask(poll: bool) -> None:
    revoked, asked = Revoked(), list[tuple[str, str]]()
    with telling("", "0", BEAT, asked) as url:
        begun = time.monotonic()
        for _ in range(2):
            await listen(url, poll, revoked)
    assert revoked.fresh_as_of >= begun - 1
    assert len({path for path, _ in asked}) == 2
    assert {said for _, said in asked} == {"no-cache"}
