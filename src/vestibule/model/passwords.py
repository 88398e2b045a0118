"""Passwords: what may be one, and hashing that never holds up the rest of the process."""

from dataclasses import dataclass

from vestibule.crypto.niced_threads import NicedThreads, PoolFull
from vestibule.crypto.passwords import Hasher
from vestibule.model.errors import Overloaded


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
        self._threads = threads

    async def hash(self, password: str) -> str:
        """A new hash of `password`."""
        try:
            return await self._threads.run(self._hasher.hash, password)
        except PoolFull:
            raise Overloaded from None

    async def match(self, password: str, stored: str | None) -> bool:
        """Whether `password` made `stored`. Without a stored hash: False, after the same work."""
        try:
            matches = await self._threads.run(self._hasher.matches, password, stored or self._hasher.decoy)
        except PoolFull:
            raise Overloaded from None
        return matches and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether `stored` should be made anew, now that the password is at hand."""
        return self._hasher.outdated(stored)
