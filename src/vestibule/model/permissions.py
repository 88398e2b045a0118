"""Permissions: what operators may do, by the role of their account."""

from collections.abc import Mapping
from enum import StrEnum

from vestibule.model.accounts import Role


class Permission(StrEnum):
    """What an operator may do on the console, through its API, or in a flow that takes an `Operator`."""

    PEOPLE_READ = "people:read"
    PEOPLE_LETTERS = "people:letters"
    PEOPLE_SESSIONS = "people:sessions"
    PEOPLE_CHANGE = "people:change"
    PEOPLE_ROLES = "people:roles"
    PEOPLE_DELETE = "people:delete"
    PEOPLE_EXPORT = "people:export"
    PEOPLE_IMPERSONATE = "people:impersonate"
    ROLES_READ = "roles:read"
    ROLES_CHANGE = "roles:change"
    EVENTS_READ = "events:read"
    LETTERS_READ = "letters:read"
    LETTERS_RETRY = "letters:retry"
    KEYS_READ = "keys:read"
    KEYS_ROTATE = "keys:rotate"
    SERVICES_READ = "services:read"
    SERVICES_CHANGE = "services:change"
    HEALTH_READ = "health:read"


OF_ROLE: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.HELPER: frozenset(
        {
            Permission.PEOPLE_READ,
            Permission.PEOPLE_LETTERS,
            Permission.PEOPLE_SESSIONS,
            Permission.EVENTS_READ,
            Permission.LETTERS_READ,
            Permission.LETTERS_RETRY,
            Permission.HEALTH_READ,
        }
    ),
    Role.AUDITOR: frozenset(permission for permission in Permission if permission.value.endswith(":read")),
    Role.USER: frozenset(),
}
"""The permissions of each role. An operator is an account whose role has any."""


def permits_all_of(role: Role, other: Role) -> bool:
    """Return whether a role has each permission that the other one has."""
    return OF_ROLE[other] <= OF_ROLE[role]
