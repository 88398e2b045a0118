"""The sentences that Python code shows on pages. They are marked for translation here, and translated when rendered."""

from typing import Any

from vestibule.model.errors import EmailNotVerified, Refusal
from vestibule.model.factor_errors import (
    CeremonyOver,
    PasskeyNeedsPassword,
    PasskeyRefused,
    PasskeyTaken,
    PasskeyUnknown,
)
from vestibule.translations.marking import _

Sentence = tuple[str, dict[str, int | str]]
"""A sentence in English, and what fills its placeholders: numbers, or words in the reader's language."""


NO_PASSWORD: Sentence = (_("Enter your password."), {})
WRONG_CREDENTIALS: Sentence = (_("The email address or the password is wrong."), {})
LAST_FACTOR: Sentence = (
    _("Your account needs more than a password. Add another way to sign in before you remove this one."),
    {},
)
WRONG_PASSKEYS: dict[type[Refusal], Sentence] = {
    PasskeyUnknown: (
        _("This passkey is not known here. It may have been removed. Use another one, or another way."),
        {},
    ),
    PasskeyNeedsPassword: (
        _(
            "Your password was reset by email. Sign in with the new password first, then use this passkey. After that"
            " it works alone again."
        ),
        {},
    ),
    PasskeyRefused: (_("This passkey could not be accepted. Try again, or use another way."), {}),
    CeremonyOver: (_("This took too long. Try again."), {}),
    EmailNotVerified: (_("Confirm your email address first: open the link that we have sent to you."), {}),
    PasskeyTaken: (_("This passkey was added already."), {}),
}
"""Why a passkey was refused."""
NO_PASSKEY_NAME: Sentence = (_("Enter a name for the passkey."), {})
WRONG_PASSWORD: Sentence = (_("This is not your current password."), {})
EMAIL_TAKEN: Sentence = (_("An account with this email address already exists."), {})

EMAIL_UNCHANGED: Sentence = (_("This is your email address already."), {})

TOO_EASY: dict[str, Sentence] = {
    "one of the commonest": (
        _("This password is too common. Choose another one."),
        {},
    ),
    "about the account": (
        _("This password is too close to your email address or the name of this service. Choose another one."),
        {},
    ),
}

_NOT_AN_EMAIL = _("Enter a valid email address.")
_DIFFERENT = _("The passwords do not match.")
_UNUSABLE = _("This cannot be used. Choose another one.")
_TOO_SHORT = _("Use at least %(count)s characters.")
_TOO_LONG = _("Use at most %(count)s characters.")
_MISSING = {
    "name": _("Enter your name."),
    "email": _("Enter your email address."),
    "password": _("Choose a password."),
    "passwordConfirm": _("Confirm the password."),
    "currentPassword": _("Enter your current password."),
    "code": _("Enter the code."),
    "new_email": _("Enter the new email address."),
    "reason": _("Say why, for the operators who come after you."),
    "role": _("Choose a role."),
}
_EMAILS = ("email", "new_email")
MISSING = frozenset({NO_PASSWORD[0], *_MISSING.values()})
"""The sentences for a field that was left empty."""

NOTICES = {
    "signed_up": _("Your account is ready. We sent you an email: open the link in it to confirm your email address."),
    "verified": _("Your email address is confirmed."),
    "name_changed": _("Your name was changed."),
    "email_changed": _("Your email address was changed. Sign in with the new one."),
    "email_changed_told": _(
        "Your email address was changed. Sign in with the new one. We also sent a notice to the old one."
    ),
    "password_reset": _("Your password was changed and every device signed out. Sign in with the new one."),
    "invitation_accepted": _("Your account is ready. Sign in with your new password."),
    "password_changed": _("Your password was changed, and every other device signed out."),
    "email_asked": _("We sent a link to the new email address. Open it to complete the change."),
    "factor_needed": _(
        "Administration asks for more than a password. Add another way to sign in here, and you will be taken back"
        " there."
    ),
    "device_signed_out": _("The device was signed out."),
    "others_signed_out": _("Every other device was signed out."),
    "app_added": _("Your authenticator app is set up."),
    "factors_lost": _(
        "Your authenticator app, passkeys and recovery codes will be removed. We sent you an email that says when."
    ),
    "factors_kept": _("Two-factor authentication stays on."),
    "factor_reported": _("The new way to sign in was removed, and every device signed out."),
    "factor_reported_elsewhere": _(
        "The new way to sign in was removed, and every device signed out. Your account has another email address by"
        " now: we sent a link to choose a new password there. If you did not change it, use the link in our email"
        " about that change."
    ),
    "app_removed": _("The authenticator app was removed."),
    "passkey_added": _("Your passkey is added."),
    "passkey_renamed": _("The passkey was renamed."),
    "passkey_removed": _("The passkey was removed."),
    "second_step_late": _(
        "Please sign in again. The second step has to follow within 10 minutes, in a browser that keeps cookies."
    ),
    "code_elsewhere": _(
        "No code was asked for in this browser. Open the page where you asked for it and type the code there, or ask"
        " for a new one here."
    ),
    "reauthenticated": _("It is confirmed that it is you. You can go on now."),
    "letter_sent": _("We sent you an email with a link."),
}
"""What was just done, by the `notice` in the next page's URL. A URL can show no other text."""

AFTER_LINKS = frozenset({"verified", "password_reset", "invitation_accepted"})
"""The notices after which the sign-in form has the email that a link was mailed to."""

CHECK_EMAIL = {
    "registered": _("We have sent you an email. Open the link in it to confirm your email address."),
    "reset": _("If this email address has an account, we sent an email with a link to it."),
    "verify": _("If this email address is not confirmed yet, we sent an email with a link to it."),
    "taken_back": _("Your account is yours again. We sent you a link to choose a new password."),
}
"""What "Check your email" says, by what the email that was just sent is about (`SentLetter.about`)."""

EMAIL_ASKED = _("We sent a link to %(email)s. Open it to complete the change.")
"""Said instead of the notice `email_asked` if the browser has the cookie that tells which email the link went to."""

WHEN = _("You can try again %(when)s.")
"""When a refused request may be tried again; `when` is "in 5 minutes"."""

NOTHING_CHANGED = _("Nothing was changed")
_TRY_AGAIN = _("Please try again in a moment.")
WHY_NOT = {
    400: (_("Something went wrong"), _("The form could not be read. Go back and try again.")),
    401: (_("You are not signed in"), _("Sign in and try again.")),
    403: (
        NOTHING_CHANGED,
        _("This form did not come from this site, or was open for too long. Go back, reload the page and try again."),
    ),
    404: (_("Page not found"), _("Check the address for typos, or continue below.")),
    405: (NOTHING_CHANGED, _("This page cannot be opened this way. Continue below.")),
    409: (NOTHING_CHANGED, _("Someone else was faster. Go back, reload the page and try again.")),
    413: (_("Too long"), _("What you entered is too long. Go back and shorten it.")),
    414: (
        _("This link is too long"),
        _("The URL to return to may have at most 1,024 characters. Continue below without it."),
    ),
    415: (_("Something went wrong"), _("The form could not be read. Go back and try again.")),
    429: (_("Too many attempts"), _("To protect accounts, the number of attempts is limited.")),
    500: (_("Something went wrong"), _("This is a fault on our side. Please try again in a moment.")),
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
    return (_NOT_AN_EMAIL if field in _EMAILS else _UNUSABLE), {}
