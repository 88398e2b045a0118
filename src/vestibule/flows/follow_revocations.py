"""Follow revocations: read the new part of the record once a second, and at once after a wake-up.

The record is a table with a row for each revocation. The backlog is what this process has not read yet, together with
an overlap: what it read in the last half minute. A transaction may commit late, so that a row appears below others that
were read already.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import structlog

from vestibule.flows.env import Env
from vestibule.flows.purge import purge_all
from vestibule.model.clock import MOST_APART
from vestibule.model.revocations import Reach, Revocation
from vestibule.model.store import Ports
from vestibule.state.revocation_set import RevocationSet

_LONG_OVERLAP = 1_000
"""From this number of rows on, the overlap is compared by its checksum instead of read again: reading a hundred
thousand rows takes a second of CPU.
"""
_ROWS_AT_ONCE = 250
"""Adding 250 rows blocks the event loop for up to 8 ms, adding 1,000 for up to 18 ms. Reading 100,000 rows by 250 takes
a fifth longer than by 1,000.
"""
_SKIPPED_IF_OVER_FOR = timedelta(minutes=5)
"""The first read leaves out revocations that have not mattered for longer than this: clocks differ by less."""
_log = structlog.get_logger(__name__)


async def read_whole_backlog(env: Env) -> list[Revocation]:
    """Read the backlog, and renew the trust in this process's memory. Return what was new; after the first read, return
    nothing. Raises `StoreUnavailable`.

    The trust counts from when the read was sent: the answer lacks what was committed after that.
    """
    sent_at, known = env.clock.monotonic(), env.revocations
    offset = env.clock.now().timestamp() - sent_at
    first = known.reach is None
    fresh: list[Revocation] = []
    async with env.watching.reading() as read:
        reach = await _reach(env, read, offset)
        start = await _start_of_backlog(known, read, reach)
        async for batch in _after(read, start, reach):
            added = env.apply_revocations(batch, sent_at)
            if not first:  # a first read may bring a million rows, and no caller needs them
                fresh += added
            await asyncio.sleep(0)  # so that the event loop answers requests between two batches
    known.renew(sent_at, offset)
    known.purge(sent_at)
    return fresh


async def _reach(env: Env, read: Ports, offset: float) -> Reach:
    """Return which part of the record this process reads. It is chosen at the first read, and again if this machine's
    clock was ahead then and has been set back: the first choice may have left out revocations that still matter.
    """
    known = env.revocations
    if known.reach is not None and not known.reach_may_be_too_short(offset):
        return known.reach
    if known.reach is not None:
        _log.warning("clock_was_set_back", hint="it was ahead at the start; all revocations are read again")
    now = env.clock.now()
    reach = await read.revocations.reach(now - _SKIPPED_IF_OVER_FOR, now + 2 * MOST_APART)
    known.begin(reach, offset)
    return reach


async def _after(read: Ports, number: int, reach: Reach) -> AsyncIterator[list[Revocation]]:
    """Yield the revocations after a sequence number and within `reach`, in batches."""
    while batch := await read.revocations.after(number, reach, _ROWS_AT_ONCE):
        number = batch[-1].sequence
        yield batch
        if len(batch) < _ROWS_AT_ONCE:
            return


async def _start_of_backlog(known: RevocationSet, read: Ports, reach: Reach) -> int:
    """Return the sequence number after which the backlog begins.

    Normally this is the `floor` of `RevocationSet`: the last number known half a minute ago. If the overlap, from the
    floor to the last number known, is long, and the record has exactly the rows in it that this process knows, the
    backlog begins after the last number known.
    """
    if (
        known.overlap.count < _LONG_OVERLAP
        or await read.revocations.between(known.floor, known.last, reach) != known.overlap
    ):
        return known.floor
    return known.last


async def read_new_backlog(env: Env) -> list[Revocation]:
    """Read what came after the last number known, and return it. Call it after a wake-up. Does not renew the trust, and
    reads nothing before the first whole read. Raises `StoreUnavailable`.
    """
    sent_at, reach = env.clock.monotonic(), env.revocations.reach
    fresh: list[Revocation] = []
    if reach is None:
        return fresh
    async with env.watching.reading() as read:
        async for batch in _after(read, env.revocations.last, reach):
            fresh += env.apply_revocations(batch, sent_at)
            await asyncio.sleep(0)
    return fresh


async def listen_for_wake_ups(env: Env, woken: asyncio.Event) -> None:
    """Set `woken` at each wake-up, for as long as the process lives."""
    async for _ in env.wake_ups.listen():
        woken.set()


async def purge_old_revocations(env: Env) -> int:
    """Delete revocations whose tokens all expired more than a day ago, a batch in each transaction; return the number.
    The day makes errors of clocks irrelevant.
    """
    before = env.clock.now() - timedelta(days=1)
    return await purge_all(env, lambda tx, before, most: tx.revocations.purge(before, most), before)
