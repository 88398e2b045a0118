"""Asymmetric signing keys: made, read from PEM, judged, named by their thumbprint, published.

A key carries the one algorithm it may be used with (RFC 8725, section 3.1), so that a token's own
header never chooses. The key id is the RFC 7638 thumbprint: two processes that hold the same key
agree on its name without talking to each other.
"""

from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

MIN_RSA_BITS = 2048  # RFC 7518, section 3.3
PUBLIC_EXPONENT = 65537
ALGORITHM = "RS256"


class UnusableKey(ValueError):
    """A key that cannot be read, or is too weak to be used. The message says which, and what to do."""


@dataclass(frozen=True)
class PublicKey:
    """What checks a signature. `jwk` is the parsed key, read once: parsing costs more than checking."""

    kid: str
    alg: str
    jwk: RSAKey = field(repr=False)

    @property
    def bits(self) -> int:
        """The size of the modulus."""
        return self.jwk.public_key.key_size

    def to_pem(self) -> bytes:
        """SubjectPublicKeyInfo (RFC 5280, section 4.1)."""
        return bytes(self.jwk.as_pem(private=False))

    def as_jwk(self) -> dict[str, Any]:
        """The public members only, as a JWK Set publishes them (RFC 7517, section 4)."""
        return {**self.jwk.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": self.alg}


@dataclass(frozen=True)
class PrivateKey:
    """What makes a signature, beside the public half that checks it."""

    public: PublicKey
    jwk: RSAKey = field(repr=False)

    @property
    def kid(self) -> str:
        return self.public.kid

    def to_pem(self) -> bytes:
        """PKCS #8, not encrypted: for sealing, never for a log."""
        return bytes(self.jwk.as_pem(private=True))


def generate(bits: int = 3072, algorithm: str = ALGORITHM) -> PrivateKey:
    """A new key for an algorithm, from the operating system's generator; raises `UnusableKey` for one not known here.

    `bits` is the size of an RSA key.
    """
    if algorithm != ALGORITHM:
        raise UnusableKey(f"would be for {algorithm}, for which no key can be made here; {ALGORITHM} is possible")
    return _private(rsa.generate_private_key(PUBLIC_EXPONENT, bits))


def private_key(pem: bytes, *, checked: bool = False) -> PrivateKey:
    """Read a private key from PEM; raises `UnusableKey`.

    `checked`: it was made here and has been sealed since, so that its primes need not be proven again (0.4 s of CPU).
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=checked)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKey("is not an unencrypted PEM private key") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UnusableKey("is not an RSA key; RS256 needs one")
    return _private(key)


def public_key(pem: bytes) -> PublicKey:
    """Read a public key from PEM; raises `UnusableKey`."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey("is not a PEM public key") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise UnusableKey("is not an RSA key; RS256 needs one")
    return _public(key)


def published_key(member: object) -> PublicKey:
    """Read a public key from a member of a JWK Set (RFC 7517, section 4); raises `UnusableKey`."""
    if not isinstance(member, dict) or member.get("kty") != "RSA" or member.get("alg") != ALGORITHM or "d" in member:
        raise UnusableKey(f"is not the public half of an RSA key for {ALGORITHM}")
    try:
        key = RSAKey.import_key(member).public_key
    except (JoseError, ValueError, TypeError):
        raise UnusableKey("is not a JWK") from None
    return _public(key)


def _private(key: rsa.RSAPrivateKey) -> PrivateKey:
    return PrivateKey(_public(key.public_key()), RSAKey.import_key(key))


def _public(key: rsa.RSAPublicKey) -> PublicKey:
    if key.key_size < MIN_RSA_BITS:
        raise UnusableKey(f"has {key.key_size} bits; at least {MIN_RSA_BITS} are needed, 3072 are better")
    if key.public_numbers().e < PUBLIC_EXPONENT:
        raise UnusableKey(f"has the public exponent {key.public_numbers().e}; it must be {PUBLIC_EXPONENT} or more")
    jwk = RSAKey.import_key(key)
    return PublicKey(jwk.thumbprint(), ALGORITHM, jwk)
