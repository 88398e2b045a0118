"""PBKDF2 and scrypt: published vectors, which forms and costs are checked, and that a wrong password tells no kind."""

import time
from collections import Counter

import pytest

from tests.harness.hash_work import WORK, count_work, with_libsodium
from tests.harness.world import CHEAP
from tests.unit.crypto.kinds_of_hash import firebase, one_of_each
from tests.unit.crypto.test_hash_forms import ODD, PASSWORD, TYPED
from vestibule.crypto.derivation import Pbkdf2, Scrypt
from vestibule.crypto.derived_hashes import MAX_CHARACTERS, derived_hash, pbkdf2_form, scrypt_form
from vestibule.crypto.passwords import Hasher
from vestibule.crypto.pepper import PEPPER_PREFIX
from vestibule.crypto.stored_hashes import checkable, costs_of, kind_of_hash, too_costly

_KEY = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="
_DIGEST = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
# RFC 6070; RFC 7914, sections 11 and 12; the README of github.com/firebase/scrypt; the tests of Supabase Auth.
_RFC_6070 = bytes.fromhex("4b007901b765489abead49d926f721d065a429c1")
VECTORS = {
    "PBKDF2-SHA1": (
        "password",
        pbkdf2_form("sha1", 4096, b"salt", _RFC_6070),
    ),
    "PBKDF2-SHA256": (
        "passwd",
        pbkdf2_form(
            "sha256", 1, b"salt", bytes.fromhex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
        ),
    ),
    "scrypt": (
        "pleaseletmein",
        scrypt_form(
            14,
            8,
            1,
            b"SodiumChloride",
            bytes.fromhex(
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
            ),
        ),
    ),
    "Firebase": ("user1password", f"$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={_KEY}$42xEC+ixf3L2lw==${_DIGEST}"),
    "Supabase's of Firebase": ("mytestpassword", firebase(14)),
}


@pytest.mark.parametrize(("password", "stored"), VECTORS.values(), ids=VECTORS)
def test_published_vectors_match(password: str, stored: str) -> None:
    hasher = Hasher(CHEAP)
    assert hasher.can_match(stored)
    assert hasher.matches(password, stored)
    assert not hasher.matches(f"{password}1", stored)
    assert hasher.outdated(stored)


KINDS = one_of_each(PASSWORD)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_checked_replaced_and_named(kind: str) -> None:
    hasher = Hasher(CHEAP)
    for stored in KINDS[kind]:
        assert len(stored) <= MAX_CHARACTERS
        assert hasher.can_match(stored)
        assert hasher.matches(PASSWORD, stored) is (kind != "Firebase scrypt")
        assert not hasher.matches("wrong horse", stored)
        assert hasher.outdated(stored)
        assert kind_of_hash(stored) == ("argon2" if kind.startswith("argon2") else kind)


def test_i2_of_each_kind_what_was_typed_is_tried_too() -> None:
    for kind, (stored, _) in one_of_each(TYPED).items():
        assert Hasher(CHEAP).matches(TYPED, stored) is (kind != "Firebase scrypt"), kind


_SALT, _16 = "A" * 22, "A" * 22
# A hash that is not checked, and whether only its cost is the reason.
UNCHECKED = {
    "2,000,001 iterations of SHA-1": (f"$pbkdf2-sha1$i=2000001${_SALT}${_16}", True),
    "2,000,001 iterations of SHA-256": (f"$pbkdf2-sha256$i=2000001${_SALT}${_16}", True),
    "1,000,001 iterations of SHA-512": (f"$pbkdf2-sha512$i=1000001${_SALT}${_16}", True),
    "billions of iterations": (f"$pbkdf2-sha512$i=99999999999999999999${_SALT}${_16}", True),
    "no iterations": (f"$pbkdf2-sha256$i=0${_SALT}${_16}", True),
    "scrypt of 256 MiB": (f"$scrypt$ln=18,r=8,p=1${_SALT}${_16}", True),
    "scrypt of 128 MiB twice": (f"$scrypt$ln=17,r=8,p=2${_SALT}${_16}", True),
    "scrypt of a long block": (f"$scrypt$ln=10,r=9999,p=1${_SALT}${_16}", True),
    "scrypt of many lanes": (f"$scrypt$ln=10,r=8,p=1000000${_SALT}${_16}", True),
    "scrypt of 2 ** 4000000000": (f"$scrypt$ln=4000000000,r=8,p=1${_SALT}${_16}", True),
    "Firebase of 256 MiB": (firebase(18), True),
    "bcrypt of 31": (ODD["bcrypt of cost 31"], True),
    "bcrypt of 31, of SHA-256": ("$bcrypt-sha256" + ODD["bcrypt of cost 31"], True),
    "argon2 of four gigabytes": (ODD["argon2id of four gigabytes"], True),
    "a digest of a byte": (f"$pbkdf2-sha256$i=1${_SALT}$AA", False),
    "an empty digest": (f"$pbkdf2-sha256$i=1${_SALT}$", False),
    "an empty salt": (f"$pbkdf2-sha256$i=1$${_16}", False),
    "a salt of 96 bytes": (f"$pbkdf2-sha256$i=1${'A' * 128}${_16}", False),
    "a digest of two blocks": (f"$pbkdf2-sha256$i=1${_SALT}${'A' * 86}", False),
    "a salt with a bit too much": (f"$scrypt$ln=4,r=8,p=1${'A' * 21}B${_16}", False),
    "a salt that is no base64": (f"$scrypt$ln=4,r=8,p=1${'A' * 21}${_16}", False),
    "MD5": (f"$pbkdf2-md5$i=1${_SALT}${_16}", False),
    "Django's own form": (f"pbkdf2_sha256$1$salt${_16}", False),
    "Firebase with another key's length": (firebase(6).replace("sk=ou9t", "sk="), False),
    "Firebase with bad base64": (firebase(6).replace("==$C0s", "=$C0s"), False),
    "with a line feed": (f"$pbkdf2-sha256$i=1${_SALT}${_16}\n", False),
    "Arabic digits": (f"$pbkdf2-sha256$i=\u0661${_SALT}${_16}", False),
    "a pepper before it": (f"{PEPPER_PREFIX}00000000$pbkdf2-sha256$i=1${_SALT}${_16}", False),
    "huge": (f"$pbkdf2-sha256$i=1${'A' * 1_000_000}${_16}", False),
}


@pytest.mark.parametrize(("stored", "costly"), UNCHECKED.values(), ids=UNCHECKED)
def test_i12_what_costs_too_much_or_is_of_another_form_never_reaches_a_check(stored: str, costly: bool) -> None:
    hasher, begun = Hasher(CHEAP), time.process_time()
    assert not checkable(stored)
    assert derived_hash(stored) is None
    assert not hasher.can_match(stored)
    assert not hasher.matches(PASSWORD, stored)
    assert too_costly(stored) is costly
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "cost", [Pbkdf2("sha1", 2_000_000), Pbkdf2("sha512", 1_000_000), Scrypt(17, 8, 1), Scrypt(14, 8, 8)]
)
def test_i12_what_is_allowed_is_checked_within_seconds_of_cpu(cost: Pbkdf2 | Scrypt) -> None:
    assert cost.bounded
    begun = time.process_time()
    assert len(cost.derive(b"", b"salt", 20)) == 20
    assert time.process_time() - begun < 10


def beginning(stored: str) -> str:
    return (
        stored[:7] if stored.startswith("$2") else stored[:21] if "bcrypt" in stored else stored.rsplit("$", 2)[0] + "$"
    )


@pytest.mark.parametrize("password", ["wrong horse", TYPED])
@pytest.mark.parametrize("libsodium", [False, True], ids=["argon2-cffi", "libsodium"])
def test_i13_a_wrong_password_is_the_same_work_with_each_kind_of_hash_and_without_one(
    monkeypatch: pytest.MonkeyPatch, password: str, libsodium: bool
) -> None:
    """I13: as the work of each library and algorithm by itself, for each spelling."""
    count_work(monkeypatch)
    hasher = with_libsodium(Hasher(CHEAP)) if libsodium else Hasher(CHEAP)
    imported = [stored for pair in KINDS.values() for stored in pair]
    costs = costs_of(map(beginning, imported))
    work: dict[str, Counter[str]] = {}
    for stored in (*imported, Hasher(CHEAP).hash("another"), hasher.decoy, *ODD.values(), *dict(UNCHECKED.values())):
        WORK.clear()
        assert not hasher.matches(password, stored)
        hasher.even_out_bcrypt(password, stored, costs.bcrypt or 0)
        hasher.even_out_argon2(password, stored, costs.argon2)
        hasher.even_out_derived(password, stored, costs.derived)
        work[stored[:120]] = +WORK
    times = 2 if password == TYPED else 1
    expected = {"bcrypt": 64, "pbkdf2-sha1": 1_000, "pbkdf2-sha256": 2_000, "pbkdf2-sha512": 3_000, "scrypt": 2_048}
    expected |= {"argon2-cffi": 512, "libsodium": 64} if libsodium else {"argon2-cffi": 512}
    wanted = {name: amount * times for name, amount in expected.items()}
    assert {stored: done for stored, done in work.items() if done != wanted} == {}
