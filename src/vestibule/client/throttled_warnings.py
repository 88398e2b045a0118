"""Log a repeating warning or error only once a minute."""

import logging

from vestibule.model.clock import Clock, SystemClock

EVERY_SECONDS = 60.0
_log = logging.getLogger(__name__)


class ThrottledWarnings:
    """Warnings for operators, limited by subject. The subjects are a few constants in the code."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._said_at: dict[str, float] = {}

    def warn(self, about: str, why: str, level: int = logging.WARNING) -> bool:
        """Log a warning, unless one about the same subject was logged within the last minute; return whether it was."""
        said = self._may_say(about)
        if said:
            _log.log(level, "%s: %s", about, why)
        return said

    def note(self, what: str) -> None:
        """Log that something works again, at most once a minute. A warning too, because those who read of the
        failure should read of its end.
        """
        if self._may_say(what):
            _log.warning(what)

    def _may_say(self, about: str) -> bool:
        now = self._clock.monotonic()
        if now - self._said_at.get(about, float("-inf")) < EVERY_SECONDS:
            return False
        self._said_at[about] = now
        return True
