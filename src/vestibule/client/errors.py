"""Every way the kit says no, as one tree, with the status and the challenge that RFC 6750 gives it.

    CallerRefusedError
      NoTokenError              nothing was sent
      TokenInvalidError         not a token of ours, of another kind, or out of its time
        KeyUnknownError         signed with a key that is not in the key set
      SessionOverError          a good token, whose session or account was ended
      CredentialAmbiguousError  several Authorization headers
      CrossSiteError            another site made the browser send its cookie
      NotAllowedError           known, but without the role that is needed
      CannotTellError           what is known of revocations is too old to be relied on
        WrongSetupError         and that will stay so: the service key or the URL is wrong
    NotReachedError             Vestibule cannot be asked now, or what it answers is not what it should be
      ServiceRefusedError       the service key is not in force
      NotVestibuleError         what is at the URL is no Vestibule, or nothing is

Their codes and messages are those of Vestibule itself (`protocol/refusals.py`), where it has the same refusal.
"""

from typing import ClassVar

from vestibule.protocol import refusals
from vestibule.protocol.refusals import Wording

_UNAVAILABLE = 503


class CallerRefusedError(Exception):
    """The request is not let in. `message` may be shown to whoever sent it."""

    wording: ClassVar[Wording]

    def __init__(self) -> None:
        super().__init__(self.wording.message)

    @property
    def code(self) -> str:
        """The stable name of the refusal, for programs."""
        return self.wording.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.wording.status

    @property
    def message(self) -> str:
        """The sentence for people."""
        return self.wording.message

    @property
    def challenge(self) -> str | None:
        """What `WWW-Authenticate` says, if anything."""
        return self.wording.challenge

    @property
    def headers(self) -> dict[str, str]:
        """What the answer carries beside its status (RFC 6750, section 3; RFC 9110, section 10.2.3)."""
        if self.status == _UNAVAILABLE:
            return {"Retry-After": "1"}
        return {"WWW-Authenticate": self.challenge} if self.challenge else {}

    @property
    def body(self) -> dict[str, str]:
        """What the answer says, the same in every framework: `status`, `code` and `message`."""
        return self.wording.body


class NoTokenError(CallerRefusedError):
    """Nothing was sent (RFC 6750, section 3.1: a challenge without an error)."""

    wording = refusals.NOT_SIGNED_IN


class TokenInvalidError(CallerRefusedError):
    """Not a token of ours, of another kind, or out of its time."""

    wording = refusals.ACCESS_TOKEN_INVALID


class KeyUnknownError(TokenInvalidError):
    """It may be newer than what is known of keys."""


class SessionOverError(CallerRefusedError):
    """A good token of a session, or of an account, that is no more."""

    wording = refusals.SESSION_OVER


class CredentialAmbiguousError(CallerRefusedError):
    """Several Authorization headers (RFC 6750, section 2)."""

    wording = refusals.AMBIGUOUS_CREDENTIAL


class CrossSiteError(CallerRefusedError):
    """Another site made the browser send its cookie along (ASVS 5.0, 3.5.1)."""

    wording = refusals.CROSS_SITE


class NotAllowedError(CallerRefusedError):
    """Known, but without the role that is needed."""

    wording = refusals.NOT_ALLOWED


class CannotTellError(CallerRefusedError):
    """Neither let in nor refused: what is known is too old, or not there yet."""

    wording = refusals.CANNOT_TELL


class WrongSetupError(CannotTellError):
    """Nothing can be known before an operator mends the service key or the URL. `fault` says which, for operators."""

    wording = refusals.WRONG_SETUP

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault


class NotReachedError(Exception):
    """The message is for operators."""


class ServiceRefusedError(NotReachedError):
    """Vestibule does not take the service key. Make one with `vestibule services create`."""


class NotVestibuleError(NotReachedError):
    """What is at the URL is no Vestibule, or its name leads nowhere."""
