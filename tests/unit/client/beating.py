"""A server that does what a service needs of Vestibule: keys, and a feed that beats."""

import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from itertools import count
from urllib.parse import parse_qs, urlsplit

from tests.harness.http_server import handled_by
from tests.harness.world import key_ring

BEAT_SECONDS = 0.2
_BEAT = b'id: 1\nevent: heartbeat\ndata: {"true_at":1000000000}\n\n'


_OLD_BEAT = b'id: 1\nevent: heartbeat\ndata: {"true_at":-59}\n\n'


def hello(path: str) -> bytes:
    """The greeting in the answer to this request, whose nonce it echoes."""
    nonce = parse_qs(urlsplit(path).query).get("nonce", [""])[0]
    return f'event: hello\ndata: {{"protocol":1,"now":1,"nonce":"{nonce}"}}\n\n'.encode()


@contextmanager
def beating(old: int = 0, connections: int | None = None) -> Iterator[str]:
    """Such a server, for as long as the block lasts; its URL. It says "inactive" of every token. The first `old` beats
    of each stream, or of so many, tell what was known a minute before.
    """
    over, streams = threading.Event(), count()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if "jwks" in self.path:
                keys = [key.as_jwk() for key in key_ring().access.checking.values()]
                self._answer({"keys": keys})
                return
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(hello(self.path))
            with contextlib.suppress(OSError):  # a service that hangs up is no error
                lags = connections is None or next(streams) < connections
                for _ in range(old if lags else 0):
                    self.wfile.write(_OLD_BEAT)
                    over.wait(BEAT_SECONDS)
                while not over.is_set():
                    self.wfile.write(_BEAT)
                    if "poll=1" in self.path:
                        return
                    over.wait(BEAT_SECONDS)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self._answer({"active": False})

        def _answer(self, content: object) -> None:
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(json.dumps(content).encode())

    with handled_by(Handler) as url:
        try:
            yield url
        finally:
            over.set()
