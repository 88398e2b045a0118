"""Digests of short codes, bound to the secret handle that each is typed with.

From a plain hash, a code of 40 bits could be found by trying all. So the digest is an HMAC under a key that is not in
the database: an attacker who reads the database cannot find a code, not even with the handle that it was asked for.
"""

import hmac

_PURPOSE = b"vestibule: bound codes\0"


def key_from(secret: bytes) -> bytes:
    """Return a key for these digests, derived from a secret that has other uses too (RFC 5869, section 2.2)."""
    return hmac.digest(_PURPOSE, secret, "sha256")


def bound_digest(key: bytes, handle_digest: str, code: str) -> str:
    """Return what is stored for a code: 64 lower-case hexadecimal characters."""
    return hmac.digest(key, f"{handle_digest}:{code}".encode(), "sha256").hex()
