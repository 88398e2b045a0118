"""A pepper: a secret outside the database, without which a stolen hash says nothing about a password.

The password is put through HMAC-SHA-256 with it before it is hashed (Password Storage Cheat Sheet, "Peppering"). Which
one it was stands before the hash, by name, so that it can be changed: `hmac-sha256:1f0c97a2$argon2id$…`.
"""

import base64
import hmac
from dataclasses import dataclass

MARK = "hmac-sha256:"
"""How a stored hash begins that was made with any pepper."""
_NAME_CHARACTERS = 8


@dataclass(frozen=True, repr=False)
class Pepper:
    """One secret."""

    secret: str

    @property
    def name(self) -> str:
        """By what it is known. Says nothing of the secret."""
        return hmac.digest(self.secret.encode(), b"vestibule pepper name", "sha256").hex()[:_NAME_CHARACTERS]

    @property
    def mark(self) -> str:
        """How a stored hash begins that was made with this one."""
        return f"{MARK}{self.name}$"

    def over(self, password: bytes) -> bytes:
        """What is hashed in the password's place: 44 characters, which bcrypt reads whole."""
        return base64.b64encode(hmac.digest(self.secret.encode(), password, "sha256"))


class Peppers:
    """The one for new hashes, if there is one, and those that older hashes were made with."""

    def __init__(self, current: str = "", *old: str) -> None:
        self._current = Pepper(current) if current else None
        self._known = {pepper.name: pepper for pepper in map(Pepper, filter(None, (current, *old)))}

    def over(self, password: bytes) -> bytes:
        """What a new hash is made of."""
        return self._current.over(password) if self._current else password

    def marked(self, made: str) -> str:
        """A new hash as it is stored."""
        return f"{self._current.mark}{made[1:]}" if self._current else made

    def taken_off(self, stored: str, password: bytes) -> tuple[str, bytes] | None:
        """The hash itself, and what it must have been made of; None where the pepper is not known any more."""
        if not stored.startswith(MARK):
            return stored, password
        name, _, made = stored.removeprefix(MARK).partition("$")
        pepper = self._known.get(name)
        return None if pepper is None else (f"${made}", pepper.over(password))

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made with another pepper than new ones, or with none where there is one."""
        return not stored.startswith(self.marked("$"))
