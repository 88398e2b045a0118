"""Signatures over bytes, in the forms of JWS (RFC 7518, sections 3.3 and 3.4; RFC 8037, section 3.1).

The key alone chooses the algorithm: each kind of key has one here (`vestibule.crypto.jwk`).
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from vestibule.crypto.jwk import PrivateKey, PublicKey

_SHA256, _PKCS1 = SHA256(), padding.PKCS1v15()
_ECDSA = ec.ECDSA(_SHA256)
# Deterministic (RFC 6979): the same claims give the same token, so that concurrent refreshes get the same text. And a
# bad source of randomness cannot reveal the key.
_DETERMINISTIC_ECDSA = ec.ECDSA(_SHA256, deterministic_signing=True)
_P256_BYTES = 32  # of each of the two numbers of a signature (RFC 7518, section 3.4)


def sign(signed: bytes, key: PrivateKey) -> bytes:
    """Return the signature of the bytes in `signed`, the same each time; raises TypeError for an unknown key type."""
    private = key.jwk.private_key
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(signed, _PKCS1, _SHA256)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(private.sign(signed, _DETERMINISTIC_ECDSA))
        return r.to_bytes(_P256_BYTES) + s.to_bytes(_P256_BYTES)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(signed)
    raise TypeError(f"cannot sign with a {type(private).__name__}")


def verifies(signature: bytes, signed: bytes, key: PublicKey) -> bool:
    """Return whether `signature` is the key's, over the bytes in `signed`."""
    public = key.native
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, signed, _PKCS1, _SHA256)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(_der(signature), signed, _ECDSA)
        elif isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(signature, signed)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _der(signature: bytes) -> bytes:
    """Return a P-256 signature in the form that OpenSSL reads; raises `InvalidSignature` for another length."""
    if len(signature) != 2 * _P256_BYTES:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(signature[:_P256_BYTES]), int.from_bytes(signature[_P256_BYTES:]))
