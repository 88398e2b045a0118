"""Follow revocations: read the tail of the record once a second, and at once when nudged."""

import asyncio
from datetime import timedelta

from vestibule.flows.env import Env
from vestibule.flows.retry import retry_on_conflict
from vestibule.model.revocations import Revocation, RevocationSet
from vestibule.model.store import Transaction

_MUCH = 1_000  # reading a hundred thousand holds everybody up for half a second


async def read_whole_tail(env: Env) -> list[Revocation]:
    """Read the tail with its overlap, and trust this process's memory anew; what was new. Raises `StoreUnavailable`.

    The trust counts from when the read was sent: what was committed while the answer travelled is not in it.
    """
    sent_at = env.clock.monotonic()
    async with env.watching.reading() as read:
        tail = await read.revocations.after(await _known_up_to(env.revocations, read))
    fresh = env.learn(tail, sent_at)
    env.revocations.renew(sent_at)
    env.revocations.forget(sent_at)
    return fresh


async def _known_up_to(known: RevocationSet, read: Transaction) -> int:
    """The number after which the tail has to be read. Everything after the floor; but where that is much, as in a
    process's first half minute, only what is new, if the record has exactly what is known up to there.
    """
    if known.overlap.count < _MUCH or await read.revocations.between(known.floor, known.last) != known.overlap:
        return known.floor
    return known.last


async def read_new_tail(env: Env) -> list[Revocation]:
    """Read only what is new, after a nudge; raises `StoreUnavailable`. Trusts nothing anew."""
    sent_at = env.clock.monotonic()
    async with env.watching.reading() as read:
        tail = await read.revocations.after(env.revocations.last)
    return env.learn(tail, sent_at)


async def listen_for_nudges(env: Env, nudged: asyncio.Event) -> None:
    """Pass each nudge on, for as long as the process lives."""
    async for _ in env.nudges.listen():
        nudged.set()


@retry_on_conflict
async def forget_old_revocations(env: Env) -> int:
    """Delete what no token can be about any more; how many. A day late, so that no clock's error matters."""
    async with env.store.transaction() as tx:
        return await tx.revocations.forget(env.clock.now() - timedelta(days=1))
