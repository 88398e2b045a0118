"""Service keys: the secrets with which services behind Vestibule follow the feed and introspect tokens."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vestibule.crypto import opaque
from vestibule.protocol.service_keys import PREFIX

MAX_NAME = 64
_NAME = re.compile(rf"[a-z0-9](?:[a-z0-9._-]{{0,{MAX_NAME - 2}}}[a-z0-9])?")


@dataclass(frozen=True)
class ServiceKey:
    """A key as it is stored: the service's name, and the key's digest."""

    name: str
    digest: str
    created_at: datetime


def is_service_name(text: str) -> bool:
    """Return whether `text` can name a service: at most 64 lower-case letters and digits, with `.`, `_`, `-` inside. No
    name begins like a key: names are shown, and a key that was given as a name by mistake must not be.
    """
    return _NAME.fullmatch(text) is not None and not text.startswith(PREFIX)


def mint() -> str:
    """Return a new key, 256 random bits behind the prefix."""
    return PREFIX + opaque.mint_secret()


def digest_of(key: str) -> str | None:
    """Return the digest that is stored for `key`; None if the text has not the form of a key."""
    secret = key.removeprefix(PREFIX)
    if secret == key or not opaque.is_secret(secret):
        return None
    return opaque.digest(key)


class ServiceKeys(Protocol):
    """The keys of services that may follow the feed and introspect tokens."""

    async def add(self, key: ServiceKey) -> bool:
        """Add the key; return False, and add nothing, if the service has a key already."""

    async def with_digest(self, digest: str) -> ServiceKey | None:
        """Return the key with this digest, or None."""

    async def all(self) -> list[ServiceKey]:
        """Return every key that is not revoked, ordered by name."""

    async def remove(self, name: str) -> bool:
        """Revoke the service's key; return False if it has none."""
