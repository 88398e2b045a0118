"""Limit the wrong service keys of a network, because each costs a database query. `asking_service` calls this."""

from datetime import timedelta

from vestibule.model.clock import Clock
from vestibule.model.service_keys import ServiceKey, digest_of

WRONG_KEYS = 60
"""How many wrong keys of one network are looked up in a minute."""
MOST_NETWORKS = 10_000
"""How many networks have a counter of their own."""
_OTHER_NETWORKS = ""  # the counter of all networks that have none of their own
_WINDOW_SECONDS = 60


class WrongKeys:
    """Counts wrong service keys by network, in this process, for one minute at a time.

    A key that was right before never has to wait, so that nobody on a service's network can lock the service out.
    """

    def __init__(self) -> None:
        self._right: set[str] = set()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def retry_after(self, key: str, network: str, clock: Clock) -> timedelta | None:
        """Return how long to wait before the key may be looked up; None if it may be looked up now."""
        now = int(clock.monotonic())
        if now // _WINDOW_SECONDS != self._minute:
            self._minute, self._counts = now // _WINDOW_SECONDS, {}
        digest = digest_of(key)
        if digest is None or digest in self._right or self._counts.get(self._counter_of(network), 0) < WRONG_KEYS:
            return None
        return timedelta(seconds=_WINDOW_SECONDS - now % _WINDOW_SECONDS)

    def remember_right_key(self, key: ServiceKey) -> None:
        """Remember a right key. There are only as many keys as the operator has created."""
        self._right.add(key.digest)

    def count(self, network: str) -> None:
        """Count one wrong key of the network."""
        counter = self._counter_of(network)
        self._counts[counter] = self._counts.get(counter, 0) + 1

    def _counter_of(self, network: str) -> str:
        """Return the counter of a network. The table holds 10,000; all further networks share one."""
        has_its_own = network in self._counts or len(self._counts) < MOST_NETWORKS
        return network if has_its_own else _OTHER_NETWORKS
