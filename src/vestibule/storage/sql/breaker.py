"""A breaker: once the database could not be reached, one in a while tries again, and nobody else waits for it.

Without it, each request to a database behind a dead link would hold a connection, and its client, for as long as
connecting may take; and those behind it would wait for their turn to do the same.
"""

import time
from collections.abc import Callable

RETRY_SECONDS = 0.25


class Breaker:
    """For one engine, in one process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._next_try: float | None = None

    def lets_through(self) -> bool:
        """Whether this one may ask: everybody, or, while the database is out of reach, one in each while."""
        if self._next_try is None:
            return True
        now = self._now()
        if now < self._next_try:
            return False
        self._next_try = now + RETRY_SECONDS
        return True

    def unreachable(self) -> None:
        """Somebody could not reach the database."""
        self._next_try = self._now() + RETRY_SECONDS

    def reached(self) -> None:
        """Somebody did."""
        self._next_try = None
