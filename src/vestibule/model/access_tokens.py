"""Access tokens: who is asking, as a signed statement that is good for minutes (RFC 9068)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vestibule.crypto import jws
from vestibule.crypto.jws import Claims, InvalidToken
from vestibule.model.accounts import Role
from vestibule.model.errors import AccessTokenInvalid
from vestibule.model.signing_keys import KeySet

TYP = "at+jwt"
MAX_LIFETIME = timedelta(hours=1)
_FAR_FUTURE = 2**37  # seconds: the year 6325, from which a leeway can still be counted on


@dataclass(frozen=True)
class AccessToken:
    """What an access token says. `session_id` names the session; it is no credential."""

    id: str
    account_id: str
    session_id: str
    role: Role
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Issuer:
    """In whose name tokens are made, for whom, and how far two machines' clocks may disagree."""

    name: str
    audience: str
    leeway: timedelta

    @property
    def refresh_audience(self) -> str:
        """Refresh tokens are for this server alone, so their audience excludes every service's."""
        return f"{self.name}#refresh"


def sign(token: AccessToken, issuer: Issuer, keys: KeySet) -> str:
    """The token as text. RSA takes most of a millisecond: call it on `niced_threads`."""
    claims = {
        "iss": issuer.name,
        "aud": issuer.audience,
        "sub": token.account_id,
        "sid": token.session_id,
        "jti": token.id,
        "iat": int(token.issued_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
        "role": token.role.value,
    }
    return jws.sign(claims, keys.signing, TYP)


def read(text: str, issuer: Issuer, keys: KeySet, now: datetime) -> AccessToken:
    """The token in `text`; raises `AccessTokenInvalid`. Says nothing about whether its session lives."""
    try:
        claims = jws.verify(text, keys.checking, TYP)
        require_party(claims, issuer.name, issuer.audience)
        issued_at, expires_at = require_time(claims, issuer, now, MAX_LIFETIME)
        return AccessToken(
            id=require_text(claims, "jti"),
            account_id=require_text(claims, "sub"),
            session_id=require_text(claims, "sid"),
            role=Role(require_text(claims, "role")),
            issued_at=issued_at,
            expires_at=expires_at,
        )
    except (InvalidToken, ValueError):
        raise AccessTokenInvalid from None


def require_party(claims: Claims, issuer: str, audience: str) -> None:
    """`iss` and `aud` exactly, as strings (RFC 8725, sections 3.8 and 3.9)."""
    if claims.get("iss") != issuer or claims.get("aud") != audience:
        raise InvalidToken


def require_text(claims: Claims, name: str) -> str:
    """The claim `name`, a string that is not empty and that every database can hold."""
    value = claims.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise InvalidToken
    return value


def require_time(
    claims: Claims,
    issuer: Issuer,
    now: datetime,
    max_lifetime: timedelta | None = None,
    *,
    expired_is_well: bool = False,
) -> tuple[datetime, datetime]:
    """`iat` and `exp`, both required, `now` between them within the leeway (RFC 7519, section 4.1)."""
    issued_at, expires_at = _instant(claims, "iat"), _instant(claims, "exp")
    if max_lifetime is not None and expires_at - issued_at > max_lifetime:
        raise InvalidToken
    if now < issued_at - issuer.leeway or (now >= expires_at + issuer.leeway and not expired_is_well):
        raise InvalidToken
    return issued_at, expires_at


def _instant(claims: Claims, name: str) -> datetime:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _FAR_FUTURE:
        raise InvalidToken
    return datetime.fromtimestamp(value, UTC)
