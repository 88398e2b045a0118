"""A WSGI service that answers who asks. Every answer names the process it comes from, refusals too."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tests.running.services.behind import start, verifier
from vestibule.client.wsgi import CALLER, VestibuleMiddleware

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def orders(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    content = environ[CALLER].id.encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(content)))])
    return [content]


guarded = VestibuleMiddleware(orders, verifier)


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    def name_the_process(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, ("Process", str(os.getpid()))], *rest)

    return guarded(environ, name_the_process)


start()
