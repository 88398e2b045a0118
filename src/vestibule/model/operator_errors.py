"""The refusals of what only operators do: the branch of `errors` for the console, its API and its flows.

Refusal
PermissionMissing         signed in, but the role of the account does not allow this
CursorInvalid             `after` is not the cursor of a page that was listed
"""

from vestibule.model.errors import Refusal
from vestibule.model.permissions import Permission


class PermissionMissing(Refusal):
    """The role of the caller's account does not have this permission."""

    code = "permission_missing"

    def __init__(self, permission: Permission) -> None:
        super().__init__(f"The role of your account does not have the permission {permission.value}")
        self.permission = permission


class CursorInvalid(Refusal):
    """The text is no cursor: no page that was listed ended with it."""

    code = "cursor_invalid"
