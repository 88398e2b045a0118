"""What Vestibule adds to the contract: the devices that are signed in, ending them, changing password and email."""

from typing import Any

from tests.stories.contract.answers import A_UUID, Expect, Matching, challenged, invalid, refused, signed_in, succeeded
from tests.stories.contract.bodies import missing
from tests.stories.contract.happenings import (
    bob_registered,
    enters,
    letters_arrive,
    letters_sent,
    noted,
    registered,
    renamed,
)
from tests.stories.contract.register import ME, NO_CODE, USER, VERIFIED
from tests.stories.contract.sign_in import NOT_LOGGED_IN, WHO, no_refresh, over
from tests.stories.contract.steps import (
    ADA,
    BOB,
    NEW_PASSWORD,
    PASSWORD,
    Row,
    Send,
    Step,
    bearer,
    get,
    login,
    patch,
    post,
    twice,
)

DEVICES, CHANGE, VERIFY = "/api/users/me/sessions", "/api/users/me/password", "/api/auth/verify"
STEP_UP, CHANGE_EMAIL, RESEND = "/api/users/me/step-up", "/api/users/me/email", "/api/auth/verifyemail"
RENAMED = succeeded(data={"user": USER | {"name": "Countess of Lovelace"}})
NOW = "2026-11-23T23:09:51.236Z"
UNKNOWN = refused(404, "session_unknown", "There is no such session")
OWN_EMAIL = refused(409, "email_unchanged", "This is your email address already")
WRONG_PASSWORD = refused(403, "wrong_password", "The current password is wrong")
ELSEWHERE = (registered, enters(), enters("phone"), noted("phone", phones="access_token"))
on_phone = bearer(get(WHO, by="nobody"), "{phones}")


def shown(*, current: bool) -> dict[str, Any]:
    """A device as the list shows it."""
    agent = Matching("a user agent", r"python-httpx/[\d.]+")
    about = {"device": agent, "address": "192.0.2.7", "createdAt": NOW, "lastSeenAt": NOW}
    return {"id": A_UUID, **about, "current": current}


def delete(path: str, **how: Any) -> Send:
    return Send("DELETE", path, **how)


def change(current: str = PASSWORD) -> Send:
    return patch(CHANGE, {"currentPassword": current, **twice(NEW_PASSWORD)})


def rename(name: str) -> Send:
    return patch(WHO, {"name": name})


def move(email: str, current: str = PASSWORD) -> Send:
    return patch(CHANGE_EMAIL, {"currentPassword": current, "email": email})


ONE_OF_THEM = {"code": "custom", "path": ["body"], "message": "Send one of these: the password, a code or a credential"}


def step_up(current: str = PASSWORD) -> Send:
    return post(STEP_UP, {"password": current})


RESENT = succeeded(message="You will receive a verification email if this email still has to be verified")
WILL_MOVE = succeeded(message="You will receive an email at the new address to confirm it")

ROWS = [
    Row(
        "resend: another link, and the first is dead",
        post(RESEND, {"email": ADA}, by="nobody"),
        RESENT,
        given=(registered, renamed(first="code")),
        then=(
            letters_arrive,
            letters_sent(2),
            Step(get("/api/auth/verifyemail/{first}"), NO_CODE),
            Step(get("/api/auth/verifyemail/{code}"), VERIFIED),
        ),
    ),
    Row("resend: an unknown email", post(RESEND, {"email": BOB}), RESENT, given=(registered,), then=(letters_sent(1),)),
    Row(
        "resend: an email that is verified",
        post(RESEND, {"email": ADA}),
        RESENT,
        given=(registered, Step(get("/api/auth/verifyemail/{code}"), VERIFIED)),
        then=(letters_sent(1),),
    ),
    Row(
        "name: a new one, which is seen at once",
        rename("Countess of Lovelace"),
        RENAMED,
        given=(registered, enters()),
        then=(Step(get(WHO), RENAMED),),
    ),
    Row(
        "email: a link to the new one, and nothing changes before it is used",
        move("countess@example.com"),
        WILL_MOVE,
        given=(registered, enters()),
        then=(letters_sent(2), Step(get(WHO), ME)),
    ),
    Row(
        "email: not without the current password",
        move("countess@example.com", "incorrect horse"),
        WRONG_PASSWORD,
        given=(registered, enters()),
        then=(letters_sent(1), Step(get(WHO), ME)),
    ),
    Row(
        "email: not to its own, in whatever case it is written",
        move("Ada@Example.com"),
        OWN_EMAIL,
        given=(registered, enters()),
        then=(letters_sent(1), Step(get(WHO), ME)),
    ),
    Row(
        "email: somebody else's is not told apart",
        move(BOB),
        WILL_MOVE,
        given=(registered, bob_registered, enters()),
        then=(letters_sent(3),),  # the third tells the reader of bob's mail
    ),
    Row(
        "devices: the one that asks is marked",
        get(DEVICES),
        succeeded(data={"sessions": [shown(current=True)]}),
        given=(registered, enters()),
    ),
    Row(
        "devices: all others are signed out, and told why",
        delete(DEVICES),
        succeeded(data={"ended": 1}),
        given=ELSEWHERE,
        then=(
            Step(on_phone, over("signed_out_elsewhere")),
            Step(get("/api/auth/refresh", by="phone"), no_refresh("signed_out_elsewhere")),
            Step(get(WHO), ME),
            Step(delete(DEVICES), succeeded(data={"ended": 0})),
        ),
    ),
    Row(
        "password: changed with the current one, which ends every session and begins a new one here",
        change(),
        signed_in(),
        given=(*ELSEWHERE, noted(old="access_token")),
        then=(
            Step(on_phone, over("password_changed")),
            Step(bearer(get(WHO, by="nobody"), "{old}"), over("password_changed")),
            Step(login(password=PASSWORD, by="thief"), refused(400, "wrong_credentials", "Invalid email or password")),
            Step(login(password=NEW_PASSWORD, by="phone"), signed_in()),
        ),
    ),
    Row(
        "password: not without the current one",
        change("incorrect horse"),
        WRONG_PASSWORD,
        given=ELSEWHERE,
        then=(Step(get(WHO), Expect(ME.status, ME.body)), Step(on_phone, ME)),
    ),
    Row(
        "step-up: the session goes on with new tokens, and older ones go on too",
        step_up(),
        signed_in(),
        given=(*ELSEWHERE, noted(old="access_token")),
        then=(
            Step(get(WHO), ME),
            Step(bearer(get(WHO, by="nobody"), "{old}"), ME),
            Step(on_phone, ME),
            Step(get("/api/auth/refresh"), signed_in()),
        ),
    ),
    Row("step-up: not without the current password", step_up("incorrect horse"), WRONG_PASSWORD, given=ELSEWHERE),
    Row("verify: who is signed in, in headers", get(VERIFY), Expect(204), given=(registered, enters())),
    Row(
        "verify: not after the end of the session",
        bearer(get(VERIFY, by="nobody"), "{phones}"),
        over("signed_out_elsewhere"),
        given=(*ELSEWHERE, Step(delete(DEVICES), succeeded(data={"ended": 1}))),
    ),
]

HARMLESS = [
    Row("name: none", patch(WHO, {}, by="ada"), invalid(missing("name", "Name is required"))),
    *(
        Row(f"step-up: {what}", post(STEP_UP, sent, by="ada"), invalid(ONE_OF_THEM))
        for what, sent in {"nothing": {}, "two": {"password": PASSWORD, "code": "123456"}}.items()
    ),
    Row("devices: one that is not there", delete(f"{DEVICES}/nonsense", by="ada"), UNKNOWN),
    *(
        Row(f"{ask.method} {ask.path}: nobody", ask, challenged(NOT_LOGGED_IN))
        for ask in (
            get(DEVICES),
            delete(DEVICES),
            delete(f"{DEVICES}/x"),
            rename("Eve"),
            change(),
            move(BOB),
            step_up(),
            get(VERIFY),
        )
    ),
]
