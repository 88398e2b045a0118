"""Tokens made by hand, as somebody would who wants to be let in: any header, any claims, any signature."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from vestibule.crypto import jwk
from vestibule.crypto.jwk import PrivateKey, PublicKey

Json = dict[str, Any]
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Good:
    """What makes a good token for one endpoint: who would refuse a token made so has refused too much."""

    key: PrivateKey
    typ: str
    claims: Json

    @property
    def header(self) -> Json:
        return {"alg": self.key.public.alg, "kid": self.key.kid, "typ": self.typ}

    def token(self, header: Json | bytes | None = None, claims: Json | bytes | None = None) -> str:
        """The good token, or one with another header or other claims, rightly signed."""
        return compose(self.header if header is None else header, self.claims if claims is None else claims, self.sign)

    @property
    def by_a_stranger(self) -> "Good":
        """The same, signed with a key of the same kind that the server never saw."""
        return Good(stranger(self.key.public.alg), self.typ, self.claims)

    def sign(self, text: bytes) -> bytes:
        return signers(self.key)[self.key.public.alg](text)


@cache
def stranger(algorithm: str = "RS256") -> PrivateKey:
    """A key that the server never saw."""
    return jwk.generate(2048, algorithm)


def signers(key: PrivateKey) -> dict[str, Sign]:
    """Every way of signing with this kind of key, the right one among them, by its name in a header."""
    private = key.jwk.private_key
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return {"EdDSA": private.sign, "Ed25519": private.sign, "Ed448": private.sign}
    digests = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
    if isinstance(private, ec.EllipticCurvePrivateKey):
        raw = {f"ES{bits}": _ecdsa(private, digest) for bits, digest in digests.items()}
        der = ec.ECDSA(digests["256"])
        return {**raw, "ES256K": raw["ES256"], "ES256 in DER": lambda text: private.sign(text, der)}
    found: dict[str, Sign] = {}
    for bits, digest in digests.items():
        found[f"RS{bits}"] = partial(_rsa, private, padding.PKCS1v15(), digest)
        found[f"PS{bits}"] = partial(_rsa, private, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    return found


def _rsa(private: Any, scheme: Any, digest: hashes.HashAlgorithm, text: bytes) -> bytes:
    signature: bytes = private.sign(text, scheme, digest)
    return signature


def _ecdsa(private: ec.EllipticCurvePrivateKey, digest: hashes.HashAlgorithm) -> Sign:
    def sign(text: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(text, ec.ECDSA(digest, deterministic_signing=True)))
        return r.to_bytes(32) + s.to_bytes(32)

    return sign


def compose(header: Json | bytes, claims: Json | bytes, sign: Sign) -> str:
    text = f"{encode(json_bytes(header))}.{encode(json_bytes(claims))}"
    return f"{text}.{encode(sign(text.encode()))}"


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def json_bytes(value: Json | bytes) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def public_as_secret(public: PublicKey) -> dict[str, bytes]:
    """Every spelling of the public key that somebody might pass to an HMAC by mistake."""
    spki, pem, der = (
        serialization.PublicFormat.SubjectPublicKeyInfo,
        serialization.Encoding.PEM,
        serialization.Encoding.DER,
    )
    key, members = public.native, public.as_jwk()
    number = members["n" if public.alg == "RS256" else "x"]
    return {
        "PEM": key.public_bytes(pem, spki),
        "PEM, stripped": key.public_bytes(pem, spki).strip(),
        "PEM, with CRLF": key.public_bytes(pem, spki).replace(b"\n", b"\r\n"),
        "DER": key.public_bytes(der, spki),
        "DER in base64": base64.b64encode(key.public_bytes(der, spki)),
        **(_pkcs1(key) if public.alg == "RS256" else {}),
        "JWK": json.dumps(members).encode(),
        "JWK, compact and sorted": json.dumps(members, separators=(",", ":"), sort_keys=True).encode(),
        "the modulus, or x": base64.urlsafe_b64decode(number + "=="),
        "the modulus, or x, in base64": number.encode(),
        "the key id": public.kid.encode(),
        "an empty secret": b"",
    }


def _pkcs1(key: Any) -> dict[str, bytes]:
    pkcs1 = serialization.PublicFormat.PKCS1
    return {
        "PEM of PKCS #1": key.public_bytes(serialization.Encoding.PEM, pkcs1),
        "DER of PKCS #1": key.public_bytes(serialization.Encoding.DER, pkcs1),
    }
