"""Password hashes as other programs write them, in the forms that Vestibule stores (crypto/hash_forms.py)."""

import base64
from collections.abc import Callable, Mapping
from types import MappingProxyType

from vestibule.crypto.derived_hashes import pbkdf2_form, scrypt_form
from vestibule.crypto.hash_forms import BCRYPT_OF_SHA256


def stored_form(text: str) -> str:
    """Return a hash of Django or passlib in our form, and any other text as it is."""
    for beginning, converted in _CONVERTED.items():
        if text.startswith(beginning):
            try:
                return converted(text)
            except ValueError:  # a number, the base64, or the number of parts is wrong
                return text
    return text


def from_base64(text: str) -> bytes:
    """Return the bytes of base64 or base64url, with or without padding; raises `ValueError`."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def padded_base64(text: str) -> str:
    """Return the same bytes in standard base64, with padding; raises `ValueError`."""
    return base64.b64encode(from_base64(text)).decode()


def _pbkdf2_of_django(text: str) -> str:
    name, iterations, salt, digest = text.split("$")
    return pbkdf2_form(name.removeprefix("pbkdf2_"), int(iterations), salt.encode(), from_base64(digest))


def _scrypt_of_django(text: str) -> str:
    _name, n, salt, r, p, digest = text.split("$")
    return scrypt_form(int(n).bit_length() - 1, int(r), int(p), salt.encode(), from_base64(digest))


def _pbkdf2_of_passlib(text: str) -> str:
    _empty, name, rounds, salt, digest = text.replace(".", "+").split("$")  # passlib's base64 has `.` in place of `+`
    if rounds.startswith("i="):  # not passlib's: it is in our form already
        return text
    return pbkdf2_form(
        name.removeprefix("pbkdf2").removeprefix("-") or "sha1", int(rounds), from_base64(salt), from_base64(digest)
    )


_CONVERTED: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "pbkdf2_sha1$": _pbkdf2_of_django,
        "pbkdf2_sha256$": _pbkdf2_of_django,
        "pbkdf2_sha512$": _pbkdf2_of_django,
        "scrypt$": _scrypt_of_django,
        "argon2$argon2": lambda text: text.removeprefix("argon2"),
        "bcrypt$$2": lambda text: text.removeprefix("bcrypt$"),
        "bcrypt_sha256$$2": lambda text: BCRYPT_OF_SHA256 + text.removeprefix("bcrypt_sha256$"),
        "$pbkdf2-": _pbkdf2_of_passlib,
        "$pbkdf2$": _pbkdf2_of_passlib,
    }
)
