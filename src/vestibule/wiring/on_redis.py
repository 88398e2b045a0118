"""Connect a process to Redis. `opening` loads this only if REDIS_URL is set, because the library takes 6 MB and a tenth
of a second at start.
"""

from vestibule.storage.redis.faults import why_unreachable
from vestibule.storage.redis.limiter import on_redis as limiter
from vestibule.storage.redis.replica import UNREACHABLE_ERRORS, RedisSessionReplica, connect
from vestibule.storage.redis.sentinel import SCHEMES
from vestibule.storage.redis.throttled_warnings import location_of
from vestibule.storage.redis.wake_ups import RedisWakeUps

__all__ = [
    "SCHEMES",
    "UNREACHABLE_ERRORS",
    "RedisSessionReplica",
    "RedisWakeUps",
    "connect",
    "limiter",
    "location_of",
    "why_unreachable",
]
