"""Follow revocations: read the backlog of the record once a second, and at once when woken."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import structlog

from vestibule.flows.env import Env
from vestibule.flows.purge import purge_all
from vestibule.model.clock import MOST_APART
from vestibule.model.revocations import Reach, Revocation
from vestibule.model.store import Transaction
from vestibule.state.revocation_set import RevocationSet

_MUCH = 1_000  # reading a hundred thousand takes a second of CPU
_RANGE = 250
"""Rows read at once: taking in a thousand holds the event loop for up to 18 ms, these for up to 8, and all of a hundred
thousand cost a fifth more.
"""
_OVER_FOR = timedelta(minutes=5)
"""What was over for longer than this at the start is not read: machines' clocks may differ by a fraction of it."""
_log = structlog.get_logger(__name__)


async def read_whole_backlog(env: Env) -> list[Revocation]:
    """Read the backlog with its overlap, and trust this process's memory anew; return what was new. Raises
    `StoreUnavailable`.

    The trust counts from when the read was sent: what was committed while the answer travelled is not in it.
    """
    sent_at, known = env.clock.monotonic(), env.revocations
    offset = env.clock.now().timestamp() - sent_at
    first = known.reach is None
    fresh: list[Revocation] = []
    async with env.watching.reading() as read:
        reach = await _reach(env, read, offset)
        async for some in _after(read, await _known_up_to(known, read, reach), reach):
            learnt = env.learn(some, sent_at)
            fresh += [] if first else learnt  # at the start it may be a million, and is news to nobody
            await asyncio.sleep(0)  # others are answered meanwhile
    known.renew(sent_at, offset)
    known.purge(sent_at)
    return fresh


async def _reach(env: Env, read: Transaction, offset: float) -> Reach:
    """Return what of the record is read here. Chosen at the first read; and anew where that was done by a clock that
    was ahead and was set back since, so that what it took for over is read after all.
    """
    known = env.revocations
    if known.reach is not None and not known.chosen_ahead(offset):
        return known.reach
    if known.reach is not None:
        _log.warning("clock_was_set_back", hint="it was ahead at the start; all revocations are read again")
    now = env.clock.now()
    reach = await read.revocations.reach(now - _OVER_FOR, now + 2 * MOST_APART)
    known.begin(reach, offset)
    return reach


async def _after(read: Transaction, number: int, reach: Reach) -> AsyncIterator[list[Revocation]]:
    """Yield what was recorded after a number, within reach, in ranges."""
    while some := await read.revocations.after(number, reach, _RANGE):
        number = some[-1].sequence
        yield some
        if len(some) < _RANGE:
            return


async def _known_up_to(known: RevocationSet, read: Transaction, reach: Reach) -> int:
    """Return the number after which the backlog has to be read: the floor; but where much came after that, as in a
    process's first half minute, the last one known, if the record has exactly what is known up to there.
    """
    if known.overlap.count < _MUCH or await read.revocations.between(known.floor, known.last, reach) != known.overlap:
        return known.floor
    return known.last


async def read_new_backlog(env: Env) -> list[Revocation]:
    """Read only what is new, after a wake-up, and return it; nothing before the first whole read. Trusts nothing anew.
    Raises `StoreUnavailable`.
    """
    sent_at, reach, fresh = env.clock.monotonic(), env.revocations.reach, list[Revocation]()
    if reach is None:
        return fresh
    async with env.watching.reading() as read:
        async for some in _after(read, env.revocations.last, reach):
            fresh += env.learn(some, sent_at)
            await asyncio.sleep(0)
    return fresh


async def listen_for_wake_ups(env: Env, woken: asyncio.Event) -> None:
    """Pass each wake-up on, for as long as the process lives."""
    async for _ in env.wake_ups.listen():
        woken.set()


async def purge_old_revocations(env: Env) -> int:
    """Delete what no token can be about any more, a batch in each transaction; return the number. A day late, so that
    no clock's error matters.
    """
    before = env.clock.now() - timedelta(days=1)
    return await purge_all(env, lambda tx, before, most: tx.revocations.purge(before, most), before)
