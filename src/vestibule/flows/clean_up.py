"""Clean up: delete what has been over for as long as it is to be kept. Revocations are purged apart."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from vestibule.flows.delete_account import delete_if_unused
from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.flows.watch_events import purge_old_events
from vestibule.model.store import Transaction

_BATCH = 500  # so that nobody waits for the lock of a delete
_ATTEMPTS_KEPT = timedelta(days=30)
"""For emails without an account. What concerns an account stays until a right password: a hundred in a row are a
hundred, however long they take.
"""

Purge = Callable[[Transaction, datetime], Awaitable[int]]
"""Deletes one batch of what was over before a moment; how much."""

_SOME_OF: dict[str, Purge] = {
    "sessions": lambda tx, before: tx.sessions.purge(before, _BATCH),
    "one_time_tokens": lambda tx, before: tx.one_time_tokens.purge(before, _BATCH),
    "letters": lambda tx, before: tx.letters.purge_done(before, _BATCH),
    "known_devices": lambda tx, before: tx.known_devices.purge_unseen(before, _BATCH),
    "login_attempts": lambda tx, before: tx.login_attempts.purge(before, _BATCH),
    "rate_counters": lambda tx, before: tx.rate_counters.purge(before, _BATCH),
}


async def clean_up(env: Env) -> dict[str, int]:
    """Delete all of it, a small batch in each transaction; how much of each. Any number of processes may do so at
    once: each passes by what another is deleting.
    """
    kept, now = env.policy.retention, env.clock.now()
    over_since = {
        "sessions": _before(now, kept.sessions),
        "one_time_tokens": now - kept.one_time_tokens,
        "letters": _before(now, kept.letters),
        "known_devices": _before(now, kept.devices),
        "login_attempts": now - _ATTEMPTS_KEPT,
        "rate_counters": now,
    }
    deleted = {name: await _delete(env, _SOME_OF[name], before) for name, before in over_since.items() if before}
    unverified = await _delete_unverified(env, now - kept.unverified) if kept.unverified else 0
    return deleted | {"events": await purge_old_events(env), "unverified_accounts": unverified}


def _before(now: datetime, kept: timedelta) -> datetime | None:
    return now - kept if kept else None


async def _delete(env: Env, purge: Purge, before: datetime) -> int:
    deleted = 0
    while True:
        batch = await _delete_some(env, purge, before)
        deleted += batch
        if batch < _BATCH:
            return deleted


@retry_on_conflict
async def _delete_some(env: Env, purge: Purge, before: datetime) -> int:
    async with env.store.transaction() as tx:
        return await purge(tx, before)


async def _delete_unverified(env: Env, before: datetime) -> int:
    """Each in a transaction of its own, which looks again."""
    deleted = 0
    while True:
        async with env.store.reading() as read:
            batch = await read.accounts.never_used(before, _BATCH)
        gone = sum([await delete_if_unused(env, account, before) for account in batch])
        deleted += gone
        if not gone or len(batch) < _BATCH:
            return deleted
