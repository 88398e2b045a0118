"""What pages say of a code that was typed and refused: an authenticator app's, a recovery code, a mailed one."""

from vestibule.model.email_code_errors import (
    EmailCodeLate,
    EmailCodesPaused,
    EmailCodeSpent,
    EmailCodeUsed,
    EmailCodeWrong,
)
from vestibule.model.errors import Refusal
from vestibule.model.factor_errors import CodeOfAnotherTime, CodeUsed, WrongCode
from vestibule.translations.marking import _
from vestibule.web.pages.words import Sentence

WRONG_CODES: dict[type[WrongCode], Sentence] = {
    WrongCode: (_("This code is wrong. Enter the one that the app shows now."), {}),
    CodeUsed: (_("This code was used already. Wait until the app shows the next one."), {}),
    CodeOfAnotherTime: (
        _(
            "This code is of another time. Enter the one that the app shows now. If that is refused too, let your phone"
            " set its clock by itself."
        ),
        {},
    ),
}
"""What is wrong with a code of an authenticator app that the account has."""
WRONG_RECOVERY_CODE: Sentence = (_("This recovery code is wrong, or was used already."), {})
CODES_PAUSED: Sentence = (
    _(
        "There were too many wrong codes. Use another way, or a device on which you have signed in with a code before,"
        " or ask for help."
    ),
    {},
)
PAUSED_UNTIL = _(
    "There were too many wrong codes. You can try one more %(when)s. Until then, use another way, or a device on which"
    " you have signed in with a code before."
)
"""Said instead of `CODES_PAUSED` if the pause ends by itself; `when` is "in 23 hours"."""
WRONG_NEW_CODE: Sentence = (
    _("This code is wrong. Enter the one that the app shows now. If it is wrong again, check the clock of your phone."),
    {},
)
"""What is wrong with the code that confirms a new authenticator app."""
WRONG_NEW_CODES = {**WRONG_CODES, WrongCode: WRONG_NEW_CODE}
"""What is wrong with a code of an app that is being set up: as in `WRONG_CODES`, except for a wrong one."""
WRONG_EMAIL_CODES: dict[type[Refusal], Sentence] = {
    EmailCodeWrong: (
        _("This code is wrong. Use the one in the newest email, in the browser where you asked for it."),
        {},
    ),
    EmailCodeUsed: (_("This code was used already. Have a new one sent."), {}),
    EmailCodeLate: (_("This code has expired. Have a new one sent."), {}),
    EmailCodeSpent: (_("There were too many wrong codes. Have a new one sent."), {}),
    EmailCodesPaused: (
        _(
            "There were too many wrong codes for this email address. Sign in with your password, or choose a new one"
            " with “Forgot your password?”."
        ),
        {},
    ),
}
"""What is wrong with a mailed code. A browser that has not asked for a code gets no sentence: it is redirected to the
page where codes are asked for.
"""
