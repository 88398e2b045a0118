"""Define why a caller is refused, as one branch of the tree in `errors`. All are HTTP refusals (RFC 6750).

    VestibuleError
      CallerRefusedError
        NoTokenError              nothing was sent
        TokenInvalidError         not a token of ours, of another kind, expired or not valid yet
        SessionOverError          a valid token, but its session or account has ended
        CredentialAmbiguousError  several Authorization headers
        CrossSiteError            another site made the browser send its cookie
        NotAllowedError           the caller has none of the required roles
        PermissionMissingError    no role of the caller has a required permission
        InsufficientAuthenticationError  the sign-in is of too low a level, or too long ago
        CannotTellError           the known revocations are too old to decide
          ClocksDifferError       the clocks here and at Vestibule differ too much
          KeyUnknownError         signed with an unknown key, which may be new
          WrongSetupError         cannot decide until an operator corrects the service key or the URL

Where Vestibule has the same refusal, code and message are the same (`protocol/refusals.py`).
"""

from typing import ClassVar

from vestibule.client.errors import VestibuleError
from vestibule.protocol import refusals
from vestibule.protocol.authentication import Level
from vestibule.protocol.refusals import Wording

_UNAVAILABLE = 503
_FACTORS = {
    Level.ONE_FACTOR: "",
    Level.TWO_FACTORS: " with a second factor",
    Level.PHISHING_RESISTANT: " with a passkey",
}
_NO_STORE = {"Cache-Control": "no-store"}  # RFC 9111, section 5.2.2.5


class CallerRefusedError(VestibuleError):
    """The request is refused. `message` may be shown to its sender."""

    wording: ClassVar[Wording]

    def __init__(self) -> None:
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """Return the stable name of the refusal, for programs."""
        return self.wording.code

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.wording.status

    @property
    def message(self) -> str:
        """Return the sentence for people."""
        return self.wording.message

    @property
    def challenge(self) -> str | None:
        """Return the value of `WWW-Authenticate`, or None."""
        return self.wording.challenge

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the response (RFC 6750, section 3; RFC 9110, section 10.2.3). No cache stores it."""
        if self.status == _UNAVAILABLE:
            return {"Retry-After": "1", **_NO_STORE}
        return {"WWW-Authenticate": self.challenge, **_NO_STORE} if self.challenge else {**_NO_STORE}

    @property
    def body(self) -> dict[str, str | int]:
        """Return the JSON body: `status`, `code` and `message`, the same in every framework."""
        return {**self.wording.body, "message": self.message}


class NoTokenError(CallerRefusedError):
    """The request has no token (RFC 6750, section 3.1: a challenge without an error code)."""

    wording = refusals.NOT_SIGNED_IN


class TokenInvalidError(CallerRefusedError):
    """Not one of Vestibule's access tokens, or outside its lifetime."""

    wording = refusals.ACCESS_TOKEN_INVALID


class SessionOverError(CallerRefusedError):
    """The token is valid, but its session or account has ended."""

    wording = refusals.SESSION_OVER


class CredentialAmbiguousError(CallerRefusedError):
    """The request has several Authorization headers (RFC 6750, section 2)."""

    wording = refusals.AMBIGUOUS_CREDENTIAL


class CrossSiteError(CallerRefusedError):
    """A page of another site caused the request, and the browser attached the cookie (ASVS 5.0, 3.5.1)."""

    wording = refusals.CROSS_SITE


class NotAllowedError(CallerRefusedError):
    """The caller is known, but has none of the required roles."""

    wording = refusals.NOT_ALLOWED


class PermissionMissingError(CallerRefusedError):
    """The caller is known, but none of their roles has `permission` (RFC 6750, section 3.1: `insufficient_scope`). Body
    and challenge name it.
    """

    wording = refusals.PERMISSION_MISSING

    def __init__(self, permission: str = "") -> None:
        self.permission = permission
        super().__init__()

    @property
    def challenge(self) -> str:
        """Return the value of `WWW-Authenticate`, with the missing permission as `scope`."""
        return f'{self.wording.challenge}, scope="{self.permission}"'

    @property
    def body(self) -> dict[str, str | int]:
        """Return the JSON body, with the missing permission."""
        return {**super().body, "permission": self.permission}


class InsufficientAuthenticationError(CallerRefusedError):
    """The caller is known, but their sign-in does not suffice: they have to sign in again (RFC 9470, section 3).

    `level` is the level that the sign-in does not reach, and `max_age` the age, in seconds, that it exceeds; None where
    that is not the reason. Body and challenge name both.
    """

    wording = refusals.INSUFFICIENT_AUTHENTICATION

    def __init__(self, level: Level | None = None, max_age: int | None = None) -> None:
        self.level = level
        self.max_age = max_age
        super().__init__()

    @property
    def acr_values(self) -> str | None:
        """Return the name of the level that is lacking, or None."""
        return self.level.acr if self.level else None

    @property
    def message(self) -> str:
        """Return the sentence for people."""
        again = "" if self.max_age is None else " again"
        return f"Please sign in{again}{_FACTORS[self.level]} to do this" if self.level else self.wording.message

    @property
    def challenge(self) -> str:
        """Return the value of `WWW-Authenticate`."""
        asked = {"error_description": self.message, **self._asked}
        return ", ".join([str(self.wording.challenge), *(f'{name}="{value}"' for name, value in asked.items())])

    @property
    def body(self) -> dict[str, str | int]:
        """Return the JSON body, with `acr_values` and `max_age` where they are a reason."""
        return {**super().body, **self._asked}

    @property
    def _asked(self) -> dict[str, str | int]:
        asked = {"acr_values": self.acr_values, "max_age": self.max_age}
        return {name: value for name, value in asked.items() if value is not None}


class CannotTellError(CallerRefusedError):
    """The service cannot decide: its list of revocations is too old, or not fetched yet."""

    wording = refusals.CANNOT_TELL


class ClocksDifferError(CannotTellError):
    """The clocks here and at Vestibule differ too much to say what has expired. Not even `when_stale="ask"` asks."""


class KeyUnknownError(CannotTellError):
    """The token looks valid, but its key is unknown, and may be new. `listed`: Vestibule lists that key."""

    def __init__(self, *, listed: bool = False) -> None:
        super().__init__()
        self.listed = listed


class WrongSetupError(CannotTellError):
    """The service cannot decide until an operator corrects the service key or the URL. `fault` says what is wrong."""

    wording = refusals.WRONG_SETUP

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
