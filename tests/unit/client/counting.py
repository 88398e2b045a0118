"""A way to a server that counts what is asked, and can play tricks: redirect, never end, never answer, hold back."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.harness.servers import WAIT_SECONDS
from vestibule.client.feed_reader import PATH

_SILENCE_SECONDS = 8
_ENDLESS = 2_000_000


class Counting(ThreadingHTTPServer):
    """Passes every request on to a port of loopback, unless it plays a trick."""

    daemon_threads = True

    def __init__(self, port: int, refuse: str, trick: str) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.asked: Counter[str] = Counter()
        self.polls = 0
        self.target = f"http://127.0.0.1:{port}"
        self.refuse = refuse
        self.trick = trick
        self.over = threading.Event()

    @property
    def streams(self) -> int:
        """How often a stream was asked for."""
        return self.asked[PATH] - self.polls

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """One that hangs up is no error."""


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counting

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        self._pass()

    def do_POST(self) -> None:
        self._pass()

    def _pass(self) -> None:
        path = self.path.partition("?")[0]
        self.server.polls += "poll=1" in self.path
        self.server.asked[path] += 1
        if path == self.server.refuse:
            self._answer(503, [])
        elif self.server.trick:
            getattr(self, f"_{self.server.trick}")()
        else:
            self._forward()

    def _forward(self, last_at_once: bytes = b"\0") -> None:
        """Pass an answer on: as it comes, up to the piece with these bytes, and what follows when all is here."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
        target = self.server.target + self.path
        with httpx.stream(self.command, target, content=body, headers=headers, timeout=WAIT_SECONDS) as answer:
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Connection", "close")
            self.end_headers()
            pieces = answer.iter_raw()
            for piece in pieces:
                if self.server.over.is_set():
                    return
                self.wfile.write(piece)
                self.wfile.flush()
                if last_at_once in piece:
                    self._hoard(pieces)
        self.close_connection = True

    def _hoard(self, pieces: Iterator[bytes]) -> None:
        kept = bytearray()
        for piece in pieces:
            if self.server.over.is_set() or self.server.trick != "beginning":
                return
            kept += piece
        self.wfile.write(kept)

    def _answer(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", "0")):
            self.send_header(name, value)
        self.end_headers()

    def _redirect(self) -> None:
        self._answer(302, [("Location", "/elsewhere")])

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(_ENDLESS))
        self.end_headers()
        self.wfile.write(b"x" * _ENDLESS)

    def _beginning(self) -> None:
        """As a proxy that collects a stream after it has passed its first heartbeat on."""
        self._forward(last_at_once=b"heartbeat")

    def _silent(self) -> None:
        self.server.over.wait(_SILENCE_SECONDS)


@contextmanager
def counting(port: int, refuse: str = "", trick: str = "") -> Iterator[Counting]:
    """Such a way, for as long as the block lasts."""
    with Counting(port, refuse, trick) as way:
        thread = threading.Thread(target=way.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield way
        finally:
            way.over.set()
            way.shutdown()
            thread.join()
