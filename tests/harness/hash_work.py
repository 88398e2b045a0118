"""Count the work of each hashing library and algorithm: unlike time, it is the same on every machine."""

import hashlib
from collections import Counter

import bcrypt
import pytest

from vestibule.crypto import bcrypt_hashes, derivation, passwords
from vestibule.crypto.argon2_libraries import Argon2Cffi, Libsodium, Measurement
from vestibule.crypto.hash_forms import Cost, argon2_cost
from vestibule.crypto.passwords import Hasher

WORK = Counter[str]()
"""The work so far, by library or algorithm: KiB times passes for argon2-cffi and libsodium, two to the power of the
cost for bcrypt, iterations for PBKDF2, N times r times p for scrypt.
"""


class Counted:
    """Counts the work of the argon2 library that comes after it among a class's bases."""

    name: str

    def __init__(self, cost: Cost) -> None:
        super().__init__(cost)
        self._cost = cost

    def hash(self, password: bytes) -> str:
        WORK[self.name] += self._cost.work
        return super().hash(password)

    def verify(self, hashed: str, password: bytes) -> bool:
        cost = argon2_cost(hashed)
        WORK[self.name] += cost.work if cost else 0
        return super().verify(hashed, password)


class CountedArgon2(Counted, Argon2Cffi):
    def work(self, iterations: int, memory_kib: int) -> None:
        WORK[self.name] += iterations * memory_kib
        super().work(iterations, memory_kib)


class CountedLibsodium(Counted, Libsodium):
    pass


class CountedBcrypt:
    gensalt = staticmethod(bcrypt.gensalt)

    @staticmethod
    def hashpw(password: bytes, salt: bytes) -> bytes:
        WORK["bcrypt"] += 2 ** int(salt[4:6])
        return bcrypt.hashpw(password, salt)

    @staticmethod
    def checkpw(password: bytes, hashed: bytes) -> bool:
        WORK["bcrypt"] += 2 ** int(hashed[4:6])
        return bcrypt.checkpw(password, hashed)


class CountedHashlib:
    new = staticmethod(hashlib.new)
    sha256 = staticmethod(hashlib.sha256)

    @staticmethod
    def pbkdf2_hmac(name: str, password: bytes, salt: bytes, iterations: int, length: int | None = None) -> bytes:
        WORK[f"pbkdf2-{name}"] += iterations * -(-(length or 1) // hashlib.new(name).digest_size)
        return hashlib.pbkdf2_hmac(name, password, salt, iterations, length)

    @staticmethod
    def scrypt(password: bytes, *, salt: bytes, n: int, r: int, p: int, maxmem: int, dklen: int) -> bytes:
        WORK["scrypt"] += n * r * p
        return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=maxmem, dklen=dklen)


def count_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every hasher that is created from now on add its work to `WORK`."""
    monkeypatch.setattr(passwords, "Argon2Cffi", CountedArgon2)
    monkeypatch.setattr(passwords, "Libsodium", CountedLibsodium)
    monkeypatch.setattr(bcrypt_hashes, "bcrypt", CountedBcrypt)
    monkeypatch.setattr(derivation, "hashlib", CountedHashlib)


def with_libsodium(hasher: Hasher) -> Hasher:
    """Return the same hasher, which now uses libsodium, as on a machine where that is faster."""
    hasher.choose_library(lambda _: Measurement(argon2_cffi=2, libsodium=1))
    assert hasher.library == "libsodium"
    return hasher
