"""Password hashes: argon2id for our own (RFC 9106), bcrypt accepted from elsewhere and replaced.

Hashing takes tens of milliseconds of CPU on purpose; call it on `niced_threads`, never on the event loop.
"""

import base64
import unicodedata
from dataclasses import dataclass

import argon2
import bcrypt
from argon2.low_level import ARGON2_VERSION

from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.pepper import Peppers

BCRYPT_MAX_BYTES = 72  # bcrypt reads no further; what lies beyond does not count
_BCRYPT_PREFIXES = ("$2a$", "$2b$", "$2y$")


@dataclass(frozen=True)
class Argon2id:
    """The cost of a hash. The defaults are OWASP's (Password Storage Cheat Sheet, argon2id)."""

    memory_kib: int = 19_456
    iterations: int = 2
    lanes: int = 1


class Hasher:
    """Makes and checks password hashes; text in, PHC string out."""

    def __init__(self, cost: Argon2id, bcrypt_rounds: int | None = None, peppers: Peppers | None = None) -> None:
        """New hashes are argon2id at `cost`, or bcrypt at `bcrypt_rounds` where a team must share them."""
        self._peppers = peppers or Peppers()
        self._argon2 = argon2.PasswordHasher(
            time_cost=cost.iterations, memory_cost=cost.memory_kib, parallelism=cost.lanes
        )
        self._bcrypt_rounds = bcrypt_rounds
        # Checked when there is no account, so that an unknown address costs what a wrong password costs.
        self.decoy = self._nobody_s()

    def hash(self, password: str) -> str:
        """A new hash with a salt of its own."""
        if self._bcrypt_rounds is not None:
            return bcrypt.hashpw(_for_bcrypt(password), bcrypt.gensalt(self._bcrypt_rounds)).decode()
        return self._peppers.marked(self._argon2.hash(self._peppers.over(_normal(password))))

    def matches(self, password: str, stored: str) -> bool:
        """Whether `password` is the one `stored` was made from; a hash of no known kind matches nothing."""
        made, text = self._peppers.taken_off(stored, _normal(password)) or (self.decoy, b"")
        try:
            if made.startswith(_BCRYPT_PREFIXES):
                return bcrypt.checkpw(_for_bcrypt(password), made.encode())
            return self._argon2.verify(made, text)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, ValueError):
            return False

    def even_out(self, stored: str, dearest_bcrypt: int) -> None:
        """The work that checking `stored` left out of one argon2id hash and one bcrypt hash of the dearest cost.

        So a wrong password takes as long whatever was imported: bcrypt at cost 12 takes ten times what argon2id does.
        """
        if not stored.startswith(_BCRYPT_PREFIXES):
            bcrypt.hashpw(b"", bcrypt.gensalt(dearest_bcrypt))
            return
        # A cost is a power of two, so that 10 is brought to 12 by one more of 10 and one of 11.
        for rounds in range(int(stored[4:6]), dearest_bcrypt):
            bcrypt.hashpw(b"", bcrypt.gensalt(rounds))
        self._argon2.hash(b"")

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made otherwise than new hashes are: by algorithm, by cost or by pepper."""
        if self._bcrypt_rounds is not None:
            return not stored.startswith(f"$2b${self._bcrypt_rounds:02d}$")
        if self._peppers.outdated(stored):
            return True
        made = stored[stored.find("$") :]
        return not made.startswith("$argon2id$") or self._argon2.check_needs_rehash(made)

    def _nobody_s(self) -> str:
        """A hash at the cost of new ones that no password made. Drawn, because making one keeps 20 MB resident."""
        if self._bcrypt_rounds is not None:
            return bcrypt.gensalt(self._bcrypt_rounds).decode() + _phc(random_bytes(23)).replace("+", ".")
        cost = self._argon2
        parameters = f"m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}"
        salt, digest = random_bytes(cost.salt_len), random_bytes(cost.hash_len)
        return f"$argon2id$v={ARGON2_VERSION}${parameters}${_phc(salt)}${_phc(digest)}"


def _phc(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")


def _normal(password: str) -> bytes:
    # One person's é is U+00E9, another keyboard's is e and U+0301: NFC makes them one (SP 800-63B-4, 3.1.1.2).
    return unicodedata.normalize("NFC", password).encode()


def _for_bcrypt(password: str) -> bytes:
    return _normal(password)[:BCRYPT_MAX_BYTES]
