"""Requests under way, by the connection that each came on: what may be cut when connections have to go."""

from enum import Enum, auto

from starlette.types import Scope

Peer = tuple[str, int]
"""The address and port at the other end of a connection."""


def peer_of(scope: Scope) -> Peer | None:
    """Return who asks, as the operating system has it; None if the server does not say. Granian's port is a text."""
    client = scope.get("client")
    return (str(client[0]), int(client[1])) if client else None


class Stage(Enum):
    """How far a request is. The client can hold up the first and the last for as long as it likes."""

    READING = auto()
    WORKING = auto()
    ANSWERING = auto()


class UnderWay:
    """Kept by the event loop, and read by the thread that sheds. HTTP/1.1 has one request at a time on a connection.

    It holds one entry for each open connection at most. What is answered from memory at once is not in it.
    """

    def __init__(self) -> None:
        self._stages: dict[Peer, Stage] = {}

    def __len__(self) -> int:
        return len(self._stages)

    def at(self, peer: Peer | None, stage: Stage) -> None:
        """Note how far the request of `peer` is."""
        if peer is not None:
            self._stages[peer] = stage

    def over(self, peer: Peer | None) -> None:
        """Note that the request of `peer` is answered, or given up."""
        if peer is not None:
            self._stages.pop(peer, None)

    def of(self, peer: Peer) -> Stage | None:
        """Return how far the request of `peer` is; None if there is none, or its head is not complete."""
        return self._stages.get(peer)
