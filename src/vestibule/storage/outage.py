"""Log that a background job cannot use the database: when that begins, once a minute, and when it is over.

The jobs try again within a second. A line for each try would bury every other line, and fill the disk.
"""

import structlog

from vestibule.model.clock import Clock, SystemClock
from vestibule.model.errors import Fault, StoreUnavailable

_QUIET_SECONDS = 60.0
_REMEDY = "tried again within a second, and logged once a minute until it is over; vestibule doctor says what to do"
_log = structlog.get_logger(__name__)


class Outage:
    """The outages of one job. Logs two lines a minute at most, however often it fails and recovers."""

    def __init__(self, job: str, clock: Clock | None = None) -> None:
        self._job = job
        self._clock = clock or SystemClock()
        self._quiet_until = self._clock.monotonic()
        self._since: float | None = None
        self._is_logged = False

    def note(self, fault: Fault) -> None:
        """Note that the job failed. Logs `database_unavailable`, unless that was logged within the last minute."""
        now = self._clock.monotonic()
        self._since = now if self._since is None else self._since
        if now < self._quiet_until:
            return
        self._quiet_until, self._is_logged = now + _QUIET_SECONDS, True
        server = fault.server if isinstance(fault, StoreUnavailable) else None
        _log.warning(
            "database_unavailable",
            job=self._job,
            fault=fault.code,
            database=server,
            why=str(fault),
            seconds=round(now - self._since),
            hint=_REMEDY,
        )

    def end(self) -> None:
        """Note that the job succeeded. Logs `database_available_again` if its failure was logged."""
        if self._since is None:
            return
        if self._is_logged:
            away = round(self._clock.monotonic() - self._since)
            _log.warning("database_available_again", job=self._job, seconds=away)
        self._since, self._is_logged = None, False
