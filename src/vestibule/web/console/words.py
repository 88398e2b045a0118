"""The sentences that Python code shows on the console, marked for translation as in `web.pages.words`."""

from vestibule.model.accounts import Role
from vestibule.model.operator_errors import LastAdmin, PermissionMissing


def _(english: str) -> str:
    """Return the sentence itself. `make translations` collects the sentences by this name."""
    return english


WHAT_ROLES_DO = {
    Role.ADMIN: _("As an administrator, you may do everything."),
    Role.HELPER: _("As a helper, you may look people up, send them emails, and sign them out."),
    Role.AUDITOR: _("As an auditor, you may read everything, and change nothing."),
    Role.USER: _("As a member, you may do nothing here."),
}
"""What each role may do, told to the operator who has it."""

WHY_NOT_HERE: dict[type[Exception], tuple[str, str]] = {
    PermissionMissing: (_("You may not do this"), _("Your role does not allow it. Ask an administrator.")),
    LastAdmin: (
        _("Nothing was changed"),
        _("This is the only administrator. Make somebody else an administrator first."),
    ),
}
"""Title and sentence for refusals of operators. Those that `web.pages.words` has for their status would not fit."""
