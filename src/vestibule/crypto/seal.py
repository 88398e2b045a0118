"""Encrypt secrets in the database (private keys, secrets of authenticator apps), under a secret that is not in the
database, and texts that browsers keep in cookies for us.

AES-256-GCM with a key derived by HKDF-SHA256 (RFC 5869). The associated data is a name that says what is sealed, so
that one sealed value cannot replace another.
"""

import base64
import binascii
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from vestibule.crypto.entropy import random_bytes

MIN_SECRET_CHARACTERS = 32
_NONCE_BYTES = 12
_VERSION = "v1."


class CannotUnseal(ValueError):
    """The sealed text is damaged, or was sealed under another secret or for another name."""


class Seal:
    """Encrypts bytes under one secret. Decrypts what was encrypted under that secret, or under the previous one."""

    def __init__(self, secret: str, previous: str = "") -> None:
        self._cipher = _cipher(secret)
        self._ciphers = [self._cipher, *([_cipher(previous)] if previous else [])]

    def close(self, content: bytes, name: str) -> str:
        """Return `content` encrypted, as text. Only `open` with the same `name` decrypts the text."""
        nonce = random_bytes(_NONCE_BYTES)
        return _VERSION + base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, content, name.encode())).decode()

    def open(self, sealed: str, name: str) -> bytes:
        """Return the content that `close` encrypted; raises `CannotUnseal`."""
        if not sealed.startswith(_VERSION):
            raise CannotUnseal
        try:
            raw = base64.urlsafe_b64decode(sealed[len(_VERSION) :])
        except (binascii.Error, ValueError):
            raise CannotUnseal from None
        return self._decrypted(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], name.encode())

    def _decrypted(self, nonce: bytes, encrypted: bytes, name: bytes) -> bytes:
        for cipher in self._ciphers:
            with suppress(InvalidTag, ValueError):  # `ValueError`: a nonce or a tag that is too short
                return cipher.decrypt(nonce, encrypted, name)
        raise CannotUnseal


def _cipher(secret: str) -> AESGCM:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"vestibule seal v1")
    return AESGCM(derive.derive(secret.encode()))
