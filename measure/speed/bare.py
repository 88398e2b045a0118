"""Measure the limit of every read: an ASGI application that sends the same bytes as Vestibule, and does
nothing else.
"""

import json
import os
from typing import Any

_ANSWERS = {
    path: (
        {"type": "http.response.start", "status": status, "headers": [(n.encode(), v.encode()) for n, v in headers]},
        {"type": "http.response.body", "body": body.encode()},
    )
    for path, (status, headers, body) in json.loads(os.environ["BENCH_ANSWERS"]).items()
}


async def application(scope: Any, _receive: Any, send: Any) -> None:
    """Send the answer that `BENCH_ANSWERS` has for the path."""
    start, body = _ANSWERS[scope["path"]]
    await send(start)
    await send(body)
