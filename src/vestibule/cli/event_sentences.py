"""What each kind of event says, in a sentence for an operator."""

from vestibule.model.events import Event, EventKind

SENTENCES = {
    EventKind.REGISTERED: "Account created by signing up",
    EventKind.REGISTRATION_REFUSED: "Sign-up refused: the email has an account",
    EventKind.SIGNED_IN: "Signed in",
    EventKind.SIGN_IN_REFUSED: "Password not accepted",
    EventKind.STEPPED_UP: "Authenticated again",
    EventKind.SECOND_FACTOR_REFUSED: "Wrong second factor, after the right password",
    EventKind.SESSION_ENDED: "Session ended",
    EventKind.ACTING_BEGUN: "Operator began to act as this person",
    EventKind.SESSIONS_ENDED: "All sessions ended",
    EventKind.PASSKEY_MAY_BE_COPIED: "A passkey may have been copied: its counter went back",
    EventKind.REFRESH_TOKEN_REUSED: "Session ended: its refresh token was used twice",
    EventKind.SESSION_SHARED: "One session was used from two places",
    EventKind.EMAIL_VERIFIED: "Email verified",
    EventKind.INVITED: "Invited by an operator",
    EventKind.INVITATION_ACCEPTED: "Invitation accepted: password chosen, email verified",
    EventKind.LINK_MAILED: "Operator had a link mailed",
    EventKind.PASSWORD_RESET_REQUESTED: "Asked for a link to reset the password",
    EventKind.PASSWORD_RESET: "Password reset by the mailed link",
    EventKind.EMAIL_CODE_REQUESTED: "Asked for a code to sign in",
    EventKind.EMAIL_CODE_REFUSED: "Wrong emailed code",
    EventKind.PASSWORD_CHANGED: "Password changed",
    EventKind.NAME_CHANGED: "Name changed",
    EventKind.ROLE_CHANGED: "Role changed",
    EventKind.ROLES_CHANGED: "Custom roles changed",
    EventKind.ROLE_CREATED: "Role created",
    EventKind.ROLE_PERMISSIONS_CHANGED: "Permissions of a role changed",
    EventKind.ROLE_DELETED: "Role deleted",
    EventKind.EMAIL_CHANGED: "Email changed",
    EventKind.EMAIL_TAKEN_BACK: "Change of email undone",
    EventKind.SQUATTER_REMOVED: "Deleted an account that had the email and never verified it",
    EventKind.FACTOR_ADDED: "Second factor added",
    EventKind.FACTOR_REMOVED: "Second factor removed",
    EventKind.FACTOR_REPORTED: "New second factor reported as a stranger's, by the mailed link",
    EventKind.RECOVERY_CODES_MADE: "Recovery codes made",
    EventKind.RECOVERY_CODE_USED: "Signed in with a recovery code",
    EventKind.FACTOR_RESET_BEGUN: "Reset of the second factors begun",
    EventKind.FACTOR_RESET_CANCELED: "Reset of the second factors canceled",
    EventKind.FACTORS_RESET: "Second factors removed",
    EventKind.LETTER_REFUSED: "The mail server refused an email",
    EventKind.ACCOUNT_DISABLED: "Account disabled",
    EventKind.ACCOUNT_ENABLED: "Account enabled",
    EventKind.ACCOUNT_UNLOCKED: "Pauses after wrong passwords or codes ended",
    EventKind.ACCOUNT_DELETED: "Account deleted",
    EventKind.SIGNING_KEY_ROTATED: "Signing key rotated",
    EventKind.SIGNING_KEY_WITHDRAWN: "Signing key withdrawn",
    EventKind.IMPORTED: "Account imported",
    EventKind.SERVICE_CREATED: "Service key created",
    EventKind.SERVICE_REVOKED: "Service key revoked",
    EventKind.LETTERS_RETRIED: "Operator had emails tried again",
    EventKind.DATA_EXPORTED: "Operator exported everything stored about the owner",
}
_WHY = ("reason", "fault", "factor", "letter", "service", "custom_role")
"""The members of an event's detail that the sentence may end with: the first one that is there."""


def sentence(event: Event) -> str:
    """Return what happened, with its reason if there is one."""
    what = SENTENCES.get(event.kind, event.kind.value.replace("_", " "))
    why = next((event.detail[name] for name in _WHY if event.detail.get(name)), "")
    # These reasons are words of ours, joined by underscores. Names of services and roles keep their underscores.
    if event.kind in (EventKind.SESSION_ENDED, EventKind.LINK_MAILED):
        why = why.replace("_", " ")
    if event.detail.get("paused") and not why:
        why = "the last one before a pause, or not checked during it"
    return f"{what}: {why}" if why else what
