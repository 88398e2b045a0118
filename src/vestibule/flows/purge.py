"""Purge: delete rows that were over before a given time, a small batch in each transaction."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.store import Ports

ROWS_IN_BATCH = 500  # few rows, so that no other transaction waits long for their locks

Purge = Callable[[Ports, datetime, int], Awaitable[int]]
"""A function that deletes up to the given number of rows that were over before the given time, and returns how many."""


async def purge_all(env: Env, purge: Purge, before: datetime) -> int:
    """Call `purge` until a batch is not full; return the number of rows deleted. Several processes may call it at once:
    each skips rows that another has locked.
    """
    deleted = 0
    while True:
        batch = await _purge_some(env, purge, before)
        deleted += batch
        if batch < ROWS_IN_BATCH:
            return deleted


@retry_on_conflict
async def _purge_some(env: Env, purge: Purge, before: datetime) -> int:
    async with env.store.transaction() as tx:
        return await purge(tx, before, ROWS_IN_BATCH)
