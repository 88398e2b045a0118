"""`model.limits.Limiter` on Redis, with each process's memory to fall back on."""

from collections import Counter
from datetime import timedelta
from typing import Any

from limits.aio.storage import MemoryStorage, RedisStorage
from redis.asyncio import Redis

from vestibule.model.clock import Clock
from vestibule.model.limits import Limit, Limiter
from vestibule.storage.limiter import WindowLimiter
from vestibule.storage.redis.replica import UNREACHABLE_ERRORS
from vestibule.storage.redis.throttled_warnings import ThrottledWarnings

_PAUSE_AFTER_FAULT = timedelta(seconds=1)
_DIVISOR_WITHOUT_REDIS = 5  # a process that counts alone allows a fifth of each limit


def on_redis(redis: Redis, clock: Clock, prefix: str = "vestibule") -> Limiter:
    """Return a limiter that counts for all processes together. While Redis is unreachable, each process counts alone,
    with a fifth of every limit. Keys are `prefix:…`.
    """
    connections: Any = redis.connection_pool  # the library takes a pool, but its annotation does not say so
    storage = RedisStorage("redis://", implementation="redispy", key_prefix=prefix, connection_pool=connections)
    alone = WindowLimiter(MemoryStorage(), clock, divisor=_DIVISOR_WITHOUT_REDIS)
    return FallingBackLimiter(WindowLimiter(storage, clock), alone, clock, ThrottledWarnings(redis, clock))


class FallingBackLimiter:
    """Counts in Redis; in this process's memory while Redis is unreachable. Never lets a request pass uncounted."""

    def __init__(self, shared: Limiter, alone: Limiter, clock: Clock, warnings: ThrottledWarnings) -> None:
        self._warnings = warnings
        self._shared = shared
        self._alone = alone
        self._clock = clock
        self._paused_until = clock.monotonic()

    @property
    def refusals(self) -> Counter[str]:
        return Counter(self._shared.refusals) + Counter(self._alone.refusals)

    async def count_or_wait(self, limit: Limit, network: str) -> timedelta | None:
        now = self._clock.monotonic()
        if now >= self._paused_until:
            try:
                return await self._shared.count_or_wait(limit, network)
            except UNREACHABLE_ERRORS as fault:
                # For a second, do not try again: no request should wait for a Redis that is gone.
                self._paused_until = now + _PAUSE_AFTER_FAULT.total_seconds()
                self._warnings.warn("limits_count_alone", fault)
        return await self._alone.count_or_wait(limit, network)
