"""Asymmetric signing keys: generate them, read them from PEM, check their strength, publish them.

Each key is for one algorithm (RFC 8725, section 3.1), so that a token's header never chooses the algorithm. The key id
is the key's RFC 7638 thumbprint, so that two processes with the same key use the same id.
"""

from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from vestibule.crypto.roca import is_roca

MIN_RSA_BITS = 2048  # RFC 7518, section 3.3
PUBLIC_EXPONENT = 65537
RS256, ES256, EDDSA = ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""RSA with PKCS#1 v1.5 and ECDSA on P-256, each with SHA-256 (RFC 7518, section 3.1), and Ed25519 (RFC 8037)."""
DEFAULT_ALGORITHM = RS256

AnyJwk = RSAKey | ECKey | OKPKey
AnyPublic = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
AnyPrivate = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
_JWK_CLASSES: dict[str, Any] = {RS256: RSAKey, ES256: ECKey, EDDSA: OKPKey}
_USABLE_KEYS = "an RSA key, an EC key on P-256, or an Ed25519 key"
_STRING_MEMBERS = ("alg", "crv", "e", "kid", "kty", "n", "use", "x", "y")
_CURVE_BITS = 256
_RSA_BITS_AS_STRONG_AS_CURVE = 3072  # SP 800-57 part 1, table 2


class UnusableKey(ValueError):
    """A key that cannot be read, or is too weak. The message says why, and what to do. It has no subject: the caller
    puts the key's name before it.
    """


@dataclass(frozen=True)
class PublicKey:
    """A key that verifies signatures. `native` is OpenSSL's form of `jwk`, made once: that costs more than a check.

    `jwk.public_key` would be the same, but before Python 3.12 reading it takes a lock of joserfc's class. If a
    service's worker is forked while another thread holds that lock, the worker would wait for ever.
    """

    kid: str
    alg: str
    native: AnyPublic = field(repr=False)
    jwk: AnyJwk = field(repr=False)

    @property
    def bits(self) -> int:
        """Return the size of the modulus, or of the curve's field, in bits."""
        return self.native.key_size if isinstance(self.native, rsa.RSAPublicKey) else _CURVE_BITS

    @property
    def rsa_bits(self) -> int:
        """Return the size of an RSA key of the same strength, in bits."""
        return self.bits if self.alg == RS256 else _RSA_BITS_AS_STRONG_AS_CURVE

    def to_pem(self) -> bytes:
        """Return the key as PEM: SubjectPublicKeyInfo (RFC 5280, section 4.1)."""
        return self.native.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def as_jwk(self) -> dict[str, Any]:
        """Return the public members only, as a JWK Set publishes them (RFC 7517, section 4)."""
        return {**self.jwk.as_dict(private=False), "kid": self.kid, "use": "sig", "alg": self.alg}


@dataclass(frozen=True)
class PrivateKey:
    """A key that signs, with its public half."""

    public: PublicKey
    jwk: AnyJwk = field(repr=False)

    @property
    def kid(self) -> str:
        """Return the key id of the public half."""
        return self.public.kid

    def to_pem(self) -> bytes:
        """Return the key as PEM: PKCS #8, not encrypted. For sealing, never for a log."""
        return bytes(self.jwk.as_pem(private=True))


def generate(bits: int = 3072, algorithm: str = DEFAULT_ALGORITHM) -> PrivateKey:
    """Return a new key for an algorithm; `bits` is the size of an RSA key. Raises `UnusableKey` for an unknown
    algorithm, or for too few bits.
    """
    if algorithm == ES256:
        return _private(ec.generate_private_key(ec.SECP256R1()))
    if algorithm == EDDSA:
        return _private(ed25519.Ed25519PrivateKey.generate())
    if algorithm != RS256:
        raise UnusableKey(f"would be for the unknown algorithm {algorithm}; known are {', '.join(ALGORITHMS)}")
    _require_bits(bits)
    return _private(rsa.generate_private_key(PUBLIC_EXPONENT, bits))


def private_key(pem: bytes, *, checked: bool = False) -> PrivateKey:
    """Return the private key in a PEM text; raises `UnusableKey`.

    `checked`: the key was made and sealed here, so its primes need not be tested again (0.1 s of CPU for RSA with 3072
    bits).
    """
    try:
        key = serialization.load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=checked)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKey("is not an unencrypted PEM private key") from None
    if not isinstance(key, AnyPrivate):
        raise UnusableKey(f"is none of the keys that can sign here: {_USABLE_KEYS}")
    return _private(key)


def public_key(pem: bytes) -> PublicKey:
    """Return the public key in a PEM text; raises `UnusableKey`."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey("is not a PEM public key") from None
    if not isinstance(key, AnyPublic):
        raise UnusableKey(f"is none of the keys that can verify here: {_USABLE_KEYS}")
    return _public(key)


def published_key(member: object) -> PublicKey:
    """Return the public key of a member of a JWK Set (RFC 7517, section 4); raises `UnusableKey`."""
    # `d` is a member of private keys only.
    if not isinstance(member, dict) or str(member.get("alg")) not in _JWK_CLASSES or "d" in member:
        raise UnusableKey(f"is not the public half of a key for {', '.join(ALGORITHMS)}")
    kind = _JWK_CLASSES[str(member["alg"])]
    if not all(isinstance(member.get(name, ""), str) for name in _STRING_MEMBERS):
        raise UnusableKey("is not a JWK")
    try:
        key = kind.import_key(member).raw_value if member.get("kty") == kind.key_type else None
    except (JoseError, ValueError, TypeError, LookupError, UnsupportedAlgorithm):
        raise UnusableKey("is not a JWK") from None
    if not isinstance(key, AnyPublic):
        raise UnusableKey(f"is no key for {member['alg']}")
    return _public(key)


def _private(key: AnyPrivate) -> PrivateKey:
    public = _public(key.public_key())
    return PrivateKey(public, _JWK_CLASSES[public.alg].import_key(key))


def _public(key: AnyPublic) -> PublicKey:
    alg = _algorithm_of(key)
    jwk = _JWK_CLASSES[alg].import_key(key)
    return PublicKey(jwk.thumbprint(), alg, key, jwk)


def _algorithm_of(key: AnyPublic) -> str:
    """Return the one algorithm that a key is for; raises `UnusableKey`."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return EDDSA
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, ec.SECP256R1):
            raise UnusableKey(f"is on the curve {key.curve.name}; it must be P-256")
        return ES256
    _require_bits(key.key_size)
    if key.public_numbers().e < PUBLIC_EXPONENT:
        raise UnusableKey(f"has the public exponent {key.public_numbers().e}; it must be {PUBLIC_EXPONENT} or more")
    if is_roca(key.public_numbers().n):
        raise UnusableKey("was made by a library whose keys can be computed (CVE-2017-15361); make a new one")
    return RS256


def _require_bits(bits: int) -> None:
    """Raise `UnusableKey` if an RSA key of this size is too weak."""
    if bits < MIN_RSA_BITS:
        raise UnusableKey(f"has {bits} bits; at least {MIN_RSA_BITS} are needed, 3072 are better")
