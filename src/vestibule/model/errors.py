"""All refusals and faults, as one tree of exceptions. None of them knows an HTTP status. More branches of the tree are
in `factor_errors`, `email_code_errors` and `operator_errors`.

The caller can correct a `Refusal`; a `Fault` is Vestibule's own. Each class has a stable `code` for programs. Each face
(JSON API, pages, command line) has one table that says how it shows them.

    Refusal
      EmailTaken                registering a known email
      EmailUnchanged            a change of email to the one that the account has
      PasswordTooEasy           a new password that attackers try first
      WrongCredentials          no such email, or not its password
      WrongPassword             signed in, but the current password was given wrong
      SessionUnknown            no live session of the caller's with this id
      ReauthenticationRequired  signed in too long ago, or by too few factors, for this request; step up first
      EmailNotVerified          right password, but a verified email is mandatory
      NotSignedIn               no credential was presented
      AccessTokenInvalid        not our access token, not valid yet, or expired
      SessionOver               a good token, but its session or account has ended
      RefreshRefused            a refresh token that cannot be exchanged
      VerificationCodeInvalid   unknown, used or expired
      ResetTokenInvalid         unknown, used, replaced or expired
      InvitationInvalid         unknown, used or expired, or the account was taken into use by another way
      EmailChangeInvalid        unknown, used or expired, or the email is taken by now
      EmailChangeOfAnother      a good link, but asked for by another account
      TooManyRequests           too many from one network in a minute
      TooManyPolls              a service polls the feed more often than its workers need
      TooManyAttempts           too many wrong passwords in a row: wait before the next
      ServiceKeyInvalid         a service sends no key, or a revoked one
    Fault
      Overloaded                too many requests wait already
      TooManyFollowers          too many services follow the feed already
      StoreUnavailable          the database cannot be used
      NotReady                  the process should not be sent requests
"""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import ClassVar

from vestibule.model.sessions import EndReason
from vestibule.protocol import refusals

_WHY_EASY = {
    "one of the commonest": "one of the commonest there are",
    "about the account": "little more than your address or the name of this service",
}
_TOO_LONG_AGO = "Sign in again to do this, your sign-in is too long ago"
_LACKS_FACTOR = "Use your second factor to do this, one factor is not enough for this account"


class Refusal(Exception):
    """The request is refused. The caller can correct it, or has no right to it."""

    code: str


class EmailTaken(Refusal):
    code = "email_taken"


class EmailUnchanged(Refusal):
    code = "email_unchanged"


class PasswordTooEasy(Refusal):
    """A new password that attackers try first. `why`: `one of the commonest`, or `about the account`."""

    code = "password_too_easy"

    def __init__(self, why: str) -> None:
        super().__init__(f"This password is too easy to guess, because it is {_WHY_EASY[why]}. Choose another one")
        self.why = why


class WrongCredentials(Refusal):
    code = "wrong_credentials"


class WrongPassword(Refusal):
    code = "wrong_password"


class SessionUnknown(Refusal):
    code = "session_unknown"


class ReauthenticationRequired(Refusal):
    """The token tells of no sign-in that is recent enough; or, with `lacks_factor`, of a recent one without the second
    factor that the account has. A step-up by one of `satisfied_by` allows the same request, if it is not more than
    `max_age` seconds ago. With `enrol_at`, the account has no second factor, and has to set one up on that page first.
    """

    code = "reauthentication_required"

    def __init__(
        self, satisfied_by: Sequence[str], max_age: int, *, lacks_factor: bool = False, enrol_at: str = ""
    ) -> None:
        message = _LACKS_FACTOR if lacks_factor else _TOO_LONG_AGO
        if enrol_at:
            message = f"Your account needs a second factor for this, and has none; set one up at {enrol_at}"
        super().__init__(message)
        self.satisfied_by = tuple(satisfied_by)
        self.max_age = max_age
        self.enrol_at = enrol_at


class EmailNotVerified(Refusal):
    code = "email_not_verified"


class NotSignedIn(Refusal):
    code = refusals.NOT_SIGNED_IN.code


class AccessTokenInvalid(Refusal):
    code = refusals.ACCESS_TOKEN_INVALID.code


class SessionOver(Refusal):
    """The session has ended. The code says why, if that is known: `session_signed_out`, `session_idle` …"""

    code = refusals.SESSION_OVER.code

    def __init__(self, reason: EndReason | None = None) -> None:
        super().__init__()
        if reason is not None:
            self.code = f"session_{reason.value}"


class RefreshRefused(Refusal):
    """The token cannot be exchanged. The code is `refresh_refused`, or, if the session has ended, the one that says
    why.
    """

    code = "refresh_refused"

    def __init__(self, reason: EndReason | None = None) -> None:
        super().__init__()
        if reason is not None:
            self.code = f"session_{reason.value}"


class VerificationCodeInvalid(Refusal):
    code = "verification_code_invalid"


class ResetTokenInvalid(Refusal):
    code = "reset_token_invalid"


class InvitationInvalid(Refusal):
    code = "invitation_invalid"


class EmailChangeInvalid(Refusal):
    code = "email_change_invalid"


class EmailChangeOfAnother(Refusal):
    code = "email_change_of_another"


class RetryLater(Refusal):
    """The same request is allowed later. Says after how many seconds."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.retry_after_seconds = max(1, ceil(wait.total_seconds()))


class TooManyAttempts(RetryLater):
    code = "too_many_attempts"


class TooManyRequests(RetryLater):
    code = "too_many_requests"


class TooManyPolls(RetryLater):
    code = refusals.TOO_MANY_POLLS.code


class ServiceKeyInvalid(Refusal):
    code = "service_key_invalid"


class Fault(Exception):
    """Vestibule cannot do it now. Trying again later is right."""

    code: ClassVar[str]
    retry_after_seconds: ClassVar[int] = 1


class Overloaded(Fault):
    code = "overloaded"


class TooManyFollowers(Fault):
    code = refusals.TOO_MANY_FOLLOWERS.code


class StoreUnavailable(Fault):
    """The database cannot be used. The message is for operators: what the database or the connection reported.

    `conflict`: the database ended this transaction because of another one, or a row that it refers to was deleted
    meanwhile. The transaction was rolled back, and trying again at once may succeed.
    `lasting`: waiting does not help. The message says what an operator has to repair.
    `server`: the database server, as `host:port`; None for a file.
    """

    code = "store_unavailable"

    def __init__(
        self, message: str = "", *, conflict: bool = False, lasting: bool = False, server: str | None = None
    ) -> None:
        super().__init__(message)
        self.server = server
        self.conflict = conflict
        self.lasting = lasting


class NotReady(Fault):
    code = "not_ready"
