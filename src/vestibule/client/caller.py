"""The caller of a request, as the access token names them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from vestibule.client import requirements
from vestibule.client.permission_book import KeptPermissions, PermissionSource
from vestibule.client.token_clock import TokenClock
from vestibule.protocol.access_tokens import AccessToken

_SYSTEM_CLOCK = TokenClock()
_UNKNOWN = KeptPermissions()


@dataclass(frozen=True, slots=True)
class Caller:
    """A signed-in user: account id, role, session id, and when the token was issued and expires.

    `level` says how the user signed in: 1 by one factor, 2 by two, 3 by two of which one cannot be phished.
    `authenticated_at` says when. Both belong to the token: an older token of the same session may have other values. A
    token without them has level 1, and 0 as the time, which counts as long ago.

    `actor`: the account id of the operator who acts as the user, if one does (RFC 8693, section 4.1); otherwise None.
    Nobody has signed in then, so `level` is 1.

    `email_verified`: whether the account's email was verified when the token was issued. `claims`: everything in the
    token. `issued`, `expires_at`, `starts_at` and `authenticated_at` are its `iat`, `exp`, `nbf` and `auth_time`, in
    seconds since 1970; `key_id` is the `kid` of the key that signed it. `clock` judges how long ago a moment is.

    `role` is one of Vestibule's own, and `roles` are those that operators made. `permission_source` knows what they all
    permit.
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
    level: int = 1
    authenticated_at: int = 0
    clock: TokenClock = field(default=_SYSTEM_CLOCK, repr=False, compare=False)
    roles: tuple[str, ...] = ()
    permission_source: PermissionSource = field(default=_UNKNOWN, repr=False, compare=False)
    actor: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "claims", MappingProxyType(dict(self.claims)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how pickle makes the same caller in another process: the read-only `claims` cannot be pickled, and the
        permissions are what they are now.
        """
        values = {member.name: getattr(self, member.name) for member in fields(self)}
        changed = {"claims": dict(self.claims), "permission_source": self.permission_source.kept(self._all_roles)}
        return type(self), tuple({**values, **changed}.values())

    @classmethod
    def of(
        cls,
        token: AccessToken,
        claims: Mapping[str, Any],
        clock: TokenClock,
        permission_source: PermissionSource = _UNKNOWN,
    ) -> "Caller":
        """Return the caller that a token names. `clock` and `permission_source` are those of the verifier."""
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
            level=int(token.level),
            authenticated_at=token.authenticated_at,
            clock=clock,
            roles=token.roles,
            permission_source=permission_source,
            actor=token.actor_id,
        )

    @property
    def permissions(self) -> frozenset[str]:
        """Return what the roles permit now; raises `CannotTellError` while that is not known."""
        return self.permission_source.of(self._all_roles)

    @property
    def _all_roles(self) -> tuple[str, ...]:
        return self.role, *self.roles

    def has_permission(self, permission: str) -> bool:
        """Return whether a role of the caller has this permission now; raises `CannotTellError` while that is not
        known.
        """
        return self.permission_source.has(self._all_roles, permission)

    @property
    def expires(self) -> datetime:
        """Return when the token expires, in UTC. The session may end earlier, or go on with another token."""
        return datetime.fromtimestamp(self.expires_at, UTC)

    def require(self, *roles: str) -> None:
        """Raise `NotAllowedError` unless a role is one of `roles`, and `ValueError` if none is named."""
        requirements.of_roles(roles).check(self)

    def require_permission(self, permission: str) -> None:
        """Raise `PermissionMissingError` unless a role has the permission, `CannotTellError` while that is not known,
        and `ValueError` for what cannot be a permission.
        """
        requirements.of_permission(permission).check(self)

    def require_level(self, level: int) -> None:
        """Raise `InsufficientAuthenticationError` unless the sign-in reached `level`, and `ValueError` unless that is
        1, 2 or 3.
        """
        requirements.of_level(level).check(self)

    def require_recent(self, max_age: int) -> None:
        """Raise `InsufficientAuthenticationError` unless the user signed in during the last `max_age` seconds, and
        `ValueError` unless that is a whole number of 1 or more.
        """
        requirements.of_recency(max_age).check(self)
