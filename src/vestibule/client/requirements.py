"""What a route demands of its caller: one of some roles, permissions, a level of sign-in, a recent sign-in (RFC 9470).

The guards of every framework and the methods of `Caller` make a `Requirement`, which decides whom to refuse.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any, Protocol, TypeVar

from vestibule.client import arguments
from vestibule.client.caller_errors import (
    CallerRefusedError,
    InsufficientAuthenticationError,
    NotAllowedError,
    PermissionMissingError,
)
from vestibule.client.token_clock import TokenClock
from vestibule.protocol.authentication import Level
from vestibule.protocol.permissions import is_permission

T = TypeVar("T")
MOST_SECONDS = 366 * 86_400
"""The longest time that a sign-in can be required to be younger than."""

_MARK = "_vestibule_requirement"


class Authenticated(Protocol):
    """The part of a caller that a requirement is about."""

    @property
    def role(self) -> str: ...
    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def level(self) -> int: ...
    @property
    def authenticated_at(self) -> int: ...
    @property
    def clock(self) -> TokenClock: ...
    def has_permission(self, permission: str) -> bool: ...


@dataclass(frozen=True)
class Requirement:
    """Roles of which the caller has one, permissions that they all have, the least level of their sign-in, and its
    greatest age in seconds. None, level 1, or no permission demands nothing.
    """

    roles: frozenset[str] | None = None
    level: Level = Level.ONE_FACTOR
    max_age: int | None = None
    permissions: frozenset[str] = frozenset()

    def __and__(self, other: "Requirement") -> "Requirement":
        """Return the requirement that demands what both do."""
        return Requirement(
            _stricter(self.roles, other.roles, and_),
            max(self.level, other.level),
            _stricter(self.max_age, other.max_age, min),
            self.permissions | other.permissions,
        )

    def check(self, caller: Authenticated, others: Callable[[], Iterable["Requirement"]] = tuple) -> None:
        """Raise `NotAllowedError`, `PermissionMissingError`, `InsufficientAuthenticationError` or `CannotTellError`
        unless the caller meets this.

        `others` returns the other requirements of the same route. They let nobody in or out, but the refusal also says
        what the caller lacks of these, so that one sign-in meets them all.
        """
        refusal = self._refusal_of(caller)
        if refusal is not None:
            raise reduce(and_, others(), self)._refusal_of(caller) or refusal

    def _refusal_of(self, caller: Authenticated) -> CallerRefusedError | None:
        # The role goes first: nobody should be sent to sign in again for what they may not do after that either.
        if self.roles is not None and self.roles.isdisjoint({caller.role, *caller.roles}):
            return NotAllowedError()
        for permission in sorted(self.permissions):
            if not caller.has_permission(permission):
                return PermissionMissingError(permission)
        level = self.level if caller.level < self.level else None
        too_old = self.max_age is not None and not caller.clock.is_recent(caller.authenticated_at, self.max_age)
        if level or too_old:
            return InsufficientAuthenticationError(level, self.max_age if too_old else None)
        return None


SIGNED_IN = Requirement()
"""Demands nothing of a caller."""


def of_roles(roles: Collection[object]) -> Requirement:
    """Return the requirement of one of these roles; raises `ValueError` unless at least one is named, each as its own
    argument. An empty list, or a list in the place of a name, could be read as "nobody" or as "everybody".
    """
    if not roles or not all(isinstance(role, str) and role for role in roles):
        raise ValueError('name at least one role, each as an argument of its own: with_role("admin", "editor")')
    return Requirement(roles=frozenset(map(str, roles)))


def of_permission(permission: str) -> Requirement:
    """Return the requirement of a permission; raises `ValueError` for what cannot be one."""
    if not is_permission(arguments.string("permission", permission)):
        raise ValueError("permission is what and how, such as invoices:write, in small letters")
    return Requirement(permissions=frozenset({permission}))


def of_level(level: int) -> Requirement:
    """Return the requirement of a sign-in of this level or a higher one; raises `ValueError` unless it is 1, 2 or 3."""
    return Requirement(level=Level(arguments.whole("level", level, min(Level), max(Level))))


def of_recency(max_age: int) -> Requirement:
    """Return the requirement of a sign-in in the last `max_age` seconds; raises `ValueError` unless that is a whole
    number of 1 or more.
    """
    return Requirement(max_age=arguments.whole("max_age", max_age, 1, MOST_SECONDS))


def mark(guarded: T, requirement: Requirement) -> T:
    """Note at a guarded function what is demanded before it runs, for guards around it, and return the function."""
    setattr(guarded, _MARK, requirement)
    return guarded


def marked(guarded: Any) -> Requirement:
    """Return what `mark` has noted at a function, also through decorators that use `functools.wraps`."""
    found = getattr(guarded, _MARK, None)
    return found if isinstance(found, Requirement) else SIGNED_IN


def _stricter(one: T | None, other: T | None, both: Callable[[T, T], T]) -> T | None:
    """Return `both` of two demands; if one is None, which demands nothing, return the other."""
    if one is None or other is None:
        return other if one is None else one
    return both(one, other)
