"""Make and check bcrypt hashes (`hash_forms.py`); check those that Django makes of the SHA-256 of a password."""

import base64
import hashlib

import bcrypt

from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.hash_forms import BCRYPT_OF_SHA256

BCRYPT_MAX_BYTES = 72  # bcrypt ignores all further bytes of a password


def bcrypt_hash(text: bytes, rounds: int) -> str:
    """Return a new hash with its own salt."""
    return bcrypt.hashpw(text[:BCRYPT_MAX_BYTES], bcrypt.gensalt(rounds)).decode()


def bcrypt_matches(text: bytes, hashed: str) -> bool:
    """Return whether the hash was made from `text`."""
    if hashed.startswith(BCRYPT_OF_SHA256):
        text, hashed = hashlib.sha256(text).hexdigest().encode(), hashed.removeprefix(BCRYPT_OF_SHA256)
    try:
        return bcrypt.checkpw(text[:BCRYPT_MAX_BYTES], hashed.encode())
    except ValueError:
        return False


def bcrypt_decoy(rounds: int) -> str:
    """Return a hash of this cost that matches no password: its digest is random."""
    # 31 characters of bcrypt's alphabet, which is that of base64 with `.` for `+`.
    digest = base64.b64encode(random_bytes(23)).decode()[:31].replace("+", ".")
    return bcrypt.gensalt(rounds).decode() + digest


def bring_bcrypt_to(highest: int, done: int | None) -> None:
    """Do the work of a hash of cost `highest`, less that of a hash of cost `done`, if any was checked. Each cost is
    twice the work of the one below, so after a hash of cost 10, one more of 10 and one of 11 make the work of 12.
    """
    for rounds in [highest] if done is None else range(done, highest):
        bcrypt.hashpw(b"", bcrypt.gensalt(rounds))
