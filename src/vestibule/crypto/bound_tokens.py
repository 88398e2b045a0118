"""Tokens bound to a subject: they show that a form came from our own page, and nothing else (CSRF).

HMAC over the subject and something random (OWASP, Cross-Site Request Forgery Prevention, "signed double submit"). The
random part makes each one another, so that what a compressed page leaks of one tells nothing of the next (BREACH).
"""

import hmac

from vestibule.crypto.entropy import random_bytes

_RANDOM_BYTES = 16
_PURPOSE = b"vestibule: bound tokens\0"


def key_from(secret: bytes) -> bytes:
    """Return a key for these tokens alone, derived from a secret with another purpose (RFC 5869, section 2.2)."""
    return hmac.digest(_PURPOSE, secret, "sha256")


def mint(key: bytes, subject: str) -> str:
    """Return a new token for `subject`: 96 lower-case hexadecimal characters."""
    salt = random_bytes(_RANDOM_BYTES)
    return salt.hex() + _mac(key, subject, salt).hex()


def belongs(token: str, key: bytes, subject: str) -> bool:
    """Return whether `token` was minted for `subject` under `key`."""
    try:
        content = bytes.fromhex(token)
    except ValueError:
        return False
    salt, mac = content[:_RANDOM_BYTES], content[_RANDOM_BYTES:]
    return hmac.compare_digest(mac, _mac(key, subject, salt))


def _mac(key: bytes, subject: str, salt: bytes) -> bytes:
    return hmac.digest(key, salt + subject.encode(), "sha256")
