"""Define every error of the kit, as one tree.

    VestibuleError
      CallerRefusedError          the request of a caller is refused
      SignedOutError              nobody is signed in with this `Session`, or not any more
        SecondFactorRequiredError the password is right, and a code has to follow
        EnrolmentRequiredError    the password is right, and a second factor has to be set up
      NotReachedError             Vestibule does not answer, or not as expected
        ServiceRefusedError       the service key is not in force
        TooManyServicesError      Vestibule serves as many feeds as it may
        NotVestibuleError         the URL leads to another server, or nowhere
          WrongIssuerError        the URL leads to a Vestibule whose tokens have another issuer or audience
      NotStoredError              a `Session`'s tokens cannot be read, kept or deleted

The branch of `CallerRefusedError` is in `caller_errors`.
"""

from typing import Any

from vestibule.protocol.one_line import quoted
from vestibule.protocol.service_keys import hide_keys

MAX_MESSAGE_CHARACTERS = 1000


class VestibuleError(Exception):
    """What the kit refuses or cannot do, in one sentence. Can be pickled, so that process pools can pass it on."""

    def __reduce__(self) -> tuple[Any, ...]:
        # `Exception` would call the class with the message, which most of these classes do not take.
        return _blank, (type(self), self.args), self.__dict__


def _blank(kind: type[VestibuleError], args: tuple[Any, ...]) -> VestibuleError:
    """Return an error of that class without calling `__init__`. Pickle then restores its attributes."""
    return kind.__new__(kind, *args)


class SignedOutError(VestibuleError):
    """Nobody is signed in, or the session is over. `code` and `message` say why, as Vestibule does."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SecondFactorRequiredError(SignedOutError):
    """The password is right; `Session.complete_sign_in` signs in with a code. `factors` says what the account has, such
    as `totp`, `passkey` and `recovery_code`. A program can use `totp` and `recovery_code`.
    """

    def __init__(self, code: str, message: str, factors: tuple[str, ...] = ()) -> None:
        super().__init__(code, message)
        self.factors = factors


class EnrolmentRequiredError(SignedOutError):
    """The password is right, and the account must have a second factor. `factors` says what can be set up, such as
    `totp` and `passkey`: `Session.begin_enrolment` sets up `totp`, and the page that the message names either.
    """

    def __init__(self, code: str, message: str, factors: tuple[str, ...] = ()) -> None:
        super().__init__(code, message)
        self.factors = factors


class NotReachedError(VestibuleError):
    """Vestibule did not answer, or not as expected. The message is for operators: one line of at most 1,000 characters,
    even if it quotes an answer. It never shows a service key.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(quoted(hide_keys(message), MAX_MESSAGE_CHARACTERS))


class ServiceRefusedError(NotReachedError):
    """Vestibule rejects the service key. Create one with `vestibule services create`."""


class TooManyServicesError(NotReachedError):
    """Vestibule serves as many feeds as it may. The message names the setting that limits them. `retry_after`: the
    seconds after which Vestibule wants to be asked again.
    """

    def __init__(self, message: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotVestibuleError(NotReachedError):
    """The URL leads to something other than Vestibule, or nowhere."""


class WrongIssuerError(NotVestibuleError):
    """The URL leads to a Vestibule whose tokens have another issuer or audience than this service expects."""


class NotStoredError(VestibuleError):
    """The tokens of a `Session` cannot be read, kept or deleted. `reason` is what the system says."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
