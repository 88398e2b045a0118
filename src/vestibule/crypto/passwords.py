"""Password hashes: argon2id for our own (RFC 9106), bcrypt accepted from elsewhere and replaced.

`hash_forms.py` judges a stored hash before it is checked. A hash of an unknown form, or one that costs too much, never
matches, and takes as long as one that is checked.

Hashes as we make them are made and checked by the library that is faster on this machine (`argon2_libraries.py`), once
`choose_library` has measured it; every other argon2 hash is checked by argon2-cffi. So the work that a wrong password
takes is counted for each library by itself: the same cost is not the same time with both.

Hashing takes tens of milliseconds of CPU on purpose: call it on `process/niced_threads.py`, never on the event loop.
"""

import base64
import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass

import bcrypt
from argon2.low_level import ARGON2_VERSION

from vestibule.crypto.argon2_libraries import (
    DIGEST_BYTES,
    SALT_BYTES,
    Argon2Cffi,
    Argon2Library,
    Libsodium,
    Measurement,
    measure,
)
from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.hash_forms import Cost, argon2_cost, bcrypt_cost, checkable
from vestibule.crypto.pepper import MARK, Peppers

_LEAST_MEMORY_KIB = 8  # RFC 9106, section 3.1
_BODY = re.compile(r"[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}")  # salt and digest of our lengths
BCRYPT_MAX_BYTES = 72  # bcrypt ignores everything beyond


@dataclass(frozen=True)
class Argon2id:
    """The cost of new hashes. The defaults are OWASP's (Password Storage Cheat Sheet, argon2id)."""

    memory_kib: int = 19_456
    iterations: int = 2
    lanes: int = 1


class Hasher:
    """Makes and checks password hashes, as PHC strings."""

    def __init__(self, cost: Argon2id, bcrypt_rounds: int | None = None, peppers: Peppers | None = None) -> None:
        """Make argon2id hashes at `cost`, or bcrypt hashes at `bcrypt_rounds` if another program must read them."""
        self._peppers = peppers or Peppers()
        self._cost = Cost(cost.memory_kib, cost.iterations, cost.lanes)
        parameters = f"m={cost.memory_kib},t={cost.iterations},p={cost.lanes}"
        self._ours = f"$argon2id$v={ARGON2_VERSION}${parameters}$"  # how each of our hashes begins
        self._of_every_form = Argon2Cffi(self._cost)
        self._library: Argon2Library = self._of_every_form
        self._bcrypt_rounds = bcrypt_rounds
        # Checked when there is no account, so that an unknown email takes as long as a wrong password.
        self.decoy = self._decoy_hash()

    @property
    def library(self) -> str:
        """Return the name of the library that makes argon2id hashes."""
        return self._library.name

    def choose_library(self, measured: Callable[[int], Measurement] = measure) -> Measurement | None:
        """Make and check hashes like ours with the library that is clearly faster here from now on; return what was
        measured. None if there is no choice: libsodium knows one lane.
        """
        if self._cost.lanes != 1:
            return None
        measurement = measured(self._cost.iterations)
        self._library = Libsodium(self._cost) if measurement.clearly_libsodium else self._of_every_form
        return measurement

    def hash(self, password: str) -> str:
        """Return a new hash with its own salt."""
        if self._bcrypt_rounds is not None:
            return bcrypt.hashpw(_for_bcrypt(password), bcrypt.gensalt(self._bcrypt_rounds)).decode()
        return self._peppers.with_mark(self._library.hash(self._peppers.apply(_normal(password))))

    def matches(self, password: str, stored: str) -> bool:
        """Return whether `stored` was made from `password`; False for a hash of no known form.

        An imported hash was made from the bytes as typed, so these are tried too if NFC changes them.
        """
        hashed, spellings = self._hash_and_inputs(password, stored)
        return any(self._verify(hashed, spelling) for spelling in spellings)

    def can_match(self, stored: str) -> bool:
        """Return whether any password can match `stored`."""
        return self._unpeppered(stored, b"") is not None

    def even_out(self, password: str, stored: str, highest_bcrypt_cost: int) -> None:
        """Do the work that checking `stored` lacked of one argon2id hash and one bcrypt hash of the highest cost, for
        each spelling of the password. So a wrong password takes as long whatever was imported: bcrypt at cost 12 takes
        ten times what argon2id does.
        """
        cost = bcrypt_cost(self._hash_and_inputs(password, stored)[0])
        # A cost is a power of two, so 10 is brought to 12 by one more hash of 10 and one of 11.
        missing = [highest_bcrypt_cost] if cost is None else range(cost, highest_bcrypt_cost)
        for _ in _spellings(password):
            for rounds in missing:
                bcrypt.hashpw(b"", bcrypt.gensalt(rounds))
        if cost is not None:
            self._library.hash(b"")

    def even_out_argon2(self, password: str, stored: str, others: Collection[Cost]) -> None:
        """Do the work that checking `stored` lacked of an argon2 hash of the highest of `others` and today's cost, for
        each spelling of the password: an imported hash may cost ten times what ours does. Where argon2-cffi checks only
        those, it is one of ours with the other library and the highest of `others` with argon2-cffi.
        """
        hashed, tried = self._hash_and_inputs(password, stored)
        cost, spellings = argon2_cost(hashed), len(_spellings(password))
        most = max(one.work for one in others)
        if self._library is self._of_every_form:
            done = self._cost.work if cost is None else len(tried) * cost.work  # for bcrypt, `even_out` has made one
            self._do_work(spellings * max(most, self._cost.work) - done)
        else:
            other = cost is not None and not self._is_ours(hashed)
            self._hash_nothing(spellings if other else spellings - 1)
            self._do_work(spellings * most - (len(tried) * cost.work if cost and other else 0))

    def costs_differently(self, cost: Cost) -> bool:
        """Return whether a hash of this cost, but not like ours, takes more or less work than a new one: with another
        library every such hash does.
        """
        return self._library is not self._of_every_form or cost.work != self._cost.work

    def _hash_nothing(self, times: int) -> None:
        for _ in range(times):
            self._library.hash(b"")

    def _do_work(self, work: int) -> None:
        """Have argon2-cffi do this much."""
        whole, rest = divmod(max(work, 0), self._cost.memory_kib)
        for iterations, memory in ((whole, self._cost.memory_kib), (1, rest)):
            if iterations and memory >= _LEAST_MEMORY_KIB:
                self._of_every_form.work(iterations, memory)

    def outdated(self, stored: str) -> bool:
        """Return whether `stored` differs from new hashes in algorithm, cost or pepper."""
        if self._bcrypt_rounds is not None:
            return not stored.startswith(f"$2b${self._bcrypt_rounds:02d}$")
        if self._peppers.outdated(stored):
            return True
        hashed = stored[stored.find("$") :]
        return not hashed.startswith("$argon2id$") or self._of_every_form.differs(hashed)

    def _hash_and_inputs(self, password: str, stored: str) -> tuple[str, list[bytes]]:
        """Return the hash to check, or the decoy in the place of one that cannot be checked, and what it may be made
        from.
        """
        hashed, text = self._unpeppered(stored, _normal(password)) or (self.decoy, b"")
        imported = not stored.startswith(MARK) and self._is_imported(hashed)
        return hashed, [text, *(_spellings(password)[1:] if imported else [])]

    def _unpeppered(self, stored: str, text: bytes) -> tuple[str, bytes] | None:
        """Return the hash without its pepper's mark, and what it must be made from; None if it must not be checked."""
        found = self._peppers.unpeppered(stored, text)
        if found is None:
            return None
        fits = argon2_cost(found[0]) is not None if stored.startswith(MARK) else checkable(found[0])
        return found if fits else None

    def _is_imported(self, hashed: str) -> bool:
        return bcrypt_cost(hashed) is not None or self._of_every_form.differs(hashed)

    def _verify(self, hashed: str, text: bytes) -> bool:
        if bcrypt_cost(hashed) is None:
            return self._library_for(hashed).verify(hashed, text)
        try:
            return bcrypt.checkpw(text[:BCRYPT_MAX_BYTES], hashed.encode())
        except ValueError:
            return False

    def _library_for(self, hashed: str) -> Argon2Library:
        if self._is_ours(hashed):
            return self._library
        if hashed.startswith(self._ours):
            # Of our cost and another length. No index finds these, so nothing could even out that argon2-cffi takes
            # longer: from the first one on it checks ours too.
            self._library = self._of_every_form
        return self._of_every_form

    def _is_ours(self, hashed: str) -> bool:
        return hashed.startswith(self._ours) and _BODY.fullmatch(hashed, len(self._ours)) is not None

    def _decoy_hash(self) -> str:
        """Return a hash at today's cost that no password made. Random, because computing one keeps 20 MB resident."""
        if self._bcrypt_rounds is not None:
            return bcrypt.gensalt(self._bcrypt_rounds).decode() + _phc(random_bytes(23)).replace("+", ".")
        return f"{self._ours}{_phc(random_bytes(SALT_BYTES))}${_phc(random_bytes(DIGEST_BYTES))}"


def _phc(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")


def _normal(password: str) -> bytes:
    # One person's é is U+00E9, another keyboard's is e and U+0301: NFC makes them one (SP 800-63B-4, 3.1.1.2).
    return unicodedata.normalize("NFC", password).encode()


def _spellings(password: str) -> list[bytes]:
    """Return the password as it is hashed here, and as it was typed if that differs."""
    normal, typed = _normal(password), password.encode()
    return [normal] if normal == typed else [normal, typed]


def _for_bcrypt(password: str) -> bytes:
    return _normal(password)[:BCRYPT_MAX_BYTES]
