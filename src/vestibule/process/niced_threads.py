"""A bounded pool of low-priority threads for what burns CPU: password hashes and RSA signatures.

Measured with sixteen sign-ins hammering one process: on two niced threads the 99th percentile of a cheap
request stays in milliseconds at the same sign-in rate; on asyncio's default executor it is tens of
milliseconds, and inline it is seconds.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from vestibule.process.priority import step_back

P = ParamSpec("P")
T = TypeVar("T")


class PoolFull(RuntimeError):
    """As much work waits as may wait. More would only make everybody slower."""


class NicedThreads:
    """At most `threads` calls at once and `waiting` behind them; beyond that `PoolFull`, at once.

    `room` is both together. `under_way` wait or run now; `calls` have begun, after `waited_seconds` all together;
    `refused` met a full pool.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="niced", initializer=step_back)
        self.threads = threads
        self.room = threads + waiting
        self.under_way = 0
        self.calls = self.refused = 0
        self.waited_seconds = 0.0

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `call`, made on one of the threads."""
        if self.under_way >= self.room:
            self.refused += 1
            raise PoolFull
        handed_in = time.monotonic()

        def work_off() -> T:
            loop.call_soon_threadsafe(self._begun, time.monotonic() - handed_in)
            return call(*args, **kwargs)

        loop = asyncio.get_running_loop()
        work = self._executor.submit(work_off)
        # Counted until the thread is done with it, not until somebody stops waiting for it.
        self.under_way += 1
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._one_less))
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        """Let what runs finish; start nothing more."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _begun(self, waited: float) -> None:
        self.calls += 1
        self.waited_seconds += waited

    def _one_less(self) -> None:
        self.under_way -= 1
