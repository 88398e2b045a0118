"""Signing keys: a pair for access tokens and another for refresh tokens, so that neither can stand in for the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from vestibule.crypto.jwk import PrivateKey, PublicKey


class KeyUse(StrEnum):
    """Which kind of token a key signs."""

    ACCESS = "access"
    REFRESH = "refresh"


class KeyState(StrEnum):
    """Where a key stands in its life."""

    CURRENT = "current"
    RETIRED = "retired"


@dataclass(frozen=True)
class SealedKey:
    """A key as it lies in the database: the private half only encrypted."""

    kid: str
    use: KeyUse
    state: KeyState
    alg: str
    sealed_private: str
    created_at: datetime


@dataclass(frozen=True)
class KeySet:
    """The keys of one use: the one that signs, and all that may check."""

    signing: PrivateKey
    checking: Mapping[str, PublicKey]

    @classmethod
    def of(cls, signing: PrivateKey) -> "KeySet":
        """A set of one key."""
        return cls(signing, {signing.kid: signing.public})

    def published(self) -> dict[str, Any]:
        """The JWK Set document (RFC 7517, section 5), public members only."""
        return {"keys": [key.as_jwk() for key in self.checking.values()]}


@dataclass(frozen=True)
class KeyRing:
    """All keys of this server."""

    access: KeySet
    refresh: KeySet
