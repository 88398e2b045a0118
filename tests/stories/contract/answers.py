"""What a row expects: status, whole body, every cookie, CORS; and what no answer may ever hold."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from tests.harness.world import FRONT_END
from vestibule.model.sessions import EndReason

JSON = "application/json; charset=utf-8"
PASSWORD_HASHES = ("$argon2", "$2a$", "$2b$", "$2y$")
# The front-ends act upon these words, so each belongs to one code alone.
STEERING_WORDS = {
    "not logged in": {"not_signed_in"},
    "not refresh": {"refresh_refused", "cross_site", *(f"session_{reason.value}" for reason in EndReason)},
}
_SIGNED = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_PLACE = re.compile(r"\{(\w+)\}")


class Matching:
    """Equal to every text of a pattern, for what is new each time: ids and tokens."""

    def __init__(self, name: str, pattern: str) -> None:
        self._name = name
        self._pattern = re.compile(pattern)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self._pattern.fullmatch(other) is not None

    def __hash__(self) -> int:
        return hash(self._pattern)

    def __repr__(self) -> str:
        return f"<{self._name}>"


A_UUID = Matching("a UUID", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
A_TOKEN = Matching("a token", _SIGNED.pattern)
Text = str | Matching


@dataclass(frozen=True)
class Cookie:
    """One Set-Cookie line; its Expires is held against Max-Age and the clock while it is read."""

    name: str
    value: Text
    max_age: int
    http_only: bool = True
    secure: bool = False
    path: str = "/"
    same_site: str = "Lax"


@dataclass(frozen=True)
class Expect:
    """The whole of an answer. A body of None is an empty one; headers not named here are CORS's and the layer's."""

    status: int
    body: Any = None
    cookies: tuple[Cookie, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """In how many places a token may stand."""
        in_body = isinstance(self.body, dict) and "access_token" in self.body
        return in_body + sum(cookie.value != "" and cookie.http_only for cookie in self.cookies)

    def filled(self, notes: Mapping[str, str]) -> "Expect":
        """With the noted values in their places."""
        cookies = tuple(replace(cookie, value=filled(cookie.value, notes)) for cookie in self.cookies)
        return replace(self, cookies=cookies, body=filled(self.body, notes))


def filled(value: Any, notes: Mapping[str, str]) -> Any:
    """`value` with every `{name}` in its texts replaced by what was noted under that name."""
    if isinstance(value, str):
        return _PLACE.sub(lambda place: notes[place[1]], value)
    if isinstance(value, dict):
        return {name: filled(member, notes) for name, member in value.items()}
    return [filled(member, notes) for member in value] if isinstance(value, list) else value


def succeeded(status: int = 200, **members: Any) -> Expect:
    """A success, with what it has beside its status."""
    return Expect(status, {"status": "success", **members})


def refused(status: int, code: str, message: str, **members: Any) -> Expect:
    """A refusal. It never sets or clears a cookie."""
    return Expect(status, {"status": "fail", "code": code, "message": message, **members})


def invalid(*entries: dict[str, Any]) -> Expect:
    """A body that breaks the rules: every fault at once, in order, and the first one's words on top."""
    return refused(400, "body_invalid", entries[0]["message"], errors=list(entries))


def malformed(why: str) -> Expect:
    """A body that is no JSON, or not as JSON must be."""
    return refused(400, "body_malformed", f"The body cannot be read as JSON: {why}")


def signed_in(refresh: Text | None = A_TOKEN, refresh_seconds: int = 3600, *, secure: bool = False) -> Expect:
    """The tokens, and their cookies."""
    cookies = [Cookie("access_token", A_TOKEN, 900, secure=secure)]
    if refresh is not None:
        cookies.append(Cookie("refresh_token", refresh, refresh_seconds, secure=secure))
    cookies.append(Cookie("logged_in", "true", 900, http_only=False, secure=secure))
    return replace(succeeded(access_token=A_TOKEN), cookies=tuple(cookies))


def cleared(*, secure: bool = False, **members: Any) -> Expect:
    """A success that takes the three cookies away."""
    cookies = (
        Cookie("access_token", "", 0, secure=secure),
        Cookie("refresh_token", "", 0, secure=secure),
        Cookie("logged_in", "", 0, http_only=False, secure=secure),
    )
    return replace(succeeded(**members), cookies=cookies)


def challenged(expect: Expect, error: str = "") -> Expect:
    """The same, with the challenge of RFC 6750, section 3."""
    challenge = 'Bearer realm="vestibule"' + (f', error="{error}"' if error else "")
    return replace(expect, headers={"WWW-Authenticate": challenge})


def bodiless(expect: Expect) -> Expect:
    """The same answer to HEAD."""
    return replace(expect, body=None)


def check(answer: httpx.Response, expect: Expect, origin: str | None, now: datetime) -> None:
    """Status, whole body, cookies and CORS, exactly."""
    body = answer.json() if answer.content else None
    assert (answer.status_code, body) == (expect.status, expect.body)
    every = tuple(_cookie(line, now) for line in answer.headers.get_list("set-cookie"))
    # Beside the contract's three: by this one a browser is known again, and nobody is signed in.
    cookies = tuple(cookie for cookie in every if "device_" not in cookie.name)
    assert cookies == expect.cookies
    for cookie in cookies:
        if body is not None and cookie.name == "access_token":
            assert body.get("access_token", "") == cookie.value
    for name, value in expect.headers.items():
        assert answer.headers.get(name) == value, name
    if answer.status_code != 204:
        assert answer.headers["content-type"] == JSON
    check_cors(answer, origin)


def check_cors(answer: httpx.Response, origin: str | None) -> None:
    """A listed origin may read the answer, with credentials; nobody else may."""
    allowed = [origin] if origin == FRONT_END else []
    assert answer.headers.get_list("access-control-allow-origin") == allowed
    assert answer.headers.get_list("access-control-allow-credentials") == ["true" for _ in allowed]
    assert "Origin" in answer.headers["vary"].split(", ")


def check_forbidden(answer: httpx.Response, expect: Expect, secrets: set[str]) -> None:
    """No hash, no secret, no token but in its place, no `error`, no boast; words and codes as they must be."""
    everything = f"{answer.headers.multi_items()} {answer.text}"
    assert [text for text in (*PASSWORD_HASHES, *secrets) if text in everything] == []
    assert len(_SIGNED.findall(everything)) == expect.tokens
    assert {"x-powered-by", "server"}.isdisjoint(answer.headers)
    if answer.content:
        body = answer.json()
        assert "error" not in _names(body)
        assert body["status"] == _word(answer.status_code)
        _check_words(body, answer.status_code)


def _check_words(body: dict[str, Any], status: int) -> None:
    code, message = body.get("code"), body.get("message", "")
    assert (code is None) == (status < 400)
    assert code is None or re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    for words, codes in STEERING_WORDS.items():
        assert words not in message or code in codes


def _word(status: int) -> str:
    return "success" if status < 400 else "fail" if status < 500 else "error"


def _names(value: Any) -> Iterator[str]:
    """Every member's name, however deep."""
    if isinstance(value, dict):
        yield from value
        for member in value.values():
            yield from _names(member)
    elif isinstance(value, list):
        for member in value:
            yield from _names(member)


def _cookie(line: str, now: datetime) -> Cookie:
    pair, *rest = line.split("; ")
    name, _, value = pair.partition("=")
    attributes = dict(attribute.partition("=")[::2] for attribute in rest)
    max_age = int(attributes.pop("Max-Age"))
    ends = (now + timedelta(seconds=max_age)).replace(microsecond=0)
    assert parsedate_to_datetime(attributes.pop("Expires")) == ends
    cookie = Cookie(
        name,
        value,
        max_age,
        http_only=attributes.pop("HttpOnly", None) is not None,
        secure=attributes.pop("Secure", None) is not None,
        path=attributes.pop("Path"),
        same_site=attributes.pop("SameSite"),
    )
    assert attributes == {}
    return cookie
