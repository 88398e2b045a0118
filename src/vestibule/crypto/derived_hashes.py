"""Check password hashes of PBKDF2 and scrypt, which only an import brings: written in the PHC string format, and those
of Firebase as Supabase Auth writes them.

As for the others (`hash_forms.py`), a hash is checked only in one of these forms and within bounds of cost.
"""

import base64
import re
from dataclasses import dataclass
from hmac import compare_digest

from vestibule.crypto.derivation import Derivation, Pbkdf2, Scrypt, keystream

MAX_CHARACTERS = 400
"""The longest hash that is checked. The index of `storage/sql/hash_costs.py` leaves out longer ones."""
_MIN_DIGEST_BYTES, _MAX_DIGEST_BYTES = 16, 64
_MAX_SALT_BYTES = 64
_PBKDF2 = re.compile(
    r"\$pbkdf2-(sha1|sha256|sha512)\$i=([1-9][0-9]{0,7})\$([A-Za-z0-9+/]{1,86})\$([A-Za-z0-9+/]{22,86})"
)
_SCRYPT = re.compile(
    r"\$scrypt\$ln=([1-9][0-9]?),r=([1-9][0-9]?),p=([1-9][0-9]?)\$([A-Za-z0-9+/]{1,86})\$([A-Za-z0-9+/]{22,86})"
)
_FIREBASE = re.compile(
    r"\$fbscrypt\$v=1,n=([1-9][0-9]?),r=([1-9][0-9]?),p=([1-9][0-9]?),ss=([A-Za-z0-9+/]{0,22}={0,2}),"
    r"sk=([A-Za-z0-9+/]{22,86}={0,2})\$([A-Za-z0-9+/]{1,30}={0,2})\$([A-Za-z0-9+/]{22,86}={0,2})"
)


@dataclass(frozen=True, repr=False)
class DerivedHash:
    """A hash that may be checked. With Firebase, the digest is `signer_key`, encrypted with the derived key."""

    derivation: Derivation
    salt: bytes
    digest: bytes
    signer_key: bytes = b""

    def matches(self, password: bytes) -> bool:
        """Return whether the hash was made from `password`."""
        if not self.signer_key:
            return compare_digest(self.derivation.derive(password, self.salt, len(self.digest)), self.digest)
        key = self.derivation.derive(password, self.salt, 32)
        made = bytes(a ^ b for a, b in zip(self.signer_key, keystream(key, len(self.signer_key)), strict=True))
        return compare_digest(made, self.digest)


def derived_hash(hashed: str) -> DerivedHash | None:
    """Return a hash in one of these forms, if it may be checked; None for anything else."""
    try:
        found = _pbkdf2(hashed) or _scrypt(hashed) or _firebase(hashed)
    except ValueError:
        return None
    if found is None or len(hashed) > MAX_CHARACTERS or not found.derivation.bounded:
        return None
    fits = _MIN_DIGEST_BYTES <= len(found.digest) <= _MAX_DIGEST_BYTES and len(found.salt) <= _MAX_SALT_BYTES
    return found if fits else None


def pbkdf2_form(digest_name: str, iterations: int, salt: bytes, digest: bytes) -> str:
    """Return a PBKDF2 hash as it is stored, a PHC string. Of a digest of several blocks, only the first is kept: each
    block costs all iterations again, but an attacker computes only one (RFC 8018, section 5.2).
    """
    kept = digest[: Pbkdf2(digest_name, iterations).block_bytes]
    return f"$pbkdf2-{digest_name}$i={iterations}${_b64(salt)}${_b64(kept)}"


def scrypt_form(log_n: int, r: int, p: int, salt: bytes, digest: bytes) -> str:
    """Return a scrypt hash as it is stored, a PHC string."""
    return f"$scrypt$ln={log_n},r={r},p={p}${_b64(salt)}${_b64(digest)}"


def _pbkdf2(hashed: str) -> DerivedHash | None:
    found = _PBKDF2.fullmatch(hashed)
    if found is None:
        return None
    derivation = Pbkdf2(found[1], int(found[2]))
    digest = _bytes(found[4])
    return DerivedHash(derivation, _bytes(found[3]), digest) if len(digest) <= derivation.block_bytes else None


def _scrypt(hashed: str) -> DerivedHash | None:
    found = _SCRYPT.fullmatch(hashed)
    if found is None:
        return None
    return DerivedHash(Scrypt(int(found[1]), int(found[2]), int(found[3])), _bytes(found[4]), _bytes(found[5]))


def _firebase(hashed: str) -> DerivedHash | None:
    found = _FIREBASE.fullmatch(hashed)
    if found is None:
        return None
    separator, signer_key, salt, digest = (base64.b64decode(text, validate=True) for text in found.groups()[3:])
    if len(signer_key) != len(digest):
        return None
    derivation = Scrypt(int(found[1]), int(found[2]), int(found[3]))
    # Firebase puts the project's salt separator behind the salt of the account.
    return DerivedHash(derivation, salt + separator, digest, signer_key)


def _bytes(text: str) -> bytes:
    """Return the bytes of base64 without padding; raises `ValueError` unless encoding them gives the same text."""
    content = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    if _b64(content) != text:
        raise ValueError
    return content


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")
