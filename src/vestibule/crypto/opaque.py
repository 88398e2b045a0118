"""Opaque secrets: the secret is mailed or set as a cookie, and only its digest is stored.

A secret has 256 random bits, so nobody can find it from its SHA-256 by guessing. A slow hash, which passwords need,
would add nothing here (ASVS 5.0, 6.5.2).
"""

import hashlib
import re

from vestibule.crypto.entropy import random_bytes

SECRET_BYTES = 32
_SECRET = re.compile(r"[0-9a-f]{64}")


def mint_secret() -> str:
    """Return a new secret: 64 lower-case hexadecimal characters."""
    return random_bytes(SECRET_BYTES).hex()


def is_secret(text: str) -> bool:
    """Return whether `text` has the form of a secret; anything else need not be looked up."""
    return _SECRET.fullmatch(text) is not None


def digest(secret: str) -> str:
    """Return what is stored for `secret`: its SHA-256, as 64 lower-case hexadecimal characters."""
    return hashlib.sha256(secret.encode()).hexdigest()
