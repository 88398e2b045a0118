"""A pepper: a secret outside the database, without which a stolen hash cannot be attacked.

The input of the hash is the HMAC-SHA-256 of the password with the pepper (OWASP, Password Storage Cheat Sheet,
"Peppering"). The pepper's name is stored before the hash, so that peppers can be changed:
`hmac-sha256:1f0c97a2$argon2id$…`.
"""

import base64
import hmac
from dataclasses import dataclass

PEPPER_PREFIX = "hmac-sha256:"
"""The beginning of every stored hash that was made with a pepper."""
_NAME_CHARACTERS = 8


@dataclass(frozen=True, repr=False)
class Pepper:
    """One pepper: the secret, and the mark with which hashes made with it begin."""

    secret: str

    @property
    def name(self) -> str:
        """Return the pepper's name, 8 hexadecimal characters. A thief of the hashes can try secrets against the
        name, so the secret must be too long to be found by trying.
        """
        return hmac.digest(self.secret.encode(), b"vestibule pepper name", "sha256").hex()[:_NAME_CHARACTERS]

    @property
    def mark(self) -> str:
        """Return the beginning of every hash made with this pepper."""
        return f"{PEPPER_PREFIX}{self.name}$"

    def apply(self, password: bytes) -> bytes:
        """Return the input to hash instead of the password: 44 characters, few enough for bcrypt."""
        return base64.b64encode(hmac.digest(self.secret.encode(), password, "sha256"))


class Peppers:
    """The pepper for new hashes, if there is one, and those of older hashes."""

    def __init__(self, current: str = "", *old: str) -> None:
        self._current = Pepper(current) if current else None
        self._known = {pepper.name: pepper for pepper in map(Pepper, filter(None, (current, *old)))}

    def apply(self, password: bytes) -> bytes:
        """Return the input for a new hash."""
        return self._current.apply(password) if self._current else password

    def with_mark(self, hashed: str) -> str:
        """Return a new hash as it is stored. The mark ends with the `$` that the hash begins with."""
        return f"{self._current.mark}{hashed.removeprefix('$')}" if self._current else hashed

    def unpeppered(self, stored: str, password: bytes) -> tuple[str, bytes] | None:
        """Return the hash without its pepper's mark, and the input to hash; None for an unknown pepper."""
        if not stored.startswith(PEPPER_PREFIX):
            return stored, password
        name, _, hashed = stored.removeprefix(PEPPER_PREFIX).partition("$")
        pepper = self._known.get(name)
        return None if pepper is None else (f"${hashed}", pepper.apply(password))

    def outdated(self, stored: str) -> bool:
        """Return whether `stored` was made with another pepper than new hashes are, or if only one of both has any."""
        beginning = self._current.mark if self._current else "$"
        return not stored.startswith(beginning)
