"""Sample what is measured by looking: queues, pools, memory and the outbox, every second."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from prometheus_client import Counter

from vestibule import __version__
from vestibule.flows.env import Env
from vestibule.flows.look_after_mail import count_letters
from vestibule.model.errors import Fault
from vestibule.observability.metrics import meters
from vestibule.process.niced_threads import NicedThreads

_EVERY_SECONDS = 1.0
_OUTBOX_EVERY = 5  # samples, because it is a query
_AFTER_FAILURE_SECONDS = 60.0  # so that it is logged once a minute
_log = structlog.get_logger(__name__)


class _Rising:
    """A counter for a total that somebody else keeps."""

    def __init__(self, counter: Counter, total: Callable[[], float]) -> None:
        self._counter = counter
        self._total = total
        self._told = 0.0

    def look(self) -> None:
        """Add what the total has grown by."""
        total = self._total()
        self._counter.inc(total - self._told)
        self._told = total


class _RisingKinds:
    """A counter with a label, for totals that somebody else keeps by kind."""

    def __init__(self, counter: Counter, totals: Callable[[], Mapping[str, int]]) -> None:
        self._counter = counter
        self._totals = totals
        self._rising: dict[str, _Rising] = {}

    def look(self) -> None:
        """Add what each total has grown by."""
        for kind in self._totals().keys() - self._rising.keys():
            self._rising[kind] = _Rising(self._counter.labels(kind), lambda kind=kind: self._totals()[kind])  # type: ignore[misc]
        for rising in self._rising.values():
            rising.look()


class Samples:
    """The samples of one process."""

    def __init__(self, env: Env, dropped: Callable[[], int]) -> None:
        self._env = env
        self._rising: list[_Rising | _RisingKinds] = [
            _RisingKinds(meters.EVENTS, lambda: env.store.happened),
            _RisingKinds(meters.LIMITS_REACHED, lambda: env.limiter.reached),
            _Rising(meters.LOG_DROPPED, dropped),
            _Rising(meters.LOOKUPS.labels("hit"), lambda: env.memory.hits),
            _Rising(meters.LOOKUPS.labels("miss"), lambda: env.memory.misses),
        ]
        self._rising += [*_of_pool("hashing", env.passwords.threads), *_of_pool("signing", env.signing)]
        meters.BUILD.labels(__version__).set(1)

    def look(self) -> None:
        """Sample everything that costs no I/O."""
        env = self._env
        for rising in self._rising:
            rising.look()
        meters.POOL_PENDING.labels("hashing").set(max(env.passwords.admitted, env.passwords.threads.under_way))
        meters.POOL_PENDING.labels("signing").set(env.signing.under_way)
        meters.REVOCATIONS.set(len(env.revocations))
        meters.STALENESS.set(min(env.revocations.age(env.clock.monotonic()), 1e9))
        meters.FOLLOWERS.set(len(env.feed))
        meters.CONNECTIONS.set(env.store.connections_in_use)
        meters.CONNECTIONS_LIMIT.set(env.store.connections_limit)

    async def look_into_outbox(self) -> None:
        """Sample how many letters wait, and for how long."""
        backlog = await count_letters(self._env)
        meters.LETTERS_WAITING.set(backlog.waiting)
        meters.LETTERS_REFUSED.set(backlog.refused)
        age = self._env.clock.now() - backlog.oldest if backlog.oldest else None
        meters.OLDEST_LETTER.set(age.total_seconds() if age else 0)


@asynccontextmanager
async def sampled(env: Env, dropped: Callable[[], int]) -> AsyncIterator[None]:
    """Sample while the block lasts, and once more at its end. `dropped` returns how many log lines were dropped."""
    samples = Samples(env, dropped)
    looking = asyncio.create_task(_look(samples))
    try:
        yield
    finally:
        looking.cancel()
        samples.look()


async def _look(samples: Samples) -> None:
    looks = 0
    while True:
        try:
            samples.look()
            if looks % _OUTBOX_EVERY == 0:
                await samples.look_into_outbox()
        except Fault:  # logged elsewhere
            pass
        except Exception:
            _log.exception("metrics_not_sampled")
            await asyncio.sleep(_AFTER_FAILURE_SECONDS)
        looks += 1
        await asyncio.sleep(_EVERY_SECONDS)


def _of_pool(name: str, pool: NicedThreads) -> list[_Rising]:
    return [
        _Rising(meters.POOL_CALLS.labels(name), lambda: pool.calls),
        _Rising(meters.POOL_WAITED.labels(name), lambda: pool.waited_seconds),
        _Rising(meters.POOL_REFUSED.labels(name), lambda: pool.refused),
    ]
