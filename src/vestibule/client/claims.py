"""What a token must say to be believed: docs/protocol/README.md, "Checking a token"."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vestibule.client.caller import Caller
from vestibule.client.errors import KeyUnknown, TokenInvalid
from vestibule.crypto import jws
from vestibule.crypto.jwk import PublicKey

TYP = "at+jwt"
MAX_LIFETIME_SECONDS = 3600
_FAR_FUTURE = 2**37


@dataclass(frozen=True)
class Expected:
    """Who must have made a token, for whom, and how far two machines' clocks may disagree, in seconds."""

    issuer: str
    audience: str
    leeway: float


def read(token: str, keys: Mapping[str, PublicKey], expected: Expected, now: float) -> Caller:
    """The caller whom `token` names; raises `TokenInvalid`. `now`: seconds since 1970. Says nothing of revocations."""
    try:
        claims = jws.verify(token, keys, TYP)
    except jws.InvalidToken:
        kid = jws.key_id(token)
        raise (TokenInvalid if kid is None or kid in keys else KeyUnknown) from None
    return judge(claims, expected, now)


def judge(claims: Mapping[str, Any], expected: Expected, now: float) -> Caller:
    """The caller, by claims that are known to be Vestibule's own; raises `TokenInvalid`."""
    if claims.get("iss") != expected.issuer or claims.get("aud") != expected.audience:
        raise TokenInvalid
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    _text(claims, "jti")
    caller = Caller(
        id=_text(claims, "sub"),
        role=_text(claims, "role"),
        session=_text(claims, "sid"),
        issued=issued,
        expires_at=expires,
        claims=MappingProxyType(dict(claims)),
    )
    if expires - issued > MAX_LIFETIME_SECONDS or not in_time(caller, expected, now):
        raise TokenInvalid
    return caller


def in_time(caller: Caller, expected: Expected, now: float) -> bool:
    """Whether `now` is within the token's life, give or take the leeway (RFC 7519, section 4.1)."""
    return caller.issued - expected.leeway <= now < caller.expires_at + expected.leeway


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise TokenInvalid
    return value


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _FAR_FUTURE:
        raise TokenInvalid
    return value
