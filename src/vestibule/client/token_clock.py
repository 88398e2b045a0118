"""Judge how long ago a token's user signed in, by the clock that also judges when the token expires."""

from typing import Any

from vestibule.client.caller_errors import ClocksDifferError
from vestibule.model.clock import Clock, SystemClock
from vestibule.protocol.claims import has_begun, has_expired
from vestibule.protocol.clocks import Clocks

LEEWAY_SECONDS = 30.0
"""Allowed clock skew, unless a `Verifier` is given another."""


class TokenClock:
    """A service's clock, compared with Vestibule's. `leeway` is the allowed clock skew, in seconds.

    Unpickled in another process, it is that process's own clock with the same leeway: no feed tells Vestibule's time
    there.
    """

    def __init__(
        self, leeway: float = LEEWAY_SECONDS, clock: Clock | None = None, clocks: Clocks | None = None
    ) -> None:
        self._leeway = leeway
        self._clock = SystemClock() if clock is None else clock
        self._clocks = Clocks() if clocks is None else clocks

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._leeway,)

    def now(self) -> float:
        """Return the time, in seconds since 1970."""
        return self._clock.now().timestamp()

    def is_recent(self, moment: int, max_age: int) -> bool:
        """Return whether `moment`, in seconds since 1970, is at most `max_age` seconds ago, give or take the leeway.
        False for a moment in the future, and for 0, which stands for an unknown one.

        Raises `ClocksDifferError` if either clock was set meanwhile, so that nobody can tell.
        """
        now = self.now()
        if not self._clocks.agree(now, self._clock.monotonic()):
            raise ClocksDifferError
        return (
            moment > 0 and has_begun(moment, self._leeway, now) and not has_expired(moment + max_age, self._leeway, now)
        )
