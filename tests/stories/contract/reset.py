"""Forgotten password: asking for a letter, and choosing a new password with it."""

from tests.stories.contract.answers import cleared, invalid, signed_in, succeeded
from tests.stories.contract.bodies import FORGOT, MISMATCH, RESET, too_long
from tests.stories.contract.happenings import RESET as RESET_LETTER
from tests.stories.contract.happenings import (
    ada_is_disabled,
    enters,
    is_verified,
    letters_arrive,
    letters_sent,
    mailed,
    noted,
    passing,
    registered,
    renamed,
)
from tests.stories.contract.register import MANDATORY, NO_RESET, OF_THE_ORIGIN, WRONG
from tests.stories.contract.sign_in import PRODUCTION, WHO, no_refresh, over
from tests.stories.contract.steps import ADA, NEW_PASSWORD, PASSWORD, Row, Step, get, login, patch, post, twice

ASKED = succeeded(message="You will receive a reset email if user with that email exist")
DONE = cleared(message="Password data updated successfully")
SUBJECT = "Reset your Vestibule password"

ask = post(FORGOT, {"email": ADA})
choose = patch(RESET, twice(NEW_PASSWORD))
MAILED = (registered, Step(ask, ASKED), letters_arrive)
TWO_DEVICES = (*MAILED, enters("tab"), enters("phone"), noted("phone", access="access_token", refresh="refresh_token"))

ROWS = [
    Row(
        "forgot: a letter with a link",
        ask,
        ASKED,
        given=(registered,),
        then=(letters_arrive, letters_sent(2), mailed(RESET_LETTER, SUBJECT, "resetpassword")),
    ),
    Row(
        "forgot: nobody there, the same answer and no letter",
        post(FORGOT, {"email": "eve@example.com"}),
        ASKED,
        given=(registered,),
        then=(letters_sent(1),),
    ),
    Row(
        "forgot: in any letters",
        post(FORGOT, {"email": "ADA@Example.com"}),
        ASKED,
        given=(registered,),
        then=(letters_sent(2),),
    ),
    Row(
        "forgot: with a query and a slash",
        post(f"{FORGOT}/?email=eve@example.com", {"email": ADA}),
        ASKED,
        given=(registered,),
        then=(letters_sent(2),),
    ),
    Row(
        "forgot: unverified where that is mandatory, the same",
        ask,
        ASKED,
        given=(registered,),
        under=MANDATORY,
        then=(letters_sent(2),),
    ),
    Row(
        "forgot: disabled, the same and no letter",
        ask,
        ASKED,
        given=(registered, ada_is_disabled),
        then=(letters_sent(1),),
    ),
    Row(
        "forgot: asking changes nothing yet",
        ask,
        ASKED,
        given=(registered, enters()),
        then=(letters_sent(2), Step(login(), signed_in())),
    ),
    Row(
        "reset: the new password, and no longer the old one",
        choose,
        DONE,
        given=MAILED,
        then=(Step(login(password=PASSWORD), WRONG), Step(login(password=NEW_PASSWORD), signed_in())),
    ),
    Row(
        "reset: once",
        choose,
        DONE,
        given=MAILED,
        then=(Step(patch(RESET, twice("a third one")), NO_RESET), Step(login(password=NEW_PASSWORD), signed_in())),
    ),
    Row(
        "reset: ends every session",
        choose,
        DONE,
        given=TWO_DEVICES,
        then=(
            Step(get(WHO, by="phone"), over("password_reset")),
            Step(get("/api/auth/refresh", by="phone"), no_refresh("password_reset")),
            Step(get(WHO, cookie="access_token={access}"), over("password_reset")),
        ),
    ),
    Row(
        "reset: verifies the email",
        choose,
        DONE,
        given=(*MAILED, is_verified(False)),
        under=MANDATORY,
        then=(is_verified(True), Step(login(password=NEW_PASSWORD), signed_in())),
    ),
    Row(
        "reset: in production",
        choose,
        cleared(secure=True, message="Password data updated successfully"),
        given=MAILED,
        under=PRODUCTION,
    ),
    Row("reset: with a query and a slash", patch(f"{RESET}/?x=1", twice(NEW_PASSWORD)), DONE, given=MAILED),
    Row("reset: in the tenth minute", choose, DONE, given=(*MAILED, passing(minutes=9, seconds=59))),
    Row(
        "reset: after 10 minutes",
        choose,
        NO_RESET,
        given=(*MAILED, passing(minutes=10)),
        then=(Step(login(), signed_in()),),
    ),
    Row(
        "reset: a newer token replaces the older",
        patch("/api/auth/resetpassword/{older}", twice(NEW_PASSWORD)),
        NO_RESET,
        given=(*MAILED, renamed(older="token"), Step(ask, ASKED), letters_arrive),
        then=(Step(login(), signed_in()), Step(choose, DONE)),
    ),
    Row(
        "reset: a bad body leaves the token as it is",
        patch(RESET, {"password": NEW_PASSWORD, "passwordConfirm": "an0ther one"}),
        invalid(MISMATCH),
        given=MAILED,
        then=(Step(choose, DONE),),
    ),
    Row(
        "reset: the origin's 32 characters, one too many",
        patch(RESET, twice("p" * 33)),
        invalid(too_long("password", 32, "Password must be less than 32 characters")),
        given=MAILED,
        under=OF_THE_ORIGIN,
        then=(Step(patch(RESET, twice("p" * 32)), DONE),),
    ),
    Row(
        "reset: unknown members are ignored",
        patch(RESET, twice(NEW_PASSWORD) | {"role": "admin", "email": "eve@example.com"}),
        DONE,
        given=MAILED,
        then=(Step(login(password=NEW_PASSWORD), signed_in()),),
    ),
]

NO_TOKENS = ["0" * 64, "nonsense", "A" * 64, "f" * 4000, "%00", "{token}0"]
HARMLESS = [
    Row(f"reset: {token[:12]} is no token", patch(f"/api/auth/resetpassword/{token}", twice(NEW_PASSWORD)), NO_RESET)
    for token in NO_TOKENS
]
