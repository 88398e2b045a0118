"""Limit how often a service polls the feed: each of its worker processes needs to poll about once a second."""

from datetime import timedelta

from vestibule.model.errors import TooManyPolls

POLLS_EACH = 2
"""Polls that one worker process may send in a second. The kit never sends three: they take at least 1.2 s, even if one
of them fails and is repeated early.
"""
_SECOND = timedelta(seconds=1)


class PollLimit:
    """Counts the polls of each service key in this process, a second at a time. Up to `followers` worker processes may
    poll with one key.
    """

    def __init__(self, followers: int) -> None:
        self._most = POLLS_EACH * followers
        self._second = 0
        self._counts: dict[str, int] = {}

    def count(self, key_digest: str, now: float) -> None:
        """Count a poll at `now`, in seconds of the monotonic clock; raises `TooManyPolls`."""
        if int(now) != self._second:
            self._second, self._counts = int(now), {}
        counted = self._counts.get(key_digest, 0)
        if counted >= self._most:
            raise TooManyPolls(_SECOND)
        self._counts[key_digest] = counted + 1
