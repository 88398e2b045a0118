"""A cheap and a costlier hash of each kind that an import brings, made of one password."""

import hashlib

import bcrypt
from argon2.low_level import Type, hash_secret

from vestibule.crypto.derived_hashes import pbkdf2_form, scrypt_form
from vestibule.crypto.hash_forms import BCRYPT_OF_SHA256

_SALT = b"sixteen bytes of"
_SIGNER_KEY = (
    "ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==",
    "C0sHCg9ek77hsg==",
    "zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==",
)


def argon2(kind: Type, password: bytes, memory_kib: int) -> str:
    return hash_secret(password, _SALT, 2, memory_kib, 1, 32, kind).decode()


def pbkdf2(name: str, password: bytes, iterations: int) -> str:
    return pbkdf2_form(name, iterations, _SALT, hashlib.pbkdf2_hmac(name, password, _SALT, iterations))


def scrypt(password: bytes, log_n: int) -> str:
    return scrypt_form(log_n, 8, 2, _SALT, hashlib.scrypt(password, salt=_SALT, n=1 << log_n, r=8, p=2, dklen=64))


def firebase(log_n: int) -> str:
    """Of the password `mytestpassword` if `log_n` is 14, the example of Supabase Auth; of nobody knows which else."""
    signer_key, salt, digest = _SIGNER_KEY
    return f"$fbscrypt$v=1,n={log_n},r=8,p=1,ss=Bw==,sk={signer_key}${salt}${digest}"


def bcrypt_of(password: bytes, rounds: int) -> str:
    return bcrypt.hashpw(password, bcrypt.gensalt(rounds)).decode()


def bcrypt_of_sha256(password: bytes, rounds: int) -> str:
    return BCRYPT_OF_SHA256 + bcrypt_of(hashlib.sha256(password).hexdigest().encode(), rounds)


def one_of_each(password: str) -> dict[str, tuple[str, str]]:
    """For each kind a cheap and a costlier hash."""
    text = password.encode()
    kinds = {
        "argon2id": tuple(argon2(Type.ID, text, memory_kib) for memory_kib in (64, 128)),
        "argon2i": tuple(argon2(Type.I, text, memory_kib) for memory_kib in (64, 256)),
        "bcrypt": (bcrypt_of(text, 4), bcrypt_of(text, 5)),
        "bcrypt of SHA-256": (bcrypt_of_sha256(text, 4), bcrypt_of_sha256(text, 6)),
        "PBKDF2-SHA1": (pbkdf2("sha1", text, 100), pbkdf2("sha1", text, 1_000)),
        "PBKDF2-SHA256": (pbkdf2("sha256", text, 200), pbkdf2("sha256", text, 2_000)),
        "PBKDF2-SHA512": (pbkdf2("sha512", text, 300), pbkdf2("sha512", text, 3_000)),
        "scrypt": (scrypt(text, 5), scrypt(text, 7)),
        "Firebase scrypt": (firebase(6), firebase(8)),
    }
    return {name: (cheap, costlier) for name, (cheap, costlier) in kinds.items()}
