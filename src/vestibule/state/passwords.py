"""Hashing and checking passwords off the event loop, so many at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from vestibule.crypto.hash_forms import Cost
from vestibule.crypto.passwords import Hasher
from vestibule.model.errors import Overloaded
from vestibule.process.niced_threads import NicedThreads, PoolFull

P = ParamSpec("P")
T = TypeVar("T")
_BESIDE = 4  # so many are prepared or finished while others' hashes are made; more would only wait for one another


class Passwords:
    """Makes and checks password hashes off the event loop, at most so many at once; raises `Overloaded`."""

    def __init__(self, hasher: Hasher, threads: NicedThreads) -> None:
        self._hasher = hasher
        self.threads = threads
        self.admitted = 0
        self._desks = asyncio.Semaphore(threads.threads + _BESIDE)

    @asynccontextmanager
    async def admission_slot(self) -> AsyncIterator[None]:
        """A place in the line for a hash, kept while the block lasts. Raises `Overloaded` where there is none left.

        Taken before anything else is done for a request, and few are under way at once: in a flood, what comes before
        the hash (the account looked up, the attempt counted) would else keep the database and the loop from everybody.
        """
        if self.admitted >= self.threads.room:
            self.threads.refused += 1
            raise Overloaded
        self.admitted += 1
        try:
            came = time.monotonic()
            async with self._desks:
                self.threads.waited_seconds += time.monotonic() - came
                yield
        finally:
            self.admitted -= 1

    async def hash(self, password: str) -> str:
        """A new hash of `password`."""
        return await self._run(self._hasher.hash, password)

    async def match(self, password: str, stored: str | None) -> bool:
        """Whether `password` made `stored`. Without a stored hash: False, after the same work."""
        matches = await self._run(self._hasher.matches, password, stored or self._hasher.decoy)
        return matches and stored is not None

    async def even_out(
        self, password: str, stored: str | None, highest_bcrypt_cost: int | None, argon2: Collection[Cost] = ()
    ) -> None:
        """After a wrong password: the work that another account's hash would have taken beyond that of `stored`, with
        the bcrypt hash of the highest cost and argon2 hashes of these costs.
        """
        checked = stored or self._hasher.decoy
        if highest_bcrypt_cost is not None:
            await self._run(self._hasher.even_out, password, checked, highest_bcrypt_cost)
        if others := [cost for cost in argon2 if self._hasher.costs_differently(cost)]:
            await self._run(self._hasher.even_out_argon2, password, checked, others)

    def can_match(self, stored: str) -> bool:
        """Whether there may be a password that made `stored`: a known form, a cost within bounds, a known pepper."""
        return self._hasher.can_match(stored)

    def outdated(self, stored: str) -> bool:
        """Whether `stored` should be made anew, now that the password is at hand."""
        return self._hasher.outdated(stored)

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self.threads.run(call, *args, **kwargs)
        except PoolFull:
            raise Overloaded from None
