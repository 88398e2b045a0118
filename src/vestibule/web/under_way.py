"""Requests that are being handled, by their connection. `connections` reads from it which ones may be cut."""

from enum import Enum, auto

from starlette.types import Scope

Peer = tuple[str, int]
"""The address and port at the other end of a connection."""


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


class UnderWay:
    """The stage of each request that is being handled. The event loop writes it; the thread of `connections` reads it.

    It has at most one entry for each open connection, because HTTP/1.1 allows one request at a time on each. A request
    that is answered from memory is not recorded.
    """

    def __init__(self) -> None:
        self._stages: dict[Peer, Stage] = {}

    def __len__(self) -> int:
        return len(self._stages)

    def at(self, peer: Peer | None, stage: Stage) -> None:
        """Record the stage of the request from `peer`."""
        if peer is not None:
            self._stages[peer] = stage

    def over(self, peer: Peer | None) -> None:
        """Remove the request from `peer`: it was answered or given up."""
        if peer is not None:
            self._stages.pop(peer, None)

    def of(self, peer: Peer) -> Stage | None:
        """Return the stage of the request from `peer`; None without one, or while its headers are still arriving."""
        return self._stages.get(peer)
