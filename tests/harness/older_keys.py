"""Signing keys as servers made them before decision 0038: refresh keys of the access keys' algorithm."""

from vestibule.model.signing_keys import KeyManager, KeyUse


class OlderKeyManager(KeyManager):
    """The key manager of an older server. It seals and opens as today's does."""

    def algorithm_for(self, use: KeyUse) -> str:
        """Return the access keys' algorithm for both uses."""
        return self.algorithm
