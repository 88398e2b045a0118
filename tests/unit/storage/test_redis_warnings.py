"""An unreachable Redis is logged once a minute, with its address and what to do, and never with its password."""

from datetime import timedelta

from structlog.testing import capture_logs

from tests.harness.clock import ManualClock
from vestibule.model.limits import Limit
from vestibule.storage.redis import replica
from vestibule.storage.redis.limiter import on_redis


async def test_each_user_of_redis_warns_once_a_minute() -> None:
    clock = ManualClock()
    async with replica.connect("redis://:hush-hush@127.0.0.1:1/0") as redis:
        shown, counting = replica.RedisSessionReplica(redis, clock), on_redis(redis, clock)
        limit = Limit("network_sign_in", 100, timedelta(minutes=1))
        with capture_logs() as logs:
            for _ in range(32):  # over a minute, in steps beyond the second that each of them pauses
                await shown.drop(["a"])
                await counting.count_or_wait(limit, "192.0.2.1")
                clock.advance(seconds=2)
    events = sorted(line["event"] for line in logs)
    assert events == ["limits_count_alone"] * 2 + ["redis_unavailable"] * 2
    assert all(line["redis"] == "127.0.0.1:1" and "REDIS_URL" in line["hint"] for line in logs)
    assert "hush-hush" not in str(logs)
