"""What the console says about custom roles, which operators make."""

from vestibule.model.custom_roles import MAX_PERMISSIONS, MAX_ROLE_NAME, MAX_ROLES, OWN_NAMES
from vestibule.model.operator_errors import RoleInUse, RoleTaken, TooManyRoles
from vestibule.translations.marking import _
from vestibule.web.pages.words import Sentence

WRONG_NAME: Sentence = (
    _(
        "Use a-z, 0-9, _ and -, begin with a letter, and use %(count)s characters at the most. The name of a built-in "
        "role cannot be used."
    ),
    {"count": MAX_ROLE_NAME},
)
WRONG_PERMISSIONS: Sentence = (
    _(
        "Write permissions like invoices:write, with a-z, 0-9, _ . and -, at most %(count)s of them. Vestibule "
        "itself uses %(own)s; choose other names."
    ),
    {"count": MAX_PERMISSIONS, "own": ", ".join(f"{name}:" for name in sorted(OWN_NAMES))},
)
WHY_NO_ROLE: dict[type[Exception], Sentence] = {
    RoleTaken: (_("There is a role of this name already."), {}),
    TooManyRoles: (_("There can be %(count)s roles. Delete one first."), {"count": MAX_ROLES}),
    RoleInUse: (_("Somebody has this role. Take it from everybody first."), {}),
}
"""Why a role was not created or deleted."""

DONE = {
    "role_created": _("The role is created. Now give it to people."),
    "role_changed": _("The permissions are changed. Services learn of it within seconds."),
    "role_taken": _("The role was taken from people, and their devices are signed out."),
    "role_deleted": _("The role is deleted."),
}
"""What was just done to a role, by the `done` in the next page's URL."""
