"""The services that are measured: one with the kit before its answer, and one that looks the token up in a
dictionary.
"""

import json
import os
from typing import Any

from vestibule.client import Verifier
from vestibule.client.asgi import VestibuleMiddleware

HEALTH = "/health"
_BODY = b'{"status":"success"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]
_START = {"type": "http.response.start", "status": 200, "headers": _HEADERS}
_END = {"type": "http.response.body", "body": _BODY}


async def _answer(_scope: Any, _receive: Any, send: Any) -> None:
    await send(_START)
    await send(_END)


def with_kit() -> VestibuleMiddleware:
    """Return a service that checks tokens with the kit, behind the Vestibule that the environment names."""
    verifier = Verifier(os.environ["BENCH_VESTIBULE"], os.environ["BENCH_KEY"])
    return VestibuleMiddleware(_answer, verifier, open_paths=[HEALTH])


def bare() -> Any:
    """Return a service that lets in the tokens that the environment lists, and fails for any other."""
    callers = dict.fromkeys(json.loads(os.environ["BENCH_TOKENS"]), "user")

    async def application(scope: Any, receive: Any, send: Any) -> None:
        for name, content in scope["headers"]:
            if name == b"authorization" and callers.get(content[7:].decode()):
                break
        else:
            assert scope["path"] == HEALTH
        await _answer(scope, receive, send)

    return application
