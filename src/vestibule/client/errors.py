"""Every way the kit says no, as one tree, with the status and the challenge that RFC 6750 gives it.

    CallerRefused
      NoToken            nothing was sent
      TokenInvalid       not a token of ours, of another kind, or out of its time
        KeyUnknown       signed with a key that is not in the key set
      SessionOver        a good token, whose session or account was ended
      NotAllowed         known, but without the role that is needed
      CannotTell         what is known of revocations is too old to be relied on
    NotReached           Vestibule cannot be asked now, or what it answers is not what it should be
    ServiceRefused       the service key is not in force

Their codes and messages are those of Vestibule itself, where it has the same refusal.
"""

from typing import ClassVar

_INVALID = 'Bearer realm="vestibule", error="invalid_token"'


class CallerRefused(Exception):
    """The request is not let in. `message` may be shown to whoever sent it."""

    code: ClassVar[str]
    status: ClassVar[int] = 401
    challenge: ClassVar[str | None] = _INVALID
    message: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.message)

    @property
    def headers(self) -> dict[str, str]:
        """What the answer carries beside its status (RFC 6750, section 3; RFC 9110, section 10.2.3)."""
        if self.challenge is None:
            return {"Retry-After": "1"}
        return {"WWW-Authenticate": self.challenge}

    @property
    def body(self) -> dict[str, str]:
        """What the answer says, as Vestibule itself words it."""
        return {"status": "fail" if self.status < 500 else "error", "code": self.code, "message": self.message}


class NoToken(CallerRefused):
    """Nothing was sent (RFC 6750, section 3.1: a challenge without an error)."""

    code = "not_signed_in"
    challenge = 'Bearer realm="vestibule"'
    message = "You are not logged in"


class TokenInvalid(CallerRefused):
    """Not a token of ours, of another kind, or out of its time."""

    code = "access_token_invalid"
    message = "Invalid token or user doesn't exist"


class KeyUnknown(TokenInvalid):
    """It may be newer than what is known of keys."""


class SessionOver(CallerRefused):
    """A good token of a session, or of an account, that is no more."""

    code = "session_over"
    message = "Invalid token or session has expired"


class NotAllowed(CallerRefused):
    """Known, but without the role that is needed."""

    code = "not_allowed"
    status = 403
    challenge = 'Bearer realm="vestibule", error="insufficient_scope"'
    message = "Your role does not allow this"


class CannotTell(CallerRefused):
    """Neither let in nor refused: what is known is too old, or not there yet."""

    code = "cannot_tell"
    status = 503
    challenge = None
    message = "The service is not available right now, please try again in a moment"


class NotReached(Exception):
    """The message is for operators."""


class ServiceRefused(NotReached):
    """Vestibule answered 401 to the service key. Make one with `vestibule services add`."""
