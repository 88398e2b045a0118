"""The refusals of what only operators do: the branch of `errors` for the console, its API and its flows.

As there, each class has a stable `code`, and no HTTP status.

    Refusal
      PermissionMissing         signed in, but the role of the account does not allow this
      PersonMayDoMore           the role of the person permits more than the operator's
      NotWhileActing            an operator acts as somebody else, and this is its owner's alone
      CannotBeActedAs           an operator's account or a disabled one: nobody acts as it
      OwnerNotTold              the owner had as many emails about acting as one gets in a day
      PersonUnknown             no account has this id
      CursorInvalid             `after` is not the cursor of a page that was listed
      FilterInvalid             a parameter that narrows a list cannot be read
      KeysNotRotated            services may not have the next keys yet, or the keys are given by settings
      ServiceNameInvalid        a service cannot have this name
      ServiceNameTaken          the service has a key already
      ServiceUnknown            no service of this name has a key
      LastAdmin                 without this account, no enabled admin would be left
      RoleNeedsVerifiedEmail    a role that permits anything, for an account whose email was never verified
      RoleUnknown               no custom role has this name
      RoleTaken                 a custom role has this name already
      RoleInUse                 an account has the role, so it cannot be deleted
      TooManyRoles              there are as many custom roles as there can be
      TooManyRolesOfAccount     more custom roles than one account can have
      AccountDisabled           the account is mailed no link
      TooManyLinks              operators had as many links mailed to this email as one may get in a day
      OwnerUnreachable          the owner cannot be told, and so could not object
      PasswordInDoubt           the email was registered more than once, so the password may be a stranger's
      EmailDiffers              what was typed to confirm is not the email of the account
"""

from vestibule.model.errors import Refusal
from vestibule.model.permissions import Permission


class PermissionMissing(Refusal):
    """The role of the caller's account does not have this permission."""

    code = "permission_missing"

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"The role of your account does not have the permission {permission.value}")
        self.permission = permission


class PersonMayDoMore(Refusal):
    """The role of the person permits something that the operator's does not."""

    code = "person_may_do_more"


class NotWhileActing(Refusal):
    """The caller is an operator who acts as the owner of the account, and only the owner may do this."""

    code = "not_while_acting"


class CannotBeActedAs(Refusal):
    """No operator may act as this account."""

    code = "cannot_be_acted_as"


class OwnerNotTold(Refusal):
    """The owner has to be told that an operator acts as them, and no further email about that is sent today."""

    code = "owner_not_told"


class CursorInvalid(Refusal):
    """The text is no cursor: no page that was listed ended with it."""

    code = "cursor_invalid"


class FilterInvalid(Refusal):
    """A parameter that narrows a list cannot be read."""

    code = "filter_invalid"

    def __init__(self, parameter: str) -> None:
        super().__init__(f"{parameter} cannot be read; the documentation says what it may be")
        self.parameter = parameter


class KeysNotRotated(Refusal):
    """No key was rotated: services may not have fetched the next keys yet, or the keys are given by settings."""

    code = "keys_not_rotated"


class ServiceNameInvalid(Refusal):
    code = "service_name_invalid"


class ServiceNameTaken(Refusal):
    """The service has a key already."""

    code = "service_name_taken"


class ServiceUnknown(Refusal):
    """No service of this name has a key."""

    code = "service_unknown"


class LastAdmin(Refusal):
    code = "last_admin"


class RoleNeedsVerifiedEmail(Refusal):
    code = "role_needs_verified_email"


class RoleUnknown(Refusal):
    """No custom role has this name."""

    code = "role_unknown"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no role {name}")
        self.name = name


class RoleTaken(Refusal):
    """A custom role has this name already."""

    code = "role_taken"


class RoleInUse(Refusal):
    """An account has the role."""

    code = "role_in_use"


class TooManyRoles(Refusal):
    """There are as many custom roles as there can be."""

    code = "too_many_roles"


class TooManyRolesOfAccount(Refusal):
    """These are more custom roles than one account can have."""

    code = "too_many_roles_of_account"


class PersonUnknown(Refusal):
    """No account has this id."""

    code = "person_unknown"


class AccountDisabled(Refusal):
    code = "account_disabled"


class TooManyLinks(Refusal):
    code = "too_many_links"


class OwnerUnreachable(Refusal):
    """The account is disabled, or its email was never verified."""

    code = "owner_unreachable"


class PasswordInDoubt(Refusal):
    code = "password_in_doubt"


class EmailDiffers(Refusal):
    code = "email_differs"
