"""What emails are about, and what became of them."""

from vestibule.model.letters import LetterKind
from vestibule.model.people import LetterFate
from vestibule.translations.marking import _

LETTER_NAMES = {
    LetterKind.VERIFY_EMAIL: _("Link to confirm the email address"),
    LetterKind.RESET_PASSWORD: _("Link for a new password"),
    LetterKind.CONFIRM_NEW_EMAIL: _("Link to confirm a new email address"),
    LetterKind.EMAIL_CHANGED: _("Email address changed"),
    LetterKind.PASSWORD_CHANGED: _("Password changed"),
    LetterKind.NEW_DEVICE: _("Sign-in on a new device"),
    LetterKind.TOKEN_REUSED: _("Copied session stopped"),
    LetterKind.FACTOR_ADDED: _("Way to sign in added"),
    LetterKind.FACTOR_REMOVED: _("Way to sign in removed"),
    LetterKind.RECOVERY_CODES_MADE: _("New recovery codes created"),
    LetterKind.RECOVERY_CODE_USED: _("Recovery code used"),
    LetterKind.FACTORS_LOST: _("Link to turn off two-factor authentication"),
    LetterKind.FACTOR_RESET_BEGUN: _("Turning off two-factor authentication requested"),
    LetterKind.FACTOR_RESET_CANCELED: _("Two-factor authentication kept"),
    LetterKind.FACTORS_RESET: _("Two-factor authentication turned off"),
    LetterKind.ACTING_BEGUN: _("An administrator signed in as the owner"),
    LetterKind.EMAIL_TAKEN: _("Notice that the email address has an account"),
    LetterKind.SIGN_IN_CODE: _("Sign-in code"),
    LetterKind.PASSKEY_MAY_BE_COPIED: _("Passkey may have been copied"),
    LetterKind.SECOND_FACTOR_PAUSED: _("Too many wrong codes"),
    LetterKind.INVITATION: _("Invitation"),
    LetterKind.TEST: _("Test email"),
}
"""What an email is about."""

FATES = {
    LetterFate.WAITING: _("waiting"),
    LetterFate.DELAYED: _("not delivered yet"),
    LetterFate.REFUSED: _("refused by the mail server"),
    LetterFate.SENT: _("sent"),
    LetterFate.WITHDRAWN: _("withdrawn"),
}
"""What became of an email."""
