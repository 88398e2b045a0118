"""An authentication backend: a row of the project's user model stands for each caller.

    AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.ModelBackend",
        "vestibule.client.django.backend.VestibuleBackend",
    ]
    VESTIBULE = {..., "users": {"model": True, "staff_roles": ["admin"]}}

Foreign keys, groups, and the log of Django's admin then work. To find rows in another way, name a subclass of
`VestibuleBackend` in the setting.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.http import HttpRequest
from django.utils.crypto import get_random_string

from vestibule.client.caller import Caller
from vestibule.client.django.requests import CALLER
from vestibule.client.django.settings import user_rules
from vestibule.client.throttled_warnings import ThrottledWarnings

_CALLERS_PREFIX = f"{UNUSABLE_PASSWORD_PREFIX}vestibule:"
"""A caller's row begins with this in its password field. No password matches it, and no other sign-up writes it."""
_RANDOM_CHARACTERS = 40
_NOT_LET_IN = "a caller was not let in"
_NOT_MADE_FOR_CALLER = (
    "the user of account {} was not made for a caller, or has got a password since, so no caller is let in as it:"
    " delete or rename it, or give it to the caller by vestibule.client.django.backend.hand_over(user)"
)


class VestibuleBackend(BaseBackend):
    """Finds the row of a caller, makes one at the first request, and adds the permissions of the role to the row's own.

    Where the setting names roles for `is_staff` or `is_superuser`, the row follows the role. A row is the user of
    one request only: `login()` with this backend keeps nobody signed in, because a Django session would outlast the
    session at Vestibule.
    """

    warnings = ThrottledWarnings()
    """Shared, because Django makes a backend for each check."""

    def authenticate(self, _request: HttpRequest | None, caller: Caller) -> Any:
        """Return the row of a caller, or None to refuse them."""
        user = self.user_of(caller)
        if user is None or not user.is_active:
            return None
        _follow_role(user, caller.role)
        setattr(user, CALLER, caller)
        return user

    def user_of(self, caller: Caller) -> Any:
        """Return the row whose user name is the account id, made if there is none. Return None, which refuses
        the caller, for a row that was not made by this backend.
        """
        model = get_user_model()
        by_id = {str(model.USERNAME_FIELD): caller.id}
        user, _made = model._default_manager.get_or_create(**by_id, defaults={"password": _unusable_password()})
        if not user.password.startswith(_CALLERS_PREFIX):
            # Somebody may have made the row in advance, to share it with the caller.
            self.warnings.warn(_NOT_LET_IN, _NOT_MADE_FOR_CALLER.format(caller.id))
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
        """Return what `has_perm` returns, for async views."""
        return self.has_perm(user_obj, perm, obj)

    async def ahas_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Return what `has_module_perms` returns, for async views."""
        return self.has_module_perms(user_obj, app_label)


def hand_over(user: Any) -> None:
    """Give a row to the caller whose account id is its user name. Its password, if it has one, is deleted. That ends
    its Django sessions, and voids links for a new password.
    """
    user.password = _unusable_password()
    user.save(update_fields=["password"])


def _unusable_password() -> str:
    """Return the mark of a caller's row, in the place of a password. As in Django's unusable passwords, the rest is
    random, which voids earlier links for a new password.
    """
    return _CALLERS_PREFIX + get_random_string(_RANDOM_CHARACTERS)


def _role(user: Any) -> str:
    caller: Caller | None = getattr(user, CALLER, None)
    return caller.role if caller else ""


def _follow_role(user: Any, role: str) -> None:
    """Set the row's `is_staff` and `is_superuser` by the role, and save them if they changed."""
    stored = {field.name for field in user._meta.concrete_fields}
    by_role = {name: value for name, value in user_rules().flags(role).items() if name in stored}
    changed = [name for name, value in by_role.items() if getattr(user, name) != value]
    for name in changed:
        setattr(user, name, by_role[name])
    if changed:
        user.save(update_fields=changed)
