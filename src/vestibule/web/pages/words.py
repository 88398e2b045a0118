"""The sentences that Python code shows on pages. They are marked for translation here, and translated when rendered."""

from typing import Any

from vestibule.model.events import EventKind
from vestibule.model.sessions import EndReason

Sentence = tuple[str, dict[str, int]]
"""A sentence in English, and the numbers that fill its placeholders."""


def _(english: str) -> str:
    """Return the sentence itself. `make translations` collects the sentences by this name, as with `gettext_noop`."""
    return english


WRONG_CREDENTIALS: Sentence = (_("The email address or the password is wrong."), {})
SIGN_IN_AGAIN: Sentence = (_("Your last sign-in is too long ago for this. Please sign in again."), {})
WRONG_PASSWORD: Sentence = (_("This is not your current password."), {})
EMAIL_TAKEN: Sentence = (_("There is an account with this address already. You can sign in with it."), {})

TOO_EASY: dict[str, Sentence] = {
    "one of the commonest": (
        _("This is one of the commonest passwords, and the first to be tried. Choose another."),
        {},
    ),
    "about the account": (_("Your address, or the name of this service, is easy to guess. Choose another one."), {}),
}

_NOT_AN_EMAIL = _("This is not an email address.")
_DIFFERENT = _("The two passwords are not the same.")
_UNUSABLE = _("This cannot be used. Choose another one.")
_TOO_SHORT = _("Use at least %(count)s characters.")
_TOO_LONG = _("Use at most %(count)s characters.")
_MISSING = {
    "name": _("Give your name."),
    "email": _("Give your email address."),
    "password": _("Choose a password."),
    "passwordConfirm": _("Type the password again."),
    "currentPassword": _("Give your current password."),
}

WHY_OVER = {
    EndReason.SIGNED_OUT: _("You signed out."),
    EndReason.SIGNED_OUT_ELSEWHERE: _("It was signed out from another device."),
    EndReason.EXPIRED: _("It had lasted as long as a sign-in may."),
    EndReason.IDLE: _("It was not used for a while."),
    EndReason.PASSWORD_CHANGED: _("The password was changed."),
    EndReason.PASSWORD_RESET: _("A new password was set with a mailed link."),
    EndReason.EMAIL_CHANGED: _("The account's address was changed."),
    EndReason.REFRESH_TOKEN_REUSED: _(
        "A key to this sign-in was used twice, so perhaps somebody had copied it. If you do not know why, change your "
        "password."
    ),
    EndReason.ENDED_BY_OPERATOR: _("It was ended by those who run this service."),
    EndReason.ACCOUNT_DISABLED: _("The account was closed by those who run this service."),
    EndReason.ACCOUNT_DELETED: _("The account was deleted."),
    EndReason.TOO_MANY_SESSIONS: _("The account was signed in on too many devices, and this one was unused longest."),
}
"""Why a session ended, told to its user."""

WHAT_HAPPENED = {
    EventKind.REGISTERED: _("The account was made"),
    EventKind.SIGNED_IN: _("Signed in"),
    EventKind.SIGN_IN_REFUSED: _("Somebody tried to sign in and was refused"),
    EventKind.SESSION_ENDED: _("A device was signed out"),
    EventKind.SESSION_SHARED: _("Signed in"),
    EventKind.REFRESH_TOKEN_REUSED: _("A copied sign-in was stopped"),
    EventKind.EMAIL_VERIFIED: _("The address was confirmed"),
    EventKind.PASSWORD_RESET_REQUESTED: _("A link for a new password was asked for"),
    EventKind.PASSWORD_RESET: _("A new password was set with a mailed link"),
    EventKind.PASSWORD_CHANGED: _("The password was changed"),
    EventKind.EMAIL_CHANGED: _("The address was changed"),
    EventKind.EMAIL_TAKEN_BACK: _("The old address was taken back"),
    EventKind.SQUATTER_REMOVED: _("An account that nobody had verified was removed from your address"),
    EventKind.LETTER_REFUSED: _("An email to this account could not be delivered"),
    EventKind.ACCOUNT_DISABLED: _("The account was closed"),
    EventKind.ACCOUNT_ENABLED: _("The account was opened again"),
    EventKind.ACCOUNT_DELETED: _("The account was deleted"),
    EventKind.IMPORTED: _("The account was brought over from another service"),
}
"""What happened to an account, told to its owner."""

NOTICES = {
    "verified": _("Your address is confirmed."),
    "email_changed": _("Your address was changed. Sign in with the new one; we have told the old one."),
    "taken_back": _("Your account is yours again. An email brings you a link: choose a new password with it."),
    "password_reset": _("Your password was changed and every device signed out. Sign in with the new one."),
    "password_changed": _("Your password was changed, and every other device signed out."),
    "email_asked": _("An email is on its way to the new address. The link in it makes the change."),
    "device_signed_out": _("The device was signed out."),
    "others_signed_out": _("Every other device was signed out."),
    "letter_sent": _("An email with a link is on its way to you."),
    "deleted": _("Your account was deleted."),
}
"""What was just done, by the `notice` in the next page's URL. A URL can show no other text."""

CHECK_EMAIL = {
    "registered": _("We have sent you an email. Open the link in it to confirm your address."),
    "reset": _("If there is an account with this address, an email is on its way to it."),
    "verify": _("If this address still has to be confirmed, an email with a link is on its way to it."),
}
"""What the email that was just sent is about."""

WHEN = _("You can try again %(when)s.")
"""When a refused request may be tried again; `when` is "in 5 minutes"."""

_TRY_AGAIN = _("Please try again in a moment.")
WHY_NOT = {
    400: (_("This did not work"), _("The page sent something that cannot be read. Go back and try again.")),
    401: (_("You are not signed in"), _("Sign in and try again.")),
    403: (
        _("Nothing was changed"),
        _("This was not sent by a page of ours, or the page was open for too long. Go back, reload it and try again."),
    ),
    404: (_("Page not found"), _("Check the address for typos, or continue below.")),
    405: (_("Nothing was changed"), _("This page cannot be opened or sent this way. Go on from the start page.")),
    409: (_("Nothing was changed"), _("Somebody else was faster. Go back, reload the page and try again.")),
    413: (_("That is too much"), _("What was typed is too long. Go back and make it shorter.")),
    415: (_("This did not work"), _("The page sent something that cannot be read. Go back and try again.")),
    429: (_("Too many attempts"), _("To keep accounts safe, this is possible only so often.")),
    503: (_("We cannot do this right now"), _TRY_AGAIN),
}
"""Title and sentence for refusals that no form explains itself, by the status that `web.errors` gives them."""


def faults_of(entries: list[dict[str, Any]]) -> dict[str, Sentence]:
    """Return the sentence for each field, in order, from the API's validation errors (`BodyInvalid.entries`)."""
    faults: dict[str, Sentence] = {}
    for entry in entries:
        faults.setdefault(entry["path"][-1], _sentence(entry))
    return faults


def _sentence(entry: dict[str, Any]) -> Sentence:
    field = entry["path"][-1]
    if entry["code"] == "too_small":
        return _TOO_SHORT, {"count": entry["minimum"]}
    if entry["code"] == "too_big":
        return _TOO_LONG, {"count": entry["maximum"]}
    if entry["code"] == "invalid_type":
        return _MISSING[field], {}
    if field == "passwordConfirm":
        return _DIFFERENT, {}
    return (_NOT_AN_EMAIL if field == "email" else _UNUSABLE), {}
