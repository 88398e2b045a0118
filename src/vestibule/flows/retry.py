"""Retry: decide again where the database ended a transaction for the sake of another.

A flow decides inside its transaction, so that what it decided is void with the transaction, and only the whole decision
can be made again. Therefore the unit is a function that owns exactly one transaction and waits for nothing before it:
nothing is counted, hashed or sent twice. `tests/unit/flows/test_retry.py` holds every transaction to that.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import structlog

from vestibule.crypto.entropy import jitter
from vestibule.model.errors import StoreUnavailable

# At most, before each further attempt. PostgreSQL takes a second to notice a deadlock, so that few attempts are many.
WAITS = (0.02, 0.05, 0.1)
_GIVEN_UP = "others kept changing the same rows, so nothing was done; try again"

P = ParamSpec("P")
T = TypeVar("T")
_log = structlog.get_logger(__name__)


def retry_on_conflict(
    decide: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return `decide`, called again, a few times and after a random wait, if its transaction met a conflict.

    It raises `StoreUnavailable` if that did not help.
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
    """Return what happened, without the rows that it happened to."""
    return str(fault).partition("\n")[0]
