"""Wrong service keys, counted by network: each costs a look into the database."""

from datetime import timedelta

from vestibule.model.clock import Clock
from vestibule.model.service_keys import ServiceKey, digest_of

WRONG_KEYS = 60
"""How many wrong keys of one network are looked up in a minute."""
_MOST_NETWORKS = 10_000
_MINUTE = 60


class WrongKeys:
    """Counts wrong service keys by network, in this process and for the minute: each costs a look into the database.

    A key that was right before is looked up all the same, so that nobody on a service's network keeps it out.
    """

    def __init__(self) -> None:
        self._right: set[str] = set()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def wait(self, key: str, network: str, clock: Clock) -> timedelta | None:
        """Return how long until a key that comes from a network is looked up; None if it is at once."""
        now = int(clock.monotonic())
        if now // _MINUTE != self._minute:
            self._minute, self._counts = now // _MINUTE, {}
        digest = digest_of(key)
        if digest is None or digest in self._right or self._counts.get(network, 0) < WRONG_KEYS:
            return None
        return timedelta(seconds=_MINUTE - now % _MINUTE)

    def right(self, service: ServiceKey) -> None:
        """Remember the key of a service; there are as many as an operator has made."""
        self._right.add(service.digest)

    def add(self, network: str) -> None:
        """Count one more. Where too many networks try, those that are new count as one."""
        known = network in self._counts or len(self._counts) < _MOST_NETWORKS
        counted = network if known else ""
        self._counts[counted] = self._counts.get(counted, 0) + 1
