"""Copy the state of queues, pools and memory into metrics every second, that of the outbox less often, in each server
process.
"""

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
_SAMPLES_PER_QUERY = 5  # the outbox is sampled less often, because that takes a query
_AFTER_FAILURE_SECONDS = 60.0  # so that a lasting failure is logged once a minute
_log = structlog.get_logger(__name__)


class _CopiedTotal:
    """Copies a total that another object counts into a Prometheus counter."""

    def __init__(self, counter: Counter, total: Callable[[], float]) -> None:
        self._counter = counter
        self._total = total
        self._copied = 0.0

    def update(self) -> None:
        """Increase the counter by what the total has grown since the last call."""
        total = self._total()
        self._counter.inc(total - self._copied)
        self._copied = total


class _CopiedTotals:
    """Copies totals by kind that another object counts into a Prometheus counter with a label."""

    def __init__(self, counter: Counter, totals: Callable[[], Mapping[str, int]]) -> None:
        self._counter = counter
        self._totals = totals
        self._by_kind: dict[str, _CopiedTotal] = {}

    def update(self) -> None:
        """Increase the counter of each kind by what its total has grown since the last call."""
        for kind in self._totals().keys() - self._by_kind.keys():
            self._by_kind[kind] = _CopiedTotal(self._counter.labels(kind), lambda kind=kind: self._totals()[kind])  # type: ignore[misc]
        for copied in self._by_kind.values():
            copied.update()


class Samples:
    """Samples the metrics of one process."""

    def __init__(self, env: Env, dropped: Callable[[], int]) -> None:
        self._env = env
        self._totals: list[_CopiedTotal | _CopiedTotals] = [
            _CopiedTotals(meters.EVENTS, lambda: env.store.event_counts),
            _CopiedTotals(meters.LIMITS_REACHED, lambda: env.limiter.refusals),
            _CopiedTotal(meters.LOG_DROPPED, dropped),
            _CopiedTotal(meters.LOOKUPS.labels("hit"), lambda: env.memory.hits),
            _CopiedTotal(meters.LOOKUPS.labels("miss"), lambda: env.memory.misses),
        ]
        self._totals += [*_of_pool("hashing", env.passwords.threads), *_of_pool("signing", env.signing)]
        meters.BUILD.labels(__version__).set(1)

    def sample(self) -> None:
        """Sample everything that needs no I/O."""
        env = self._env
        for total in self._totals:
            total.update()
        meters.POOL_PENDING.labels("hashing").set(max(env.passwords.admitted, env.passwords.threads.under_way))
        meters.POOL_PENDING.labels("signing").set(env.signing.under_way)
        meters.REVOCATIONS.set(len(env.revocations))
        # The age is infinite before the first read. Write 1e9 seconds, thirty years, which every program can read.
        meters.STALENESS.set(min(env.revocations.age(env.clock.monotonic()), 1e9))
        meters.FOLLOWERS.set(len(env.feed))
        meters.CONNECTIONS.set(env.store.connections_in_use)
        meters.CONNECTIONS_LIMIT.set(env.store.connections_limit)

    async def sample_outbox(self) -> None:
        """Sample how many letters wait and were refused, and the age of the oldest, by a query. Raises `Fault`."""
        counts = await count_letters(self._env)
        meters.LETTERS_WAITING.set(counts.waiting)
        meters.LETTERS_REFUSED.set(counts.refused)
        age = self._env.clock.now() - counts.oldest if counts.oldest else None
        meters.OLDEST_LETTER.set(age.total_seconds() if age else 0)


@asynccontextmanager
async def sampled(env: Env, dropped: Callable[[], int]) -> AsyncIterator[None]:
    """Sample while the block lasts, and once more at its end. `dropped` returns how many log lines were dropped."""
    samples = Samples(env, dropped)
    sampling = asyncio.create_task(_sample_forever(samples))
    try:
        yield
    finally:
        sampling.cancel()
        samples.sample()


async def _sample_forever(samples: Samples) -> None:
    taken = 0
    while True:
        try:
            samples.sample()
            if taken % _SAMPLES_PER_QUERY == 0:
                await samples.sample_outbox()
        except Fault:  # the jobs that need the database log that it cannot be reached (`wiring/background.py`)
            pass
        except Exception:
            _log.exception("metrics_not_sampled")
            await asyncio.sleep(_AFTER_FAILURE_SECONDS)
        taken += 1
        await asyncio.sleep(_EVERY_SECONDS)


def _of_pool(name: str, pool: NicedThreads) -> list[_CopiedTotal]:
    return [
        _CopiedTotal(meters.POOL_CALLS.labels(name), lambda: pool.calls),
        _CopiedTotal(meters.POOL_WAITED.labels(name), lambda: pool.waited_seconds),
        _CopiedTotal(meters.POOL_REFUSED.labels(name), lambda: pool.refused),
    ]
