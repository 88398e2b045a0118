"""The feed: pass revocations on to the services that follow, as soon as this process has them."""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from vestibule.model.errors import Overloaded, TooManyFollowers
from vestibule.model.revocations import Notice, Revocation
from vestibule.state.poll_limit import PollLimit

MOST_NOTICES_WAITING = 10_000
"""Notices that may wait for one follower. If more would wait, its connection is ended, and the service connects again
with its cursor, which says how far it has read.
"""


class Follower:
    """One service's connection to the feed. The connection ends if the service is too slow, its key is revoked, or the
    process stops. `key_digest` is the digest of its service key. `woken` is set when there is something to take, or
    when the connection is `over`.
    """

    def __init__(self, key_digest: str) -> None:
        self.key_digest = key_digest
        self.woken = asyncio.Event()
        self.over = False
        self._waiting: list[Notice] = []

    def hand(self, notices: Iterable[Notice]) -> None:
        """Queue notices until they are taken. End the connection if too many wait."""
        self._waiting += notices
        if len(self._waiting) > MOST_NOTICES_WAITING:
            self.end()
        self.woken.set()

    def take(self) -> list[Notice]:
        """Return all notices that wait, and clear the queue."""
        self.woken.clear()
        taken, self._waiting = self._waiting, []
        return taken

    def end(self) -> None:
        """End the connection, and drop the notices that wait."""
        self.over = True
        self._waiting.clear()
        self.woken.set()


class Feed:
    """The feed of this process: the connections of the services, at most `most`. Publishing does no I/O. `polls` limits
    services that poll instead of staying connected.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._followers: set[Follower] = set()
        self._closed = False
        self._one_at_a_time = asyncio.Lock()
        self.polls = PollLimit(most)

    def __len__(self) -> int:
        return len(self._followers)

    @contextmanager
    def following(self, key_digest: str) -> Iterator[Follower]:
        """Yield a follower while the block lasts; raises `TooManyFollowers`, or `Overloaded` if the process stops."""
        if self._closed:
            raise Overloaded
        if len(self._followers) >= self._most:
            raise TooManyFollowers
        follower = Follower(key_digest)
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    async def yield_to_others(self) -> None:
        """Let other tasks run between two parts of a long answer. Only one connection passes here in each iteration of
        the event loop; otherwise a hundred services that start together would hold the loop for a hundred parts.
        """
        async with self._one_at_a_time:
            await asyncio.sleep(0)

    def publish(self, revocations: Iterable[Revocation]) -> None:
        """Pass revocations on to every follower."""
        if not self._followers:
            return
        for_services = map(Notice.of, revocations)  # None for a revocation that concerns Vestibule alone
        if notices := [notice for notice in for_services if notice]:
            for follower in self._followers:
                follower.hand(notices)

    def end_all_but(self, key_digests: Collection[str]) -> None:
        """End the connections of all service keys except these."""
        for follower in self._followers:
            if follower.key_digest not in key_digests:
                follower.end()

    def close(self) -> None:
        """End all connections, and accept no others."""
        self._closed = True
        for follower in self._followers:
            follower.end()
