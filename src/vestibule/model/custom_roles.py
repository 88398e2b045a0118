"""Custom roles: roles that operators make, with permissions for their own services.

Vestibule decides nothing by them. An account has one built-in role, and up to eight of these beside it. Services find
the permissions of each role in a signed document.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vestibule.model.accounts import Role
from vestibule.model.permissions import Permission
from vestibule.protocol.permissions import MAX_PERMISSION, is_permission

MAX_ROLES = 32
MAX_PERMISSIONS = 64  # of one role
MAX_ROLES_OF_ACCOUNT = 8
MAX_ROLE_NAME = 32
MOST_COUNTED = 1_000
"""Up to how many accounts that have a role are counted: a list stays fast, however many there are."""
ROLE_NAME = r"[a-z][a-z0-9_-]{0,31}"
_ROLE_NAME = re.compile(ROLE_NAME)
_BUILT_IN = frozenset(Role)
OWN_NAMES = frozenset(permission.partition(":")[0] for permission in Permission)
"""What stands before the colon in Vestibule's own permissions. Custom roles can have no permission that begins so,
because a later version may add it to its own.
"""


class NotARole(ValueError):
    """The text cannot name a custom role. The message says why."""


class BuiltInRole(NotARole):
    """The text names a built-in role."""


class NotAPermission(ValueError):
    """A custom role cannot have these permissions. The message says why."""


@dataclass(frozen=True)
class CustomRole:
    """A role that operators made; its permissions are in order, and each there once."""

    name: str
    permissions: tuple[str, ...]
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class HeldRole:
    """A custom role, and how many accounts have it, counted up to `MOST_COUNTED`."""

    role: CustomRole
    holders: int


def role_name(text: str) -> str:
    """Return `text` if it can name a custom role; raises `NotARole`, or `BuiltInRole`."""
    if text in _BUILT_IN:
        raise BuiltInRole(f"{text} is a built-in role")
    if not is_role_name(text):
        raise NotARole(f"a role has 1 to {MAX_ROLE_NAME} characters of a-z, 0-9, _ and -, and begins with a letter")
    return text


def is_role_name(text: str) -> bool:
    """Return whether `text` can name a custom role."""
    return _ROLE_NAME.fullmatch(text) is not None and text not in _BUILT_IN


def role_permissions(texts: Collection[str]) -> tuple[str, ...]:
    """Return the permissions as a role has them: in order, each once. Raises `NotAPermission` if one has not the form
    of a permission, has a name of Vestibule's own, or there are too many.
    """
    permissions = tuple(sorted(set(texts)))
    for permission in permissions:
        _require_permission(permission)
    if len(permissions) > MAX_PERMISSIONS:
        raise NotAPermission(f"a role can have {MAX_PERMISSIONS} permissions, not {len(permissions)}")
    return permissions


def _require_permission(text: str) -> None:
    own, colon, _ = text.partition(":")
    if colon and own in OWN_NAMES:
        raise NotAPermission(
            f"{own}: is Vestibule's own: only built-in roles have such permissions, choose a name such as shop-{own}:"
        )
    if not is_permission(text):
        raise NotAPermission(
            "a permission is what and how, such as invoices:write: two names of a-z, 0-9, _ . and - around a colon; "
            f"each begins with a letter, and together they have at most {MAX_PERMISSION} characters"
        )


def roles_in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return the roles of an account as they are stored: in order, each once."""
    return tuple(sorted(set(names)))


class CustomRoles(Protocol):
    """The roles that operators made, and who has them. Lock accounts first, then roles (decision 0025)."""

    async def lock_all(self) -> None:
        """Lock out every other transaction that adds a role, until this one ends."""

    async def lock(self, name: str) -> CustomRole | None:
        """Lock a role, then read it and return it; None if it is gone. Until the transaction ends, no other one gives
        the role to an account.
        """

    async def keep(self, names: Sequence[str]) -> set[str]:
        """Return those of these roles that exist. None of them is deleted until the transaction ends."""

    async def all(self) -> list[CustomRole]:
        """Return every role, by name."""

    async def held(self, most: int) -> list[HeldRole]:
        """Return every role, by name, and how many accounts have it, counted up to `most`."""

    async def add(self, role: CustomRole) -> bool:
        """Add the role; return False if there are `MAX_ROLES` already. Call it after `lock_all`."""

    async def set_permissions(self, name: str, permissions: Sequence[str], now: datetime) -> bool:
        """Set the permissions of a role; return False if there is no such role."""

    async def remove(self, name: str) -> bool:
        """Delete a role; return False if an account has it, or it is gone. Call it after `lock`."""

    async def holders(self, name: str, most: int) -> list[str]:
        """Return the ids of up to `most` accounts that have the role, in order."""
