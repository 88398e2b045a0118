"""Feed services: send followers the revocations in force, then new ones and heartbeats. `web/api/services.py` writes
them to the response.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import takewhile

from vestibule.flows.env import Env
from vestibule.model.revocations import Notice
from vestibule.state.feed import Follower

HEARTBEAT_SECONDS = 1.0
_LONG_AGO_SECONDS = 86_400.0
"""The greatest age of a `true_at` that is sent: it stands for "never", for which JSON has no number."""
MOST_NOTICES_IN_EVENT = 500
"""New notices sent in one event, which takes a millisecond of CPU."""


@dataclass(frozen=True)
class Hello:
    """The first event. `now` is this process's monotonic clock, in seconds; every later `true_at` is a time of the same
    clock. `whole`: all revocations in force follow, not only those after the service's cursor. `issuer` and `audience`
    are those of every access token: a service that expects others reports an error.
    """

    now: float
    whole: bool
    issuer: str = field(default="", compare=False)
    audience: str = field(default="", compare=False)


@dataclass(frozen=True)
class Heartbeat:
    """Every revocation before `true_at` has been sent.

    `keys` are the ids of all keys that verified access tokens at `keys_at`, a time of the same clock. A service that
    connects again sends `cursor` to go on after it. `clock` is the wall-clock time, in seconds since 1970, at which the
    clock of `true_at` showed 0, measured when the record was read. `permissions` is the version of the document of
    permissions, and when that version was read, by the clock of `true_at`; None before this process has read it.
    """

    true_at: float
    cursor: str
    keys: tuple[str, ...] = field(default=(), compare=False)
    clock: float | None = field(default=None, compare=False)
    keys_at: float | None = field(default=None, compare=False)
    permissions: tuple[str, float] | None = field(default=None, compare=False)


FeedEvent = Hello | Heartbeat | list[Notice]
"""What is sent as one event; a list of notices is one `revoked` event."""


async def feed_service(env: Env, follower: Follower, cursor: str = "") -> AsyncIterator[list[FeedEvent]]:
    """Yield events to send, some at a time, until the follower has ended. `cursor`: the last one that the service got,
    if any.
    """
    beat_at = env.clock.monotonic()
    async for events in _beginning(env, cursor, lambda: follower.over):
        yield events
    await env.feed.yield_to_others()
    while not follower.over:
        # No await between `take` and `_beat`, so that the notices include all that the heartbeat says was sent.
        notices, beat = follower.take(), _beat(env)
        batches = (
            notices[first : first + MOST_NOTICES_IN_EVENT] for first in range(0, len(notices), MOST_NOTICES_IN_EVENT)
        )
        async for events in _by_turns(env, batches):
            yield events
        if env.clock.monotonic() >= beat_at:
            beat_at = env.clock.monotonic() + HEARTBEAT_SECONDS
            yield [beat]
        await _wait_until_woken(follower, beat_at - env.clock.monotonic())


async def answer_poll(
    env: Env, cursor: str = "", gone: Callable[[], bool] = lambda: False
) -> AsyncIterator[list[FeedEvent]]:
    """Yield the events of one poll: what was revoked after the cursor, and one heartbeat. Stop once `gone()`
    says that the client has left.
    """
    beat = _beat(env)  # made first, so that the events include every revocation that the heartbeat says was sent
    async for events in _beginning(env, cursor, gone):
        yield events
    if not gone():  # otherwise the events were cut short, and the heartbeat would be wrong
        yield [beat]


async def _beginning(env: Env, cursor: str, gone: Callable[[], bool]) -> AsyncIterator[list[FeedEvent]]:
    """Yield a `Hello`, then the revocations in force; with a cursor, only those that came after it."""
    now, known, issuer = env.clock.monotonic(), env.revocations, env.policy.issuer
    after = known.number_of(cursor)
    whole = not after  # `after` is 0 without a cursor, and with one that is unknown here
    yield [Hello(now, whole, issuer.name, issuer.audience)]
    batches = takewhile(lambda _: not gone(), known.still_in_force(after, now))
    async for events in _by_turns(env, batches):
        yield events


async def _by_turns(env: Env, batches: Iterable[list[Notice]]) -> AsyncIterator[list[FeedEvent]]:
    """Yield each batch that is not empty, as one event. Let other tasks run between two batches: sending to a fast
    service never blocks, so the other tasks would wait until all batches are sent.
    """
    for number, batch in enumerate(batches):
        if number:
            await env.feed.yield_to_others()
        if batch:
            yield [batch]


async def end_feeds_of_revoked_keys(env: Env) -> None:
    """End the feed of every service whose key was revoked: one query for all of them."""
    async with env.watching.reading() as read:
        keys = await read.service_keys.all()
    env.feed.end_all_but({key.digest for key in keys})


def _beat(env: Env) -> Heartbeat:
    known, keys, now = env.revocations, env.keys, env.clock.monotonic()
    keys_stale = now - keys.looked_at > env.policy.revocation_staleness.total_seconds()
    # Keys are read separately from revocations. If that fails, this process may have missed that a key was withdrawn.
    true_at = min(known.fresh_as_of, keys.looked_at) if keys_stale else known.fresh_as_of
    keys_at = min(keys.looked_at, now)
    oldest = now - _LONG_AGO_SECONDS
    kids = tuple(keys.access.checking)
    beat = Heartbeat(max(true_at, oldest), known.cursor, kids, known.clock_offset, max(keys_at, oldest))
    if env.roles.looked_at == float("-inf"):  # this process has not read the roles yet
        return beat
    return replace(beat, permissions=(env.roles.permissions.version, max(env.roles.looked_at, oldest)))


async def _wait_until_woken(follower: Follower, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(follower.woken.wait(), max(seconds, 0.0))
