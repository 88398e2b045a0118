"""Every way Vestibule says no, as one tree. None of them knows an HTTP status.

A `Refusal` is the caller's to mend, a `Fault` is ours. Each has a stable `code` for programs; each face
(JSON API, pages, command line) keeps one table from these classes to how they look there.

    Refusal
      AddressTaken              registering a known address
      WrongCredentials          no such address, or not its password
      AddressNotVerified        signed in rightly, where a proven address is mandatory
      NotSignedIn               no credential was presented
      AccessTokenInvalid        not a token of ours, of another kind, or out of its time
      SessionOver               a good token of a session, or of an account, that is no more
      RefreshRefused            a refresh token that cannot be exchanged
      VerificationCodeInvalid   unknown, used or expired
      ResetTokenInvalid         unknown, used, replaced or expired
    Fault
      Overloaded                more work waits than may wait
      StoreUnavailable          the database cannot be asked
"""

from typing import ClassVar


class Refusal(Exception):
    """The caller may not have this, or not like this."""

    code: ClassVar[str]


class AddressTaken(Refusal):
    code = "address_taken"


class WrongCredentials(Refusal):
    code = "wrong_credentials"


class AddressNotVerified(Refusal):
    code = "address_not_verified"


class NotSignedIn(Refusal):
    code = "not_signed_in"


class AccessTokenInvalid(Refusal):
    code = "access_token_invalid"


class SessionOver(Refusal):
    code = "session_over"


class RefreshRefused(Refusal):
    code = "refresh_refused"


class VerificationCodeInvalid(Refusal):
    code = "verification_code_invalid"


class ResetTokenInvalid(Refusal):
    code = "reset_token_invalid"


class Fault(Exception):
    """Vestibule cannot do it now. Trying again later is right."""

    code: ClassVar[str]
    retry_after_seconds: ClassVar[int] = 1


class Overloaded(Fault):
    code = "overloaded"


class StoreUnavailable(Fault):
    """Its message is for operators: what the database, or the way to it, said."""

    code = "store_unavailable"
