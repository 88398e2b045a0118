"""Signed tokens in compact form (RFC 7515). The token itself decides nothing about how it is verified.

The order of checks matters: size and shape before any parsing, the header exactly as we write it, the key from our own
dictionary, the algorithm from that key, then the signature, and only then the claims.
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
    """The text is not a token that one of our keys signed. Never says more: the sender learns nothing."""


def sign(claims: Mapping[str, Any], key: PrivateKey, typ: str) -> str:
    """Return the compact serialization of `claims`, signed. The same claims and key give the same text."""
    header = {"alg": key.public.alg, "kid": key.kid, "typ": typ}
    signed = f"{_encode(_compact(header))}.{_encode(_compact(claims))}"
    return f"{signed}.{_encode(signatures.sign(signed.encode(), key))}"


def _compact(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()


def verify(token: str, keys: Mapping[str, PublicKey], typ: str) -> Claims:
    """Return the claims of `token`, signed by one of `keys` as a token of kind `typ`; raises `InvalidToken`.

    `typ` keeps the kinds of token apart (RFC 8725, section 3.11). Claims are parsed, not judged.
    """
    if len(token) > MAX_TOKEN_BYTES or _COMPACT.fullmatch(token) is None:
        raise InvalidToken
    key = _key_for(token, keys, typ)
    signed, _, signature = token.rpartition(".")
    if not signatures.verifies(_decode(signature), signed.encode(), key):
        raise InvalidToken
    return _json_object(_decode(signed.partition(".")[2]))


def key_id(token: str) -> str | None:
    """Return the `kid` that the token names, not verified; None for a text that is no compact JWS."""
    if len(token) > MAX_TOKEN_BYTES or _COMPACT.fullmatch(token) is None:
        return None
    try:
        kid = _header(token.partition(".")[0]).get("kid")
    except InvalidToken:
        return None
    return kid if isinstance(kid, str) else None


def _key_for(token: str, keys: Mapping[str, PublicKey], typ: str) -> PublicKey:
    header = _header(token.partition(".")[0])
    # Exactly our three members: no jwk, jku, x5u, x5c to fetch from, no crit, zip or b64 to obey (RFC 8725, 3.10).
    if set(header) != _HEADER_MEMBERS or header["typ"] != typ or not isinstance(header["kid"], str):
        raise InvalidToken
    key = keys.get(header["kid"])
    if key is None or header["alg"] != key.alg:
        raise InvalidToken
    return key


@lru_cache(maxsize=_HEADERS_KEPT)
def _header(part: str) -> Claims:
    """Return the members of a header. Cached: all tokens of one key have the same header."""
    return _json_object(_decode(part))


def _encode(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _decode(part: str) -> bytes:
    """Return what `part` encodes; raises `InvalidToken` for all but one spelling: no padding, no spare bits (RFC 7515,
    section 2).
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
