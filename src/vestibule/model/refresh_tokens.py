"""Refresh tokens: signed JWTs with a session's id and one of its counters (`flows/refresh.py` has the rules).

All claims come from the session's row, and signing the same row twice gives the same token. So tabs that refresh at the
same time get the same successor, and no token has to be stored.
"""

from dataclasses import dataclass
from datetime import datetime

from vestibule.crypto import jws
from vestibule.crypto.jws import Claims, InvalidToken
from vestibule.model.access_tokens import Issuer
from vestibule.model.errors import RefreshRefused
from vestibule.model.sessions import Session
from vestibule.model.signing_keys import KeySet
from vestibule.protocol.claims import has_expired, read_period, require_begun, require_issuer_and_audience, require_text

TYP = "rt+jwt"


@dataclass(frozen=True)
class RefreshToken:
    """What a refresh token says: which session, and which of its counters."""

    session_id: str
    counter: int
    expired: bool = False


def sign(session: Session, issuer: Issuer, keys: KeySet) -> str:
    """Return the refresh token for the session's current counter, as a signed JWT."""
    claims = {
        "iss": issuer.name,
        "aud": issuer.refresh_expected.audience,
        "sid": session.id,
        "n": session.current,
        "iat": int(session.issued_at.timestamp()),
        "exp": int(session.idle_expires_at.timestamp()),
    }
    return jws.sign(claims, keys.signing, TYP)


def read(text: str, issuer: Issuer, keys: KeySet, now: datetime) -> RefreshToken:
    """Return the token in `text`; raises `RefreshRefused` if its form, signature or claims are wrong. Does not check
    the counter, which needs the database.

    An expired token is returned too, with `expired` set. An expired token allows nothing, but it names the session, so
    that the refusal can say why the session ended.
    """
    try:
        claims, expected = jws.verify(text, keys.checking, TYP), issuer.refresh_expected
        require_issuer_and_audience(claims, expected)
        period = read_period(claims)
        require_begun(period, expected.leeway, now.timestamp())
        expired = has_expired(period.expires_at, expected.leeway, now.timestamp())
        return RefreshToken(require_text(claims, "sid"), _counter(claims), expired)
    except (InvalidToken, ValueError):
        raise RefreshRefused from None


def _counter(claims: Claims) -> int:
    value = claims.get("n")
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidToken
    return value
