"""Tokens made by hand, as somebody would who wants to be let in: any header, any claims, any signature."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

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
        return {"alg": "RS256", "kid": self.key.kid, "typ": self.typ}

    def token(self, header: Json | bytes | None = None, claims: Json | bytes | None = None) -> str:
        """The good token, or one with another header or other claims, rightly signed."""
        return compose(self.header if header is None else header, self.claims if claims is None else claims, self.sign)

    def sign(self, text: bytes) -> bytes:
        return rsa_of(self.key).sign(text, padding.PKCS1v15(), hashes.SHA256())


@cache
def stranger() -> PrivateKey:
    """A key that the server never saw."""
    return jwk.generate(2048)


def compose(header: Json | bytes, claims: Json | bytes, sign: Sign) -> str:
    text = f"{encode(json_bytes(header))}.{encode(json_bytes(claims))}"
    return f"{text}.{encode(sign(text.encode()))}"


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def rsa_of(key: PrivateKey) -> RSAPrivateKey:
    return key.jwk.private_key


def json_bytes(value: Json | bytes) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def public_as_secret(public: PublicKey) -> dict[str, bytes]:
    """Every spelling of the public key that somebody might pass to an HMAC by mistake."""
    spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    key, members = public.jwk.public_key, public.as_jwk()
    return {
        "PEM": key.public_bytes(pem, spki),
        "PEM, stripped": key.public_bytes(pem, spki).strip(),
        "PEM, with CRLF": key.public_bytes(pem, spki).replace(b"\n", b"\r\n"),
        "PEM of PKCS #1": key.public_bytes(pem, pkcs1),
        "DER": key.public_bytes(der, spki),
        "DER of PKCS #1": key.public_bytes(der, pkcs1),
        "DER in base64": base64.b64encode(key.public_bytes(der, spki)),
        "JWK": json.dumps(members).encode(),
        "JWK, compact and sorted": json.dumps(members, separators=(",", ":"), sort_keys=True).encode(),
        "the modulus": base64.urlsafe_b64decode(members["n"] + "=="),
        "the modulus in base64": members["n"].encode(),
        "the key id": public.kid.encode(),
        "an empty secret": b"",
    }
