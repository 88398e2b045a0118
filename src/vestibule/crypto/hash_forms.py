"""Decide which hashes of bcrypt and argon2 may be checked: a row of the database is not trusted more than a request.

A hash sets the cost of checking it: `$2b$31$…` takes more than a day, and an argon2 hash may ask for terabytes of
memory. So a hash must have one of these forms and a cost within these bounds. Otherwise no password matches it
(`passwords.py`). `derived_hashes.py` decides the same about PBKDF2 and scrypt.
"""

import base64
import re
from dataclasses import dataclass

BCRYPT_COSTS = tuple(f"{cost:02d}" for cost in range(4, 15))
"""The allowed costs, as written in a hash. 14 takes about a second."""
BCRYPT_OF_SHA256 = "$bcrypt-sha256"
"""The beginning of a hash that Django made with bcrypt of the hexadecimal SHA-256 of a password. What follows is a
hash of bcrypt.
"""
# [.Oeu]: a salt has 128 bits, so the last of its 22 characters holds only two of them.
_BCRYPT = re.compile(rf"\$2[aby]\$({'|'.join(BCRYPT_COSTS)})\$[./A-Za-z0-9]{{21}}[.Oeu][./A-Za-z0-9]{{31}}")
# A salt of 8 to 64 bytes and a digest of 12 to 64 bytes, in base64 without padding.
_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)(?:\$v=(?:16|19))?\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]{0,2}),p=([1-9][0-9]?)"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})"
)
MAX_MEMORY_KIB = 131_072  # 128 MiB for each hash that is checked at the same time
_MAX_WORK = 524_288  # in units of `Cost.work`; takes up to half a second
_MAX_LANES = 8
_KIB_FOR_A_LANE = 8  # RFC 9106, section 3.1


@dataclass(frozen=True)
class Cost:
    """The cost parameters in an argon2 hash."""

    memory_kib: int
    iterations: int
    lanes: int

    @property
    def work(self) -> int:
        """Return the amount of work, independent of the machine: memory times iterations."""
        return self.memory_kib * self.iterations


def bcrypt_cost(hashed: str) -> int | None:
    """Return the cost of a bcrypt hash that may be checked; None for anything else."""
    found = _BCRYPT.fullmatch(hashed.removeprefix(BCRYPT_OF_SHA256))
    return int(found[1]) if found else None


def argon2_cost(hashed: str) -> Cost | None:
    """Return the cost of an argon2 hash that may be checked; None for anything else."""
    found = _ARGON2.fullmatch(hashed)
    if found is None:
        return None
    memory_kib, iterations, lanes, *parts = found.groups()
    if not all(map(_is_base64, parts)):
        return None
    cost = Cost(int(memory_kib), int(iterations), int(lanes))
    bounded = (
        cost.lanes <= _MAX_LANES
        and cost.lanes * _KIB_FOR_A_LANE <= cost.memory_kib <= MAX_MEMORY_KIB
        and cost.work <= _MAX_WORK
    )
    return cost if bounded else None


def _is_base64(text: str) -> bool:
    """Return whether `text` is valid base64 without padding. argon2 refuses other texts at once, and that short time
    would tell that the account exists.
    """
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return False
    return base64.b64encode(content).decode().rstrip("=") == text
