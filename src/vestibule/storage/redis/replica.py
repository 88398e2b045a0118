"""`model.sessions.SessionReplica` on Redis: `session:{sid}` holds a live session as JSON, until its `idle_expires_at`.
A session that has just ended leaves `ended:{sid}` for a minute, so that a request that began earlier does not write
`session:{sid}` again.

Other programs may read the replica. Vestibule decides nothing by it, because after a crash or a failover Redis may hold
deleted sessions again. So a failure of Redis costs a log line and a fraction of a second, but fails no request.
"""

import json
from collections.abc import Awaitable
from functools import partial
from typing import Any

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from vestibule.model.accounts import Account
from vestibule.model.clock import Clock
from vestibule.model.sessions import Session
from vestibule.storage.redis import parameters, sentinel
from vestibule.storage.redis.throttled_warnings import ThrottledWarnings, location_of

_TIMEOUT_SECONDS = 0.25
_MOST_CONNECTIONS = 20
_DROPPED_AT_ONCE = 500  # sessions in one script, during which Redis answers nobody else
_ENDED_MS = 60_000  # how long `ended:{sid}` stays
_PUT = "if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2]) end"
_DROP = """
for i = 1, #KEYS, 2 do
    redis.call('DEL', KEYS[i])
    redis.call('SET', KEYS[i + 1], '', 'PX', ARGV[1])
end
"""
_KEEPS_ALL = "noeviction"
_PAUSE_AFTER_FAULT_SECONDS = 1.0
_NO_ADDRESS = (
    "is not an address such as redis://:password@host:6379/0, rediss:// or unix://; in a password write %2F for /, %3F "
    "for ?, %23 for # and %40 for @"
)
UNREACHABLE_ERRORS = (RedisError, OSError, TimeoutError, RuntimeError)
"""Exceptions that mean that Redis is unreachable. uvloop raises `RuntimeError` for a connection that has been reset."""
_log = structlog.get_logger(__name__)


def connect(url: str, timeout_seconds: float = _TIMEOUT_SECONDS, wait_seconds: float = _TIMEOUT_SECONDS) -> Redis:
    """Return a client that waits at most `timeout_seconds` for Redis and `wait_seconds` for a free connection. Raises
    ValueError if `url` is not a Redis address.
    """
    seconds = {"socket_timeout": timeout_seconds, "socket_connect_timeout": timeout_seconds}
    if url.partition("://")[0] in sentinel.SCHEMES:
        return sentinel.connect(url, _MOST_CONNECTIONS, wait_seconds, **seconds)
    try:
        parameters.require_known(url)
    except ValueError as fault:
        raise ValueError(str(fault) or _NO_ADDRESS) from None
    # Blocking: if all connections are in use, callers wait for one. An error would look like an outage of Redis.
    try:
        pool = BlockingConnectionPool.from_url(url, max_connections=_MOST_CONNECTIONS, timeout=wait_seconds, **seconds)
    except (ValueError, TypeError):  # the message may quote a piece of the password, taken for a port
        raise ValueError(_NO_ADDRESS) from None
    parameters.require_usable(pool)
    return Redis.from_pool(pool)


class RedisSessionReplica:
    """Stores live sessions under `session:{sid}`."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._warnings = ThrottledWarnings(redis, clock)
        self._paused_until = clock.monotonic()
        self._is_away = False
        self._policy = _KEEPS_ALL

    async def put(self, session: Session, account: Account) -> None:
        content = {
            "sid": session.id,
            "sub": account.id,
            "role": account.role.value,
            "created_at": session.created_at.isoformat(),
            "expires_at": session.expires_at.isoformat(),
            **({"act": {"sub": session.actor_id}} if session.actor_id is not None else {}),
        }
        end = int(session.idle_expires_at.timestamp() * 1000)
        await self._try(lambda: self._redis.eval(_PUT, 2, *_keys(session.id), json.dumps(content), str(end)))

    async def drop(self, session_ids: list[str]) -> None:
        for start in range(0, len(session_ids), _DROPPED_AT_ONCE):
            batch = session_ids[start : start + _DROPPED_AT_ONCE]
            keys = [key for session_id in batch for key in _keys(session_id)]
            await self._try(partial(self._redis.eval, _DROP, len(keys), *keys, str(_ENDED_MS)))

    async def check_setup(self) -> None:
        try:
            policy = (await self._redis.info("memory")).get("maxmemory_policy", _KEEPS_ALL)
        except UNREACHABLE_ERRORS as fault:
            self._note_away(fault)
            return
        if self._is_away:
            self._is_away = False
            _log.warning("redis_available_again", redis=location_of(self._redis))
        if policy not in (_KEEPS_ALL, self._policy):
            _log.warning(
                "redis_may_forget",
                maxmemory_policy=policy,
                hint="when its memory is full, Redis drops rate counters too early; set maxmemory-policy noeviction",
            )
        self._policy = policy

    async def _try(self, command: Any) -> None:
        now = self._clock.monotonic()
        if now < self._paused_until:
            return
        try:
            pending: Awaitable[Any] = command()
            await pending
        except UNREACHABLE_ERRORS as fault:
            # For a second, do not try again: no request should wait for a Redis that is gone.
            self._paused_until = now + _PAUSE_AFTER_FAULT_SECONDS
            self._note_away(fault)

    def _note_away(self, fault: Exception) -> None:
        self._is_away = True
        self._warnings.warn("redis_unavailable", fault)


def _keys(session_id: str) -> tuple[str, str]:
    return f"session:{session_id}", f"ended:{session_id}"
