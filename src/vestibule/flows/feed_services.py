"""Feed services: tell one that follows what is revoked, what stands and then what comes, and how fresh that is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import islice

from vestibule.flows.env import Env
from vestibule.model.revocations import Notice
from vestibule.state.feed import Follower

HEARTBEAT_SECONDS = 1.0
_LONG_AGO_SECONDS = 86_400.0
"""What is told in place of never, which JSON has no number for."""
BATCH = 500
"""Notices told at once."""


@dataclass(frozen=True)
class Hello:
    """The beginning. `now` is this process's clock, which every later `true_at` is compared with."""

    now: float
    whole: bool


@dataclass(frozen=True)
class Heartbeat:
    """All that was revoked before `true_at` has been told, keys too: `keys` are the ids of those that vouch for access
    tokens. To go on later, begin after `cursor`. `clock`: seconds since 1970 when this process's clock of `true_at`
    showed 0, as of when the record was read.
    """

    true_at: float
    cursor: int
    keys: tuple[str, ...] = field(default=(), compare=False)
    clock: float | None = field(default=None, compare=False)


Told = Hello | Heartbeat | list[Notice]


async def feed_service(env: Env, follower: Follower, after: int) -> AsyncIterator[list[Told]]:
    """Yield what to tell, some at a time, until the follower is over. `after`: the cursor it has, or 0."""
    now, known = env.clock.monotonic(), env.revocations
    # A cursor from beyond the end is of another record, as after a restored backup: begin anew.
    whole = not 0 < after <= known.last
    standing = known.standing(0 if whole else after, now)
    yield [Hello(now, whole)]
    while some := list(islice(standing, BATCH)):
        yield [some]
    beat_at = now
    while not follower.over:
        # Taken together, without a pause between: what is told as true by then is among what is told.
        notices, beat = follower.take(), _beat(env)
        told: list[Told] = [notices[start : start + BATCH] for start in range(0, len(notices), BATCH)]
        if env.clock.monotonic() >= beat_at:
            beat_at = env.clock.monotonic() + HEARTBEAT_SECONDS
            told.append(beat)
        if told:
            yield told
        await _called(follower, beat_at - env.clock.monotonic())


async def end_removed_services(env: Env) -> None:
    """End the feed of every service whose key is not in force any more: one query for all of them."""
    async with env.watching.reading() as read:
        keys = await read.service_keys.all()
    env.feed.keep({key.digest for key in keys})


def _beat(env: Env) -> Heartbeat:
    known, keys = env.revocations, env.keys
    unseen = env.clock.monotonic() - keys.looked_at > env.policy.revocation_staleness.total_seconds()
    # The keys are looked at beside the revocations; where that fails, this process may have missed a withdrawal.
    true_at = min(known.fresh_as_of, keys.looked_at) if unseen else known.fresh_as_of
    true_at = max(true_at, env.clock.monotonic() - _LONG_AGO_SECONDS)
    return Heartbeat(true_at, known.floor, tuple(keys.access.checking), known.clock_offset)


async def _called(follower: Follower, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(follower.called.wait(), max(seconds, 0.0))
