"""An authentication backend: a row of the project's user model stands for each caller.

    AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.ModelBackend",
        "vestibule.client.django.backend.VestibuleBackend",
    ]
    VESTIBULE = {..., "users": {"model": True, "staff_roles": ["admin"]}}

Foreign keys, groups, and the log of Django's admin then work. Name a subclass instead to find rows in another way.
"""

import logging
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from vestibule.client.caller import Caller
from vestibule.client.django.requests import CALLER
from vestibule.client.django.settings import user_rules

_logger = logging.getLogger("vestibule.client")


class VestibuleBackend(BaseBackend):
    """Finds the row of a caller, makes one at the first request, and adds the permissions of the role to the row's own.

    Where the setting names roles for `is_staff` or `is_superuser`, the row follows the role. A row is a user for its
    request alone: `login()` keeps nobody signed in by this backend, because a Django session would outlast the end of
    the session at Vestibule.
    """

    def authenticate(self, _request: HttpRequest | None, caller: Caller) -> Any:
        """Return the row of a caller, or None to refuse them."""
        user = self.user_of(caller)
        if user is None or not user.is_active:
            return None
        _follow_role(user, caller.role)
        setattr(user, CALLER, caller)
        return user

    def user_of(self, caller: Caller) -> Any:
        """Return the row whose user name is the account id, made if there is none; None to refuse the caller."""
        model = get_user_model()
        by_id, never = {str(model.USERNAME_FIELD): caller.id}, make_password(None)
        user, _made = model._default_manager.get_or_create(**by_id, defaults={"password": never})
        if user.has_usable_password():  # somebody may have made it beforehand, to share it with the caller
            _logger.warning("the user of account %s has a password of its own, so no caller is let in as it", caller.id)
            return None
        return user

    def get_group_permissions(self, user_obj: Any, obj: object = None) -> set[str]:
        """Return the permissions of the caller's role."""
        return user_rules().granted(_role(user_obj), obj)

    def has_perm(self, user_obj: Any, perm: str, obj: object = None) -> bool:
        """Return whether the caller's role has a permission."""
        return user_rules().grants(_role(user_obj), perm, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Return whether the caller's role has any permission in an application."""
        return user_rules().grants_in(_role(user_obj), app_label)

    async def ahas_perm(self, user_obj: Any, perm: str, obj: object = None) -> bool:
        """Return the same, to async views."""
        return self.has_perm(user_obj, perm, obj)

    async def ahas_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Return the same, to async views."""
        return self.has_module_perms(user_obj, app_label)


def _role(user: Any) -> str:
    caller: Caller | None = getattr(user, CALLER, None)
    return caller.role if caller else ""


def _follow_role(user: Any, role: str) -> None:
    """Store what the role says of the row, if it is not stored yet."""
    stored = {field.name for field in user._meta.concrete_fields}
    said = {name: value for name, value in user_rules().flags(role).items() if name in stored}
    changed = [name for name, value in said.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, said[name])
    if changed:
        user.save(update_fields=changed)
