"""PBKDF2 (RFC 8018) and scrypt (RFC 7914): derive a key from a password at a bounded cost, or only do that work."""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

MAX_ITERATIONS = {"sha1": 2_000_000, "sha256": 2_000_000, "sha512": 1_000_000}
"""The most iterations of PBKDF2 that are checked, by hash function. They take about a second."""
MAX_SCRYPT_BYTES = 134_217_728  # 128 MiB, for each hash that is checked at the same time
_MAX_SCRYPT_WORK = 1_048_576  # N times r times p; takes up to half a second
_MIN_LOG_N = 4
_ROOM = 1_048_576  # bytes that OpenSSL needs beside the blocks


@dataclass(frozen=True)
class Pbkdf2:
    """PBKDF2 with HMAC. `digest_name` is that of hashlib."""

    digest_name: str
    iterations: int

    @property
    def kind(self) -> str:
        """Return the name of the algorithm. The work of two kinds cannot be compared."""
        return f"pbkdf2-{self.digest_name}"

    @property
    def work(self) -> int:
        """Return the number of iterations."""
        return self.iterations

    @property
    def bounded(self) -> bool:
        """Return whether a hash of this cost may be checked."""
        return 1 <= self.iterations <= MAX_ITERATIONS.get(self.digest_name, 0)

    @property
    def block_bytes(self) -> int:
        """Return the length of a block: the bytes that one run of all iterations derives."""
        return hashlib.new(self.digest_name).digest_size

    def derive(self, password: bytes, salt: bytes, length: int) -> bytes:
        """Return the derived key, of at most one block."""
        return hashlib.pbkdf2_hmac(self.digest_name, password, salt, self.iterations, length)

    def spend(self, work: int) -> None:
        """Do this many iterations, and drop the result; do nothing if `work` is not positive."""
        if work > 0:
            hashlib.pbkdf2_hmac(self.digest_name, b"", b"", work)


@dataclass(frozen=True)
class Scrypt:
    """Scrypt with N = 2 ** `log_n`."""

    log_n: int
    r: int
    p: int

    @property
    def kind(self) -> str:
        """Return the name of the algorithm."""
        return "scrypt"

    @property
    def work(self) -> int:
        """Return N times r times p."""
        return (1 << self.log_n) * self.r * self.p

    @property
    def bounded(self) -> bool:
        """Return whether a hash of this cost may be checked."""
        return 128 * self.r * (1 << self.log_n) <= MAX_SCRYPT_BYTES and self.work <= _MAX_SCRYPT_WORK

    def derive(self, password: bytes, salt: bytes, length: int) -> bytes:
        """Return the derived key."""
        n = 1 << self.log_n
        most = 128 * self.r * (n + self.p + 2) + _ROOM
        return hashlib.scrypt(password, salt=salt, n=n, r=self.r, p=self.p, maxmem=most, dklen=length)

    def spend(self, work: int) -> None:
        """Do this much work (N times r times p): with as much memory as a check takes, and the rest with less. Do
        nothing if `work` is not positive.
        """
        for log_n in range(self.log_n, _MIN_LOG_N - 1, -1):
            work_of_one = (1 << log_n) * self.r
            for _ in range(times := work // work_of_one):
                Scrypt(log_n, self.r, 1).derive(b"", b"", 32)
            work -= max(times, 0) * work_of_one


Derivation = Pbkdf2 | Scrypt


def keystream(key: bytes, length: int) -> bytes:
    """Return the first `length` bytes of the AES-256-CTR keystream from counter 0. Firebase encrypts with it."""
    return Cipher(AES256(key), CTR(bytes(16))).encryptor().update(bytes(length))
