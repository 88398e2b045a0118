"""The limit of polls: a service polls about once a second in each of its worker processes, and may not do much more."""

from datetime import timedelta

from vestibule.model.errors import TooManyPolls

POLLS_EACH = 2
"""Polls of one worker process in a second. It never has more: three take 1.2 s, also where one of them failed."""
_SECOND = timedelta(seconds=1)


class PollLimit:
    """Counts the polls of each service key in this process, a second at a time. A key may have as many workers as may
    follow the feed.
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
