"""A host that has moved: connections that were kept lead nowhere, and cost one time-out."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest

from tests.harness.http_server import handled_by
from tests.harness.servers import WAIT_SECONDS
from tests.unit.client.knowing import EXPECTED
from vestibule.client import CannotTellError, SessionOverError, wire
from vestibule.client.introspect import Introspection
from vestibule.client.token_clock import TokenClock


@dataclass
class Moving:
    """A host that moves: connections from before lead nowhere then, and new ones to where it is."""

    connections: int = 0
    moved: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(3))

    @contextmanager
    def running(self) -> Iterator[str]:
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                host.connections += 1
                self.from_before = not host.moved.is_set()

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                if host.moved.is_set() and self.from_before:
                    host.over.wait()
                    return
                if not host.moved.is_set():
                    host.together.wait(WAIT_SECONDS)
                self.send_response(200)
                self.send_header("Content-Length", "16")
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(b'{"active":false}')

        with handled_by(Handler) as url:
            try:
                yield url
            finally:
                self.over.set()


@pytest.mark.parametrize(("kept", "lost"), [(wire.IDLE_CONNECTIONS, 1), (0, 0)])
async def test_a_host_that_moved_costs_one_time_out_and_the_stream_none(kept: int, lost: int) -> None:
    host = Moving()
    with host.running() as url:
        async with wire.client(url, "vsk_x", wire.context_of(url), idle_connections=kept) as http:
            introspection = Introspection(http, EXPECTED, TokenClock())
            asked = (introspection.ask(token) for token in "abc")
            assert {type(fate) for fate in await asyncio.gather(*asked, return_exceptions=True)} == {SessionOverError}
            assert host.connections == 3
            host.moved.set()
            for refusal in [CannotTellError] * lost + [SessionOverError] * 2:
                with pytest.raises(refusal):
                    await introspection.ask("d")
