"""Keep the stage of each request in flight. Two layers write it: `draining` and `fast_path`. `connections` reads it."""

import math
import time
from enum import Enum, auto

from starlette.types import Scope

Peer = tuple[
    str,  # the address at the other end of a connection
    int,  # the port there
]

_WRITTEN_SECONDS = 1.0
"""The server library writes an answer in a thread of its own, within this time after the application has given it."""


def peer_of(scope: Scope) -> Peer | None:
    """Return the other end of the request's connection; None if the server does not name it. Granian gives the port as
    text.
    """
    client = scope.get("client")
    return (str(client[0]), int(client[1])) if client else None


class Stage(Enum):
    """How far a request is. A slow client can make `READING` and `ANSWERING` last as long as it likes."""

    READING = auto()
    WORKING = auto()
    ANSWERING = auto()


class InFlight:
    """The stage of each request in flight, by its connection. The event loop writes; the thread of `connections` reads.

    The table has at most one entry for each open connection, because HTTP/1.1 allows one request at a time on each, and
    one for each answer of the last second. A request that is answered from memory is not recorded.
    """

    def __init__(self) -> None:
        self._requests: dict[Peer, tuple[Stage, float]] = {}  # with the time from which the stage counts
        self._answered: dict[Peer, float] = {}  # with the time of the answer

    def __len__(self) -> int:
        return len(self._requests)

    def record(self, peer: Peer | None, stage: Stage) -> None:
        """Record the stage of the request from `peer`."""
        if peer is None:
            return
        known, since = self._requests.get(peer), time.monotonic()
        if known is not None and stage is not Stage.ANSWERING:
            _, since = known  # reading and working count from the request's beginning
        self._requests[peer] = stage, since

    def finish(self, peer: Peer | None) -> None:
        """Remove the request from `peer`: it was answered or given up. The client may not have the answer yet."""
        if peer is None or peer not in self._requests:
            return
        now = time.monotonic()
        self._answered.pop(peer, None)  # so that this answer becomes the last entry, and the oldest is the first
        self._answered[peer] = now
        del self._requests[peer]  # only now, so that the other thread always finds the request in one of the two
        while now - next(iter(self._answered.values())) > _WRITTEN_SECONDS:
            del self._answered[next(iter(self._answered))]

    def stage_of(self, peer: Peer) -> tuple[Stage | None, float]:
        """Return the stage of the request from `peer`, and the seconds since it began, or since its answer began.

        An answer of the last second counts as `ANSWERING`, because it may not be written yet. The stage is None without
        a request, or while its headers are still arriving.
        """
        if known := self._requests.get(peer):
            stage, since = known
            return stage, time.monotonic() - since
        seconds = time.monotonic() - self._answered.get(peer, -math.inf)
        return (Stage.ANSWERING, seconds) if seconds <= _WRITTEN_SECONDS else (None, math.inf)
