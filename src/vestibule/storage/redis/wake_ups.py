"""`model.revocations.WakeUps` on Redis: publish and subscribe."""

import asyncio
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from vestibule.storage.redis.replica import UNREACHABLE_ERRORS
from vestibule.storage.redis.throttled_warnings import ThrottledWarnings

CHANNEL = "vestibule:revocations"
_PAUSE_SECONDS = 1.0


class RedisWakeUps:
    """Wake-ups over Redis, which may lose some: each reader also polls."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._warnings = ThrottledWarnings(redis)

    async def send(self) -> None:
        try:
            await self._redis.publish(CHANNEL, b"")
        except UNREACHABLE_ERRORS as fault:
            self._warnings.warn("wake_up_not_sent", fault)

    async def listen(self) -> AsyncIterator[None]:
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    while True:
                        if await subscription.get_message(ignore_subscribe_messages=True, timeout=_PAUSE_SECONDS):
                            yield
            except UNREACHABLE_ERRORS as fault:
                self._warnings.warn("wake_ups_interrupted", fault)
            await asyncio.sleep(_PAUSE_SECONDS)
