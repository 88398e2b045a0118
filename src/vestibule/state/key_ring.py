"""The key ring: the keys that this process signs and checks with. Replaced when those in the database change."""

from dataclasses import dataclass

from vestibule.model.signing_keys import KeySet, KeyState, KeyStates, KeyUse


@dataclass
class KeyRing:
    """All keys of this server, as this process knows them.

    `key_states` are the ids and states of the keys in the database, as read at `looked_at` (monotonic seconds). Keys
    given by settings are never read again, so their `looked_at` is infinite.
    """

    access: KeySet
    refresh: KeySet
    key_states: KeyStates = frozenset()
    looked_at: float = float("inf")

    def replace(self, access: KeySet, refresh: KeySet, key_states: KeyStates) -> bool:
        """Use these keys from now on. Return whether an access key was withdrawn: tokens that it signed are now
        refused.
        """
        gone = self.access.checking.keys() - access.checking.keys()
        self.access, self.refresh, self.key_states = access, refresh, key_states
        return bool(gone)

    @property
    def uses_without_next(self) -> list[KeyUse]:
        """Return the uses that have no next key."""
        with_next = {key.use for key in self.key_states if key.state is KeyState.NEXT}
        return [use for use in KeyUse if use not in with_next]
