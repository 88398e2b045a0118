"""Two libraries that make and check the same argon2id hashes (RFC 9106). `passwords.py` uses the faster one.

Which is faster depends on the machine. libsodium uses the processor's widest instructions (AVX2, AVX-512). But
libsodium maps new memory for each hash, so that the system has to clear a page for every 4 KiB; its API has no way
to avoid that. argon2-cffi keeps its memory from one hash to the next, and checks every form of argon2. If clearing
pages is cheap, libsodium takes half the time; on some virtual machines both take the same time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import argon2
from argon2.low_level import hash_secret_raw
from nacl import bindings
from nacl.exceptions import InvalidkeyError

from vestibule.crypto.hash_forms import Cost

SALT_BYTES, DIGEST_BYTES = 16, 32  # the sizes of libsodium, which cannot be changed
# A fifth of the default memory shows the same difference, and argon2-cffi keeps for ever what it has once used.
_MEASURED_KIB = 4_096
_MAX_ROUNDS = 4
_MAX_SECONDS = 0.15
_CLEARLY_FASTER = 0.9  # of the other's time, because two measurements of one library differ by a few percent


class Argon2Library(Protocol):
    """Makes argon2id hashes at one cost, and checks those that it makes."""

    name: str

    def hash(self, password: bytes) -> str:
        """Return a new hash with its own salt of 16 bytes, as a PHC string."""

    def verify(self, hashed: str, password: bytes) -> bool:
        """Return whether `hashed` was made from `password`."""


class Argon2Cffi:
    """The reference implementation. Checks every form and cost, whatever its own cost is."""

    name = "argon2-cffi"

    def __init__(self, cost: Cost) -> None:
        self._hasher = argon2.PasswordHasher(
            cost.iterations, cost.memory_kib, cost.lanes, hash_len=DIGEST_BYTES, salt_len=SALT_BYTES
        )

    def hash(self, password: bytes) -> str:
        return self._hasher.hash(password)

    def verify(self, hashed: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError, ValueError):
            return False

    def differs(self, hashed: str) -> bool:
        """Return whether an argon2 hash differs from new ones in kind, version, cost or length."""
        return self._hasher.check_needs_rehash(hashed)

    def work(self, iterations: int, memory_kib: int) -> None:
        """Spend the time of a hash at this cost, and drop the result."""
        hash_secret_raw(b"", bytes(SALT_BYTES), iterations, memory_kib, 1, DIGEST_BYTES, argon2.Type.ID)


class Libsodium:
    """libsodium, through PyNaCl. Raises `ValueError` for a cost with several lanes, because libsodium has one only."""

    name = "libsodium"

    def __init__(self, cost: Cost) -> None:
        if cost.lanes != 1:
            raise ValueError("libsodium makes hashes of one lane only")
        self._iterations, self._bytes = cost.iterations, cost.memory_kib * 1024

    def hash(self, password: bytes) -> str:
        algorithm = bindings.crypto_pwhash_ALG_ARGON2ID13
        return bindings.crypto_pwhash_str_alg(password, self._iterations, self._bytes, algorithm).decode()

    def verify(self, hashed: str, password: bytes) -> bool:
        try:
            return bindings.crypto_pwhash_str_verify(hashed.encode(), password)
        except InvalidkeyError:
            return False


@dataclass(frozen=True)
class Measurement:
    """CPU milliseconds of the fastest hash with each library, at a fifth of the usual memory."""

    argon2_cffi: float
    libsodium: float

    @property
    def libsodium_is_faster(self) -> bool:
        """Return whether libsodium is faster by more than the error of measurement."""
        return self.libsodium < _CLEARLY_FASTER * self.argon2_cffi


def measure(iterations: int, cpu_seconds: Callable[[], float] = time.thread_time) -> Measurement:
    """Return how long a hash takes with each library. Makes up to four hashes with each, and stops after 150 ms.

    `cpu_seconds` returns this thread's CPU time, which other work on the machine hardly changes.
    """
    cost = Cost(_MEASURED_KIB, iterations, 1)
    argon2_cffi, libsodium = Argon2Cffi(cost), Libsodium(cost)
    begun = cpu_seconds()
    of_argon2_cffi: list[float] = []
    of_libsodium: list[float] = []
    for _ in range(_MAX_ROUNDS):
        of_argon2_cffi.append(_seconds_for_hash(argon2_cffi, cpu_seconds))
        of_libsodium.append(_seconds_for_hash(libsodium, cpu_seconds))
        if cpu_seconds() - begun > _MAX_SECONDS:
            break
    return Measurement(1000 * min(of_argon2_cffi), 1000 * min(of_libsodium))


def _seconds_for_hash(library: Argon2Library, cpu_seconds: Callable[[], float]) -> float:
    begun = cpu_seconds()
    library.hash(b"")
    return cpu_seconds() - begun
