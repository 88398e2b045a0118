"""The refusals and faults of passkeys and second factors: more branches of the tree in `errors`.

As there, each class has a stable `code`, and no HTTP status.

    Refusal
      SecondFactorRequired      right password, and the account asks for a second step
      SecondFactorEnrolmentRequired  right password, and the account must set up a second factor
      LastFactor                the account must have a second factor, and this is its only one
      NoPendingSignIn           a second step without a first one that is still good
      SecondFactorPaused        too many wrong codes; another way, or another day
      WrongCode                 not a code of this account, or a recovery code that was used before
      CodeUsed                  a code of the app that was right, and was used before
      CodeOfAnotherTime         a code of the app that was right some minutes ago, or will be: a clock is wrong
      RefreshTokenRequired      an access token alone, where credentials, factors or sessions change
      FactorUnknown             the account has no such second factor
      FactorResetUnknown        no reset of the account's second factors is under way
      FactorResetLinkInvalid    unknown, used or expired, or the reset or the new factor that it is about is gone
      FactorResetUnavailable    nobody but an operator can reset this account's factors
      FactorResetUnderWay       a reset of the account's factors has begun already
      PasskeyRefused            not what was asked of an authenticator, or not of this account
      PasskeyUnknown            no passkey here has this credential or id
      PasskeyNeedsPassword      the password was reset by mail, and the passkey was not used beside it yet
      PasskeyTaken              the credential that an authenticator has made is stored already
      TooManyPasskeys           the account has as many as it may have
      CeremonyOver              the question to an authenticator has expired, or was answered before
      PasskeysUnavailable       there are no passkeys under this server's address
    Fault
      TotpUnavailable           the secret of an authenticator app cannot be sealed or opened
"""

from math import ceil

from vestibule.model.errors import Fault, Refusal
from vestibule.model.factors import FactorKind

_OTHER_WAYS = (
    "Use a passkey, a recovery code, or a device on which you have signed in with a code before, or ask for help"
)


class SecondFactorRequired(Refusal):
    """The password was right, and the account asks for a second step, by one of `kinds`."""

    code = "second_factor_required"

    def __init__(self, kinds: tuple[FactorKind, ...]) -> None:
        super().__init__()
        self.kinds = kinds


class SecondFactorEnrolmentRequired(Refusal):
    """The account must have a second factor, and has none. `kinds` are those that it can set up, on the page that the
    message names: `/login` of the server at the URL `at`.
    """

    code = "second_factor_enrolment_required"

    def __init__(self, at: str, kinds: tuple[FactorKind, ...] = ()) -> None:
        super().__init__(f"Your account needs a second factor; sign in at {at}/login to set one up")
        self.kinds = kinds


class LastFactor(Refusal):
    code = "last_factor"


class NoPendingSignIn(Refusal):
    code = "no_pending_sign_in"


class SecondFactorPaused(Refusal):
    """Too many wrong codes. The next one is checked after `retry_after_seconds`; if that is None, not before an
    operator unlocks the account.
    """

    code = "second_factor_paused"

    def __init__(self, retry_after_seconds: int | None = None) -> None:
        hours = ceil((retry_after_seconds or 0) / 3600)
        when = f" here; one more is checked in {hours} h" if hours else ""
        super().__init__(f"Too many wrong codes{when}. {_OTHER_WAYS}")
        self.retry_after_seconds = retry_after_seconds


class WrongCode(Refusal):
    """The code is not good."""

    code = "wrong_code"


class CodeUsed(WrongCode):
    """The code was right, but was used before. To be told so, one must have the app's secret, or have seen the code."""

    code = "code_used"


class CodeOfAnotherTime(WrongCode):
    """The code was right some minutes ago, or will be. `flows/second_factor.py` says when that is told."""

    code = "code_of_another_time"


TYPED_AGAIN = (WrongCode, CodeUsed, CodeOfAnotherTime)
"""All that can be wrong with a code that is typed."""


class RefreshTokenRequired(Refusal):
    code = "refresh_token_required"


class FactorUnknown(Refusal):
    code = "factor_unknown"


class FactorResetUnknown(Refusal):
    code = "factor_reset_unknown"


class FactorResetLinkInvalid(Refusal):
    code = "factor_reset_link_invalid"


class FactorResetUnavailable(Refusal):
    code = "factor_reset_unavailable"


class FactorResetUnderWay(Refusal):
    code = "factor_reset_under_way"


class PasskeyRefused(Refusal):
    code = "passkey_refused"


class PasskeyUnknown(Refusal):
    code = "passkey_unknown"


class PasskeyNeedsPassword(Refusal):
    code = "passkey_needs_password"


class PasskeyTaken(Refusal):
    code = "passkey_taken"


class TooManyPasskeys(Refusal):
    code = "too_many_passkeys"


class CeremonyOver(Refusal):
    code = "ceremony_over"


class PasskeysUnavailable(Refusal):
    code = "passkeys_unavailable"


class TotpUnavailable(Fault):
    code = "totp_unavailable"
