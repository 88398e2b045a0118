"""K32: where something in between ends or refuses streams, and lets polls through, a service polls."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

import httpx
import pytest

from tests.harness.http_server import handled_by
from tests.harness.servers import WAIT_SECONDS, wait_until
from tests.unit.client.beating import beating, hello
from tests.unit.client.knowing import token_of_today
from vestibule.client import (
    NotReachedError,
    NotVestibuleError,
    ServiceRefusedError,
    TooManyServicesError,
    Verifier,
    wire,
)
from vestibule.client.feed_follower import FeedFollower
from vestibule.client.feed_reader import PATH, FeedReader
from vestibule.client.setup import Setup
from vestibule.model.clock import SystemClock
from vestibule.protocol.revocations import Revoked

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
HELLO = b"(a greeting)"
ENDS: dict[str, tuple[bytes, str]] = {
    "502": (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "answers 502"),
    "504": (b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n", "answers 504"),
    "nothing at all": (b"", "RemoteProtocolError"),
    "an empty stream": (STREAM, "without a heartbeat"),
    "a greeting": (STREAM + HELLO, "without a heartbeat"),
}
"""How each stream ends, and what the log says of that."""


@contextmanager
def ending_streams(with_: bytes) -> Iterator[str]:
    """A gateway in front of a Vestibule that ends each stream with these bytes, and passes all else on; its URL."""
    with beating() as behind:

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with contextlib.suppress(OSError):
                    if urlsplit(self.path).path == PATH and "poll=1" not in self.path:
                        self.wfile.write(with_.replace(HELLO, hello(self.path)))
                        return
                    answer = httpx.get(behind + self.path, timeout=WAIT_SECONDS)
                    self.send_response(answer.status_code)
                    self.send_header("Content-Type", answer.headers["Content-Type"])
                    self.end_headers()
                    self.wfile.write(answer.content)

        with handled_by(Handler) as url:
            yield url


@pytest.mark.parametrize(("with_", "said"), ENDS.values(), ids=ENDS)
def test_k32_where_streams_end_and_polls_do_not_a_service_polls_and_says_so(
    with_: bytes, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with ending_streams(with_) as url, Verifier(url, "vsk_x") as verifier:
        verifier.wait_ready(20)
        assert verifier.check(token_of_today("s1")).session == "s1"
        wait_until(lambda: "streams fail" in caplog.text, "what the log says")
    assert said in caplog.text


@pytest.mark.parametrize(
    ("fault", "polls"),
    [
        (NotReachedError("answers 504"), True),
        (httpx.RemoteProtocolError(""), True),
        (httpx.ReadError(""), True),
        (ServiceRefusedError(), False),
        (TooManyServicesError(), False),
        (NotVestibuleError(), False),
        (httpx.ConnectError(""), False),
        (httpx.ConnectTimeout(""), False),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_k32_no_poll_follows_what_would_end_polls_too(fault: Exception, *, polls: bool) -> None:
    clock = SystemClock()
    follower = FeedFollower(lambda: FeedReader(Revoked(), clock, lambda: None), Setup(), clock)
    async with wire.client("http://localhost", "", wire.context_of("http://localhost")) as http:
        for _ in range(2):
            follower._note_failure(fault, http)
        assert not follower._polling.is_set(), "one may be a restart"
        follower._note_failure(fault, http)
        assert follower._polling.is_set() == polls
