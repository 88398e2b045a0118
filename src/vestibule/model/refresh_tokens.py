"""Refresh tokens: signed JWTs with a session's id and one of its counters (`flows/refresh.py` has the rules).

All claims come from the session's row, and signing the same row twice gives the same token. So tabs that refresh at the
same time get the same successor, and no token has to be stored.

A token also says by which methods its holder authenticated, and when. Its successors say the same, even if the session
was stepped up meanwhile: a thief who copied a token before a step-up gains nothing by it.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from vestibule.crypto import jws
from vestibule.crypto.jws import Claims, InvalidToken
from vestibule.model.access_tokens import Issuer
from vestibule.model.errors import RefreshRefused
from vestibule.model.sessions import Session
from vestibule.model.signing_keys import KeySet
from vestibule.protocol.authentication import Method
from vestibule.protocol.claims import (
    has_expired,
    read_period,
    read_seconds,
    read_texts,
    require_begun,
    require_issuer_and_audience,
    require_text,
)

TYP = "rt+jwt"


@dataclass(frozen=True)
class RefreshToken:
    """What a refresh token says: which session, which of its counters, and how and when (seconds since 1970) its
    holder authenticated. A token of a version that did not say so has no methods.
    """

    session_id: str
    counter: int
    expired: bool = False
    methods: tuple[str, ...] = ()
    authenticated_at: int = 0

    def presented_for(self, session: Session) -> Session:
        """Return the session with the methods and the time of this token, for its successors. A token without methods
        was issued by a version that had only passwords and no step-up. A token by two factors counts as one factor if
        its session has only one now: then the account has lost its last second factor.
        """
        if not self.methods:
            return replace(session, methods=(Method.PASSWORD,), authenticated_at=session.created_at)
        moment = datetime.fromtimestamp(self.authenticated_at, UTC)
        return replace(session, methods=session.methods_left(self.methods), authenticated_at=moment)


def sign(session: Session, issuer: Issuer, keys: KeySet) -> str:
    """Return the refresh token for the session's current counter, as a signed JWT."""
    claims = {
        "iss": issuer.name,
        "aud": issuer.refresh_expected.audience,
        "sid": session.id,
        "n": session.current,
        "iat": int(session.issued_at.timestamp()),
        "exp": int(session.idle_expires_at.timestamp()),
        "auth_time": int(session.authenticated_at.timestamp()),
        "amr": list(session.methods),
    }
    return jws.sign(claims, keys.signing, TYP)


def read(text: str, issuer: Issuer, keys: KeySet, now: datetime) -> RefreshToken:
    """Return the token in `text`; raises `RefreshRefused` if its form, signature or claims are wrong. Does not check
    the counter, which needs the database.

    An expired token is returned too, with `expired` set: it allows nothing, but names the session, so that the refusal
    can say why the session ended.
    """
    try:
        claims, expected = jws.verify(text, keys.checking, TYP), issuer.refresh_expected
        require_issuer_and_audience(claims, expected)
        period = read_period(claims)
        require_begun(period, expected.leeway, now.timestamp())
        expired = has_expired(period.expires_at, expected.leeway, now.timestamp())
        return RefreshToken(
            require_text(claims, "sid"),
            _counter(claims),
            expired,
            read_texts(claims, "amr"),
            read_seconds(claims, "auth_time"),
        )
    except (InvalidToken, ValueError):
        raise RefreshRefused from None


def _counter(claims: Claims) -> int:
    value = claims.get("n")
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidToken
    return value
