"""One table with the status and message of every refusal and fault in the JSON API. A test checks that none is missing.

The contract's front-ends read the messages. A front-end refreshes if a message contains `not logged in`, and goes to
its sign-in page if a message contains `not refresh`. No other message may contain either.
"""

from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse

from vestibule.model import email_code_errors, errors, factor_errors, operator_errors
from vestibule.model.custom_roles import MAX_ROLES, MAX_ROLES_OF_ACCOUNT
from vestibule.model.errors import Fault, Refusal
from vestibule.model.passkeys import MOST_PASSKEYS
from vestibule.protocol import refusals
from vestibule.protocol.refusals import Wording
from vestibule.web.request_errors import (
    AmbiguousCredential,
    BodyInvalid,
    BodyMalformed,
    BodyTooLarge,
    CrossSite,
    CrossSiteRefresh,
    FetchedAhead,
    HostInvalid,
    HostUnknown,
    MethodNotAllowed,
    NonceInvalid,
    ReservedHeader,
    ReturnToTooLong,
    RouteUnknown,
    TransferCodingUnknown,
    UnsupportedMedia,
)


@dataclass(frozen=True)
class HttpMapping:
    """The answer to a refusal or fault. Without `message`, the answer has the text of the exception. `challenge` is
    sent as `WWW-Authenticate`.
    """

    status: int
    message: str | None = None
    challenge: str | None = None

    @classmethod
    def of(cls, wording: Wording) -> "HttpMapping":
        """Return the mapping with the status, message and challenge that the kit for services uses too."""
        return cls(wording.status, wording.message, wording.challenge)


_SERVICE_KEY_CHALLENGE = 'Bearer realm="vestibule services"'

HTTP_MAPPINGS: dict[type[Refusal | Fault], HttpMapping] = {
    errors.PasswordTooEasy: HttpMapping(400),
    errors.EmailTaken: HttpMapping(409, "Email already exist, please use another email address"),
    errors.EmailUnchanged: HttpMapping(409, "This is your email address already"),
    errors.WrongCredentials: HttpMapping(400, "Invalid email or password"),
    errors.WrongPassword: HttpMapping(403, "The current password is wrong"),
    factor_errors.SecondFactorRequired: HttpMapping(403, "Use your second factor to finish signing in"),
    factor_errors.SecondFactorEnrolmentRequired: HttpMapping(403),
    factor_errors.LastFactor: HttpMapping(
        409, "Your account needs a second factor; add another one before you remove this one"
    ),
    factor_errors.NoPendingSignIn: HttpMapping(403, "Sign in first; the second step has to follow within 10 minutes"),
    factor_errors.SecondFactorPaused: HttpMapping(403),
    factor_errors.WrongCode: HttpMapping(
        403, "This code is wrong; enter the one that the app shows now, or a recovery code that was not used yet"
    ),
    factor_errors.CodeUsed: HttpMapping(403, "This code was used already; wait until the app shows the next one"),
    factor_errors.CodeOfAnotherTime: HttpMapping(
        403,
        "This code was right some minutes ago, or will be; enter the one that the app shows now, and let your phone set"
        " its clock by itself",
    ),
    email_code_errors.EmailCodeElsewhere: HttpMapping(
        403, "No code was asked for in this browser; type it where you asked for it, or ask for another one here"
    ),
    email_code_errors.EmailCodeWrong: HttpMapping(403, "This is not the code for this browser; use the newest email"),
    email_code_errors.EmailCodeUsed: HttpMapping(403, "This code was used before, please ask for another one"),
    email_code_errors.EmailCodeLate: HttpMapping(403, "This code has expired, please ask for another one"),
    email_code_errors.EmailCodeSpent: HttpMapping(403, "Too many wrong codes, please ask for another one"),
    email_code_errors.EmailCodesPaused: HttpMapping(
        403, "Too many wrong codes. Sign in with your password, or reset it by email"
    ),
    factor_errors.RefreshTokenRequired: HttpMapping(
        403, "Send the refresh token of this session too, in its cookie: an access token alone is not enough here"
    ),
    factor_errors.FactorUnknown: HttpMapping(404, "The account has no such second factor"),
    factor_errors.FactorResetUnknown: HttpMapping(404, "No reset of the second factors is under way"),
    factor_errors.FactorResetLinkInvalid: HttpMapping(403, "This link is invalid or has expired"),
    factor_errors.FactorResetUnavailable: HttpMapping(403, "Only an operator can reset your second factors"),
    factor_errors.FactorResetUnderWay: HttpMapping(409, "A reset of the second factors is under way already"),
    factor_errors.PasskeyRefused: HttpMapping(400, "This passkey could not be accepted, please try again"),
    factor_errors.PasskeyUnknown: HttpMapping(404, "There is no such passkey"),
    factor_errors.PasskeyNeedsPassword: HttpMapping(
        403,
        "The password was reset by email; sign in with it and this passkey once, then the passkey works alone again",
    ),
    factor_errors.PasskeyTaken: HttpMapping(409, "This passkey is set up already"),
    factor_errors.TooManyPasskeys: HttpMapping(
        409, f"An account can have {MOST_PASSKEYS} passkeys, please remove one before you add another"
    ),
    factor_errors.CeremonyOver: HttpMapping(400, "This took too long or was used already, please try again"),
    factor_errors.PasskeysUnavailable: HttpMapping(404, "There are no passkeys here; vestibule doctor says why"),
    errors.TooManyRequests: HttpMapping(429, "Too many requests from your network, please try again later"),
    errors.TooManyPolls: HttpMapping.of(refusals.TOO_MANY_POLLS),
    errors.TooManyAttempts: HttpMapping(429, "Too many wrong passwords, please try again later"),
    errors.SessionUnknown: HttpMapping(404, "There is no such session"),
    errors.EmailNotVerified: HttpMapping(401, "You are not verified, please verify your email to login"),
    errors.NotSignedIn: HttpMapping.of(refusals.NOT_SIGNED_IN),
    errors.AccessTokenInvalid: HttpMapping.of(refusals.ACCESS_TOKEN_INVALID),
    errors.SessionOver: HttpMapping.of(refusals.SESSION_OVER),
    errors.RefreshRefused: HttpMapping(403, "Could not refresh access token"),
    CrossSiteRefresh: HttpMapping(403, "Could not refresh access token"),
    errors.VerificationCodeInvalid: HttpMapping(403, "Verification code is invalid or user doesn't exist"),
    errors.ResetTokenInvalid: HttpMapping(403, "Invalid token or token has expired"),
    errors.InvitationInvalid: HttpMapping(403, "This link is invalid or has expired"),
    errors.EmailChangeInvalid: HttpMapping(403, "This link is invalid or has expired"),
    errors.EmailChangeOfAnother: HttpMapping(403, "This link was asked for by another account"),
    errors.ServiceKeyInvalid: HttpMapping(
        401, "This is for services: send a service key as Bearer", _SERVICE_KEY_CHALLENGE
    ),
    errors.Overloaded: HttpMapping(503, "Too much is going on right now, please try again in a moment"),
    errors.TooManyFollowers: HttpMapping.of(refusals.TOO_MANY_FOLLOWERS),
    factor_errors.TotpUnavailable: HttpMapping(503, "Authenticator apps cannot be used here now; the log says why"),
    errors.StoreUnavailable: HttpMapping(503, refusals.UNAVAILABLE),
    errors.NotReady: HttpMapping(503, "Vestibule is not ready here; its log says why"),
    BodyInvalid: HttpMapping(400),
    BodyMalformed: HttpMapping(400),
    BodyTooLarge: HttpMapping(413, "The body is larger than 10 kB"),
    UnsupportedMedia: HttpMapping(415, "Send the body as UTF-8 and without a content encoding"),
    ReturnToTooLong: HttpMapping(414, "return_to may have at most 1024 characters"),
    AmbiguousCredential: HttpMapping.of(refusals.AMBIGUOUS_CREDENTIAL),
    NonceInvalid: HttpMapping(400, "Send a nonce of 1 to 64 letters, digits, - and _"),
    HostInvalid: HttpMapping(400, "Send one Host header that names a host"),
    HostUnknown: HttpMapping(421),
    TransferCodingUnknown: HttpMapping(
        400, "Send the body with a Content-Length, or with Transfer-Encoding: chunked alone"
    ),
    errors.ReauthenticationRequired: HttpMapping(403),
    operator_errors.PermissionMissing: HttpMapping(403),
    operator_errors.PersonMayDoMore: HttpMapping(
        403, "The role of this person permits more than yours; ask an administrator"
    ),
    operator_errors.NotWhileActing: HttpMapping(
        403, "You act as this person: only the owner of the account may do this; end acting, or ask the owner"
    ),
    operator_errors.OwnerNotTold: HttpMapping(
        429, "The owner of this account has been told of this by email as often as happens in a day; try again tomorrow"
    ),
    operator_errors.CannotBeActedAs: HttpMapping(
        409, "Nobody can act as this account: it is an operator's, or it is disabled"
    ),
    operator_errors.PersonUnknown: HttpMapping(404, "No account has this id"),
    operator_errors.CursorInvalid: HttpMapping(
        400, "after is not a cursor: take it from the page before, or leave it out"
    ),
    operator_errors.FilterInvalid: HttpMapping(400),
    operator_errors.KeysNotRotated: HttpMapping(
        409, "Nothing was rotated: services may not have the next keys yet, or the keys are given by settings"
    ),
    operator_errors.ServiceNameInvalid: HttpMapping(
        400, "A service is named by a-z, 0-9, and . _ - between them, 64 characters at the most"
    ),
    operator_errors.ServiceNameTaken: HttpMapping(409, "This service has a key already; create one under another name"),
    operator_errors.ServiceUnknown: HttpMapping(404, "No service of this name has a key"),
    operator_errors.LastAdmin: HttpMapping(409, "This is the last administrator; give another account the role first"),
    operator_errors.RoleNeedsVerifiedEmail: HttpMapping(
        409, "The email of this account was never verified; verify it before you give the account a role"
    ),
    operator_errors.RoleUnknown: HttpMapping(404, "There is no role of this name"),
    operator_errors.RoleTaken: HttpMapping(409, "There is a role of this name already"),
    operator_errors.RoleInUse: HttpMapping(409, "Accounts have this role; take it from them first"),
    operator_errors.TooManyRoles: HttpMapping(409, f"There can be {MAX_ROLES} roles; delete one first"),
    operator_errors.TooManyRolesOfAccount: HttpMapping(
        409, f"An account can have {MAX_ROLES_OF_ACCOUNT} roles beside its built-in one"
    ),
    operator_errors.AccountDisabled: HttpMapping(409, "The account is disabled; enable it first"),
    operator_errors.TooManyLinks: HttpMapping(
        429, "This email was mailed as many links as it may get in a day, please try again tomorrow"
    ),
    operator_errors.OwnerUnreachable: HttpMapping(
        409, "The account is disabled or its email not verified, so its owner could not be told and could not object"
    ),
    operator_errors.PasswordInDoubt: HttpMapping(
        409, "The email was registered more than once, so the password may be a stranger's; send a link instead"
    ),
    operator_errors.EmailDiffers: HttpMapping(400, "This is not the email of the account"),
    CrossSite: HttpMapping.of(refusals.CROSS_SITE),
    ReservedHeader: HttpMapping(
        400, "Headers whose names begin with Vestibule- are set by this server, not by clients"
    ),
    FetchedAhead: HttpMapping(
        403, "This was fetched ahead of time, so nothing was changed; ask again when it is meant"
    ),
    RouteUnknown: HttpMapping(404),
    MethodNotAllowed: HttpMapping(405),
}

UNEXPECTED = {"status": "error", "code": "unexpected", "message": "Something went wrong on our side"}


class Json(JSONResponse):
    """JSON with its charset, so that no browser has to sniff it (ASVS 5.0, 4.1.1), and with a line break at its end, so
    that the prompt of a shell begins on its own line.
    """

    media_type = "application/json; charset=utf-8"
    end = b"\n"

    def render(self, content: Any) -> bytes:
        """Return the body: the JSON, with a line break at its end."""
        return super().render(content) + self.end


def refusal_response(refusal: Refusal | Fault) -> Json:
    """Return the JSON answer for a refusal or fault."""
    mapping = HTTP_MAPPINGS[type(refusal)]
    message = mapping.message or str(refusal)
    status = "fail" if isinstance(refusal, Refusal) else "error"
    content: dict[str, Any] = {"status": status, "code": refusal.code, "message": message}
    if isinstance(refusal, BodyInvalid):
        content["errors"] = refusal.entries
    if isinstance(refusal, errors.ReauthenticationRequired):
        content |= {"satisfied_by": refusal.satisfied_by, "max_age": refusal.max_age}
    if isinstance(refusal, factor_errors.SecondFactorRequired | factor_errors.SecondFactorEnrolmentRequired):
        content["factors"] = [kind.value for kind in refusal.kinds]
    if isinstance(refusal, errors.PasswordTooEasy):  # front-ends look here for errors of a field
        content["errors"] = [{"code": "custom", "path": ["body", "password"], "message": message}]
    return Json(content, mapping.status, _headers(refusal, mapping))


def _headers(refusal: Refusal | Fault, mapping: HttpMapping) -> dict[str, str]:
    headers = {}
    if mapping.challenge:
        headers["WWW-Authenticate"] = mapping.challenge
    seconds = getattr(refusal, "retry_after_seconds", None)
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    if isinstance(refusal, MethodNotAllowed):
        headers["Allow"] = ", ".join(refusal.allowed)
    return headers
