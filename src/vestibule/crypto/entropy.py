"""Randomness from the operating system. No other module may use a source of randomness (a lint rule checks this)."""

import random
import secrets
import uuid

_system_random = random.SystemRandom()


def random_bytes(length: int) -> bytes:
    """Return `length` bytes from the operating system's generator (NIST SP 800-90A by way of the kernel)."""
    return secrets.token_bytes(length)


def new_id() -> str:
    """Return a version 4 UUID (RFC 9562, section 5.4) in its canonical text form: 122 random bits."""
    return str(uuid.uuid4())


def spread(seconds: float) -> float:
    """Return `seconds`, longer or shorter by up to a fifth, so that many that wait do not all return at once."""
    return seconds * _system_random.uniform(0.8, 1.2)


def jitter(seconds: float) -> float:
    """Return a random time between 0 and `seconds`."""
    return _system_random.uniform(0, seconds)
