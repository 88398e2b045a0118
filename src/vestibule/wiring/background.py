"""Background work of a server process: follow revocations and keys, deliver letters, clean up, choose a hash library.

`app` starts it with `running`.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict

import structlog

from vestibule.crypto.entropy import jitter
from vestibule.flows.be_ready import check_clock, check_schema, drain
from vestibule.flows.clean_up import clean_up
from vestibule.flows.deliver import deliver_next
from vestibule.flows.env import Env
from vestibule.flows.feed_services import end_feeds_of_revoked_keys
from vestibule.flows.follow_keys import ensure_next_keys, reread_keys, withdraw_spent_keys
from vestibule.flows.follow_revocations import (
    listen_for_wake_ups,
    purge_old_revocations,
    read_new_backlog,
    read_whole_backlog,
)
from vestibule.flows.follow_roles import reread_roles
from vestibule.model.clock import MOST_APART
from vestibule.model.errors import Fault, StoreUnavailable
from vestibule.observability.metrics.background import observe_revocation_lag, timed
from vestibule.observability.metrics.meters import LETTERS
from vestibule.process.niced_threads import NicedThreads
from vestibule.process.signals import on_stop_signal
from vestibule.storage.outage import Outage

POLL_SECONDS = 1.0
_POLLS_PER_MINUTE = 60
_POLLS_PER_SCHEMA_CHECK = 10
CLEAN_UP_SECONDS = 600.0
REPLICA_CHECK_SECONDS = 10.0
_LAST_LETTER_SECONDS = 3.0  # with `_CANCEL_AGAIN_SECONDS`, background work ends within five seconds
_RANDOM_PAUSE_SECONDS = 1.0
_CANCEL_AGAIN_SECONDS = 1.5  # longer than it takes to put a letter back into the outbox
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(env: Env) -> AsyncIterator[None]:
    """Run all background work while the block lasts. Before it begins, read the revocations once, unless the clock
    differs from the database's.
    """
    if await check_clock(env):
        await read_whole_backlog(env)
    await env.replica.check_setup()
    stopping = asyncio.Event()
    delivering = asyncio.create_task(deliver_letters(env, stopping))
    choosing = asyncio.create_task(choose_hash_library(env))
    cleaning, checking = asyncio.create_task(clean_up_repeatedly(env)), asyncio.create_task(check_replica(env))
    tasks = [*_following_tasks(env), cleaning, checking, delivering, choosing]
    try:
        # At a stop signal, the server library waits until every response has ended. `drain` ends the feed's responses.
        with on_stop_signal(lambda: drain(env)):
            yield
    finally:
        env.feed.close()
        # Let the letter that is being sent finish: if cancelled, it would be sent again.
        stopping.set()
        env.letters_waiting.set()
        await asyncio.wait([delivering], timeout=_LAST_LETTER_SECONDS)
        await end(tasks)


def _following_tasks(env: Env) -> list[asyncio.Task[None]]:
    woken = asyncio.Event()
    return [
        asyncio.create_task(follow_revocations(env, woken)),
        asyncio.create_task(listen_for_wake_ups(env, woken)),
        asyncio.create_task(follow_keys(env)),
    ]


async def choose_hash_library(env: Env) -> None:
    """Measure which library hashes faster here, use it, and log its name. No request waits for the measurement."""
    milliseconds = None
    try:
        with contextlib.closing(NicedThreads(threads=1, waiting=0)) as thread:
            if measured := await thread.run(env.passwords.choose_library):
                milliseconds = {name: round(taken, 1) for name, taken in asdict(measured).items()}
    except Exception:
        _log.exception("password_hashing_not_measured")
    _log.info("password_hashing", library=env.passwords.library, milliseconds=milliseconds)


async def end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they end. Cancels repeatedly, because before Python 3.12 `asyncio.wait_for` loses a
    cancellation that arrives at the moment when its awaited task is done.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)


async def follow_revocations(env: Env, woken: asyncio.Event) -> None:
    """Read the whole backlog of revocations once a second, and only what is new after each wake-up in between."""
    polls = 0
    outage = Outage("follow_revocations", env.clock)
    while True:
        try:
            with timed("read_whole_backlog"):
                if await check_clock(env):
                    observe_revocation_lag(await read_whole_backlog(env), "poll", env.clock.now())
            outage.end()
            await _read_new_until_next_poll(env, woken)
            polls += 1
            if polls % _POLLS_PER_SCHEMA_CHECK == 0:
                await check_schema(env)
            if polls % _POLLS_PER_MINUTE == 0:
                await end_feeds_of_revoked_keys(env)
        except Fault as fault:
            # Noting it is enough: `state.revocation_set` refuses to answer from revocations that are too old.
            outage.note(fault)
            await asyncio.sleep(POLL_SECONDS / 4)


async def _read_new_until_next_poll(env: Env, woken: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    next_poll = loop.time() + POLL_SECONDS  # of `follow_revocations`
    while (left := next_poll - loop.time()) > 0:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), left)
        if woken.is_set():
            woken.clear()
            with timed("read_new_backlog"):
                observe_revocation_lag(await read_new_backlog(env), "wake_up", env.clock.now())


async def follow_keys(env: Env) -> None:
    """Read the signing keys and the roles once a second, and create a missing next key. Once a minute, withdraw spent
    keys.
    """
    outage = Outage("follow_keys", env.clock)
    for polls in itertools.count():
        try:
            with timed("follow_keys"):
                await reread_keys(env, env.watching)
                await reread_roles(env, env.watching)
                await ensure_next_keys(env)
            if (polls + 1) % _POLLS_PER_MINUTE == 0:  # not in the first minute, when the clock may still be set
                await withdraw_spent_keys(env)
            outage.end()
        except Fault as fault:
            outage.note(fault)
        await asyncio.sleep(POLL_SECONDS)


async def check_replica(env: Env, every: float = REPLICA_CHECK_SECONDS) -> None:
    """Check the session replica on Redis every `every` seconds. The check logs when Redis is away, when it is back, and
    when it may drop rate counters.
    """
    while True:
        await asyncio.sleep(every)
        await env.replica.check_setup()


async def clean_up_repeatedly(env: Env, every: float = CLEAN_UP_SECONDS) -> None:
    """Delete what has expired, every `every` seconds. No exception ends the loop."""
    outage = Outage("clean_up", env.clock)
    while True:
        offset = _offset(env)
        await asyncio.sleep(every)
        if abs(_offset(env) - offset) > MOST_APART.total_seconds():
            _log.warning(
                "not_cleaned_up", hint="the clock was set; cleaning up goes on once it has run undisturbed for a while"
            )
            continue
        try:
            await _clean_up_once(env)
            outage.end()
        except StoreUnavailable as fault:
            outage.note(fault)
        except Exception:
            _log.exception("clean_up_failed")


async def _clean_up_once(env: Env) -> None:
    with timed("clean_up"):
        deleted = await clean_up(env) | {"revocations": await purge_old_revocations(env)}
    if any(deleted.values()):
        _log.info("cleaned_up", **deleted)


def _offset(env: Env) -> float:
    """Return the wall clock minus the monotonic clock, in seconds. The difference changes only if the wall clock is
    set.
    """
    return env.clock.now().timestamp() - env.clock.monotonic()


async def deliver_letters(env: Env, stopping: asyncio.Event) -> None:
    """Deliver the letters that are due, then wait for a wake-up, at most a second. Only `stopping` ends the loop."""
    outage = Outage("deliver_letters", env.clock)
    while not stopping.is_set():
        env.letters_waiting.clear()  # first: a letter may be queued just after the last query
        try:
            while await _delivered(env) and not stopping.is_set():
                pass
            outage.end()
        except StoreUnavailable as fault:
            outage.note(fault)
        except Exception:
            _log.exception("delivery_failed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(env.letters_waiting.wait(), POLL_SECONDS)
            # Pause for a random time. Otherwise a client could tell from the server's load that a letter is sent, and
            # so that the account exists.
            if not stopping.is_set():
                await asyncio.wait_for(stopping.wait(), jitter(_RANDOM_PAUSE_SECONDS))


async def _delivered(env: Env) -> bool:
    """Deliver the next letter that is due; return whether there was one."""
    with timed("deliver_next"):
        outcome = await deliver_next(env)
    if outcome is not None:
        LETTERS.labels(outcome.value).inc()
    return outcome is not None
