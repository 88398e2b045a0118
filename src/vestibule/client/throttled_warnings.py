"""Log a repeating warning or error only once a minute."""

import logging

from vestibule.model.clock import Clock, SystemClock

EVERY_SECONDS = 60.0
_log = logging.getLogger(__name__)


class ThrottledWarnings:
    """Warnings for operators, limited by subject. The subjects are a few constants in the code."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._logged_at: dict[str, float] = {}

    def warn(self, about: str, why: str, level: int = logging.WARNING) -> bool:
        """Log `why` at `level`, unless something about the same subject was logged within the last minute. Return
        whether it logs now.
        """
        logged = self._take_turn(about)
        if logged:
            _log.log(level, "%s: %s", about, why)
        return logged

    def note(self, what: str) -> None:
        """Log that something works again, at most once a minute. A warning too, because those who read of the
        failure should read of its end.
        """
        if self._take_turn(what):
            _log.warning(what)

    def _take_turn(self, about: str) -> bool:
        """Return whether the subject may be logged now, and record that it is."""
        now = self._clock.monotonic()
        if now - self._logged_at.get(about, float("-inf")) < EVERY_SECONDS:
            return False
        self._logged_at[about] = now
        return True
