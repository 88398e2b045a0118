"""Passwords: what may be one, and hashing that never holds up the rest of the process."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from vestibule.crypto.hash_forms import Cost
from vestibule.crypto.passwords import Hasher
from vestibule.model.errors import Overloaded, PasswordTooEasy
from vestibule.process.niced_threads import NicedThreads, PoolFull

P = ParamSpec("P")
T = TypeVar("T")

_BESIDE = 4  # so many are prepared or finished while others' hashes are made; more would only wait for one another


@dataclass(frozen=True)
class PasswordRules:
    """Lengths in Unicode code points, and a limit in bytes (SP 800-63B-4, 3.1.1.2; ASVS 5.0, 6.2.9).

    `commonest` are refused, and so is everything that is one of the words `of_here` (the product, the host), or the
    account's own email, with nothing but digits and signs around it (ASVS 5.0, 6.2.4, 6.2.11); None: nothing is.
    """

    min_length: int = 8
    max_length: int = 128
    max_bytes: int = 1024
    commonest: frozenset[str] | None = field(default=None, repr=False)
    of_here: frozenset[str] = frozenset()

    def require_hard_to_guess(self, password: str, email: str) -> None:
        """Raises `PasswordTooEasy`. The whole password is compared, whatever its case, and no part of it."""
        if self.commonest is None:
            return
        folded = password.casefold()
        if folded in self.commonest:
            raise PasswordTooEasy("one of the commonest")
        if _bare(folded) in {_bare(word.casefold()) for word in (*self.of_here, *_words_of(email))}:
            raise PasswordTooEasy("about the account")


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
        if others := [cost for cost in argon2 if self._hasher.costs_otherwise(cost)]:
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


def _words_of(email: str) -> tuple[str, ...]:
    local, _, domain = email.partition("@")
    return email, local, domain, domain.partition(".")[0]


def _bare(text: str) -> str:
    """Without what is not a letter, at both ends: `Vestibule2026!` is `vestibule`. All of it, if there is no letter."""
    return re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text) or text
