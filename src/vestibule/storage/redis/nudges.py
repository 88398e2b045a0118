"""`model.revocations.Nudges` on Redis: publish and subscribe."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from redis.asyncio import Redis

from vestibule.storage.redis.mirror import LOST

CHANNEL = "vestibule:revocations"
_PAUSE_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class RedisNudges:
    """Nudges through Redis, which loses them when it must."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def send(self) -> None:
        try:
            await self._redis.publish(CHANNEL, b"")
        except LOST as fault:
            _log.warning("nudge_not_sent", fault=type(fault).__name__)

    async def listen(self) -> AsyncIterator[None]:
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    while True:
                        if await subscription.get_message(ignore_subscribe_messages=True, timeout=_PAUSE_SECONDS):
                            yield
            except LOST as fault:
                _log.warning("nudges_interrupted", fault=type(fault).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)
