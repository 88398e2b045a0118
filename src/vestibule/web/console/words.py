"""The sentences that Python code shows on the console, marked for translation as in `web.pages.words`."""

from vestibule.model.accounts import Role


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
