"""Orders, in WSGI."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from vestibule.client import Verifier
from vestibule.client.wsgi import VestibuleMiddleware, caller_of


def orders(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    caller = caller_of(environ)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"orders of {caller.id}".encode()]


app = VestibuleMiddleware(orders, Verifier("https://auth.example.com", os.environ["SERVICE_KEY"]))
