"""The key ring: the keys that this process signs and checks with, replaced when the database has others."""

from dataclasses import dataclass

from vestibule.model.signing_keys import KeySet, KeyState, KeyUse, Standing


@dataclass
class KeyRing:
    """All keys of this server, as this process knows them.

    `standing` is what the database said at `looked_at` (monotonic seconds); keys given by settings never grow old.
    """

    access: KeySet
    refresh: KeySet
    standing: Standing = frozenset()
    looked_at: float = float("inf")

    def replace(self, access: KeySet, refresh: KeySet, standing: Standing) -> bool:
        """Use these keys from now on; return whether a key has gone, so that what it signed is no longer accepted."""
        gone = self.access.checking.keys() - access.checking.keys()
        self.access, self.refresh, self.standing = access, refresh, standing
        return bool(gone)

    @property
    def lacking_next(self) -> list[KeyUse]:
        """Return the uses that have no next key."""
        having = {use for _, use, state in self.standing if state is KeyState.NEXT}
        return [use for use in KeyUse if use not in having]
