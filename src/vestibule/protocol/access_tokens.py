"""Access tokens: signed JWTs that say who is calling, valid for minutes (RFC 9068). The only code that reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from vestibule.crypto import jws
from vestibule.crypto.jwk import PrivateKey, PublicKey
from vestibule.crypto.jws import InvalidToken
from vestibule.protocol.authentication import Level, level_named
from vestibule.protocol.claims import (
    Expected,
    read_actor,
    read_flag,
    read_period,
    read_seconds,
    read_text,
    read_texts,
    require_issuer_and_audience,
    require_text,
)

TYP = "at+jwt"
MAX_LIFETIME_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The claims of an access token; times are seconds since 1970. `session_id` is no credential.

    `methods`, `level` and `authenticated_at` say how and when its user last proved who they are. These three belong to
    the token, not to its session: an older token of the session gains nothing by a later proof. A token without these
    claims has level 1, and 0 as the time. `roles` are those that operators made, beside the built-in `role`.

    `actor_id` is the account of the operator who acts as the person (RFC 8693, section 4.1); None for everybody's own
    tokens.

    Two fields are set only in a token that was read: `starts_at`, the later of `iat` and `nbf`, and `key_id`, the
    id of the key that signed the token.
    """

    id: str
    account_id: str
    session_id: str
    role: str
    issued_at: int
    expires_at: int
    email_verified: bool = False
    methods: tuple[str, ...] = ()
    level: Level = Level.ONE_FACTOR
    authenticated_at: int = 0
    roles: tuple[str, ...] = ()
    actor_id: str | None = None
    starts_at: int = field(default=0, compare=False)
    key_id: str = field(default="", compare=False)


class Remembered(Protocol):
    """The part of a verified token that a process remembers; times are seconds since 1970."""

    @property
    def starts_at(self) -> int: ...
    @property
    def expires_at(self) -> int: ...
    @property
    def key_id(self) -> str: ...


def sign(token: AccessToken, expected: Expected, key: PrivateKey) -> str:
    """Return the token as signed text. Takes most of a millisecond with RSA."""
    return jws.sign(claims_of(token, expected), key, TYP)


def claims_of(token: AccessToken, expected: Expected) -> jws.Claims:
    """Return the claims to sign for a token; `expected` gives issuer and audience."""
    roles = {"roles": list(token.roles)} if token.roles else {}
    return {
        "iss": expected.issuer,
        "aud": expected.audience,
        "sub": token.account_id,
        "sid": token.session_id,
        "jti": token.id,
        "iat": token.issued_at,
        "exp": token.expires_at,
        "role": token.role,
        "email_verified": token.email_verified,
        "auth_time": token.authenticated_at,
        "amr": list(token.methods),
        "acr": token.level.acr,
        **roles,
        **({"act": {"sub": token.actor_id}} if token.actor_id is not None else {}),
    }


def read(text: str, keys: Mapping[str, PublicKey], expected: Expected, now: float) -> tuple[AccessToken, jws.Claims]:
    """Return the token in `text` and all its claims; raises `InvalidToken`. `keys` are found by their ids; `now` is in
    seconds since 1970. Does not check revocations.
    """
    claims = jws.verify(text, keys, TYP)
    return judge(claims, expected, now, jws.key_id(text) or ""), claims


def read_unverified(text: str, expected: Expected, now: float) -> AccessToken:
    """Return the token that `text` claims to be. The signature is NOT checked: use this only to choose between two
    refusals. Raises `InvalidToken` as `judge` does.
    """
    return judge(jws.unverified_claims(text, TYP), expected, now)


def judge(claims: Mapping[str, Any], expected: Expected, now: float, key_id: str = "") -> AccessToken:
    """Check all claims, and return the token that they describe; raises `InvalidToken`. `now`: seconds since 1970.

    `key_id` becomes the token's; leave it empty if no signature was verified.
    """
    members = dict(claims)
    require_issuer_and_audience(members, expected)
    period = read_period(members)
    token = AccessToken(
        id=require_text(members, "jti"),
        account_id=require_text(members, "sub"),
        session_id=require_text(members, "sid"),
        role=require_text(members, "role"),
        issued_at=period.issued_at,
        expires_at=period.expires_at,
        email_verified=read_flag(members, "email_verified"),
        methods=read_texts(members, "amr"),
        level=level_named(read_text(members, "acr")),
        authenticated_at=read_seconds(members, "auth_time"),
        roles=read_texts(members, "roles"),
        actor_id=read_actor(members),
        starts_at=period.starts_at,
        key_id=key_id,
    )
    if period.expires_at - period.issued_at > MAX_LIFETIME_SECONDS or not in_time(token, expected.leeway, now):
        raise InvalidToken
    return token


def in_time(token: Remembered, leeway: float, now: float) -> bool:
    """Return whether `now` is within the token's lifetime, give or take the leeway (RFC 7519, section 4.1)."""
    return token.starts_at - leeway <= now < token.expires_at + leeway


def still_good(token: Remembered, keys: Mapping[str, PublicKey], leeway: float, now: float) -> bool:
    """Return whether a remembered token may be accepted without verifying its text again: its key is in force, and
    `now` is within its lifetime.
    """
    return token.key_id in keys and in_time(token, leeway, now)
