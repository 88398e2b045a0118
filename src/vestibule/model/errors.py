"""Every way Vestibule says no, as one tree. None of them knows an HTTP status.

A `Refusal` is the caller's to correct, a `Fault` is ours. Each has a stable `code` for programs; each face
(JSON API, pages, command line) keeps one table from these classes to how they look there.

    Refusal
      EmailTaken              registering a known email
      PasswordTooEasy           a new password that attackers try first
      WrongCredentials          no such email, or not its password
      WrongPassword             signed in, but the current password was not given rightly
      SessionUnknown            no live session of the caller's with this id
      ReauthenticationRequired  signed in, but too long ago for what is asked
      EmailNotVerified        signed in rightly, where a verified email is mandatory
      NotSignedIn               no credential was presented
      AccessTokenInvalid        not a token of ours, of another kind, or out of its time
      SessionOver               a good token of a session, or of an account, that is no more
      RefreshRefused            a refresh token that cannot be exchanged
      VerificationCodeInvalid   unknown, used or expired
      ResetTokenInvalid         unknown, used, replaced or expired
      EmailChangeInvalid      likewise, or the email is somebody else's by now
      EmailChangeOfAnother    good, but asked for by another account than the one that is signed in
      TooManyRequests           from one network, in a minute
      TooManyAttempts           wrong passwords in a row: the next one has to wait
      ServiceKeyInvalid         a service that shows no key, or one that is not in force
    Fault
      Overloaded                more work waits than may wait
      StoreUnavailable          the database cannot be asked
      NotReady                  the process should not be sent requests
"""

from datetime import timedelta
from math import ceil
from typing import ClassVar

from vestibule.model.sessions import EndReason
from vestibule.protocol import refusals

_EASY = {
    "one of the commonest": "one of the commonest there are",
    "about the account": "little more than your address or the name of this service",
}


class Refusal(Exception):
    """The caller may not have this, or not like this."""

    code: str


class EmailTaken(Refusal):
    code = "email_taken"


class PasswordTooEasy(Refusal):
    """A new password that attackers try first. `why`: `one of the commonest`, or `about the account`."""

    code = "password_too_easy"

    def __init__(self, why: str) -> None:
        super().__init__(f"This password is too easy to guess, because it is {_EASY[why]}. Choose another one")
        self.why = why


class WrongCredentials(Refusal):
    code = "wrong_credentials"


class WrongPassword(Refusal):
    code = "wrong_password"


class SessionUnknown(Refusal):
    code = "session_unknown"


class ReauthenticationRequired(Refusal):
    code = "reauthentication_required"


class EmailNotVerified(Refusal):
    code = "email_not_verified"


class NotSignedIn(Refusal):
    code = refusals.NOT_SIGNED_IN.code


class AccessTokenInvalid(Refusal):
    code = refusals.ACCESS_TOKEN_INVALID.code


class SessionOver(Refusal):
    """Its code tells why, where that is known: `session_signed_out`, `session_idle` …"""

    code = refusals.SESSION_OVER.code

    def __init__(self, reason: EndReason | None = None) -> None:
        super().__init__()
        if reason is not None:
            self.code = f"session_{reason.value}"


class RefreshRefused(Refusal):
    """Likewise: `refresh_refused` for what is no good token, the session's end where there was one."""

    code = "refresh_refused"

    def __init__(self, reason: EndReason | None = None) -> None:
        super().__init__()
        if reason is not None:
            self.code = f"session_{reason.value}"


class VerificationCodeInvalid(Refusal):
    code = "verification_code_invalid"


class ResetTokenInvalid(Refusal):
    code = "reset_token_invalid"


class EmailChangeInvalid(Refusal):
    code = "email_change_invalid"


class EmailChangeOfAnother(Refusal):
    code = "email_change_of_another"


class RetryLater(Refusal):
    """What is right later; says when."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__()
        self.retry_after_seconds = max(1, ceil(wait.total_seconds()))


class TooManyAttempts(RetryLater):
    code = "too_many_attempts"


class TooManyRequests(RetryLater):
    code = "too_many_requests"


class ServiceKeyInvalid(Refusal):
    code = "service_key_invalid"


class Fault(Exception):
    """Vestibule cannot do it now. Trying again later is right."""

    code: ClassVar[str]
    retry_after_seconds: ClassVar[int] = 1


class Overloaded(Fault):
    code = "overloaded"


class StoreUnavailable(Fault):
    """Its message is for operators: what the database, or the way to it, said.

    `conflict`: the database ended this transaction for the sake of another, or a row that it refers to was deleted
    meanwhile. Nothing of it was done, and deciding again at once may well succeed (`flows/retry.py`).
    `lasting`: waiting does not help. The message names what an operator has to repair.
    `server`: which one was asked, as `host:port`; None for a file.
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
