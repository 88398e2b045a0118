"""Purge: delete what was over before a moment, a small batch in each transaction."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.store import Transaction

BATCH = 500  # so that nobody waits for the lock of a delete

Purge = Callable[[Transaction, datetime, int], Awaitable[int]]
"""Deletes a bounded number of the rows that were over before a moment; returns how many."""


async def purge_all(env: Env, purge: Purge, before: datetime) -> int:
    """Have `purge` delete one batch after another; returns how many rows in all. Any number of processes may do so at
    once: each passes by what another is deleting.
    """
    deleted = 0
    while True:
        batch = await _purge_some(env, purge, before)
        deleted += batch
        if batch < BATCH:
            return deleted


@retry_on_conflict
async def _purge_some(env: Env, purge: Purge, before: datetime) -> int:
    async with env.store.transaction() as tx:
        return await purge(tx, before, BATCH)
