"""`model.limits.Limiter` with the library `limits`, in this process's memory; `redis/limiter.py` has it on Redis."""

from collections import Counter
from datetime import timedelta

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter

from vestibule.model.clock import Clock
from vestibule.model.limits import Limit, Limiter


def in_memory(clock: Clock) -> Limiter:
    """Return a limiter that counts for this process alone."""
    return WindowLimiter(MemoryStorage(), clock)


class WindowLimiter:
    """Counts requests in fixed windows, which begin with their first request. Every limit is divided by `divisor`."""

    def __init__(self, storage: Storage, clock: Clock, divisor: int = 1) -> None:
        self._windows = FixedWindowRateLimiter(storage)
        self._clock = clock
        self._divisor = divisor
        self.refusals: Counter[str] = Counter()

    async def count_or_wait(self, limit: Limit, network: str) -> timedelta | None:
        times, seconds = max(1, limit.times // self._divisor), int(limit.within.total_seconds())
        item = RateLimitItemPerSecond(times, seconds, namespace=limit.name)
        if await self._windows.hit(item, network):
            return None
        self.refusals[limit.name] += 1
        ends_at = (await self._windows.get_window_stats(item, network)).reset_time
        return timedelta(seconds=max(0.0, ends_at - self._clock.now().timestamp()))
