"""A service whose checks are made by the processes of a pool: what they find comes back to the one that answers."""

import json
import multiprocessing
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.pool import Pool

from tests.running.services.behind import start, verifier
from vestibule.client import Caller, CallerRefusedError


def check(token: str) -> tuple[int, Caller | CallerRefusedError]:
    try:
        return os.getpid(), verifier.check(token)
    except CallerRefusedError as refusal:
        return os.getpid(), refusal


def handler_with(pool: Pool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pid, found = pool.apply(check, (self.headers["Authorization"].removeprefix("Bearer "),))
            refused = isinstance(found, CallerRefusedError)
            self.send_response(found.status if refused else 200)
            self.send_header("Process", str(pid))
            self.end_headers()
            self.wfile.write(json.dumps(found.body if refused else {"id": found.id}).encode())

    return Handler


def main(method: str, port: str) -> None:
    """Serve until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    start()
    with (
        # A worker that kept the handler would live on, and the pool wait for it for ever, if `sys.exit` were raised
        # where Python ignores exceptions, as in a finaliser.
        multiprocessing.get_context(method).Pool(2, signal.signal, (signal.SIGTERM, signal.SIG_DFL)) as pool,
        ThreadingHTTPServer(("127.0.0.1", int(port)), handler_with(pool)) as server,
    ):
        server.serve_forever(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
