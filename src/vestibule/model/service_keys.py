"""Service keys: how a service behind Vestibule shows that it may follow the feed and ask about tokens."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vestibule.crypto import opaque

PREFIX = "vsk_"
"""Marks the text as a secret of ours, for people and for programs that look for leaked ones."""

MAX_NAME = 64
_NAME = re.compile(rf"[a-z0-9](?:[a-z0-9._-]{{0,{MAX_NAME - 2}}}[a-z0-9])?")


@dataclass(frozen=True)
class ServiceKey:
    """A key as it is stored: whose it is, and the digest that is kept instead of it."""

    name: str
    digest: str
    created_at: datetime


def is_service_name(text: str) -> bool:
    """Return whether `text` can name a service: at most 64 lower-case letters and digits, with `.`, `_`, `-` inside."""
    return _NAME.fullmatch(text) is not None


def mint() -> str:
    """Return a new key, 256 random bits behind the prefix."""
    return PREFIX + opaque.mint_secret()


def digest_of(key: str) -> str | None:
    """Return what is stored for `key`; None if it has not the shape of a key, and need not be looked up."""
    secret = key.removeprefix(PREFIX)
    if secret == key or not opaque.is_secret(secret):
        return None
    return opaque.digest(key)


class ServiceKeys(Protocol):
    """Which services may follow the feed and ask about tokens."""

    async def add(self, key: ServiceKey) -> bool:
        """Add the key; return False, and add nothing, if a service of that name has one."""

    async def with_digest(self, digest: str) -> ServiceKey | None:
        """Return the key with this digest, or None."""

    async def all(self) -> list[ServiceKey]:
        """Return every key in force, by name."""

    async def remove(self, name: str) -> bool:
        """Put the service's key out of force; return False if it has none."""
