"""Watch events: look at what happened, and purge what is older than it is to be kept."""

from datetime import datetime

from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.events import Event, EventFilter

_BATCH = 500  # so that nobody waits for the lock of a delete


async def find_events(env: Env, wanted: EventFilter, most: int) -> list[tuple[int, Event]]:
    """The newest events that fit, the oldest of them first, each with its number."""
    async with env.store.reading() as read:
        return await read.events.find(wanted, most)


async def purge_old_events(env: Env) -> int:
    """Delete events older than the policy keeps them, a small batch in each transaction; how many. All are kept where
    the policy says so.
    """
    kept = env.policy.events_kept
    if not kept:
        return 0
    before, purged = env.clock.now() - kept, 0
    while True:
        batch = await _purge_some(env, before)
        purged += batch
        if batch < _BATCH:
            return purged


@retry_on_conflict
async def _purge_some(env: Env, before: datetime) -> int:
    async with env.store.transaction() as tx:
        return await tx.events.purge(before, _BATCH)
