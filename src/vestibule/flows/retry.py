"""Retry: run a transaction again if the database ended it because of a conflict with another.

A flow decides inside its transaction, so what it decided is lost with the transaction and must be decided again. The
decorated function has exactly one transaction, and awaits nothing before it, so that nothing is counted, hashed or sent
twice. `tests/unit/flows/test_retry.py` checks this for every transaction.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import structlog

from vestibule.crypto.entropy import jitter
from vestibule.model.errors import StoreUnavailable

# The longest wait before each further attempt, in seconds. Only three: PostgreSQL takes a second to notice a deadlock.
WAITS = (0.02, 0.05, 0.1)
_GIVEN_UP = "others kept changing the same rows, so nothing was done; try again"

P = ParamSpec("P")
T = TypeVar("T")
_log = structlog.get_logger(__name__)


def retry_on_conflict(
    decide: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return a function that calls `decide`, and calls it again after a random wait if its transaction met a conflict.
    After the last attempt it raises `StoreUnavailable`.
    """

    @wraps(decide)
    async def decide_again(*args: P.args, **kwargs: P.kwargs) -> T:
        for wait in (*WAITS, None):
            try:
                return await decide(*args, **kwargs)
            except StoreUnavailable as fault:
                if not fault.conflict:
                    raise
                _log.warning("transaction_conflict", step=decide.__name__, why=_first_line(fault))
            if wait is not None:
                await asyncio.sleep(jitter(wait))
        raise StoreUnavailable(_GIVEN_UP)

    return decide_again


def _first_line(fault: StoreUnavailable) -> str:
    """Return the first line, which says what happened. The others name rows, which do not belong in a log."""
    return str(fault).partition("\n")[0]
