"""Password hashes: argon2id for our own (RFC 9106), bcrypt accepted from elsewhere and replaced.

A stored hash is judged before it is checked (`hash_forms.py`). One of another form, or one that costs too much,
never matches, and is answered no sooner.

Hashing takes tens of milliseconds of CPU on purpose; call it on `niced_threads`, never on the event loop.
"""

import base64
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

import argon2
import bcrypt
from argon2.low_level import ARGON2_VERSION, hash_secret_raw

from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.hash_forms import Cost, argon2_cost, bcrypt_cost, checkable
from vestibule.crypto.pepper import MARK, Peppers

_LEAST_MEMORY_KIB = 8  # RFC 9106, section 3.1
BCRYPT_MAX_BYTES = 72  # bcrypt reads no further; what lies beyond does not count


@dataclass(frozen=True)
class Argon2id:
    """The cost of a hash. The defaults are OWASP's (Password Storage Cheat Sheet, argon2id)."""

    memory_kib: int = 19_456
    iterations: int = 2
    lanes: int = 1


class Hasher:
    """Makes and checks password hashes; text in, PHC string out."""

    def __init__(self, cost: Argon2id, bcrypt_rounds: int | None = None, peppers: Peppers | None = None) -> None:
        """New hashes are argon2id at `cost`, or bcrypt at `bcrypt_rounds` where a team must share them."""
        self._peppers = peppers or Peppers()
        self._argon2 = argon2.PasswordHasher(
            time_cost=cost.iterations, memory_cost=cost.memory_kib, parallelism=cost.lanes
        )
        self._bcrypt_rounds = bcrypt_rounds
        # Checked when there is no account, so that an unknown email costs what a wrong password costs.
        self.decoy = self._decoy_hash()

    def hash(self, password: str) -> str:
        """A new hash with a salt of its own."""
        if self._bcrypt_rounds is not None:
            return bcrypt.hashpw(_for_bcrypt(password), bcrypt.gensalt(self._bcrypt_rounds)).decode()
        return self._peppers.marked(self._argon2.hash(self._peppers.over(_normal(password))))

    def matches(self, password: str, stored: str) -> bool:
        """Whether `password` is the one `stored` was made from; a hash of no known form matches nothing.

        A hash from elsewhere was made of the bytes as they were typed, so these are tried too where NFC changes them.
        """
        made, spellings = self._opened(password, stored)
        return any(self._made_from(made, spelling) for spelling in spellings)

    def can_match(self, stored: str) -> bool:
        """Whether there may be a password that matches `stored`."""
        return self._taken_off(stored, b"") is not None

    def even_out(self, password: str, stored: str, highest_bcrypt_cost: int) -> None:
        """Do what checking `stored` lacked of one argon2id hash and one bcrypt hash of the highest cost, for each
        spelling of the password. So a wrong one takes as long whatever was imported: bcrypt at cost 12 takes ten times
        what argon2id does.
        """
        made, _ = self._opened(password, stored)
        cost = bcrypt_cost(made)
        for _ in _spellings(password):
            if cost is None:
                bcrypt.hashpw(b"", bcrypt.gensalt(highest_bcrypt_cost))
                continue
            # A cost is a power of two, so that 10 is brought to 12 by one more of 10 and one of 11.
            for rounds in range(cost, highest_bcrypt_cost):
                bcrypt.hashpw(b"", bcrypt.gensalt(rounds))
        if cost is not None:
            self._argon2.hash(b"")

    def even_out_argon2(self, password: str, stored: str, others: Collection[Cost]) -> None:
        """Do what checking `stored` lacked of an argon2 hash of the highest of these costs and of today's, for each
        spelling of the password: one from elsewhere may cost ten times what ours does.
        """
        made, tried = self._opened(password, stored)
        cost, today = argon2_cost(made), self._cost_of_today
        done = today.work if cost is None else len(tried) * cost.work  # after bcrypt, `even_out` has done one of ours
        self._work_off(len(_spellings(password)) * max(one.work for one in (today, *others)) - done)

    def costs_otherwise(self, cost: Cost) -> bool:
        """Whether a hash of this cost is not as much work as a new one."""
        return cost.work != self._cost_of_today.work

    @property
    def _cost_of_today(self) -> Cost:
        return Cost(self._argon2.memory_cost, self._argon2.time_cost, self._argon2.parallelism)

    def _work_off(self, work: int) -> None:
        whole, rest = divmod(max(work, 0), self._argon2.memory_cost)
        for iterations, memory in ((whole, self._argon2.memory_cost), (1, rest)):
            if iterations and memory >= _LEAST_MEMORY_KIB:
                hash_secret_raw(b"", bytes(16), iterations, memory, 1, 32, argon2.Type.ID)

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made otherwise than new hashes are: by algorithm, by cost or by pepper."""
        if self._bcrypt_rounds is not None:
            return not stored.startswith(f"$2b${self._bcrypt_rounds:02d}$")
        if self._peppers.outdated(stored):
            return True
        made = stored[stored.find("$") :]
        return not made.startswith("$argon2id$") or self._argon2.check_needs_rehash(made)

    def _opened(self, password: str, stored: str) -> tuple[str, list[bytes]]:
        """The hash to check, which is the decoy in the place of one that cannot be, and what it may be made of."""
        made, text = self._taken_off(stored, _normal(password)) or (self.decoy, b"")
        from_elsewhere = not stored.startswith(MARK) and self._from_elsewhere(made)
        return made, [text, *(_spellings(password)[1:] if from_elsewhere else [])]

    def _taken_off(self, stored: str, text: bytes) -> tuple[str, bytes] | None:
        """The hash without the mark of its pepper, and what it must be made of; None for one that is not checked."""
        opened = self._peppers.taken_off(stored, text)
        if opened is None:
            return None
        fits = argon2_cost(opened[0]) is not None if stored.startswith(MARK) else checkable(opened[0])
        return opened if fits else None

    def _from_elsewhere(self, made: str) -> bool:
        return bcrypt_cost(made) is not None or self._argon2.check_needs_rehash(made)

    def _made_from(self, made: str, text: bytes) -> bool:
        try:
            if bcrypt_cost(made) is not None:
                return bcrypt.checkpw(text[:BCRYPT_MAX_BYTES], made.encode())
            return self._argon2.verify(made, text)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, ValueError):
            return False

    def _decoy_hash(self) -> str:
        """A hash at the cost of new ones that no password made. Drawn, because making one keeps 20 MB resident."""
        if self._bcrypt_rounds is not None:
            return bcrypt.gensalt(self._bcrypt_rounds).decode() + _phc(random_bytes(23)).replace("+", ".")
        cost = self._argon2
        parameters = f"m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}"
        salt, digest = random_bytes(cost.salt_len), random_bytes(cost.hash_len)
        return f"$argon2id$v={ARGON2_VERSION}${parameters}${_phc(salt)}${_phc(digest)}"


def _phc(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")


def _normal(password: str) -> bytes:
    # One person's é is U+00E9, another keyboard's is e and U+0301: NFC makes them one (SP 800-63B-4, 3.1.1.2).
    return unicodedata.normalize("NFC", password).encode()


def _spellings(password: str) -> list[bytes]:
    """As it is hashed here, and as it was typed where that is something else."""
    normal, typed = _normal(password), password.encode()
    return [normal] if normal == typed else [normal, typed]


def _for_bcrypt(password: str) -> bytes:
    return _normal(password)[:BCRYPT_MAX_BYTES]
