"""Keep tokens out of the log of the HTTP library: at DEBUG, httpcore logs the headers of every answer, and those of a
sign-in or a refresh set the cookies with the tokens.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_here: ContextVar[bool] = ContextVar("vestibule_unlogged", default=False)


@contextmanager
def unlogged() -> Iterator[None]:
    """Have httpcore log nothing of what the block sends and receives. The service's own requests are logged as ever."""
    before = _here.set(True)
    try:
        yield
    finally:
        _here.reset(before)


def _is_logged(_record: logging.LogRecord) -> bool:
    return not _here.get()


logging.getLogger("httpcore.http11").addFilter(_is_logged)
