"""Access tokens as this server signs and reads them, with its own keys. `protocol/access_tokens.py` has the claims."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from vestibule.crypto.jwk import PublicKey
from vestibule.crypto.jws import InvalidToken
from vestibule.model.accounts import Role
from vestibule.model.errors import AccessTokenInvalid
from vestibule.model.signing_keys import KeySet
from vestibule.protocol import access_tokens as protocol
from vestibule.protocol.access_tokens import AccessToken
from vestibule.protocol.claims import Expected


@dataclass(frozen=True)
class Issuer:
    """Issuer and audience of tokens, and the allowed clock skew (`leeway`)."""

    name: str
    audience: str
    leeway: timedelta

    @cached_property
    def expected(self) -> Expected:
        """Return the issuer, audience and leeway that an access token is checked against."""
        return Expected(self.name, self.audience, self.leeway.total_seconds())

    @cached_property
    def refresh_expected(self) -> Expected:
        """Return the same for a refresh token, whose audience is this server alone, so that no service accepts it."""
        return Expected(self.name, f"{self.name}#refresh", self.leeway.total_seconds())


def sign(token: AccessToken, issuer: Issuer, keys: KeySet) -> str:
    """Return the token as a signed JWT (RFC 9068). RSA takes most of a millisecond: call it on `niced_threads`."""
    return protocol.sign(token, issuer.expected, keys.signing)


def read(text: str, issuer: Issuer, keys: KeySet, now: datetime) -> AccessToken:
    """Return the token in `text`; raises `AccessTokenInvalid` if its form, signature, claims or time is wrong. Does not
    tell whether its session is still live.
    """
    try:
        token, _ = protocol.read(text, keys.checking, issuer.expected, now.timestamp())
        Role(token.role)
    except (InvalidToken, ValueError):
        raise AccessTokenInvalid from None
    return token


def still_good(token: AccessToken, issuer: Issuer, keys: Mapping[str, PublicKey], now: datetime) -> bool:
    """Return whether a token that was read before is still good at `now`: not expired, and its key is in `keys`."""
    return protocol.still_good(token, keys, issuer.expected.leeway, now.timestamp())
