"""Send one request of a session, with a limit on its time and size, and keep its tokens out of the log.

At DEBUG, httpcore logs the headers of every answer, and after a sign-in or a refresh these contain the tokens.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpx

from vestibule.client import wire
from vestibule.client.session_answers import Answer
from vestibule.model.clock import Clock
from vestibule.protocol.timeouts import Timeouts

_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")
_is_unlogged: ContextVar[bool] = ContextVar("vestibule_unlogged", default=False)


def answer_to(http: httpx.Client, clock: Clock, method: str, path: str, **content: Any) -> Answer:
    """Return the response, read to its end; raises `Unbounded` and httpx's errors."""
    asked_at = clock.now().timestamp()
    with Timeouts(wire.ANSWER_SECONDS) as timeouts:

        def trace(step: str, info: Mapping[str, Any]) -> None:
            if step in _CONNECTED:
                timeouts.watch(info["return_value"].get_extra_info("socket"))

        with _unlogged(), http.stream(method, path, extensions={"trace": trace}, **content) as answer:
            text = timeouts.read_whole(answer.iter_raw())
    return Answer(answer.status_code, wire.url_of(answer), answer.headers, text, asked_at)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Have httpcore log nothing of what the block sends and receives. The service's own requests are logged as ever."""
    earlier = _is_unlogged.set(True)
    try:
        yield
    finally:
        _is_unlogged.reset(earlier)


def _is_logged(_record: logging.LogRecord) -> bool:
    return not _is_unlogged.get()


logging.getLogger("httpcore.http11").addFilter(_is_logged)
