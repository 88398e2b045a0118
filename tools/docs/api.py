"""`docs/api.md`, made from the URL map, what comes in and out, and the tree of refusals."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from pydantic import BaseModel

from tests.docs.paths import DOCS
from tools.docs.tables import MADE, table
from vestibule.model.errors import Fault, PasswordTooEasy, Refusal
from vestibule.model.sessions import EndReason
from vestibule.web.errors import (
    HTTP_MAPPINGS,
    UNEXPECTED,
    BodyInvalid,
    BodyMalformed,
    HostUnknown,
    HttpMapping,
    MethodNotAllowed,
    RouteUnknown,
)
from vestibule.web.openapi import responses_of
from vestibule.web.routes import ROUTES, Guard, Route

PAGE = DOCS / "api.md"
API_INTRODUCTION = """
The server describes itself at `/openapi.json` and, for people, at `/docs`; both only in development. This page says
the same in short.

* A success is `{"status":"success", …}`. A refusal (4xx) is `{"status":"fail","code":"…","message":"…"}`, a fault
  (5xx) is `{"status":"error","code":"…","message":"…"}`, with `Retry-After` where it is worth trying again. Programs
  read `code`, which is stable; people read `message`.
* A body is JSON in UTF-8, of 10,240 bytes at most. One that breaks the rules is answered 400 `body_invalid`, with
  every fault in `errors` at once, in the order of the fields; each has `code`, `path` and `message`. A missing body,
  or one that is not `application/json`, counts as `{}`.
* Every answer carries `X-Request-ID`, by which the operator finds it in the log.
* HEAD answers wherever GET does, and never changes anything. Whatever has to ask the database, hash or sign may be
  answered 503; the tables below leave that out. A trailing slash and a query string are accepted.
* An access token is sent as `Authorization: Bearer …` or in the cookie `access_token`; the header goes first.
"""

ENDS_INTRODUCTION = """
Where the reason is known, the code names it in place of `session_over` (401, for an access token) and `refresh_refused`
(403, for a refresh token). Status and message stay the same.
"""

ENTRIES_INTRODUCTION = """
Each entry of `errors` has `code`, `path` and `message`, as zod 3 has them.
"""

ENDS: dict[EndReason, str] = {
    EndReason.SIGNED_OUT: "This device signed out.",
    EndReason.SIGNED_OUT_ELSEWHERE: "Another device of the account ended the session.",
    EndReason.EXPIRED: "The session reached `VESTIBULE_SESSION_SECONDS`.",
    EndReason.IDLE: "The session was not refreshed for `VESTIBULE_SESSION_IDLE_SECONDS`.",
    EndReason.PASSWORD_CHANGED: "The password was changed.",
    EndReason.PASSWORD_RESET: "A new password was set with a mailed link.",
    EndReason.EMAIL_CHANGED: "The email of the account was changed, or changed back.",
    EndReason.REFRESH_TOKEN_REUSED: "Two parties used the session's refresh tokens.",
    EndReason.ENDED_BY_OPERATOR: "The operator ended the session in the database; no command does so today.",
    EndReason.ACCOUNT_DISABLED: "The operator disabled the account.",
    EndReason.ACCOUNT_DELETED: "The account was deleted.",
    EndReason.TOO_MANY_SESSIONS: "The account has `VESTIBULE_SESSIONS_PER_ACCOUNT`; this one was unused longest.",
}

ENTRIES = {
    "invalid_type": "A member is missing, or has another type than `expected`.",
    "invalid_string": "The email is not valid; the entry has `validation`.",
    "too_small": "The value has fewer than `minimum` characters.",
    "too_big": "The value has more than `maximum` characters.",
    "invalid_enum_value": "The value is none of `options`.",
    "custom": "The passwords differ, the password is too easy, or the value cannot be stored.",
}

# What these say depends on the request.
OWN_WORDS: dict[type[Refusal | Fault], Refusal] = {
    BodyInvalid: BodyInvalid([{"message": "(the message of the first fault)"}]),
    BodyMalformed: BodyMalformed("…"),
    PasswordTooEasy: PasswordTooEasy("one of the commonest"),
    HostUnknown: HostUnknown("other.example.com"),
    RouteUnknown: RouteUnknown("/api/nope"),
    MethodNotAllowed: MethodNotAllowed("DELETE", ["GET", "HEAD"]),
}


def api_page() -> str:
    """`docs/api.md`."""
    parts = ["# The API", MADE, API_INTRODUCTION.strip(), "## Routes", _map()]
    parts += [
        "[How often](settings.md#stop-guessing-and-floods) one network may do what a limit counts, in a minute.",
        "A guard runs before the handler:",
        _guards(),
    ]
    parts += [_path(path, list(routes)) for path, routes in groupby(ROUTES, attrgetter("path"))]
    parts += ["## Codes", "Every refusal and fault there is.", _codes()]
    parts += ["### When a session is over", ENDS_INTRODUCTION.strip(), _ends()]
    parts += ["### Inside a `body_invalid`", ENTRIES_INTRODUCTION.strip(), _entries()]
    return "\n\n".join(parts) + "\n"


def _map() -> str:
    rows = [
        (
            f"{route.method}",
            f"`{route.path}`",
            _names(route.guard),
            f"`{route.limit}`" if route.limit else "",
            str(route.status),
            _first_sentence(route.handler),
        )
        for route in ROUTES
    ]
    return table(("method", "path", "guard", "limit", "success", "what it does"), rows)


def _guards() -> str:
    guards = {guard.__name__: _first_sentence(guard) for route in ROUTES for guard in route.guard}
    return table(("guard", "what it demands"), [(f"`{name}`", words) for name, words in guards.items()])


def _path(path: str, routes: list[Route]) -> str:
    """What can be asked of a path. The first line of the map stands for all: the others take the same and say less."""
    route, methods = routes[0], " or ".join(route.method for route in routes if route.method != "HEAD")
    lines = [f"### {methods} {path}", inspect.getdoc(route.handler) or ""]
    if route.body:
        lines.append("Body: " + ", ".join(_members(route.body)) + ".")
    lines.append(f"Answers {route.status}" + (f" with {', '.join(_members(route.answer))}." if route.answer else "."))
    rows = sorted((str(HTTP_MAPPINGS[r].status), f"`{r.code}`", _message(r)) for r in _refusals_of(route))
    return "\n\n".join([*lines, table(("status", "code", "message"), rows)] if rows else lines)


def _refusals_of(route: Route) -> Iterator[type[Refusal | Fault]]:
    """What the OpenAPI document declares, without faults; of two refusals with one code, the one in the map."""
    for status, response in responses_of(route).items():
        for code in re.findall(r"`(\w+)`", response["description"]):
            named = [
                refusal for refusal, look in HTTP_MAPPINGS.items() if (look.status, refusal.code) == (status, code)
            ]
            refusal = next((refusal for refusal in named if refusal in route.refusals), named[0])
            if issubclass(refusal, Refusal):
                yield refusal


def _members(model: type[BaseModel]) -> list[str]:
    schema = model.model_json_schema()
    optional = schema["properties"].keys() - set(schema.get("required", schema["properties"]))
    defaults = {"status"}
    return [f"`{name}`" + (" (optional)" if name in optional - defaults else "") for name in schema["properties"]]


def _codes() -> str:
    rows = {(look.status, f"`{refusal.code}`", _message(refusal)) for refusal, look in HTTP_MAPPINGS.items()}
    rows.add((500, f"`{UNEXPECTED['code']}`", UNEXPECTED["message"]))
    return table(
        ("status", "code", "message"), [(str(status), code, message) for status, code, message in sorted(rows)]
    )


def _ends() -> str:
    return table(("code", "why the session is over"), [(f"`session_{end.value}`", ENDS[end]) for end in EndReason])


def _entries() -> str:
    return table(("code", "what is wrong"), [(f"`{code}`", words) for code, words in ENTRIES.items()])


def _message(refusal: type[Refusal | Fault]) -> str:
    look: HttpMapping = HTTP_MAPPINGS[refusal]
    return look.message or str(OWN_WORDS[refusal])


def _names(guards: Iterable[Guard]) -> str:
    return ", ".join(f"`{guard.__name__}`" for guard in guards)


def _first_sentence(described: Callable[..., Any]) -> str:
    words = " ".join((inspect.getdoc(described) or "").split())
    return re.split(r"(?<=\.) (?=[A-Z])", words)[0]
