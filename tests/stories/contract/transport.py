"""What holds for every route: paths and methods, sizes and kinds of body, CORS, other sites, and our own faults."""

from dataclasses import replace

from tests.harness.world import FRONT_END
from tests.stories.contract.answers import Expect, bodiless, cleared, refused, signed_in, succeeded
from tests.stories.contract.bodies import FORGOT, LOGIN, MISSING, REGISTER, sending
from tests.stories.contract.happenings import enters, events_are_lost, registered
from tests.stories.contract.refresh import REFRESH
from tests.stories.contract.register import ME, WRONG
from tests.stories.contract.sign_in import NOT_LOGGED_IN, OUT, WHO
from tests.stories.contract.steps import ADA, Row, Send, Step, bearer, get, head, login, patch, post, twice

HEALTH = "/api/healthchecker"
OPEN = succeeded(message="Vestibule is open")
EVIL = "https://evil.example"
MAX_BODY = 10_240
TOO_LARGE = refused(413, "body_too_large", "The body is larger than 10 kB")
UNSUPPORTED = refused(415, "unsupported_media", "Send the body as UTF-8 and without a content encoding")
CROSS_SITE = refused(403, "cross_site", "This request was made by another site, which is not allowed")
NO_REFRESH = refused(403, "cross_site", "Could not refresh access token")
UNEXPECTED = Expect(500, {"status": "error", "code": "unexpected", "message": "Something went wrong on our side"})
FEED = "/api/revocations"
INTROSPECT = "/api/auth/introspect"
NO_KEY = replace(
    refused(401, "service_key_invalid", "This is for services: send a service key as Bearer"),
    headers={"WWW-Authenticate": 'Bearer realm="vestibule services"'},
)
OTHERS = {"another origin": EVIL, "the null origin": "null", "a longer origin": "http://localhost:30000"}
# Every route, and the methods it has.
METHODS = {
    HEALTH: "GET, HEAD",
    REGISTER: "POST",
    LOGIN: "POST",
    REFRESH: "GET, HEAD, POST",
    OUT: "GET, HEAD, POST",
    "/api/auth/verifyemail/{code}": "GET, HEAD",
    "/api/auth/verifyemail": "POST",
    FORGOT: "POST",
    "/api/auth/resetpassword/{token}": "PATCH",
    WHO: "GET, HEAD, PATCH",
}
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
UNKNOWN = [
    "/api",
    "/api/nope",
    "/api/nope/",
    "/api/auth/verifyemail/a/b",
    "/API/users/me",
]


def not_found(path: str) -> Expect:
    return refused(404, "route_unknown", f"Route {path} not found")


def not_allowed(method: str, allowed: str) -> Expect:
    message = f"{method} is not possible here; use {allowed.replace(', ', ' or ')}"
    return replace(refused(405, "method_not_allowed", message), headers={"Allow": allowed})


def _other_methods() -> list[Row]:
    return [
        Row(f"{method} {path}", Send(method, path), bodiless(answer) if method == "HEAD" else answer)
        for path, allowed in METHODS.items()
        for method in VERBS
        if method not in allowed.split(", ")
        for answer in (not_allowed(method, allowed),)
    ]


def padded(size: int) -> bytes:
    """A login of exactly this many bytes, with the wrong password."""
    start = b'{"email": "ada@example.com", "password": "wrong horse", "padding": "'
    return start + b"x" * (size - len(start) - 2) + b'"}'


def _sizes() -> list[Row]:
    just, more = padded(MAX_BODY), padded(MAX_BODY + 1)
    return [
        Row("size: 10,240 bytes", post(LOGIN, just), WRONG),
        Row("size: 10,240 bytes in chunks", post(LOGIN, just, chunked=True), WRONG),
        Row("size: 10,241 bytes in chunks", post(LOGIN, more, chunked=True), TOO_LARGE),
        Row("size: 10,241 bytes, whatever they are", post(LOGIN, more, kind="text/plain"), TOO_LARGE),
        *(Row(f"size: 10,241 bytes to {path}", sending(path, more), TOO_LARGE) for path in MISSING),
    ]


def _kinds() -> list[Row]:
    charsets = ["latin1", "utf-16", "utf-8-sig", "x-none"]
    return [
        *(Row(f"charset {c}", post(LOGIN, {}, kind=f"application/json; charset={c}"), UNSUPPORTED) for c in charsets),
        *(
            Row(f"encoding {coding} to {path}", sending(path, {}).with_headers(Content_Encoding=coding), UNSUPPORTED)
            for coding in ("gzip", "br", "gzip, identity")
            for path in MISSING
        ),
        Row("encoding identity", login(password="wrong horse").with_headers(Content_Encoding="identity"), WRONG),
    ]


def _from(origin: str | None) -> list[tuple[Send, Expect]]:
    """What any origin may ask; whether it may read the answer is another thing, and checked of every answer."""
    return [
        (get(HEALTH, origin=origin), OPEN),
        (get(WHO, origin=origin), NOT_LOGGED_IN),
        (get("/api/nope", origin=origin), not_found("/api/nope")),
        (Send("DELETE", WHO, origin=origin), not_allowed("DELETE", "GET, HEAD, PATCH")),
    ]


def _from_no_browser() -> list[tuple[Send, Expect]]:
    return [
        *_from(None),
        (get(REFRESH, origin=None), refused(403, "refresh_refused", "Could not refresh access token")),
        (post(LOGIN, padded(MAX_BODY + 1), origin=None), TOO_LARGE),
        (post(LOGIN, {}, kind="application/json; charset=latin1", origin=None), UNSUPPORTED),
    ]


def _preflight(path: str, origin: str | None, asked: str = "content-type,authorization") -> Send:
    preflight = Send("OPTIONS", path, origin=origin).with_headers(Access_Control_Request_Method="PATCH")
    return preflight.with_headers(Access_Control_Request_Headers=asked) if asked else preflight


ALLOWED = {
    "Vary": "Origin",
    "Access-Control-Allow-Methods": "GET,HEAD,PUT,PATCH,POST,DELETE",
    "Access-Control-Allow-Headers": "content-type,authorization",
}
NO_HEADERS_ALLOWED = ALLOWED | {"Access-Control-Allow-Headers": None}
NOTHING_ALLOWED = dict.fromkeys(ALLOWED) | {"Vary": "Origin"}


def _preflights() -> list[Row]:
    allowed, no_headers, nothing = (
        Expect(204, headers=headers) for headers in (ALLOWED, NO_HEADERS_ALLOWED, NOTHING_ALLOWED)
    )
    return [
        *(Row(f"preflight: {path}", _preflight(path, FRONT_END), allowed) for path in [*METHODS, "/api/nope"]),
        Row("preflight: no headers asked for", _preflight(LOGIN, FRONT_END, asked=""), no_headers),
        *(Row(f"preflight: {name}", _preflight(LOGIN, origin), nothing) for name, origin in OTHERS.items()),
    ]


def from_elsewhere(send: Send, origin: str | None = EVIL) -> Send:
    """Another site makes the browser ask."""
    return replace(send, origin=origin).with_headers(Sec_Fetch_Site="cross-site")


def _other_sites() -> list[Row]:
    body = {"name": "Eve", "email": "eve@example.com", **twice("tr0ub4dor&3")}
    bodies = [
        post(REGISTER, body),
        login(),
        post(FORGOT, {"email": ADA}),
        patch("/api/auth/resetpassword/{token}", twice("tr0ub4dor&3")),
    ]
    return [
        *(Row(f"another site: {send.path}", from_elsewhere(send), CROSS_SITE) for send in bodies),
        *(Row(f"a link elsewhere: {send.path}", from_elsewhere(send, None), CROSS_SITE) for send in bodies),
    ]


def _signed_in_at_another_site() -> list[Row]:
    """The browser adds Ada's cookies, and still nothing happens."""
    sends = {get(OUT, by="ada"): CROSS_SITE, post(OUT, by="ada"): CROSS_SITE}
    sends |= {get(REFRESH, by="ada"): NO_REFRESH, post(REFRESH, by="ada"): NO_REFRESH}
    return [
        Row(f"another site: {send.method} {send.path} from {origin}", from_elsewhere(send, origin), answer)
        for origin in (EVIL, "null", None)
        for send, answer in sends.items()
    ]


IN = (registered, enters())
ROWS = [
    Row("the front-end, on another site: logout", from_elsewhere(get(OUT), FRONT_END), cleared(), given=IN),
    Row("the front-end, on another site: refresh", from_elsewhere(get(REFRESH), FRONT_END), signed_in(), given=IN),
    Row("no browser at all: logout", get(OUT, origin=None), cleared(), given=IN),
    Row("no browser at all: refresh", get(REFRESH, origin=None), signed_in(), given=IN),
    Row(
        "a browser without Fetch Metadata: another origin",
        post(OUT, origin=EVIL),
        CROSS_SITE,
        given=IN,
        then=(Step(get(WHO), ME),),
    ),
    Row(
        "a fault of ours: the envelope, and nothing of what it was",
        login(),
        UNEXPECTED,
        given=(registered, events_are_lost),
        then=(Step(login(origin=None), UNEXPECTED), Step(get(HEALTH), OPEN)),
    ),
]

HARMLESS = [
    *(Row(f"GET {path}", get(path), not_found(path)) for path in UNKNOWN),
    Row("GET, as sent", get("/api/n%C3%B6pe?x=1"), not_found("/api/n%C3%B6pe?x=1")),
    Row("POST to nowhere", post("/api/nope", {}), not_found("/api/nope")),
    Row("HEAD of nowhere", head("/api/nope"), bodiless(not_found("/api/nope"))),
    *_other_methods(),
    Row("health", get(HEALTH), OPEN),
    Row("health: with a query and a slash", get(f"{HEALTH}/?x=1"), OPEN),
    Row("health: HEAD", head(HEALTH), bodiless(OPEN)),
    Row("the feed: for services only", get(FEED), NO_KEY),
    Row("the feed: not for people", bearer(get(FEED), "{access}"), NO_KEY),
    Row("introspection: for services only", post(INTROSPECT), NO_KEY),
    *_sizes(),
    *_kinds(),
    *(
        Row(f"{name}: {send.path} {answer.status}", send, answer)
        for name, origin in OTHERS.items()
        for send, answer in _from(origin)
    ),
    *(Row(f"no browser: {send.path} {answer.status}", send, answer) for send, answer in _from_no_browser()),
    *_preflights(),
    *_other_sites(),
    *_signed_in_at_another_site(),
]
