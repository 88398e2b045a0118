"""The sentences that tell owners what happened to their account and sessions. They are marked for translation here, and
translated when rendered.
"""

from vestibule.model.events import EventKind
from vestibule.model.sessions import EndReason
from vestibule.translations.marking import _

WHY_OVER = {
    EndReason.SIGNED_OUT: _("You signed out."),
    EndReason.SIGNED_OUT_ELSEWHERE: _("You were signed out from another device."),
    EndReason.EXPIRED: _("You were signed out because the session reached its maximum length."),
    EndReason.IDLE: _("You were signed out because you were inactive."),
    EndReason.PASSWORD_CHANGED: _("The password was changed."),
    EndReason.PASSWORD_RESET: _("The password was reset with an emailed link."),
    EndReason.EMAIL_CHANGED: _("The account's email address was changed."),
    EndReason.EMAIL_TAKEN_BACK: _("The account has its earlier email address back."),
    EndReason.FACTORS_RESET: _(
        "Two-factor authentication was turned off, because the app, passkeys and codes were reported lost."
    ),
    EndReason.REFRESH_TOKEN_REUSED: _(
        "This session was used from two places, so someone may have copied it. If you do not know why, change"
        " your password."
    ),
    EndReason.ENDED_BY_OPERATOR: _("An administrator ended this session."),
    EndReason.ACCOUNT_DISABLED: _("An administrator disabled this account."),
    EndReason.ACCOUNT_DELETED: _("The account was deleted."),
    EndReason.TOO_MANY_SESSIONS: _(
        "You were signed in on too many devices, so the one unused for longest was signed out."
    ),
    EndReason.ROLE_CHANGED: _("Your role was changed. Sign in again."),
    EndReason.ACTING_ENDED: _("An administrator was signed in as you, and no longer is."),
    EndReason.SECOND_FACTOR_REQUIRED: _("Your account needs more than a password now. Sign in again."),
}
"""Why a session ended, told to its user."""

IF_NOT_YOU = {
    EndReason.SIGNED_OUT_ELSEWHERE: _("If this was not you, sign in and change your password."),
    EndReason.PASSWORD_CHANGED: _("If this was not you, choose a new password with “Forgot your password?”."),
    EndReason.PASSWORD_RESET: _(
        "If this was not you, somebody reads your email: secure your mailbox first, then choose a new password with"
        " “Forgot your password?”."
    ),
    EndReason.EMAIL_CHANGED: _("If this was not you, use the link that we sent to the old address."),
    EndReason.EMAIL_TAKEN_BACK: _("Choose a new password with “Forgot your password?”, then sign in."),
    EndReason.FACTORS_RESET: _("If this was not you, choose a new password with “Forgot your password?”."),
}
"""What owners should do if it was not they who ended the session, by the reason for its end."""
LINKED_TO_RESET = frozenset(reason for reason, advice in IF_NOT_YOU.items() if "Forgot your password?" in advice)
"""The reasons whose advice names "Forgot your password?". For these, the page has that link."""

WHAT_HAPPENED = {
    EventKind.REGISTERED: _("Account created"),
    EventKind.SIGNED_IN: _("Signed in"),
    EventKind.SIGN_IN_REFUSED: _("Password not accepted"),
    EventKind.STEPPED_UP: _("Signed in"),  # again, within the session
    EventKind.SECOND_FACTOR_REFUSED: _("Code not accepted"),
    EventKind.SESSION_ENDED: _("Device signed out"),
    EventKind.PASSKEY_MAY_BE_COPIED: _("Passkey may have been copied"),
    # A second device used the session. The owner gets the email of a sign-in on a new device, and reads the same here.
    EventKind.SESSION_SHARED: _("Signed in"),
    EventKind.REFRESH_TOKEN_REUSED: _("Copied session stopped"),
    EventKind.EMAIL_VERIFIED: _("Email address confirmed"),
    EventKind.INVITED: _("Invited by an administrator"),
    EventKind.INVITATION_ACCEPTED: _("Invitation accepted"),
    EventKind.LINK_MAILED: _("Email with a link requested by an administrator"),
    EventKind.PASSWORD_RESET_REQUESTED: _("Password reset requested"),
    EventKind.PASSWORD_RESET: _("Password reset"),
    EventKind.EMAIL_CODE_REQUESTED: _("Sign-in code requested"),
    EventKind.EMAIL_CODE_REFUSED: _("Code not accepted"),
    EventKind.PASSWORD_CHANGED: _("Password changed"),
    EventKind.NAME_CHANGED: _("Name changed"),
    EventKind.EMAIL_CHANGED: _("Email address changed"),
    EventKind.EMAIL_TAKEN_BACK: _("Previous email address restored"),
    EventKind.SQUATTER_REMOVED: _("Unconfirmed account with your email address deleted"),
    EventKind.FACTOR_ADDED: _("Way to sign in added"),
    EventKind.FACTOR_REMOVED: _("Way to sign in removed"),
    EventKind.FACTOR_REPORTED: _("New way to sign in reported as not yours"),
    EventKind.RECOVERY_CODES_MADE: _("New recovery codes created"),
    EventKind.RECOVERY_CODE_USED: _("Recovery code used"),
    EventKind.FACTOR_RESET_BEGUN: _("Turning off two-factor authentication requested"),
    EventKind.FACTOR_RESET_CANCELED: _("Two-factor authentication kept"),
    EventKind.FACTORS_RESET: _("Two-factor authentication turned off"),
    EventKind.LETTER_REFUSED: _("Email could not be delivered"),
    EventKind.ACTING_BEGUN: _("An administrator signed in as you"),
    EventKind.ROLE_CHANGED: _("Role changed"),
    # Custom roles: owners are not told the two kinds of roles apart.
    EventKind.ROLES_CHANGED: _("Role changed"),
    EventKind.SESSIONS_ENDED: _("Signed out everywhere"),
    EventKind.ACCOUNT_DISABLED: _("Account disabled"),
    EventKind.ACCOUNT_ENABLED: _("Account enabled"),
    EventKind.ACCOUNT_UNLOCKED: _("Pause after wrong attempts ended"),
    EventKind.ACCOUNT_DELETED: _("Account deleted"),
    EventKind.IMPORTED: _("Account imported"),
    EventKind.DATA_EXPORTED: _("Data exported by an administrator"),
}
"""What happened to an account, told to its owner."""
