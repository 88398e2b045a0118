"""The refusals of emailed codes: more branches of the tree in `errors`.

As there, each class has a stable `code`, and no HTTP status.

    Refusal
      EmailCodeElsewhere        no email code was asked for in this browser
      EmailCodeWrong            not the email code for this browser
      EmailCodeUsed             an email code that was used before
      EmailCodeLate             an email code that has expired
      EmailCodeSpent            too many wrong codes for what this browser asked for
      EmailCodesPaused          too many wrong email codes for this email
"""

from vestibule.model.errors import Refusal


class EmailCodeElsewhere(Refusal):
    code = "email_code_elsewhere"


class EmailCodeWrong(Refusal):
    code = "email_code_wrong"


class EmailCodeUsed(Refusal):
    code = "email_code_used"


class EmailCodeLate(Refusal):
    code = "email_code_late"


class EmailCodeSpent(Refusal):
    code = "email_code_spent"


class EmailCodesPaused(Refusal):
    code = "email_codes_paused"


EMAIL_CODE_REFUSALS = (
    EmailCodeElsewhere,
    EmailCodeWrong,
    EmailCodeUsed,
    EmailCodeLate,
    EmailCodeSpent,
    EmailCodesPaused,
)
"""All that can be wrong with an email code."""
