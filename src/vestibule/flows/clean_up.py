"""Clean up: delete rows whose retention time is over, and carry out resets of factors that are due.

Revocations are purged in `follow_revocations`.
"""

from datetime import datetime, timedelta

from vestibule.flows.delete_account import delete_if_unused
from vestibule.flows.env import Env
from vestibule.flows.purge import ROWS_IN_BATCH, Purge, purge_all
from vestibule.flows.reset_factors import finish_due_resets
from vestibule.flows.watch_events import purge_old_events
from vestibule.model.clock import MOST_APART

_ATTEMPTS_KEPT = timedelta(days=30)
"""How long an attempt counter of an email without an account is kept. That of an account stays until the right
password: the limit of wrong passwords in a row has no time span.
"""

_PURGES: dict[str, Purge] = {
    "sessions": lambda tx, before, most: tx.sessions.purge(before, most),
    "one_time_tokens": lambda tx, before, most: tx.one_time_tokens.purge(before, most),
    "letters": lambda tx, before, most: tx.letters.purge(before, most),
    "known_devices": lambda tx, before, most: tx.known_devices.purge_unseen(before, most),
    "login_attempts": lambda tx, before, most: tx.login_attempts.purge(before, most),
    "pending_sign_ins": lambda tx, before, most: tx.pending_sign_ins.purge(before, most),
    "rate_counters": lambda tx, before, most: tx.rate_counters.purge(before, most),
    "ceremonies": lambda tx, before, most: tx.ceremonies.purge(before, most),
}


async def clean_up(env: Env) -> dict[str, int]:
    """Delete everything past its retention, a small batch in each transaction, and carry out resets of factors that are
    due. Return, by kind, how many rows were deleted and how many resets were due.
    """
    retention, now = env.policy.retention, env.clock.now()
    cutoffs = {
        "sessions": _cutoff(now, retention.sessions),
        "one_time_tokens": now - retention.one_time_tokens,
        "letters": _cutoff(now, retention.letters),
        "known_devices": _cutoff(now, retention.devices),
        "login_attempts": now - _ATTEMPTS_KEPT,
        "pending_sign_ins": now,
        "rate_counters": now,
        "ceremonies": now - 2 * MOST_APART,  # a process whose clock is behind accepts an answer until then
    }
    deleted = {name: await purge_all(env, _PURGES[name], before) for name, before in cutoffs.items() if before}
    unverified = await _delete_unverified(env, now - retention.unverified) if retention.unverified else 0
    rest = {"events": await purge_old_events(env), "factor_resets": await finish_due_resets(env)}
    return deleted | rest | {"unverified_accounts": unverified}


def _cutoff(now: datetime, kept_for: timedelta) -> datetime | None:
    """Return the moment before which rows are deleted; None if they are kept for ever."""
    return now - kept_for if kept_for else None


async def _delete_unverified(env: Env, before: datetime) -> int:
    """Delete unverified accounts that nobody used since `before`; return their number. Each account has its own
    transaction, which checks again that the account is unused.
    """
    deleted = 0
    while True:
        async with env.store.reading() as read:
            batch = await read.accounts.never_used(before, ROWS_IN_BATCH)
        gone = sum([await delete_if_unused(env, account, before) for account in batch])
        deleted += gone
        if not gone or len(batch) < ROWS_IN_BATCH:
            return deleted
