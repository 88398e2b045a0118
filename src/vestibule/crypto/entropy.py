"""Randomness from the operating system. No other module may use a source of randomness (a lint rule checks this)."""

import random
import re
import secrets
import uuid

_system_random = random.SystemRandom()
_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")


def random_bytes(length: int) -> bytes:
    """Return `length` bytes from the operating system's generator (NIST SP 800-90A by way of the kernel)."""
    return secrets.token_bytes(length)


def new_id() -> str:
    """Return a version 4 UUID (RFC 9562, section 5.4) in its canonical text form: 122 random bits."""
    return str(uuid.uuid4())


def is_id(text: str) -> bool:
    """Return whether `text` has the form of an id, of `new_id` or from an import. Other texts need not be looked up,
    and must not, because PostgreSQL refuses a NUL.
    """
    return _ID.fullmatch(text) is not None


def spread(seconds: float) -> float:
    """Return `seconds`, longer or shorter by up to a fifth, so that many waits do not all end at the same moment."""
    return seconds * _system_random.uniform(0.8, 1.2)


def jitter(seconds: float) -> float:
    """Return a random time between 0 and `seconds`."""
    return _system_random.uniform(0, seconds)
