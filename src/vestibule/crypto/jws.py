"""Signed tokens: JWS in compact serialization (RFC 7515). The token cannot choose how it is verified.

The order of checks matters. First size and form, before anything is parsed. Then the header, which must be as we write
it; the key, from our own dictionary; and the algorithm, from that key. Then the signature, and only then the claims.
"""

import base64
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from vestibule.crypto import i_json, signatures
from vestibule.crypto.jwk import PrivateKey, PublicKey

MAX_TOKEN_BYTES = 8192
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_HEADERS_KEPT = 64
_HEADER_MEMBERS = {"alg", "kid", "typ"}

Claims = dict[str, Any]


class InvalidToken(ValueError):
    """The text is not a token that one of our keys signed. The exception has no message: an attacker must learn
    nothing.
    """


def sign(claims: Mapping[str, Any], key: PrivateKey, typ: str) -> str:
    """Return `claims` as a signed token. The same claims and key give the same text."""
    header = {"alg": key.public.alg, "kid": key.kid, "typ": typ}
    signed = f"{_encode(_to_json(header))}.{_encode(_to_json(claims))}"
    return f"{signed}.{_encode(signatures.sign(signed.encode(), key))}"


def _to_json(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()


def verify(token: str, keys: Mapping[str, PublicKey], typ: str, most_bytes: int = MAX_TOKEN_BYTES) -> Claims:
    """Return the claims of `token`; raises `InvalidToken` unless one of `keys` signed it, with this `typ` in its
    header.

    `typ` tells kinds of tokens apart (RFC 8725, section 3.11). The claims are parsed, but not checked.
    """
    if len(token) > most_bytes or _COMPACT.fullmatch(token) is None:
        raise InvalidToken
    key = _key_for(token, keys, typ)
    signed, _, signature = token.rpartition(".")
    if not signatures.verifies(_decode(signature), signed.encode(), key):
        raise InvalidToken
    _, _, claims = signed.partition(".")
    return _json_object(_decode(claims))


def key_id(token: str) -> str | None:
    """Return the `kid` in the token's header, without verifying anything; None if the text is no compact JWS."""
    if len(token) > MAX_TOKEN_BYTES or _COMPACT.fullmatch(token) is None:
        return None
    try:
        kid = _header(token.partition(".")[0]).get("kid")
    except InvalidToken:
        return None
    return kid if isinstance(kid, str) else None


def unverified_claims(token: str, typ: str) -> Claims:
    """Return the claims of a token without checking its signature. Use them only to choose between two refusals. Raises
    `InvalidToken` for anything but a token of this `typ`.
    """
    if key_id(token) is None:
        raise InvalidToken
    header, claims, _ = token.split(".")
    _require_ours(_header(header), typ)
    return _json_object(_decode(claims))


def _key_for(token: str, keys: Mapping[str, PublicKey], typ: str) -> PublicKey:
    header = _header(token.partition(".")[0])
    _require_ours(header, typ)
    key = keys.get(header["kid"])
    if key is None or header["alg"] != key.alg:
        raise InvalidToken
    return key


def _require_ours(header: Claims, typ: str) -> None:
    # Exactly our three members. Other members could name a key (jwk, jku, x5u, x5c) or change the rules (crit, zip,
    # b64; RFC 8725, section 3.10).
    if set(header) != _HEADER_MEMBERS or header["typ"] != typ or not isinstance(header["kid"], str):
        raise InvalidToken


@lru_cache(maxsize=_HEADERS_KEPT)
def _header(part: str) -> Claims:
    """Return the members of a header. Cached: all tokens of one key have the same header."""
    return _json_object(_decode(part))


def _encode(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _decode(part: str) -> bytes:
    """Return the bytes that `part` encodes in base64url (RFC 7515, section 2). Raises `InvalidToken` unless encoding
    them gives `part` again: padding and non-zero spare bits would let one token be written in several ways.
    """
    try:
        text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise InvalidToken from None
    if _encode(text) != part:
        raise InvalidToken
    return text


def _json_object(text: bytes) -> Claims:
    try:
        value = i_json.parse(text)
    except i_json.NotIJson:
        raise InvalidToken from None
    if not isinstance(value, dict):
        raise InvalidToken
    return value
