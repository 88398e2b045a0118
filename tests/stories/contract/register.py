"""Register, verify: somebody new, and the code that verifies the email."""

from dataclasses import replace

from tests.harness.world import POLICY, mandatory_verification
from tests.stories.contract.answers import A_UUID, invalid, refused, signed_in, succeeded
from tests.stories.contract.bodies import LOGIN, REGISTER, no_role, too_long
from tests.stories.contract.happenings import (
    VERIFY,
    is_verified,
    letters_arrive,
    letters_sent,
    mailed,
    registered,
    renamed,
)
from tests.stories.contract.steps import ADA, PASSWORD, Row, Setup, Step, get, head, login, patch, post, twice
from vestibule.model.passwords import PasswordRules

BODY = {"name": "Ada Lovelace", "email": ADA, **twice(PASSWORD)}
NOW = "2026-11-23T23:09:51.236Z"
USER = {
    "id": A_UUID,
    "name": "Ada Lovelace",
    "email": ADA,
    "photo": "default.png",
    "role": "user",
    "createdAt": NOW,
    "updatedAt": NOW,
    "provider": None,
}
SENT = "An email with a verification code has been sent to your email"
MADE = succeeded(201, message=SENT, data={"user": USER})
TAKEN = refused(409, "email_taken", "Email already exist, please use another email address")
ME = succeeded(data={"user": USER})
SUBJECT = "Confirm your email address for Vestibule"

CODE = "/api/auth/verifyemail/{code}"
VERIFIED = succeeded(message="Email verified successfully")
NO_CODE = refused(403, "verification_code_invalid", "Verification code is invalid or user doesn't exist")
NO_RESET = refused(403, "reset_token_invalid", "Invalid token or token has expired")
NOT_VERIFIED = refused(401, "email_not_verified", "You are not verified, please verify your email to login")
WRONG = refused(400, "wrong_credentials", "Invalid email or password")

MANDATORY = Setup(policy=mandatory_verification())
OF_THE_ORIGIN = Setup(policy=replace(POLICY, passwords=PasswordRules(max_length=32)))
WISHES = {"id": "1", "userId": "1", "verified": True, "photo": "me.png", "provider": "me", "createdAt": 0, "tenant": 1}


def _registers(name: str, /, **members: object) -> Row:
    """Ada registers all the same."""
    return Row(f"register: {name}", post(REGISTER, BODY | members), MADE)


def _is_me(email: str) -> tuple[Step, ...]:
    return Step(login(email), signed_in()), Step(get("/api/users/me"), ME)


ROWS = [
    Row(
        "register: somebody new is mailed a code",
        post(REGISTER, BODY),
        MADE,
        then=(
            letters_arrive,
            letters_sent(1),
            mailed(VERIFY, SUBJECT, "verifyemail"),
            is_verified(False),
            *_is_me(ADA),
        ),
    ),
    Row(
        "register: an email is kept in lower case and found in any",
        post(REGISTER, BODY | {"email": "Ada@Example.COM"}),
        MADE,
        then=(*_is_me("aDA@eXAMPLE.com"), Step(post(REGISTER, BODY), TAKEN)),
    ),
    Row("register: a known email", post(REGISTER, BODY), TAKEN, given=(registered,), then=(letters_sent(1),)),
    Row("register: in other letters", post(REGISTER, BODY | {"email": "ADA@example.com"}), TAKEN, given=(registered,)),
    Row(
        "register: nobody makes himself an admin",
        post(REGISTER, BODY | {"role": "admin"}),
        MADE,
        then=_is_me(ADA),
    ),
    Row("register: other wishes have no effect", post(REGISTER, BODY | WISHES), MADE, then=(is_verified(False),)),
    _registers("the role of everybody", role="user"),
    _registers("a password of 8", **twice("8 signs!")),
    _registers("a password of 128", **twice("p" * 128)),
    _registers("a password of 128 signs outside ASCII", **twice("ü" * 128)),
    Row(
        "register: a name of 255 characters",
        post(REGISTER, BODY | {"name": "N" * 255}),
        succeeded(201, message=SENT, data={"user": USER | {"name": "N" * 255}}),
    ),
    Row("register: with a query and a slash", post(f"{REGISTER}/?name=Eve&email=eve@example.com", BODY), MADE),
    Row("register: in chunks", post(REGISTER, BODY, chunked=True), MADE),
    Row("register: with a charset", post(REGISTER, BODY, kind='Application/JSON; Charset="UTF-8"'), MADE),
    Row(
        "register: the origin's 32 characters, one too many",
        post(REGISTER, BODY | twice("p" * 33)),
        invalid(too_long("password", 32, "Password must be less than 32 characters")),
        under=OF_THE_ORIGIN,
        then=(Step(post(REGISTER, BODY | twice("p" * 32)), MADE),),
    ),
    Row(
        "register: refused, and nothing is kept",
        post(REGISTER, BODY | {"role": "root"}),
        invalid(no_role("root")),
        then=(letters_sent(0), Step(post(REGISTER, BODY), MADE)),
    ),
    Row("verify: the code works", get(CODE), VERIFIED, given=(registered,), then=(is_verified(True),)),
    Row("verify: once", get(CODE), VERIFIED, given=(registered,), then=(Step(get(CODE), NO_CODE), is_verified(True))),
    Row("verify: with a query and a slash", get(f"{CODE}/?utm_source=mail"), VERIFIED, given=(registered,)),
    Row(
        "verify: HEAD leaves the code as it is",
        head(CODE),
        replace(VERIFIED, body=None),
        given=(registered,),
        then=(is_verified(False), Step(get(CODE), VERIFIED)),
    ),
    Row(
        "verify: a code resets no password",
        patch("/api/auth/resetpassword/{code}", twice("battery staple")),
        NO_RESET,
        given=(registered,),
        then=(Step(login(), signed_in()),),
    ),
    Row(
        "verify: a reset token proves nothing",
        post("/api/auth/forgotpassword", {"email": ADA}),
        succeeded(message="You will receive a reset email if user with that email exist"),
        given=(registered,),
        then=(letters_arrive, renamed(code="token"), Step(get(CODE), NO_CODE), is_verified(False)),
    ),
    Row(
        "verify: mandatory, and not yet",
        login(),
        NOT_VERIFIED,
        given=(registered,),
        under=MANDATORY,
        then=(Step(get(CODE), VERIFIED), Step(login(), signed_in())),
    ),
    Row(
        "verify: mandatory, and who does not know the password learns nothing",
        post(LOGIN, {"email": ADA, "password": "wrong horse"}),
        WRONG,
        given=(registered,),
        under=MANDATORY,
    ),
]

# No code at all, or another one's look-alike; Ada's own stays good.
NO_CODES = [
    "0" * 64,
    "nonsense",
    "0" * 63,
    "A" * 64,
    "0" * 65,
    "f" * 4000,
    "%00",
    "%F0%9F%94%91",
    "{code}%20",
]
HARMLESS = [
    Row(f"verify: {code[:12]}, {len(code)} signs, is no code", get(f"/api/auth/verifyemail/{code}"), NO_CODE)
    for code in NO_CODES
]
