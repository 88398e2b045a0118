"""Announce: make revocations, and changes of accounts, known to every process."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from vestibule.flows.env import Env
from vestibule.model.revocations import OVERLAP_SECONDS, Revocation, RevocationKind
from vestibule.model.store import Ports

_APPLIED_AT_ONCE = 500
"""Revocations that are applied before the event loop may do other work."""


async def announce(env: Env, revocations: Sequence[Revocation], session_ids: Collection[str] = ()) -> None:
    """Make committed revocations known: to this process at once, to the others when the wake-up arrives or when they
    next read the record. `session_ids` are ended sessions without a revocation of their own: they are dropped from the
    replica too.
    """
    if not revocations:
        return
    for start in range(0, len(revocations), _APPLIED_AT_ONCE):
        env.apply_revocations(list(revocations[start : start + _APPLIED_AT_ONCE]), env.clock.monotonic())
        await asyncio.sleep(0)  # so that the event loop answers requests between two batches
    await env.wake_ups.send()
    revoked = (r.subject for r in revocations if r.kind is RevocationKind.SESSION)
    await env.replica.drop(list({*session_ids, *revoked}))


async def record_account_changed(tx: Ports, account_id: str, now: datetime) -> list[Revocation]:
    """Record that what processes remember of the account is out of date. Return the record, for `announce`. The record
    makes processes read the account again, but refuses no token.

    The record is kept only until every running process has read it: a process that starts later remembers nothing.
    """
    purge_at = now + timedelta(seconds=OVERLAP_SECONDS)
    return await tx.revocations.append([Revocation(now, RevocationKind.ACCOUNT_CHANGED, account_id, purge_at)])
