"""A circuit breaker: while the database cannot be reached, one caller per interval tries again, and all others fail at
once.

Without the breaker, each request would wait for the whole connection timeout, keep its client waiting and occupy one of
the pool's connections, and later requests would queue to do the same. `engine.py` asks the breaker.
"""

import time
from collections.abc import Callable

RETRY_SECONDS = 0.25


class Breaker:
    """The state of one engine in one process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._next_try: float | None = None
        self.why = ""
        """Why the database could not be reached at the last try: the message for callers that fail at once."""

    def lets_through(self) -> bool:
        """Return whether this caller may ask: always, or once per `RETRY_SECONDS` while the database is unreachable."""
        if self._next_try is None:
            return True
        now = self._now()
        if now < self._next_try:
            return False
        self._next_try = now + RETRY_SECONDS
        return True

    def unreachable(self, why: str) -> None:
        """Record that the database could not be reached, and why."""
        self.why = why
        self._next_try = self._now() + RETRY_SECONDS

    def reached(self) -> None:
        """Record that the database was reached."""
        self._next_try = None
