"""The feed: what is revoked, handed on to the services that follow, as this process learns of it."""

import asyncio
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from vestibule.model.errors import Overloaded
from vestibule.model.revocations import Notice, Revocation

MOST_WAITING = 10_000
"""Notices that may wait for one follower. It comes back for them by its cursor if it was too slow."""


class Follower:
    """A service that follows. It is over when it is too slow, when its key is removed, or when the process stops."""

    def __init__(self, key_digest: str) -> None:
        self.key_digest = key_digest
        self.called = asyncio.Event()
        self.over = False
        self._waiting: list[Notice] = []

    def hand(self, notices: Iterable[Notice]) -> None:
        """What is new; it waits until it is taken."""
        self._waiting += notices
        if len(self._waiting) > MOST_WAITING:
            self.end()
        self.called.set()

    def take(self) -> list[Notice]:
        """All that waits."""
        self.called.clear()
        taken, self._waiting = self._waiting, []
        return taken

    def end(self) -> None:
        """Nothing more is handed over."""
        self.over = True
        self._waiting.clear()
        self.called.set()


class Feed:
    """Who follows in this process. Their number is bounded; handing on costs no I/O."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._followers: set[Follower] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._followers)

    @contextmanager
    def following(self, key_digest: str) -> Iterator[Follower]:
        """A follower for as long as the block lasts; raises `Overloaded` where there are too many, or at the end."""
        if self._closed or len(self._followers) >= self._most:
            raise Overloaded
        follower = Follower(key_digest)
        self._followers.add(follower)
        try:
            yield follower
        finally:
            self._followers.discard(follower)

    def publish(self, revocations: Iterable[Revocation]) -> None:
        """Hand on what was learnt."""
        if self._followers and (notices := [n for r in revocations if (n := Notice.of(r))]):
            for follower in self._followers:
                follower.hand(notices)

    def keep(self, key_digests: Collection[str]) -> None:
        """End whoever follows with another key than these."""
        for follower in self._followers:
            if follower.key_digest not in key_digests:
                follower.end()

    def close(self) -> None:
        """End all of them, and let nobody follow from now on."""
        self._closed = True
        for follower in self._followers:
            follower.end()
