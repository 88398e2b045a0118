"""Password hashes: the library against RFC 9106, our costs, bcrypt from elsewhere, and which passwords are the same."""

import argon2
import pytest
from argon2.low_level import Type, core, ffi, lib

from tests.harness.world import CHEAP
from vestibule.crypto.bcrypt_hashes import BCRYPT_MAX_BYTES
from vestibule.crypto.passwords import Argon2id, Hasher

# The reference implementation's own vector: password `password`, salt `somesalt`, t=2, m=64 MiB, p=1.
REFERENCE = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

# Openwall's crypt_blowfish, wrapper.c.
LONG = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
BCRYPT = {
    "U*U": "05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "U*U*": "05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
    "U*U*U": "05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
    LONG + "chars after 72 are ignored": "05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
}

DIFFERENT = {
    "NUL does not end it": ("ab\0cd", "ab\0ef"),
    "NUL counts": ("password", "password\0"),
    "control characters count": ("pass\x01word", "pass\x02word"),
    "a line feed is no carriage return": ("pass\nword", "pass\rword"),
    "a space at the end": ("password", "password "),
    "a space before": ("password", " password"),
    "case": ("password", "Password"),
    "a no-break space is no space": ("pass word", "pass\u00a0word"),
    "a zero-width space": ("password", "pass\u200bword"),
    "fullwidth is another letter": ("password", "\uff50assword"),
    "a ligature is not its letters": ("of\ufb01ce 1234", "office 1234"),
    "what comes after 72 bytes": ("x" * 72 + "a", "x" * 72 + "b"),
    "emoji": ("🔐🔐🔐🔐", "🔐🔐🔐🔑"),
}
SAME = {
    "é, composed and not": ("caf\u00e9 au lait", "cafe\u0301 au lait"),
    "Å, as a letter and as a unit": ("\u00c5ngstr\u00f6m", "\u212bngstro\u0308m"),
    "Hangul": ("\ud55c\uae00 password", "\u1112\u1161\u11ab\u1100\u1173\u11af password"),
}


@pytest.fixture(scope="module")
def cheap() -> Hasher:
    return Hasher(CHEAP)


@pytest.fixture(scope="module")
def with_bcrypt() -> Hasher:
    return Hasher(CHEAP, bcrypt_rounds=4)


def test_the_library_computes_argon2id_as_rfc_9106_prints_it() -> None:
    # Section 5.3: t=3, m=32 KiB, p=4, with a secret and associated data, which the library's short form leaves out.
    inputs = {name: ffi.new("uint8_t[]", bytes([value]) * size) for name, value, size in _RFC_9106_INPUTS}
    sizes = {name: size for name, _, size in _RFC_9106_INPUTS}
    tag = ffi.new("uint8_t[]", 32)
    members = {
        **inputs,
        **{f"{name}len": size for name, size in sizes.items()},
        "out": tag,
        "outlen": 32,
        "version": 0x13,
        "t_cost": 3,
        "m_cost": 32,
        "lanes": 4,
        "threads": 4,
        "allocate_cbk": ffi.NULL,
        "free_cbk": ffi.NULL,
        "flags": lib.ARGON2_DEFAULT_FLAGS,
    }
    assert core(ffi.new("argon2_context *", members), Type.ID.value) == lib.ARGON2_OK
    assert bytes(tag).hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


_RFC_9106_INPUTS = (("pwd", 1, 32), ("salt", 2, 16), ("secret", 3, 8), ("ad", 4, 12))


def test_the_reference_implementation_s_hash_is_accepted(cheap: Hasher) -> None:
    assert cheap.matches("password", REFERENCE)
    assert not cheap.matches("passwore", REFERENCE)


def test_by_default_a_hash_costs_what_owasp_asks_for() -> None:
    """P5: by default a hash costs what owasp asks for."""
    # Password Storage Cheat Sheet: argon2id, m=19456 KiB, t=2, p=1; SP 800-63B-4 asks for a salt of 32 bits.
    parameters = argon2.extract_parameters(Hasher(Argon2id()).decoy)
    assert (parameters.type, parameters.version) == (Type.ID, 19)
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)
    assert parameters.salt_len >= 16
    assert parameters.hash_len >= 32


def test_every_hash_has_a_salt_of_its_own(cheap: Hasher) -> None:
    """P6: every hash has a salt of its own."""
    assert len({cheap.hash("correct horse") for _ in range(20)}) == 20


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
@pytest.mark.parametrize(("password", "rest"), BCRYPT.items(), ids=range(len(BCRYPT)))
def test_bcrypt_from_elsewhere_is_accepted(cheap: Hasher, prefix: str, password: str, rest: str) -> None:
    assert cheap.matches(password, prefix + rest)
    assert not cheap.matches("x" + password, prefix + rest)
    assert cheap.outdated(prefix + rest)


def test_bcrypt_tells_72_bytes_apart_and_no_more(with_bcrypt: Hasher) -> None:
    stored = with_bcrypt.hash("é" * (BCRYPT_MAX_BYTES // 2))
    assert with_bcrypt.matches("é" * (BCRYPT_MAX_BYTES // 2) + "tail", stored)
    assert not with_bcrypt.matches("é" * (BCRYPT_MAX_BYTES // 2 - 1) + "e", stored)


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_one_password_from_two_keyboards_is_one(cheap: Hasher, with_bcrypt: Hasher, one: str, other: str) -> None:
    for hasher in (cheap, with_bcrypt):
        assert one != other
        assert hasher.matches(other, hasher.hash(one))
        assert hasher.matches(one, hasher.hash(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_two_passwords_are_two(cheap: Hasher, one: str, other: str) -> None:
    assert cheap.matches(one, cheap.hash(one))
    assert not cheap.matches(other, cheap.hash(one))
    assert not cheap.matches(one, cheap.hash(other))


@pytest.mark.parametrize("name", [name for name in DIFFERENT if "72" not in name])
def test_two_passwords_are_two_for_bcrypt_also(with_bcrypt: Hasher, name: str) -> None:
    one, other = DIFFERENT[name]
    assert with_bcrypt.matches(one, with_bcrypt.hash(one))
    assert not with_bcrypt.matches(other, with_bcrypt.hash(one))


def test_what_is_no_hash_matches_nothing(cheap: Hasher) -> None:
    broken = ["", "password", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$", "$2b$12$short", "$1$md5", "ä", "\0"]
    assert not [stored for stored in broken if cheap.matches("password", stored)]


def test_outdated_is_what_another_algorithm_or_another_cost_made(cheap: Hasher) -> None:
    """P6: outdated is what another algorithm or another cost made."""
    cheaper = Hasher(Argon2id(memory_kib=32, iterations=1)).decoy
    dearer = Hasher(Argon2id(memory_kib=64, iterations=2)).decoy
    independent = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=Type.I).hash("password")
    assert not cheap.outdated(cheap.hash("password"))
    assert all(cheap.outdated(stored) for stored in (cheaper, dearer, independent, "$2b$12$" + "x" * 53))


def test_a_team_that_shares_bcrypt_gets_bcrypt_at_its_cost(cheap: Hasher, with_bcrypt: Hasher) -> None:
    stored = with_bcrypt.hash("correct horse")
    assert stored.startswith("$2b$04$")
    assert with_bcrypt.decoy.startswith("$2b$04$")
    assert with_bcrypt.matches("correct horse", stored)
    assert not with_bcrypt.outdated(stored)
    assert all(with_bcrypt.outdated(other) for other in (cheap.decoy, "$2b$05$" + stored[7:], "$2y$04$" + stored[7:]))
    assert with_bcrypt.matches("password", cheap.hash("password"))


def test_the_decoy_is_of_the_current_cost_and_nobody_s_password() -> None:
    one, other = Hasher(CHEAP), Hasher(CHEAP)
    assert one.decoy != other.decoy
    assert not one.outdated(one.decoy)
    assert not one.matches("", one.decoy)
