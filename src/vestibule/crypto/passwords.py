"""Make and check password hashes: argon2id for new ones (RFC 9106). Imported hashes of bcrypt, PBKDF2 and scrypt, and
of argon2 at other costs, are accepted and replaced.

`hash_forms.py` judges a stored hash before it is checked. A hash of an unknown form, or one that costs too much, never
matches: the decoy is checked in its place, which takes as long.

Our own hashes are made and checked with the library that is faster on this machine (`argon2_libraries.py`), once
`choose_library` has measured both. All other argon2 hashes are checked with argon2-cffi.

A wrong password must take the same time with every hash, or the time would tell which accounts exist. So after a check,
`even_out_bcrypt`, `even_out_argon2` and `even_out_derived` do what a costlier hash would have taken in addition. They
count the work of each library and algorithm separately, because the same cost takes a different time with each.

Hashing takes tens of milliseconds of CPU on purpose, so `state/passwords.py` calls it on threads, never on the event
loop.
"""

import base64
import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass

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
from vestibule.crypto.bcrypt_hashes import bcrypt_decoy, bcrypt_hash, bcrypt_matches, bring_bcrypt_to
from vestibule.crypto.derivation import Derivation
from vestibule.crypto.derived_hashes import derived_hash
from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.hash_forms import Cost, argon2_cost, bcrypt_cost
from vestibule.crypto.pepper import PEPPER_PREFIX, Peppers
from vestibule.crypto.stored_hashes import checkable

_MIN_MEMORY_KIB = 8  # RFC 9106, section 3.1
_SALT_AND_DIGEST = re.compile(r"[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}")  # of our lengths


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
        self._our_prefix = f"$argon2id$v={ARGON2_VERSION}${parameters}$"  # how each of our hashes begins
        self._argon2_cffi = Argon2Cffi(self._cost)
        self._library: Argon2Library = self._argon2_cffi
        self._bcrypt_rounds = bcrypt_rounds
        # Checked when there is no account, so that an unknown email takes as long as a wrong password.
        self.decoy = self._decoy_hash()

    @property
    def library(self) -> str:
        """Return the name of the library that makes argon2id hashes."""
        return self._library.name

    def choose_library(self, measure_both: Callable[[int], Measurement] = measure) -> Measurement | None:
        """Measure both libraries. From now on make and check our own hashes with libsodium if it is clearly faster,
        else with argon2-cffi. Return the measurement, or None if the cost has several lanes, which libsodium cannot do.
        """
        if self._cost.lanes != 1:
            return None
        measurement = measure_both(self._cost.iterations)
        self._library = Libsodium(self._cost) if measurement.libsodium_is_faster else self._argon2_cffi
        return measurement

    def hash(self, password: str) -> str:
        """Return a new hash with its own salt."""
        if self._bcrypt_rounds is not None:
            return bcrypt_hash(_nfc(password), self._bcrypt_rounds)
        return self._peppers.with_mark(self._library.hash(self._peppers.apply(_nfc(password))))

    def matches(self, password: str, stored: str) -> bool:
        """Return whether `stored` was made from `password`; False for a hash of no known form.

        We hash the NFC form of a password, but an imported hash was made from the bytes as typed. So for an imported
        hash both are tried, if they differ.
        """
        hashed, spellings = self._hash_and_inputs(password, stored)
        return any(self._verify(hashed, spelling) for spelling in spellings)

    def can_match(self, stored: str) -> bool:
        """Return whether any password can match `stored`."""
        return self._unpeppered(stored, b"") is not None

    def even_out_bcrypt(self, password: str, stored: str, highest_cost: int) -> None:
        """Do more work after `stored` was checked, so that the sum is one of our hashes and one bcrypt hash of the
        highest cost, for each spelling of the password. Bcrypt at cost 12 takes ten times as long as argon2id.
        """
        hashed, _inputs = self._hash_and_inputs(password, stored)
        cost = bcrypt_cost(hashed)
        for _ in _spellings(password):
            bring_bcrypt_to(highest_cost, cost)
        if cost is not None:
            self._library.hash(b"")

    def even_out_derived(self, password: str, stored: str, derivations: Collection[Derivation]) -> None:
        """Do more work after `stored` was checked, so that the sum is one of our hashes and one of the costliest of
        each kind of `derivations`, those of all stored hashes of PBKDF2 and scrypt, for each spelling of the password.
        """
        hashed, inputs = self._hash_and_inputs(password, stored)
        own, spellings = derived_hash(hashed), len(_spellings(password))
        for kind in sorted({each.kind for each in derivations}):
            costliest = max((each for each in derivations if each.kind == kind), key=lambda each: each.work)
            done = len(inputs) * own.derivation.work if own and own.derivation.kind == kind else 0
            costliest.spend(spellings * costliest.work - done)
        if own is not None:
            self._library.hash(b"")

    def even_out_argon2(self, password: str, stored: str, other_costs: Collection[Cost]) -> None:
        """Do more work after `stored` was checked, because an imported argon2 hash may cost ten times as much as ours.
        `other_costs` are those of the stored argon2 hashes that are not ours.

        The check and this work together are, for each spelling of the password:

        * if argon2-cffi checks all hashes: one hash of the highest cost, be it ours or one of `other_costs`;
        * if libsodium checks ours: one of our hashes with libsodium, and one hash of the highest of `other_costs` with
          argon2-cffi.
        """
        hashed, inputs = self._hash_and_inputs(password, stored)
        cost, spellings = argon2_cost(hashed), len(_spellings(password))
        highest = max(other.work for other in other_costs)
        if self._library is self._argon2_cffi:
            # If `stored` is not argon2, one of the other two methods has made one of our hashes.
            done = self._cost.work if cost is None else len(inputs) * cost.work
            self._do_work(spellings * max(highest, self._cost.work) - done)
        elif cost is not None and not self._is_ours(hashed):  # argon2-cffi has checked `stored`
            self._hash_empty(spellings)
            self._do_work(spellings * highest - len(inputs) * cost.work)
        else:  # libsodium has made one hash: in the check, or, if `stored` is not argon2, in one of the other methods
            self._hash_empty(spellings - 1)
            self._do_work(spellings * highest)

    def costs_differently(self, cost: Cost) -> bool:
        """Return whether checking an argon2 hash of this cost that is not ours takes other work than checking ours. The
        work differs if the costs differ, or if libsodium checks ours.
        """
        return self._library is not self._argon2_cffi or cost.work != self._cost.work

    def _hash_empty(self, times: int) -> None:
        """Spend the time of this many of our hashes."""
        for _ in range(times):
            self._library.hash(b"")

    def _do_work(self, work: int) -> None:
        """Do this much work (`Cost.work`) with argon2-cffi."""
        whole, rest = divmod(max(work, 0), self._cost.memory_kib)
        for iterations, memory in ((whole, self._cost.memory_kib), (1, rest)):
            if iterations and memory >= _MIN_MEMORY_KIB:
                self._argon2_cffi.work(iterations, memory)

    def outdated(self, stored: str) -> bool:
        """Return whether `stored` differs from new hashes in algorithm, cost or pepper."""
        if self._bcrypt_rounds is not None:
            return not stored.startswith(f"$2b${self._bcrypt_rounds:02d}$")
        if self._peppers.outdated(stored):
            return True
        hashed = stored[stored.find("$") :]  # without the mark of a pepper
        return not hashed.startswith("$argon2id$") or self._argon2_cffi.differs(hashed)

    def _hash_and_inputs(self, password: str, stored: str) -> tuple[str, list[bytes]]:
        """Return the hash to check, and the inputs that it may have been made from. If `stored` must not be checked,
        return the decoy in its place.
        """
        hashed, text = self._unpeppered(stored, _nfc(password)) or (self.decoy, b"")
        imported = not stored.startswith(PEPPER_PREFIX) and self._is_imported(hashed)
        as_typed = _spellings(password)[1:] if imported else []
        return hashed, [text, *as_typed]

    def _unpeppered(self, stored: str, text: bytes) -> tuple[str, bytes] | None:
        """Return the hash without its pepper's mark, and the input to hash; None if it must not be checked."""
        found = self._peppers.unpeppered(stored, text)
        if found is None:
            return None
        hashed, _input = found
        # A pepper's mark stands only before argon2 hashes: imported hashes were made without a pepper.
        may_be_checked = argon2_cost(hashed) is not None if stored.startswith(PEPPER_PREFIX) else checkable(hashed)
        return found if may_be_checked else None

    def _is_imported(self, hashed: str) -> bool:
        return argon2_cost(hashed) is None or self._argon2_cffi.differs(hashed)

    def _verify(self, hashed: str, text: bytes) -> bool:
        if (derived := derived_hash(hashed)) is not None:
            return derived.matches(text)
        if bcrypt_cost(hashed) is not None:
            return bcrypt_matches(text, hashed)
        return self._library_for(hashed).verify(hashed, text)

    def _library_for(self, hashed: str) -> Argon2Library:
        if self._is_ours(hashed):
            return self._library
        if hashed.startswith(self._our_prefix):
            # A hash of our cost, but another length. `Accounts.hash_costs` does not find such hashes, so the
            # longer time of argon2-cffi could not be evened out. From now on argon2-cffi checks ours too.
            self._library = self._argon2_cffi
        return self._argon2_cffi

    def _is_ours(self, hashed: str) -> bool:
        return (
            hashed.startswith(self._our_prefix)
            and _SALT_AND_DIGEST.fullmatch(hashed, len(self._our_prefix)) is not None
        )

    def _decoy_hash(self) -> str:
        """Return a hash of our cost that matches no password. Random, because computing one keeps 20 MB of memory."""
        if self._bcrypt_rounds is not None:
            return bcrypt_decoy(self._bcrypt_rounds)
        return f"{self._our_prefix}{_phc(random_bytes(SALT_BYTES))}${_phc(random_bytes(DIGEST_BYTES))}"


def _phc(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")


def _nfc(password: str) -> bytes:
    # NFC makes two spellings of é the same, U+00E9 and e with U+0301: which one is sent depends on the keyboard (SP
    # 800-63B-4, 3.1.1.2).
    return unicodedata.normalize("NFC", password).encode()


def _spellings(password: str) -> list[bytes]:
    """Return the password in NFC, as we hash it, and also as it was typed, if that differs."""
    nfc, typed = _nfc(password), password.encode()
    return [nfc] if nfc == typed else [nfc, typed]
