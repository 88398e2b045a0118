"""Hash and check passwords off the event loop, a bounded number at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from vestibule.crypto.argon2_libraries import Measurement
from vestibule.crypto.passwords import Hasher
from vestibule.crypto.stored_hashes import HashCosts
from vestibule.model.errors import Overloaded
from vestibule.process.niced_threads import NicedThreads, PoolFull

P = ParamSpec("P")
T = TypeVar("T")
_EXTRA_SLOTS = 4  # slots beyond the threads, for requests that are just before or after their hash


class Passwords:
    """Makes and checks password hashes on other threads. Raises `Overloaded` if too many requests wait. `admitted` is
    how many requests hold an admission slot or wait for one.
    """

    def __init__(self, hasher: Hasher, threads: NicedThreads) -> None:
        self._hasher = hasher
        self.threads = threads
        self.admitted = 0
        self._slots = asyncio.Semaphore(threads.threads + _EXTRA_SLOTS)

    @asynccontextmanager
    async def admission_slot(self) -> AsyncIterator[None]:
        """Hold an admission slot for a hash while the block lasts; raises `Overloaded` if none is left.

        Take it before any other work for a request. Otherwise, in a flood, the work before the hash (looking up the
        account, counting the attempt) would keep the database and the event loop busy.
        """
        if self.admitted >= self.threads.capacity:
            self.threads.refused += 1
            raise Overloaded
        self.admitted += 1
        try:
            waiting_since = time.monotonic()
            async with self._slots:
                self.threads.waited_seconds += time.monotonic() - waiting_since
                yield
        finally:
            self.admitted -= 1

    async def hash(self, password: str) -> str:
        """Return a new hash of `password`; raises `Overloaded`."""
        return await self._run(self._hasher.hash, password)

    async def match(self, password: str, stored: str | None) -> bool:
        """Return whether `stored` was made from `password`; raises `Overloaded`. If `stored` is None, do the same work
        and return False.
        """
        matches = await self._run(self._hasher.matches, password, stored or self._hasher.decoy)
        return matches and stored is not None

    async def even_out(self, password: str, stored: str | None, costs: HashCosts) -> None:
        """Do more work after a wrong password, so that its refusal takes equally long whatever hash was stored: all the
        work of checking one hash of the highest cost of each kind, less what checking `stored` took. Raises
        `Overloaded`.
        """
        checked = stored or self._hasher.decoy
        if costs.bcrypt is not None:
            await self._run(self._hasher.even_out_bcrypt, password, checked, costs.bcrypt)
        if other_costs := [cost for cost in costs.argon2 if self._hasher.costs_differently(cost)]:
            await self._run(self._hasher.even_out_argon2, password, checked, other_costs)
        if costs.derived:
            await self._run(self._hasher.even_out_derived, password, checked, costs.derived)

    def choose_library(self) -> Measurement | None:
        """Measure both argon2id libraries, and hash with the faster one from now on. Return the measurement, or None if
        there is no choice. Takes some tens of milliseconds of CPU.
        """
        return self._hasher.choose_library()

    @property
    def library(self) -> str:
        """Return the name of the library that makes argon2id hashes."""
        return self._hasher.library

    def can_match(self, stored: str) -> bool:
        """Return whether any password can match `stored`: a known form, a cost within bounds, a known pepper."""
        return self._hasher.can_match(stored)

    def outdated(self, stored: str) -> bool:
        """Return whether `stored` should be replaced by a new hash of the same password."""
        return self._hasher.outdated(stored)

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self.threads.run(call, *args, **kwargs)
        except PoolFull:
            raise Overloaded from None
