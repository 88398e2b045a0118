"""Make `docs/api.md` from the URL map, the classes of requests and answers, and the tree of refusals."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from pydantic import BaseModel

from tests.docs.paths import DOCS
from tools.docs.tables import MADE, table
from vestibule.model.errors import Fault, PasswordTooEasy, ReauthenticationRequired, Refusal
from vestibule.model.factor_errors import SecondFactorEnrolmentRequired, SecondFactorPaused
from vestibule.model.operator_errors import FilterInvalid, PermissionMissing
from vestibule.model.permissions import Permission
from vestibule.model.sessions import EndReason
from vestibule.web.errors import HTTP_MAPPINGS, UNEXPECTED, HttpMapping
from vestibule.web.map_lines import Guard, Route
from vestibule.web.map_reading import ROUTES
from vestibule.web.openapi import responses_of
from vestibule.web.request_errors import BodyInvalid, BodyMalformed, HostUnknown, MethodNotAllowed, RouteUnknown

PAGE = DOCS / "api.md"
API_INTRODUCTION = """
In development the server also publishes an OpenAPI document at `/openapi.json` and a page to try the API at `/docs`.

* **Responses.** Success is `{"status":"success", …}`. A refusal (4xx) is `{"status":"fail","code":"…","message":"…"}`,
  a server error (5xx) `{"status":"error","code":"…","message":"…"}`, with `Retry-After` if retrying helps. Programs
  read `code`, which is stable; people read `message`.
* **Request bodies** are JSON in UTF-8, at most 10,240 bytes. An invalid one is answered 400 `body_invalid`, with all
  errors in `errors`, in the order of the fields. A missing body, or one that is not `application/json`, counts as `{}`.
* **Access tokens** are sent as `Authorization: Bearer …` or in the cookie `access_token`. The header takes precedence.
* **When to refresh.** On 401 `not_signed_in` or `access_token_invalid` the access token is missing or has expired: call
  `POST /api/auth/refresh` once, and repeat the request. If the refresh is refused, or a code begins with `session_`,
  the user must sign in again.
* **Recent sign-in.** On 403 `reauthentication_required` the sign-in is more than `max_age` seconds ago, or lacks the
  second factor that the account has: ask for one of `satisfied_by`, send it to `POST /api/users/me/step-up`, and repeat
  the request with the new access token. For a passkey, `POST /api/users/me/step-up/options` has what to give to
  `navigator.credentials.get()`.
* **Required second factor.** On 403 `second_factor_enrolment_required` at a sign-in, show the message, which names the
  page to set one up; or do it yourself, with the cookie `second_factor` that comes along: call `POST
  /api/auth/login/enrol/totp`, show the QR code, and send one of the app's codes to `POST
  /api/auth/login/enrol/totp/confirm`, which signs in. Show the `recovery_codes` of its answer. A passkey goes the same
  way, by `/api/auth/login/enrol/passkey`.
* **Password, email, second factors and sessions** are changed only with the cookie `refresh_token` of the same session
  beside the access token, and so is the sign-in stepped up. Without it the answer is 403 `refresh_token_required`. A
  browser sends it by itself; a program adds `Cookie: refresh_token=…`, by the name under which the server set it.
* **From a browser.** Send `credentials: "include"` with every call, and list the front-end's origin in `ORIGIN`.
* **TypeScript.** `npx openapi-typescript http://localhost:8000/openapi.json -o vestibule.d.ts` writes the types.
* **Not in the API:** the data export and the deletion of an account. Link to the pages `/profile/data` and
  `/profile/delete`.
* **Request ids.** Every response has an `X-Request-ID`, by which the operator finds it in the log.
* **HEAD** works wherever GET does, and never changes anything. A trailing slash and a query string are accepted.
* **503.** Every route that asks the database, hashes or signs may answer 503; the tables below leave that out.
"""

OF_OPERATORS = (
    "A line for operators names a permission too, such as `people:read`; then a second factor and a sign-in within 15 "
    "minutes are needed as well:"
)
ENDS_INTRODUCTION = """
If the reason is known, its code replaces `session_over` (401, for an access token) and `refresh_refused` (403, for a
refresh token). Status and message stay the same.
"""

ENTRIES_INTRODUCTION = """
Each entry of `errors` has `code`, `path` and `message`, as in zod 3.
"""

ENDS: dict[EndReason, str] = {
    EndReason.SIGNED_OUT: "This device signed out.",
    EndReason.SIGNED_OUT_ELSEWHERE: "Another device of the account ended the session.",
    EndReason.EXPIRED: "The session reached `VESTIBULE_SESSION_SECONDS`.",
    EndReason.IDLE: "The session was not refreshed for `VESTIBULE_SESSION_IDLE_SECONDS`.",
    EndReason.PASSWORD_CHANGED: "The password was changed.",
    EndReason.PASSWORD_RESET: "The password was reset with a link from an email.",
    EndReason.EMAIL_CHANGED: "The account's email was changed.",
    EndReason.EMAIL_TAKEN_BACK: "A change of the account's email was undone.",
    EndReason.FACTORS_RESET: "The account's second factors were reset, because they were lost.",
    EndReason.REFRESH_TOKEN_REUSED: "Two parties used the session's refresh tokens.",
    EndReason.ENDED_BY_OPERATOR: "An operator ended the session, or all of the account (`vestibule users sign-out`).",
    EndReason.ACCOUNT_DISABLED: "The operator disabled the account.",
    EndReason.ACCOUNT_DELETED: "The account was deleted.",
    EndReason.TOO_MANY_SESSIONS: "`VESTIBULE_SESSIONS_PER_ACCOUNT` was reached; this session was unused for longest.",
    EndReason.ACTING_ENDED: "An operator acted as the owner in this session, and stopped, or no longer may.",
    EndReason.ROLE_CHANGED: "An operator gave the account another role.",
    EndReason.SECOND_FACTOR_REQUIRED: "`VESTIBULE_SECOND_FACTOR` requires one, and the session began without.",
}

ENTRIES = {
    "invalid_type": "A member is missing, or its type is not the `expected` one.",
    "invalid_string": "The email is not valid; the entry has `validation`.",
    "too_small": "The value has fewer than `minimum` characters.",
    "too_big": "The value has more than `maximum` characters.",
    "invalid_enum_value": "The value is not one of `options`.",
    "custom": "The passwords differ, the password is too easy, or the value cannot be stored.",
}

# Refusals whose message depends on the request, each with an example.
OWN_WORDS: dict[type[Refusal | Fault], Refusal] = {
    BodyInvalid: BodyInvalid([{"message": "(the message of the first error)"}]),
    BodyMalformed: BodyMalformed("…"),
    PasswordTooEasy: PasswordTooEasy("one of the commonest"),
    ReauthenticationRequired: ReauthenticationRequired(("password",), 300),
    PermissionMissing: PermissionMissing(Permission.PEOPLE_DELETE),
    FilterInvalid: FilterInvalid("network"),
    SecondFactorPaused: SecondFactorPaused(23 * 3600),
    HostUnknown: HostUnknown("other.example.com"),
    RouteUnknown: RouteUnknown("/api/nope"),
    SecondFactorEnrolmentRequired: SecondFactorEnrolmentRequired("https://auth.example.com"),
    MethodNotAllowed: MethodNotAllowed("DELETE", ["GET", "HEAD"]),
}


def api_page() -> str:
    """Return `docs/api.md`."""
    parts = ["# HTTP API: routes and error codes", MADE, API_INTRODUCTION.strip(), "## Routes", _map()]
    parts += [
        "Limits count requests per network and minute: [the numbers](settings.md#stop-guessing-and-floods).",
        f"Guards run before the handler. {OF_OPERATORS}",
        _guards(),
    ]
    for path, routes in groupby(ROUTES, attrgetter("path")):
        parts += _path(path, list(routes))
    parts += ["## Error codes", "All of them, for all routes.", _codes()]
    parts += ["### Why a session is over", ENDS_INTRODUCTION.strip(), _ends()]
    parts += ["### Validation errors: `body_invalid`", ENTRIES_INTRODUCTION.strip(), _entries()]
    return "\n\n".join(parts) + "\n"


def _map() -> str:
    rows = [
        (
            f"{route.method}",
            f"`{route.path}`",
            _guards_of(route),
            f"`{route.limit}`" if route.limit else "",
            str(route.status),
            _first_sentence(route.handler),
        )
        for route in ROUTES
    ]
    return table(("method", "path", "guard", "limit", "success", "what it does"), rows)


def _guards_of(route: Route) -> str:
    """Return the guards of a route, and the permission that it asks for."""
    permission = f", `{route.permission}`" if route.permission else ""
    return _names(route.guards) + permission


def _guards() -> str:
    guards = {guard.__name__: _first_sentence(guard) for route in ROUTES for guard in route.guards}
    return table(("guard", "what it requires"), [(f"`{name}`", words) for name, words in guards.items()])


def _path(path: str, routes: list[Route]) -> Iterator[str]:
    """Yield a section for each handler of a path. HEAD is left out: it answers like GET. A handler's first method
    stands for all of its methods: the others take the same and have fewer refusals.
    """
    routes = [route for route in routes if route.method != "HEAD"]
    for _, of_handler in groupby(routes, attrgetter("handler")):
        yield _handler(path, list(of_handler))


def _handler(path: str, routes: list[Route]) -> str:
    route, methods = routes[0], " or ".join(route.method for route in routes)
    lines = [f"### {methods} {path}", inspect.getdoc(route.handler) or ""]
    if route.body:
        lines.append("Body: " + ", ".join(_members(route.body)) + ".")
    lines.append(f"Answers {route.status}" + (f" with {', '.join(_members(route.answer))}." if route.answer else "."))
    if route.answer and (shape := _shape_of_data(route.answer)):
        lines.append(f"`data` is `{shape}`.")
    rows = sorted((str(HTTP_MAPPINGS[r].status), f"`{r.code}`", _message(r)) for r in _refusals_of(route))
    return "\n\n".join([*lines, table(("status", "code", "message"), rows)] if rows else lines)


def _refusals_of(route: Route) -> Iterator[type[Refusal | Fault]]:
    """Yield the refusals that the OpenAPI document declares. Of two with one code, yield the one in the URL map."""
    for status, response in responses_of(route).items():
        for code in re.findall(r"`(\w+)`", response["description"]):
            named = [
                refusal for refusal, http in HTTP_MAPPINGS.items() if (http.status, refusal.code) == (status, code)
            ]
            refusal = next((refusal for refusal in named if refusal in route.refusals), named[0])
            if issubclass(refusal, Refusal):
                yield refusal


def _members(model: type[BaseModel]) -> list[str]:
    schema = model.model_json_schema()
    # `status` has a default, and so is not required in the schema, but every answer has it.
    optional = schema["properties"].keys() - {"status", *schema.get("required", schema["properties"])}
    return [f"`{name}`" + (" (optional)" if name in optional else "") for name in schema["properties"]]


def _shape_of_data(answer: type[BaseModel]) -> str:
    """Return the names inside `data`, such as `{ user: { id, name } }`; empty if the answer has no `data`."""
    schema = answer.model_json_schema()
    data = schema["properties"].get("data")
    return _shape(data, schema.get("$defs", {})) if data else ""


def _shape(schema: dict[str, Any], classes: dict[str, Any]) -> str:
    """Return the names inside an object, or inside the items of an array; empty for any other value."""
    if "items" in schema:
        return f"[{_shape(schema['items'], classes)}]"
    choices = schema.get("anyOf", [schema])
    objects = [classes[each["$ref"].rpartition("/")[2]] for each in choices if "$ref" in each]
    properties: dict[str, Any] = {}
    for each in objects:
        properties |= each.get("properties", {})
    if not properties:
        return ""
    optional = {name for name in properties for each in objects if name not in each.get("required", ())}
    members = [
        name + ("?" if name in optional else "") + (f": {inside}" if (inside := _shape(member, classes)) else "")
        for name, member in properties.items()
    ]
    return "{ " + ", ".join(members) + " }"


def _codes() -> str:
    rows = {(http.status, f"`{refusal.code}`", _message(refusal)) for refusal, http in HTTP_MAPPINGS.items()}
    rows.add((500, f"`{UNEXPECTED['code']}`", UNEXPECTED["message"]))
    return table(
        ("status", "code", "message"), [(str(status), code, message) for status, code, message in sorted(rows)]
    )


def _ends() -> str:
    return table(("code", "why the session is over"), [(f"`session_{end.value}`", ENDS[end]) for end in EndReason])


def _entries() -> str:
    return table(("code", "what is wrong"), [(f"`{code}`", words) for code, words in ENTRIES.items()])


def _message(refusal: type[Refusal | Fault]) -> str:
    http: HttpMapping = HTTP_MAPPINGS[refusal]
    return http.message or str(OWN_WORDS[refusal])


def _names(guards: Iterable[Guard]) -> str:
    return ", ".join(f"`{guard.__name__}`" for guard in guards)


def _first_sentence(described: Callable[..., Any]) -> str:
    words = " ".join((inspect.getdoc(described) or "").split())
    return re.split(r"(?<=\.) (?=[A-Z])", words)[0]
