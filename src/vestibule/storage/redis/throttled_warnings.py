"""Log that Redis is unreachable, at most once a minute, with its address and what to do."""

from typing import Any

import structlog
from redis.asyncio import Redis

from vestibule.model.clock import Clock, SystemClock
from vestibule.storage.redis.faults import why_unreachable

_QUIET_SECONDS = 60.0
_REMEDY = (
    "requests go on without Redis; check REDIS_URL, and that Redis runs there and accepts this machine; "
    "vestibule doctor tells more"
)
_log = structlog.get_logger(__name__)


class ThrottledWarnings:
    """Logs the warnings of one object that uses Redis, at most one a minute."""

    def __init__(self, redis: Redis, clock: Clock | None = None) -> None:
        self._where = location_of(redis)
        self._clock = clock or SystemClock()
        self._quiet_until = self._clock.monotonic()

    def warn(self, event: str, fault: Exception) -> None:
        """Log that Redis is unreachable, unless that was logged within the last minute."""
        now = self._clock.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + _QUIET_SECONDS
            _log.warning(event, fault=why_unreachable(fault), redis=self._where, hint=_REMEDY)


def location_of(redis: Redis) -> str:
    """Return host and port, the socket's path, or the primary's name for the Sentinels; never the password."""
    pool: Any = redis.connection_pool
    given = pool.connection_kwargs
    if "path" in given:
        return str(given["path"])
    if service := getattr(pool, "service_name", None):
        return f"{service}, of the Sentinels"
    return f"{given.get('host', 'localhost')}:{given.get('port', 6379)}"
