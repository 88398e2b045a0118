"""A server with a good key set, whose feed says whatever a test wants."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.harness.http_server import handled_by
from tests.unit.client.beating import hello
from vestibule.crypto import jwk

DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000
HELLO = b'event: hello\ndata: {"protocol":1,"now":1}\n\n'
BEAT = b'id: 1\nevent: heartbeat\ndata: {"true_at":1}\n\n'
good = jwk.generate(algorithm="ES256").public.as_jwk()


@contextmanager
def speaking(said: list[bytes]) -> Iterator[str]:
    """A server with a good key set, whose feed says the last of these; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            feed = "jwks" not in self.path
            body = said[-1].replace(HELLO, hello(self.path)) if feed else json.dumps({"keys": [good]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream" if feed else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with handled_by(Handler) as url:
        yield url
