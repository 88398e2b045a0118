"""What `request.user` can be: a caller, with the members of Django's own user, or nobody."""

from collections.abc import Iterable

from vestibule.client.caller import Caller
from vestibule.client.django.settings import user_rules


class _ByRole:
    """The members by which Django asks what a user is called and may do. `VESTIBULE["users"]` decides by the role.

    `about` is Django's `obj`: a single object that the question is about. Only superusers have permissions for one.
    """

    username: str
    role: str

    @property
    def is_staff(self) -> bool:
        """Return whether the setting names the role among `staff_roles`."""
        return user_rules().is_staff(self.role)

    @property
    def is_superuser(self) -> bool:
        """Return whether the setting names the role among `superuser_roles`."""
        return user_rules().is_superuser(self.role)

    def get_username(self) -> str:
        """Return the account id, which Django shows in logs; empty for `Nobody`."""
        return self.username

    def get_full_name(self) -> str:
        """Return the account id: a token has no name."""
        return self.username

    def get_short_name(self) -> str:
        """Return the account id: a token has no name."""
        return self.username

    def has_usable_password(self) -> bool:
        """Return False: passwords are kept by Vestibule."""
        return False

    def get_user_permissions(self, _about: object = None) -> set[str]:
        """Return no permissions: roles have permissions, and single users have none."""
        return set()

    def get_group_permissions(self, about: object = None) -> set[str]:
        """Return the permissions of the role."""
        return user_rules().granted(self.role, about)

    def get_all_permissions(self, about: object = None) -> set[str]:
        """Return the permissions of the role."""
        return user_rules().granted(self.role, about)

    def has_perm(self, permission: str, about: object = None) -> bool:
        """Return whether the role has a permission."""
        return user_rules().grants(self.role, permission, about)

    def has_perms(self, permissions: Iterable[str], about: object = None) -> bool:
        """Return whether the role has all of these permissions."""
        if isinstance(permissions, str):  # as Django does, with the same exception
            raise ValueError("has_perms takes a list of permissions")  # noqa: TRY004
        return all(self.has_perm(permission, about) for permission in permissions)

    def has_module_perms(self, label: str) -> bool:
        """Return whether the role has any permission in an application."""
        return user_rules().grants_in(self.role, label)

    async def aget_user_permissions(self, about: object = None) -> set[str]:
        """Return no permissions. This and the methods below are for async views, and none of them waits."""
        return self.get_user_permissions(about)

    async def aget_group_permissions(self, about: object = None) -> set[str]:
        """Return the permissions of the role."""
        return self.get_group_permissions(about)

    async def aget_all_permissions(self, about: object = None) -> set[str]:
        """Return the permissions of the role."""
        return self.get_all_permissions(about)

    async def ahas_perm(self, permission: str, about: object = None) -> bool:
        """Return whether the role has a permission."""
        return self.has_perm(permission, about)

    async def ahas_perms(self, permissions: Iterable[str], about: object = None) -> bool:
        """Return whether the role has all of these permissions."""
        return self.has_perms(permissions, about)

    async def ahas_module_perms(self, label: str) -> bool:
        """Return whether the role has any permission in an application."""
        return self.has_module_perms(label)


class VestibuleUser(_ByRole):
    """The caller, with the members that Django and its packages look for on a user."""

    is_authenticated = True
    is_anonymous = False
    is_active = True

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.id = self.pk = self.username = caller.id
        self.role = caller.role
        self.email_verified = caller.email_verified
        self.actor = caller.actor

    def __str__(self) -> str:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VestibuleUser) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


class Nobody(_ByRole):
    """The user of a request without a token, with the members of Django's `AnonymousUser`."""

    is_authenticated = False
    is_anonymous = True
    is_active = False
    caller = None
    id = pk = None
    username = role = ""  # no role has an empty name
    email_verified = False
    actor = None

    def __str__(self) -> str:
        return "AnonymousUser"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Nobody)

    def __hash__(self) -> int:
        return 1
