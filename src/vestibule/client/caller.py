"""The caller of a request, as the access token names them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from vestibule.client.errors import NotAllowedError
from vestibule.protocol.access_tokens import AccessToken


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user: account id, role, session id, and when the token was issued and expires.

    `email_verified`: whether the account's email was verified when the token was issued. `claims`: everything in the
    token. `issued`, `expires_at` and `starts_at` are its `iat`, `exp` and `nbf`, in seconds since 1970; `key_id` is the
    `kid` of the key that signed it.
    """

    id: str
    role: str
    session: str
    issued: int
    expires_at: int
    claims: Mapping[str, Any] = field(repr=False, compare=False)
    email_verified: bool = False
    starts_at: int = field(default=0, repr=False, compare=False)
    key_id: str = field(default="", repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "claims", MappingProxyType(dict(self.claims)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how pickle makes the same caller in another process: the read-only `claims` cannot be pickled."""
        values = {member.name: getattr(self, member.name) for member in fields(self)}
        return type(self), tuple({**values, "claims": dict(self.claims)}.values())

    @classmethod
    def of(cls, token: AccessToken, claims: Mapping[str, Any]) -> "Caller":
        """Return the caller that a token names."""
        return cls(
            id=token.account_id,
            role=token.role,
            session=token.session_id,
            issued=token.issued_at,
            expires_at=token.expires_at,
            claims=claims,
            email_verified=token.email_verified,
            starts_at=token.starts_at,
            key_id=token.key_id,
        )

    @property
    def expires(self) -> datetime:
        """Return when the token expires, in UTC. The session may end earlier, or go on with another token."""
        return datetime.fromtimestamp(self.expires_at, UTC)

    def require(self, *roles: str) -> None:
        """Raise `NotAllowedError` unless the role is one of `roles`, and `ValueError` if none is named."""
        require_role_names(roles)
        if self.role not in roles:
            raise NotAllowedError


def require_role_names(roles: Collection[object]) -> None:
    """Raise `ValueError` unless `roles` has at least one role, and each is a name. Some readers would expect that an
    empty list, or a list in the place of a name, lets nobody in, and others that it lets everybody in.
    """
    if not roles or not all(isinstance(role, str) and role for role in roles):
        raise ValueError('name at least one role, each as an argument of its own: with_role("admin", "editor")')
