"""CSRF tokens for forms, bound to a subject: a token proves only that the form came from our own page.

Each token is an HMAC over a random salt and the subject (OWASP, Cross-Site Request Forgery Prevention, "signed double
submit"). The salt makes each token different, so that an attacker cannot guess one from compressed pages (BREACH).
"""

import hmac

from vestibule.crypto.entropy import random_bytes

_SALT_BYTES = 16
_PURPOSE = b"vestibule: bound tokens\0"


def key_from(secret: bytes) -> bytes:
    """Return a key for these tokens, derived from a secret that has other uses too (RFC 5869, section 2.2)."""
    return hmac.digest(_PURPOSE, secret, "sha256")


def mint(key: bytes, subject: str) -> str:
    """Return a new token for `subject`: 96 lower-case hexadecimal characters."""
    salt = random_bytes(_SALT_BYTES)
    return salt.hex() + _mac(key, subject, salt).hex()


def belongs(token: str, key: bytes, subject: str) -> bool:
    """Return whether `token` was minted for `subject` under `key`."""
    try:
        content = bytes.fromhex(token)
    except ValueError:
        return False
    salt, mac = content[:_SALT_BYTES], content[_SALT_BYTES:]
    return hmac.compare_digest(mac, _mac(key, subject, salt))


def _mac(key: bytes, subject: str, salt: bytes) -> bytes:
    return hmac.digest(key, salt + subject.encode(), "sha256")
