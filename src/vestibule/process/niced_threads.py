"""A bounded pool of low-priority threads for CPU-bound work: password hashes and RSA signatures.

Measured with sixteen clients that sign in continuously, at the same rate in each case: the 99th percentile of a cheap
request was some milliseconds with the hashes on two niced threads, tens of milliseconds with asyncio's default
executor, and seconds with the hashes in the event loop itself.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from vestibule.process.priority import lower_priority

P = ParamSpec("P")
T = TypeVar("T")


class PoolFull(RuntimeError):
    """The pool runs and queues as many calls as it may. A longer queue would only make every caller wait longer."""


class NicedThreads:
    """Runs at most `threads` calls at once, and queues at most `waiting` more. Raises `PoolFull` beyond that.

    `capacity` is the sum of both. `under_way` is how many calls wait or run now. `calls` counts the calls that have
    begun, `refused` those that found the pool full, `waited_seconds` the total time that calls have waited.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="niced", initializer=lower_priority)
        self.threads = threads
        self.capacity = threads + waiting
        self.under_way = 0
        self.calls = self.refused = 0
        self.waited_seconds = 0.0

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of `call`, made on one of the threads; raises `PoolFull`, and what `call` raises."""
        if self.under_way >= self.capacity:
            self.refused += 1
            raise PoolFull
        loop, submitted = asyncio.get_running_loop(), time.monotonic()

        def timed_call() -> T:
            loop.call_soon_threadsafe(self._count_begun, time.monotonic() - submitted)
            return call(*args, **kwargs)

        work = self._executor.submit(timed_call)
        self.under_way += 1  # until the thread is done, even if the caller stops waiting
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._count_ended))
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        """Wait for running calls; cancel those that wait."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _count_begun(self, waited: float) -> None:
        self.calls += 1
        self.waited_seconds += waited

    def _count_ended(self) -> None:
        self.under_way -= 1
