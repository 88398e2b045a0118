"""Codes that people read in one place and type in another: short, and in characters that nobody mistakes."""

import re

from vestibule.crypto.entropy import random_bytes

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: without i, l, o and u
_LOOKALIKES = str.maketrans("ilo", "110")  # as Crockford reads them
_BETWEEN = re.compile(r"[\s-]+")


def mint(length: int) -> str:
    """Return `length` characters of five random bits each."""
    # A byte modulo 32 is uniform, because 256 is a multiple of 32.
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in random_bytes(length))


def plain(text: str) -> str:
    """Return what was typed without spaces and hyphens, in lower case, and with lookalikes replaced."""
    return _BETWEEN.sub("", text).lower().translate(_LOOKALIKES)
