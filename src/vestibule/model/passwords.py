"""Passwords: what may be one, and hashing that never holds up the rest of the process."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from vestibule.crypto.niced_threads import NicedThreads, PoolFull
from vestibule.crypto.passwords import Hasher
from vestibule.model.errors import Overloaded

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class PasswordRules:
    """Lengths in Unicode code points, and a limit in bytes (SP 800-63B-4, 3.1.1.2; ASVS 5.0, 6.2.9)."""

    min_length: int = 8
    max_length: int = 128
    max_bytes: int = 1024


class Passwords:
    """Makes and checks password hashes off the event loop, at most so many at once; raises `Overloaded`."""

    def __init__(self, hasher: Hasher, threads: NicedThreads) -> None:
        self._hasher = hasher
        self.threads = threads

    async def hash(self, password: str) -> str:
        """A new hash of `password`."""
        return await self._run(self._hasher.hash, password)

    async def match(self, password: str, stored: str | None) -> bool:
        """Whether `password` made `stored`. Without a stored hash: False, after the same work."""
        matches = await self._run(self._hasher.matches, password, stored or self._hasher.decoy)
        return matches and stored is not None

    async def even_out(self, stored: str | None, dearest_bcrypt: int | None) -> None:
        """After a wrong password: the work that another account's hash would have taken beyond that of `stored`."""
        if dearest_bcrypt is not None:
            await self._run(self._hasher.even_out, stored or self._hasher.decoy, dearest_bcrypt)

    def outdated(self, stored: str) -> bool:
        """Whether `stored` should be made anew, now that the password is at hand."""
        return self._hasher.outdated(stored)

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self.threads.run(call, *args, **kwargs)
        except PoolFull:
            raise Overloaded from None
