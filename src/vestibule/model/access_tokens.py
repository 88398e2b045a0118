"""Access tokens as this server makes and takes them. What a token must say is in `protocol/access_tokens.py`."""

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
    """In whose name tokens are made, for whom, and how far two machines' clocks may disagree."""

    name: str
    audience: str
    leeway: timedelta

    @cached_property
    def expected(self) -> Expected:
        """What an access token of this issuer's must say."""
        return Expected(self.name, self.audience, self.leeway.total_seconds())

    @cached_property
    def refresh_expected(self) -> Expected:
        """Refresh tokens are for this server alone, so their audience excludes every service's."""
        return Expected(self.name, f"{self.name}#refresh", self.leeway.total_seconds())


def sign(token: AccessToken, issuer: Issuer, keys: KeySet) -> str:
    """The token as text. RSA takes most of a millisecond: call it on `niced_threads`."""
    return protocol.sign(token, issuer.expected, keys.signing)


def read(text: str, issuer: Issuer, keys: KeySet, now: datetime) -> AccessToken:
    """The token in `text`; raises `AccessTokenInvalid`. Says nothing about whether its session lives."""
    try:
        token, _ = protocol.read(text, keys.checking, issuer.expected, now.timestamp())
        Role(token.role)
    except (InvalidToken, ValueError):
        raise AccessTokenInvalid from None
    return token


def still_good(token: AccessToken, issuer: Issuer, keys: Mapping[str, PublicKey], now: datetime) -> bool:
    """Whether a token that was read before may still be relied on: no withdrawn key signed it, and it is in time."""
    return protocol.still_good(token, keys, issuer.expected.leeway, now.timestamp())
