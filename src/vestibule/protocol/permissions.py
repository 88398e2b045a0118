"""The document of permissions: a signed JWT that says what each role permits. The only code that reads it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vestibule.crypto import jws
from vestibule.crypto.jwk import PrivateKey, PublicKey
from vestibule.crypto.jws import InvalidToken
from vestibule.protocol.claims import Expected, require_seconds, require_text

PATH = "/.well-known/vestibule-permissions"
TYP = "vestibule-permissions+jwt"
MEDIA_TYPE = "application/jwt"
MAX_BYTES = 200_000
"""More than the largest document that a server signs: 36 roles, with 64 permissions of 48 characters each."""
MAX_ROLES = 64  # in a document that is read
MAX_PERMISSION = 48
PERMISSION = r"[a-z][a-z0-9_.-]*:[a-z][a-z0-9_.-]*"
_PERMISSION = re.compile(PERMISSION)
_VERSION_CHARACTERS = 32

Roles = Mapping[str, frozenset[str]]
"""The permissions of each role."""


@dataclass(frozen=True)
class Permissions:
    """What each role permits. Two documents that say the same have the same `version` and are equal. `issued_at` is
    when the document was signed, in seconds since 1970; 0 for one that was not.
    """

    roles: Roles
    version: str
    issued_at: int = field(default=0, compare=False)


def is_permission(text: str) -> bool:
    """Return whether `text` has the form of a permission, such as `invoices:write`."""
    return len(text) <= MAX_PERMISSION and _PERMISSION.fullmatch(text) is not None


def version_of(roles: Roles) -> str:
    """Return the version of the document with these roles: a digest of what it says."""
    content = json.dumps(_listed(roles), separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:_VERSION_CHARACTERS]


def sign(permissions: Permissions, issuer: str, issued_at: int, key: PrivateKey) -> str:
    """Return the document as signed text. `issued_at`: seconds since 1970. Takes most of a millisecond with RSA."""
    claims = {"iss": issuer, "iat": issued_at, "version": permissions.version, "roles": _listed(permissions.roles)}
    return jws.sign(claims, key, TYP)


def read(text: str, keys: Mapping[str, PublicKey], expected: Expected) -> Permissions:
    """Return what the document says; raises `InvalidToken`. Accepts a document of any age: the feed names the version
    that is in force.
    """
    claims = jws.verify(text, keys, TYP, MAX_BYTES)
    if claims.get("iss") not in expected.issuers:
        raise InvalidToken
    roles = claims.get("roles")
    if not isinstance(roles, dict) or len(roles) > MAX_ROLES:
        raise InvalidToken
    permitted = {name: _permissions(texts) for name, texts in roles.items()}
    return Permissions(permitted, require_text(claims, "version"), require_seconds(claims, "iat"))


def _permissions(texts: Any) -> frozenset[str]:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidToken
    return frozenset(texts)


def _listed(roles: Roles) -> dict[str, list[str]]:
    return {name: sorted(permissions) for name, permissions in roles.items()}
