"""What a process does with Redis. `opening` loads it only where REDIS_URL is set: nobody else needs the library, which
takes 6 MB and a tenth of a second of the start.
"""

from vestibule.storage.redis.limiter import on_redis as limiter
from vestibule.storage.redis.replica import LOST, RedisSessionReplica, connect
from vestibule.storage.redis.sentinel import SCHEMES
from vestibule.storage.redis.wake_ups import RedisWakeUps

__all__ = ["LOST", "SCHEMES", "RedisSessionReplica", "RedisWakeUps", "connect", "limiter"]
