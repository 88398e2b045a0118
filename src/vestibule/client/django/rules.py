"""What a role means to Django, as `VESTIBULE["users"]` says.

    {"staff_roles": ["admin"], "superuser_roles": [], "permissions": {"editor": ["blog.*", "shop.view_order"]}}

A role gives nothing but what this setting names for it. With `"model": True`, callers have rows in the project's user
model.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

_NAMES = {"staff_roles", "superuser_roles", "permissions", "model"}
_PERMISSION = re.compile(r"[^.*\s]+\.(?:[^*\s]+\*?|\*)")


@dataclass(frozen=True)
class UserRules:
    """Which roles are staff or superusers, which permissions each has, and whether callers have rows in a table."""

    staff_roles: frozenset[str] | None = None
    superuser_roles: frozenset[str] | None = None
    permissions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    model: bool = False

    def is_staff(self, role: str) -> bool:
        """Return whether the role may enter Django's admin, and passes `IsAdminUser`."""
        return role in (self.staff_roles or ())

    def is_superuser(self, role: str) -> bool:
        """Return whether the role has every permission."""
        return role in (self.superuser_roles or ())

    def flags(self, role: str) -> dict[str, bool]:
        """Return `is_staff` and `is_superuser`, each only if the setting names roles for it."""
        flags = {}
        if self.staff_roles is not None:
            flags["is_staff"] = self.is_staff(role)
        if self.superuser_roles is not None:
            flags["is_superuser"] = self.is_superuser(role)
        return flags

    def grants(self, role: str, permission: str, obj: object = None) -> bool:
        """Return whether the role has a permission. As in Django's `ModelBackend`, only superusers have permissions for
        a single object, `obj`.
        """
        return self.is_superuser(role) or (
            obj is None and any(_covers(named, permission) for named in self._named(role))
        )

    def grants_in(self, role: str, app_label: str) -> bool:
        """Return whether the role has any permission in an application."""
        return self.is_superuser(role) or any(named.partition(".")[0] == app_label for named in self._named(role))

    def granted(self, role: str, obj: object = None) -> set[str]:
        """Return the role's permissions: those for installed models, and those that the setting names in full."""
        in_full = {named for named in self._named(role) if obj is None and not named.endswith("*")}
        return in_full | {each for each in _permissions_of_models() if self.grants(role, each, obj)}

    def _named(self, role: str) -> frozenset[str]:
        return self.permissions.get(role, frozenset())


def rules_from(setting: object) -> UserRules:
    """Return the rules in the setting; raises `ImproperlyConfigured` with what is wrong."""
    if not isinstance(setting, Mapping) or not _NAMES.issuperset(setting):
        raise _wrong(f"has these members alone: {', '.join(sorted(_NAMES))}")
    permissions = setting.get("permissions", {})
    if not isinstance(permissions, Mapping) or not isinstance(setting.get("model", False), bool):
        raise _wrong("has a dict as `permissions`, and True or False as `model`")
    return UserRules(
        staff_roles=_roles(setting, "staff_roles"),
        superuser_roles=_roles(setting, "superuser_roles"),
        permissions={role: _permissions(role, named) for role, named in permissions.items()},
        model=setting.get("model", False),
    )


def _roles(setting: Mapping[str, Any], name: str) -> frozenset[str] | None:
    return None if setting.get(name) is None else _texts(setting[name], name)


def _permissions(role: object, named: object) -> frozenset[str]:
    _texts([role], "permissions")  # raises unless the role is a name
    texts = _texts(named, "permissions")
    wrong = sorted(text for text in texts if not _PERMISSION.fullmatch(text))
    if wrong:
        raise _wrong(f"names `{wrong[0]}`, which is no permission: write `app_label.codename` or `app_label.*`")
    return texts


def _texts(values: object, name: str) -> frozenset[str]:
    # A single string would be taken for a list of its letters.
    if isinstance(values, str) or not isinstance(values, Collection):
        raise _wrong(f"has something other than a list in `{name}`")
    if not all(isinstance(value, str) and value for value in values):
        raise _wrong(f"has something other than names in `{name}`")
    return frozenset(values)


def _wrong(predicate: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f'VESTIBULE["users"] {predicate}')


def _covers(named: str, permission: str) -> bool:
    return permission == named or (named.endswith("*") and permission.startswith(named[:-1]))


def _permissions_of_models() -> Iterator[str]:
    """Yield the permissions of all installed models, as Django names them, without asking the database."""
    for model in apps.get_models():
        meta = model._meta
        yield from (f"{meta.app_label}.{action}_{meta.model_name}" for action in meta.default_permissions)
        yield from (f"{meta.app_label}.{codename}" for codename, _ in meta.permissions)
