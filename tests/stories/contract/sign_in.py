"""Login, who is asking, logout."""

from dataclasses import replace

from tests.harness.world import POLICY, WEB
from tests.stories.contract.answers import Expect, bodiless, challenged, cleared, refused, signed_in, succeeded
from tests.stories.contract.happenings import ada_is_deleted, ada_is_disabled, enters, noted, passing, registered
from tests.stories.contract.register import ME, USER, WRONG
from tests.stories.contract.steps import BOB, Row, Send, Setup, Step, bearer, get, head, login, post
from vestibule.model.limits import NetworkLimits, RateClass
from vestibule.model.login_attempts import LoginAttemptLimits

WHO, OUT = "/api/users/me", "/api/auth/logout"
NOT_LOGGED_IN = challenged(refused(401, "not_signed_in", "You are not logged in"))
BAD_TOKEN = challenged(refused(401, "access_token_invalid", "Invalid token or user doesn't exist"), "invalid_token")
NO_REFRESH = refused(403, "refresh_refused", "Could not refresh access token")
TWO_HEADERS = refused(400, "ambiguous_credential", "Send one Authorization header, not several")
BOB_HIMSELF = succeeded(data={"user": USER | {"email": BOB}})
WAIT = replace(
    refused(429, "too_many_attempts", "Too many wrong passwords, please try again later"),
    headers={"Retry-After": "1"},
)
TOO_OFTEN = refused(429, "too_many_requests", "Too many requests from your network, please try again later")
CROWDED = Setup(policy=replace(POLICY, networks=NetworkLimits({**dict.fromkeys(RateClass, 100), RateClass.SIGN_IN: 1})))
IMPATIENT = Setup(policy=replace(POLICY, login_attempts=LoginAttemptLimits(at_most=3, free=2)))
PRODUCTION = Setup(web=replace(WEB, secure_cookies=True))


def over(why: str = "over") -> Expect:
    """A token of a session that has ended, and why."""
    message = "Invalid token or session has expired"
    return challenged(refused(401, f"session_{why}", message), "invalid_token")


def no_refresh(why: str) -> Expect:
    """The same at the refresh endpoint."""
    return refused(403, f"session_{why}", "Could not refresh access token")


OVER, SIGNED_OUT = over(), over("signed_out")
ADA_IN = (registered, enters(), noted(access="access_token", refresh="refresh_token"))
ON_TWO_DEVICES = (*ADA_IN, enters("phone"), noted("phone", phones="access_token"))

with_bearer = bearer(get(WHO, by="nobody"), "{access}")
with_cookies = get(WHO, by="ada")
in_tab, on_phone = get(WHO), get(WHO, by="phone")
# The session of {access} and {refresh} is over for good; the one on the phone goes on.
THIS_SESSION_ONLY = (
    Step(with_bearer, SIGNED_OUT),
    Step(get("/api/auth/refresh", by="nobody", cookie="refresh_token={refresh}"), no_refresh("signed_out")),
    Step(bearer(post(OUT, by="nobody"), "{access}"), SIGNED_OUT),
    Step(replace(with_bearer, method="HEAD"), bodiless(SIGNED_OUT)),
    Step(on_phone, ME),
)
FORGERIES = {
    "no token at all": "nonsense",
    "two parts": "a.b",
    "no signature": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    "not signed": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.AA",
    "three parts and no JSON": "AAAA.AAAA.AAAA",
    "9,000 characters": "A" * 9000,
    "a refresh token": "{refresh}",
    "a good one with a letter more": "{access}A",
    "a good one with a part more": "{access}.AAAA",
    "two good ones": "{access} {access}",
}


def _leaves(name: str, send: Send) -> Row:
    """Ada is signed in on two devices and leaves by one."""
    return Row(f"logout: {name}, this session only", send, cleared(), given=ON_TWO_DEVICES, then=THIS_SESSION_ONLY)


ROWS = [
    Row("login: three cookies", login(), signed_in(), given=(registered,), then=(Step(in_tab, ME),)),
    Row("login: in production they are Secure", login(), signed_in(secure=True), given=(registered,), under=PRODUCTION),
    Row("login: of an account that is disabled", login(), WRONG, given=(registered, ada_is_disabled)),
    Row(
        "login: a query, a slash and unknown members are ignored",
        post("/api/auth/login/?email=x", {"email": "ada@example.com", "password": "correct horse", "role": 7}),
        signed_in(),
        given=(registered,),
    ),
    Row(
        "login: after wrong passwords the next one waits, and then a reset is needed",
        login(password="wrong horse"),
        WRONG,
        given=(registered,),
        then=(
            Step(login(password="wrong horse"), WRONG),
            Step(login(), WAIT),
            passing(seconds=1),
            Step(login(password="wrong horse"), WRONG),
            passing(days=1),
            Step(login(), WRONG),
        ),
        under=IMPATIENT,
    ),
    Row(
        "login: too often from one network",
        login(password="wrong horse"),
        WRONG,
        given=(registered,),
        then=(Step(login(), TOO_OFTEN), Step(get(WHO), NOT_LOGGED_IN)),
        under=CROWDED,
    ),
    Row(
        "me: a token lives 15 minutes, and 30 seconds for clocks that disagree",
        in_tab,
        ME,
        given=(*ADA_IN, passing(minutes=15, seconds=29)),
        then=(
            passing(seconds=1),
            Step(in_tab, BAD_TOKEN),
            Step(get("/api/auth/refresh"), signed_in()),
            Step(in_tab, ME),
        ),
    ),
    Row("me: of an account that is gone", in_tab, OVER, given=(*ADA_IN, ada_is_deleted)),
    Row("me: of an account that is disabled", in_tab, over("account_disabled"), given=(*ADA_IN, ada_is_disabled)),
    _leaves("by cookie", get(OUT)),
    _leaves("by Bearer", bearer(get(OUT, by="nobody"), "{access}")),
    _leaves("by POST", post(OUT)),
    _leaves("by POST and Bearer", bearer(post(OUT, by="nobody"), "{access}")),
    _leaves(
        "by Bearer, whatever the cookie", bearer(get(OUT, by="nobody", cookie="access_token={phones}"), "{access}")
    ),
    _leaves("with a query and a slash", get(f"{OUT}/?next=/")),
    Row("logout: then there is nobody", get(OUT), cleared(), given=ADA_IN, then=(Step(in_tab, NOT_LOGGED_IN),)),
    Row("logout: in production", post(OUT), cleared(secure=True), given=ADA_IN, under=PRODUCTION),
    Row(
        "logout: signing in again revives nothing",
        get(OUT),
        cleared(),
        given=ADA_IN,
        then=(enters("phone"), *THIS_SESSION_ONLY),
    ),
    Row("logout: with a token that has expired", get(OUT), BAD_TOKEN, given=(*ADA_IN, passing(minutes=16))),
]

HARMLESS = [
    Row("login: wrong password", login(password="wrong horse"), WRONG),
    Row("login: unknown email", login("eve@example.com"), WRONG),
    Row("login: nearly right", login(password="Correct horse"), WRONG),
    *(Row(f"{ask.method} {ask.path}: nobody", ask, NOT_LOGGED_IN) for ask in (get(WHO), get(OUT), post(OUT))),
    *(Row(f"{ask.method} {ask.path}: nobody", ask, bodiless(NOT_LOGGED_IN)) for ask in (head(WHO), head(OUT))),
    Row("me: an empty cookie", get(WHO, cookie="access_token="), NOT_LOGGED_IN),
    Row("me: by cookie", with_cookies, ME),
    Row("me: by Bearer", with_bearer, ME),
    Row("me: the scheme in any letters", get(WHO).with_headers(Authorization="bEARER {access}"), ME),
    Row("me: another scheme counts for nothing", with_cookies.with_headers(Authorization="Basic YTpi"), ME),
    Row("me: Bearer comes first", bearer(with_cookies, "{bobs}"), BOB_HIMSELF),
    Row("me: a bad Bearer is not mended by a good cookie", bearer(with_cookies, "nonsense"), BAD_TOKEN),
    Row("me: nor is an empty one", bearer(with_cookies, ""), NOT_LOGGED_IN),
    Row("me: nor one without even a blank", with_cookies.with_headers(Authorization="Bearer"), NOT_LOGGED_IN),
    Row("me: two Authorization headers", bearer(with_bearer, "{access}"), TWO_HEADERS),
    Row("me: with a query and a slash", replace(with_cookies, path=f"{WHO}/?id=1"), ME),
    Row("me: HEAD", replace(with_cookies, method="HEAD"), bodiless(ME)),
    *(
        Row(f"me: {name}, as cookie", get(WHO, cookie=f"access_token={token}"), BAD_TOKEN)
        for name, token in FORGERIES.items()
    ),
    *(Row(f"me: {name}, as Bearer", bearer(get(WHO), token), BAD_TOKEN) for name, token in FORGERIES.items()),
    Row("logout: no token of ours", bearer(post(OUT, by="ada"), "nonsense"), BAD_TOKEN, then=(Step(with_cookies, ME),)),
    Row("logout: HEAD", head(OUT, by="ada"), bodiless(succeeded()), then=(Step(with_cookies, ME),)),
]
