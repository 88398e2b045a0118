"""The ids of the keys in force, as the feed lists them once a second."""

from collections.abc import Collection

_MOST_REMEMBERED = 1000


class KeyListing:
    """What the feed has listed. Read from any thread; written only in the background loop."""

    def __init__(self) -> None:
        self.ids: frozenset[str] | None = None
        """The ids that were listed last; None before the first list, and with a Vestibule that lists none."""
        self.as_of = float("-inf")
        """The moment at which these were the keys in force, in seconds of our monotonic clock."""
        self._ever_listed: set[str] = set()

    def hear(self, listed: Collection[str], as_of: float) -> bool:
        """Take the key ids that the feed lists, unless the list is older than the last one, as that of a process that
        lags behind; return whether the list changed, which is a reason to fetch.
        """
        if as_of < self.as_of:
            return False
        self.as_of = as_of
        before, self.ids = self.ids, frozenset(listed)
        if len(self._ever_listed) > _MOST_REMEMBERED:
            self._ever_listed.clear()
        self._ever_listed |= self.ids
        return before is not None and before != self.ids

    def drop(self) -> None:
        """Drop the list, until the next one, which may not be older. Keys that were withdrawn stay withdrawn."""
        self.ids = None

    def lists(self, kid: str) -> bool:
        """Return whether the key is in force, by the last list."""
        return self.ids is not None and kid in self.ids

    def has_listed(self, kid: str) -> bool:
        """Return whether the key was listed once. If it is not listed now, it was withdrawn."""
        return kid in self._ever_listed
