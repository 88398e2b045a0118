"""Request ids: one name for each request, in its answer, on every line of the log and in every event about it.

A person who cannot go on reports what `X-Request-ID` said, and the operator finds the rest by it.
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
from vestibule.web.policy import WebPolicy

NAME = b"x-request-id"
# What proxies write: hexadecimal digits, UUIDs, and the like. Nothing that means something in a log, a shell or a page.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_BYTES, _BATCH = 16, 64
_drawn: list[bytes] = []
os.register_at_fork(after_in_child=_drawn.clear)  # or parent and child would give the same ids


def request_id(scope: Scope, web: WebPolicy) -> bytes:
    """Return the id that a listed proxy has given the request, if it is well formed; otherwise a new one."""
    given: list[bytes] = [content for name, content in scope["headers"] if name == NAME]
    if len(given) == 1 and _WELL_FORMED.fullmatch(given[0]) and _from_proxy(scope, web):
        return given[0]
    return new_request_id()


def new_request_id() -> bytes:
    """Return a new id. They are drawn in batches, because asking the system costs more than all else about one."""
    if not _drawn:
        digits = random_bytes(_BYTES * _BATCH).hex().encode()
        _drawn.extend(digits[at : at + 2 * _BYTES] for at in range(0, len(digits), 2 * _BYTES))
    return _drawn.pop()


@contextmanager
def known_by(identifier: bytes) -> Iterator[None]:
    """Put the id on what is logged and recorded inside the block."""
    with bound_contextvars(**{REQUEST_ID: identifier.decode()}):
        yield


def _from_proxy(scope: Scope, web: WebPolicy) -> bool:
    return bool(scope["client"]) and is_listed(scope["client"][0], web.proxies)
