"""Give each request an id, which is in its answer, on every log line and in every event about it.

A user who has a problem reports the `X-Request-ID` of the answer, and the operator finds the log lines by it.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Scope
from structlog.contextvars import bound_contextvars

from vestibule.crypto.entropy import random_bytes
from vestibule.model.events import REQUEST_ID
from vestibule.web.client_address import is_listed
from vestibule.web.web_policy import WebPolicy

REQUEST_ID_HEADER = b"x-request-id"
# Proxies write hexadecimal digits, UUIDs and the like. None of these characters is special in a log, a shell or a page.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_ID_BYTES, _IDS_AT_ONCE = 16, 64
_drawn: list[bytes] = []
os.register_at_fork(after_in_child=_drawn.clear)  # otherwise parent and child would use the same ids


def request_id(scope: Scope, web: WebPolicy) -> bytes:
    """Return the id that a listed proxy gave the request, if it is well formed; otherwise a new id."""
    given: list[bytes] = [content for name, content in scope["headers"] if name == REQUEST_ID_HEADER]
    if len(given) == 1 and _WELL_FORMED.fullmatch(given[0]) and _from_proxy(scope, web):
        return given[0]
    return new_request_id()


def new_request_id() -> bytes:
    """Return a new id. Ids are made in batches, because asking the system for random bytes is the slowest part."""
    if not _drawn:
        digits = random_bytes(_ID_BYTES * _IDS_AT_ONCE).hex().encode()
        _drawn.extend(digits[at : at + 2 * _ID_BYTES] for at in range(0, len(digits), 2 * _ID_BYTES))
    return _drawn.pop()


@contextmanager
def log_request_id(identifier: bytes) -> Iterator[None]:
    """Add the id to every log line and event inside the block."""
    with bound_contextvars(**{REQUEST_ID: identifier.decode()}):
        yield


def _from_proxy(scope: Scope, web: WebPolicy) -> bool:
    return bool(scope["client"]) and is_listed(scope["client"][0], web.proxies)
