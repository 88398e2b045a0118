"""The ids of the keys in force, as the feed lists them once a second."""

from collections.abc import Collection

_MOST_REMEMBERED = 1000


class KeyListing:
    """What the feed has listed. Read from any thread; written only in the background loop."""

    def __init__(self) -> None:
        self.ids: frozenset[str] | None = None
        """The ids in the last list; None before the first list, and if Vestibule is too old to send lists."""
        self.as_of = float("-inf")
        """The moment at which the listed keys were in force, in seconds of our monotonic clock."""
        self._ever_listed: set[str] = set()

    def take(self, listed: Collection[str], as_of: float) -> bool:
        """Take a new list of key ids. Ignore it if it is older than the last one: it comes from a process of Vestibule
        that lags behind. Return whether the list changed, which is a reason to fetch the keys.
        """
        if as_of < self.as_of:
            return False
        self.as_of = as_of
        earlier, self.ids = self.ids, frozenset(listed)
        if len(self._ever_listed) > _MOST_REMEMBERED:
            self._ever_listed.clear()
        self._ever_listed |= self.ids
        return earlier is not None and earlier != self.ids

    def drop(self) -> None:
        """Drop the list until a new one comes, which may not be older. Withdrawn keys stay withdrawn."""
        self.ids = None

    def lists(self, kid: str) -> bool:
        """Return whether the last list has the key."""
        return self.ids is not None and kid in self.ids

    def has_listed(self, kid: str) -> bool:
        """Return whether any list had the key. If so, and the last list lacks it, it was withdrawn."""
        return kid in self._ever_listed
