"""Status, code, sentence and challenge of each refusal that services share with the server.

The HTTP contract fixes the messages. Front-ends refresh if a message contains `not logged in`, so no other message may
contain it.
"""

from dataclasses import dataclass

_REALM = 'Bearer realm="vestibule"'


@dataclass(frozen=True)
class Wording:
    """One refusal in HTTP; `challenge` is for `WWW-Authenticate` (RFC 6750, section 3)."""

    code: str
    status: int
    message: str
    challenge: str | None = None

    @property
    def body(self) -> dict[str, str]:
        """Return the JSON body: `fail` if the caller can correct it, `error` if the server is at fault."""
        return {"status": "fail" if self.status < 500 else "error", "code": self.code, "message": self.message}


TYPED_AGAIN = frozenset({"wrong_code", "code_used", "code_of_another_time"})
"""The `code` of each refusal of a typed code after which the person may type another."""
NOT_SIGNED_IN = Wording("not_signed_in", 401, "You are not logged in", _REALM)
ACCESS_TOKEN_INVALID = Wording(
    "access_token_invalid", 401, "Invalid token or user doesn't exist", f'{_REALM}, error="invalid_token"'
)
SESSION_OVER = Wording("session_over", 401, "Invalid token or session has expired", f'{_REALM}, error="invalid_token"')
AMBIGUOUS_CREDENTIAL = Wording("ambiguous_credential", 400, "Send one Authorization header, not several")
CROSS_SITE = Wording("cross_site", 403, "This request was made by another site, which is not allowed")
NOT_ALLOWED = Wording("not_allowed", 403, "Your role does not allow this", f'{_REALM}, error="insufficient_scope"')
PERMISSION_MISSING = Wording(
    "permission_missing", 403, "Your roles do not have this permission", f'{_REALM}, error="insufficient_scope"'
)
INSUFFICIENT_AUTHENTICATION = Wording(  # RFC 9470, section 3
    "insufficient_user_authentication",
    401,
    "Please sign in again to do this",
    f'{_REALM}, error="insufficient_user_authentication"',
)
UNAVAILABLE = "The service is not available right now, please try again in a moment"
CANNOT_TELL = Wording("cannot_tell", 503, UNAVAILABLE)
TOO_MANY_FOLLOWERS = Wording(
    "too_many_followers", 503, "This process serves as many feeds as VESTIBULE_FEED_FOLLOWERS allows"
)
TOO_MANY_POLLS = Wording(
    "too_many_polls",
    429,
    "This service key polls the feed more than twice a second for each of VESTIBULE_FEED_FOLLOWERS",
)
WRONG_SETUP = Wording("wrong_setup", 503, "The service is not set up correctly; its log says what is wrong")
