"""The pages made from code and tests: `python -m tests.docs.generate` writes them, `stale` compares them."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tests.docs import metrics
from tests.docs.paths import DOCS
from tests.docs.security import PAGE, security_page
from vestibule.model.errors import Fault, PasswordTooEasy, Refusal
from vestibule.model.sessions import EndReason
from vestibule.settings.fields import GROUPS, name_of
from vestibule.settings.groups.group import Group
from vestibule.settings.types import Switch
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

MADE = "<!-- Made from the code by `make docs`. Do not edit here. -->"

SETTINGS_INTRODUCTION = """
Every setting is an environment variable, or a line of the file `.env` in the folder where the server starts; the
environment wins. All of them are read once, at the start. What is wrong stops the start, with one line for each setting
that names it, all of them in one run; so does an unknown name that begins with `VESTIBULE_`. Other names in `.env` may
be another program's: one that is like a name below (`ORIGN`, `EMAIL_PASSWORD`) is a line in the log of the server and a
hint of the doctor, and no more. White space at the ends is dropped, and an empty value counts as unset.

`.env` is UTF-8 and read as Node's dotenv reads it: `NAME=value`, one a line, perhaps with `export` in front; `'…'`,
`"…"` or `` `…` `` around a value that has a `#` or several lines; nothing is expanded, a `$` is a dollar sign. It
has at most 1 MB. Like every file that a setting names, it is a regular file; `/dev/null` counts as an empty one.

None has to be set on one's own machine. In production most installations set seven: `NODE_ENV`, `VESTIBULE_URL`,
`ORIGIN`, `DATABASE_URL`, `VESTIBULE_SECRET_KEY`, `EMAIL_HOST` and `VESTIBULE_TRUSTED_PROXIES`. `vestibule doctor` says
what else is missing.

A switch takes `on` or `off`; `true`, `yes` and `1`, `false`, `no` and `0` say the same, in small letters or capitals.
"""

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


_TWO_MINUTES = 120
_UNITS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


def settings_page() -> str:
    """`docs/settings.md`."""
    parts = ["# Settings", MADE, SETTINGS_INTRODUCTION.strip(), _contents()]
    for group in GROUPS:
        rows = [_setting(field) for field in own_settings(group)]
        when = " ".join((group.__doc__ or "").split())
        parts += [f"## {group.title}", when, table(("setting", "default", "may be", "what it does"), rows)]
    return "\n\n".join(parts) + "\n"


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


PAGES: dict[Path, Callable[[], str]] = {
    DOCS / "settings.md": settings_page,
    DOCS / "api.md": api_page,
    PAGE: security_page,
    metrics.PAGE: metrics.metrics_page,
}


def stale() -> list[str]:
    """The generated pages that are not what the code says now."""
    return [path.name for path, page in PAGES.items() if not path.exists() or path.read_text() != page()]


def own_settings(group: type[Group]) -> list[FieldInfo]:
    """The settings of a group, in its order."""
    return list(group.model_fields.values())


def _contents() -> str:
    """What there is to read, and who reads it."""
    links = ((group.title, group.title.lower().replace(" ", "-").replace(",", "")) for group in GROUPS)
    return "\n".join(f"* [{title}](#{anchor})" for title, anchor in links)


def _setting(field: FieldInfo) -> tuple[str, ...]:
    shown = field.json_schema_extra
    assert isinstance(shown, dict)
    default = f"unset: {shown['unset']}" if shown["unset"] else _default(field)
    return f"`{name_of(field)}`", default, str(shown["takes"]) or _limits(field), field.description or ""


def _default(field: FieldInfo) -> str:
    """The default as people write it, and a long time once more in days, hours or minutes."""
    value = field.default
    written = _written(value)
    if name_of(field).endswith("_SECONDS") and isinstance(value, int) and value >= _TWO_MINUTES:
        return f"{written} ({_in_words(value)})"
    return written


def _in_words(seconds: int) -> str:
    unit, length = next((unit, length) for unit, length in _UNITS.items() if seconds % length == 0)
    number = seconds // length
    return f"{number} {unit}{'s' if number > 1 else ''}"


def _written(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = "on" if value else "off"
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value}`" if value != "" else "unset"


def _limits(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        *choices, last = (f"`{choice}`" if choice else "unset" for choice in get_args(field.annotation))
        return f"{', '.join(choices)} or {last}"
    if field.annotation is bool or Switch in get_args(field.annotation):
        return "`on` or `off`"
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    if {"ge", "le"} <= bounds.keys():
        return f"{bounds['ge']:,} to {bounds['le']:,}"
    return f"{bounds['ge']:,} or more" if bounds else ""


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
    """What the OpenAPI document declares, but for faults; of two refusals with one code, the one in the map."""
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


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """In Markdown, a bar ends a cell also within backticks, and a line break ends the table."""
    lines = [head, tuple("---" for _ in head), *rows]
    cells = ([" ".join(cell.split()).replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def main() -> None:
    """Write every page."""
    for path, page in PAGES.items():
        path.write_text(page())


if __name__ == "__main__":
    main()
