"""The ids of the keys in force, as the feed lists them once a second."""

from collections.abc import Collection

_MOST_WITHDRAWN = 1000  # key ids that are remembered


class KeyListing:
    """What the feed has listed. Read from any thread; written only in the background loop.

    After `drop`, the last list no longer says which keys are in force. `lists` and `withdrew` still answer by it, so
    that withdrawn keys stay withdrawn.
    """

    def __init__(self) -> None:
        self.ids: frozenset[str] | None = None
        """The ids in the last list; None before the first list, after `drop`, and if Vestibule is too old to send
        lists.
        """
        self.as_of = float("-inf")
        """The moment at which the keys of the last list were in force, in seconds of our monotonic clock."""
        self._last: frozenset[str] = frozenset()
        self._withdrawn: dict[str, None] = {}  # a set, in the order of withdrawal

    def take(self, listed: Collection[str], as_of: float) -> bool:
        """Take a new list of key ids. Ignore it if it is older than the last one: it comes from a process of Vestibule
        that lags behind. Return whether the keys must be fetched, because it differs from the list before. The first
        list, and the first after `drop`, return False: the keys are fetched then anyway.
        """
        if as_of < self.as_of:
            return False
        had_list, earlier, new = self.ids is not None, self._last, frozenset(listed)
        if new != earlier:
            withdrawn = [kid for kid in dict.fromkeys([*self._withdrawn, *(earlier - new)]) if kid not in new]
            self._withdrawn = dict.fromkeys(withdrawn[-_MOST_WITHDRAWN:])
        self.as_of, self.ids, self._last = as_of, new, new
        return had_list and new != earlier

    def drop(self) -> None:
        """Have no list until a new one comes. A list older than the dropped one is still ignored."""
        self.ids = None

    def lists(self, kid: str) -> bool:
        """Return whether the last list had the key, even if that list was dropped."""
        return kid in self._last

    def withdrew(self, kid: str) -> bool:
        """Return whether an earlier list had the key, and the last one had not."""
        return kid in self._withdrawn
