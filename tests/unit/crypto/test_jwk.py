"""Keys: named as RFC 7638 says, refused with a sentence where they are weak or no keys, never shown in private."""

import base64
import json
import math

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from tests.harness.world import key_ring
from vestibule.crypto import jwk
from vestibule.crypto.entropy import random_bytes
from vestibule.crypto.jwk import UnusableKey

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
PLAIN = serialization.NoEncryption()
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

FIRST_PRIMES = [number for number in range(2, 168) if all(number % other for other in range(2, number))]

# RFC 7638, section 3.1.
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
MODULUS = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3okn"
    "jhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q"
    "MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awap"
    "JzKnqDKgw"
)


def rsa_pems(bits: int, exponent: int = 65537) -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(exponent, bits)
    return key.private_bytes(PEM, PKCS8, PLAIN), key.public_key().public_bytes(PEM, SPKI)


def roca_prime() -> int:
    """A prime of 1,024 bits as the broken library made them: k * M + (65537 ** a mod M)."""
    product = math.prod(FIRST_PRIMES)
    while True:
        power = pow(65537, int.from_bytes(random_bytes(16)), product)
        start = (1 << 1023 | 1 << 1022) // product + int.from_bytes(random_bytes(64))
        for k in range(start, start + 200):
            candidate = k * product + power
            if all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3)) and candidate % 65537 != 1:
                return candidate


def roca_pems() -> tuple[bytes, bytes]:
    p, q = roca_prime(), roca_prime()
    d = rsa.rsa_recover_private_exponent(65537, p, q)
    parts = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    key = rsa.RSAPrivateNumbers(p, q, d, *parts, rsa.RSAPublicNumbers(65537, p * q)).private_key()
    return key.private_bytes(PEM, PKCS8, PLAIN), key.public_key().public_bytes(PEM, SPKI)


def unusable_pairs() -> dict[str, tuple[bytes, bytes, str]]:
    """Private half, public half, and a word that the refusal must have."""
    curve, edwards = ec.generate_private_key(ec.SECP384R1()), ed448.Ed448PrivateKey.generate()
    good_private, good_public = key_ring().access.signing.to_pem(), key_ring().access.signing.public.to_pem()
    locked = rsa.generate_private_key(65537, 2048).private_bytes(
        PEM, PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    return {
        "1024 bits": (*rsa_pems(1024), "1024 bits; at least 2048"),
        "the exponent 3": (*rsa_pems(2048, 3), "public exponent 3"),
        "ROCA": (*roca_pems(), "CVE-2017-15361"),
        "another curve": (
            curve.private_bytes(PEM, PKCS8, PLAIN),
            curve.public_key().public_bytes(PEM, SPKI),
            "curve secp384r1; it must be P-256",
        ),
        "Ed448": (
            edwards.private_bytes(PEM, PKCS8, PLAIN),
            edwards.public_key().public_bytes(PEM, SPKI),
            "none of the keys that can",
        ),
        "encrypted": (locked, locked, "PEM"),
        "the other half": (good_public, good_private, "PEM"),
        "cut short": (good_private[:-200], good_public[:-200], "PEM"),
        "base64 alone": (base64.b64encode(good_private), base64.b64encode(good_public), "PEM"),
        "garbage": (b"\x00\xff garbage", b"-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----", "PEM"),
        "empty": (b"", b"", "PEM"),
    }


@pytest.fixture(scope="module")
def unusable() -> dict[str, tuple[bytes, bytes, str]]:
    return unusable_pairs()


def test_a_key_is_named_by_its_rfc_7638_thumbprint() -> None:
    """T12: a key is named by its rfc 7638 thumbprint."""
    n = int.from_bytes(base64.urlsafe_b64decode(MODULUS + "=="))
    pem = rsa.RSAPublicNumbers(65537, n).public_key().public_bytes(PEM, SPKI)
    key = jwk.public_key(pem)
    assert key.kid == THUMBPRINT
    assert key.bits == 2048
    assert key.as_jwk() == {
        "kty": "RSA",
        "n": MODULUS,
        "e": "AQAB",
        "kid": THUMBPRINT,
        "use": "sig",
        "alg": "RS256",
    }


def test_weak_and_foreign_keys_are_refused_with_a_sentence(unusable: dict[str, tuple[bytes, bytes, str]]) -> None:
    """T12: weak and foreign keys are refused with a sentence."""
    for what, (private, public, words) in unusable.items():
        for read, pem in ((jwk.private_key, private), (jwk.public_key, public)):
            with pytest.raises(UnusableKey) as refusal:
                read(pem)
            assert words in str(refusal.value), what


def test_a_refusal_does_not_quote_the_key(unusable: dict[str, tuple[bytes, bytes, str]]) -> None:
    for private, _, _ in unusable.values():
        with pytest.raises(UnusableKey) as refusal:
            jwk.private_key(private)
        assert len(str(refusal.value)) < 120
        assert refusal.value.__cause__ is None


def test_a_new_key_is_never_made_too_short() -> None:
    """T12: a new key is never made too short."""
    for bits in (0, 512, 1024, 2047):
        with pytest.raises(UnusableKey, match=f"has {bits} bits"):
            jwk.generate(bits, jwk.RS256)


def test_a_key_survives_its_pem() -> None:
    key = key_ring().access.signing
    assert jwk.private_key(key.to_pem()).kid == key.kid
    assert jwk.private_key(key.to_pem()).to_pem() == key.to_pem()
    assert jwk.public_key(key.public.to_pem()).kid == key.kid


def test_what_is_published_has_no_private_member() -> None:
    """T11: what is published has no private member."""
    of_its_kind = ((key_ring().access, {"n", "e"}), (key_ring().refresh, {"crv", "x"}))
    for key_set, members in of_its_kind:
        for published in (key_set.signing.public.as_jwk(), *key_set.published()["keys"]):
            assert not PRIVATE_MEMBERS & set(published)
            assert set(published) == {"kty", "kid", "use", "alg"} | members


def test_no_way_of_printing_a_key_shows_its_private_numbers() -> None:
    key = key_ring().access.signing
    private = key.jwk.as_dict(private=True)
    shown = " ".join((repr(key), str(key), f"{key}", repr(key_ring()), json.dumps(key.public.as_jwk())))
    secrets = [private[name] for name in ("d", "p", "q", "dp", "dq", "qi")]
    numbers = key.jwk.private_key.private_numbers()
    assert key.kid in shown
    assert not [secret for secret in (*secrets, str(numbers.d), str(numbers.p), "PRIVATE KEY") if secret in shown]
