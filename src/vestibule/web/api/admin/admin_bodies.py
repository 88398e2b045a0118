"""The request bodies of the admin API. The console validates its forms with them too."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from vestibule.model.accounts import MAX_REASON_CHARACTERS, Role
from vestibule.model.custom_roles import (
    MAX_PERMISSIONS,
    MAX_ROLES_OF_ACCOUNT,
    ROLE_NAME,
    NotAPermission,
    NotARole,
    role_name,
    role_permissions,
)
from vestibule.protocol.permissions import MAX_PERMISSION, PERMISSION
from vestibule.web.api.body_fields import (
    Email,
    Name,
    Text,
    Texts,
    at_most,
    contract_error,
    one_line,
    one_of,
    required,
)
from vestibule.web.body import ContractBody

_ROLES = [role.value for role in Role]
_REASON_REQUIRED = "Reason is required"
Reason = Annotated[
    Text,
    AfterValidator(str.strip),
    AfterValidator(required(_REASON_REQUIRED)),
    at_most(MAX_REASON_CHARACTERS),
    AfterValidator(one_line),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_REASON_CHARACTERS}),
]
AnyRole = Annotated[str, BeforeValidator(one_of(_ROLES)), Field(json_schema_extra={"enum": _ROLES})]


def _judged(judge: Callable[[Any], Any]) -> AfterValidator:
    """Return the check that calls `judge`, and turns its `NotARole` or `NotAPermission` into a validation error."""

    def check(value: Any) -> Any:
        try:
            return judge(value)
        except (NotARole, NotAPermission) as fault:
            raise contract_error(str(fault), code="custom") from None

    return AfterValidator(check)


def _role_names(names: Sequence[str]) -> list[str]:
    return [role_name(name) for name in names]


# For the OpenAPI document, which does not know what the checks of the lines below require.
_NAME_SCHEMA = {"type": "string", "pattern": f"^{ROLE_NAME}$"}
_PERMISSION_SCHEMA = {"type": "string", "pattern": f"^{PERMISSION}$", "maxLength": MAX_PERMISSION}
_OF_ROLES = {"items": _NAME_SCHEMA, "maxItems": MAX_ROLES_OF_ACCOUNT}
_OF_PERMISSIONS = {"items": _PERMISSION_SCHEMA, "maxItems": MAX_PERMISSIONS}
RoleName = Annotated[Text, _judged(role_name), Field(json_schema_extra=_NAME_SCHEMA)]
RoleNames = Annotated[Texts, _judged(_role_names), Field(json_schema_extra=_OF_ROLES)]
RolePermissions = Annotated[Texts, _judged(role_permissions), Field(json_schema_extra=_OF_PERMISSIONS)]


class Disable(ContractBody):
    """Why the account is disabled: other operators read it."""

    REQUIRED: ClassVar = {"reason": _REASON_REQUIRED}
    reason: Reason


class Impersonate(ContractBody):
    """Why the operator has to act as this person. The reason is kept, and the person can read it."""

    REQUIRED: ClassVar = {"reason": _REASON_REQUIRED}
    reason: Reason


class Delete(ContractBody):
    """The email of the account, typed to confirm."""

    REQUIRED: ClassVar = {"email": "Email address is required"}
    email: Annotated[Text, AfterValidator(str.strip)]


class SetRole(ContractBody):
    """The role that the account gets."""

    REQUIRED: ClassVar = {"role": "Role is required"}
    role: AnyRole


class SetRoles(ContractBody):
    """The custom roles that the account gets: these and no others."""

    REQUIRED: ClassVar = {"roles": "Roles are required"}
    roles: RoleNames


class NewRole(ContractBody):
    """A custom role, and what it permits in services."""

    REQUIRED: ClassVar = {"name": "Name is required"}
    name: RoleName
    permissions: RolePermissions = Field(default=[])


class SetPermissions(ContractBody):
    """What a custom role permits: this and nothing else."""

    REQUIRED: ClassVar = {"permissions": "Permissions are required"}
    permissions: RolePermissions


class SetEmail(ContractBody):
    """The new email."""

    REQUIRED: ClassVar = {"new_email": "New email address is required"}
    new_email: Email


class Invite(ContractBody):
    """Whom to invite. Without a `name`, the account is named after the part of the email before the @."""

    REQUIRED: ClassVar = {"email": "Email address is required"}
    email: Email
    name: Annotated[Name, AfterValidator(str.strip)] = ""

    @property
    def called(self) -> str:
        """Return the name that the account gets."""
        return self.name or self.email.partition("@")[0]


class Create(Invite):
    """Whose account to create. The email counts as verified."""

    role: AnyRole = Role.USER.value
