"""The request bodies of the admin API, which the forms of the console have too."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from vestibule.model.accounts import MAX_REASON_CHARACTERS, Role
from vestibule.web.api.body_fields import Email, Name, Text, at_most, one_of, required
from vestibule.web.body import ContractBody

_ROLES = [role.value for role in Role]
_REASON_REQUIRED = "Reason is required"
Reason = Annotated[
    Text,
    AfterValidator(str.strip),
    AfterValidator(required(_REASON_REQUIRED)),
    at_most(MAX_REASON_CHARACTERS),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_REASON_CHARACTERS}),
]
AnyRole = Annotated[str, BeforeValidator(one_of(_ROLES)), Field(json_schema_extra={"enum": _ROLES})]


class Disable(ContractBody):
    """Why the account is disabled, for the operators who come after."""

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


class SetEmail(ContractBody):
    """The new email."""

    REQUIRED: ClassVar = {"new_email": "New email address is required"}
    new_email: Email


class Invite(ContractBody):
    """Whom to invite. Without a name, the account gets what stands before the @ of the email."""

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
